package models

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Operation is something that a program may do with a resource: calls with one method, to the paths that fit
// one pattern. Operations of a resource that share a name are one scope.
type Operation struct {
	Name    string `json:"name"`   // lower-case letters, digits and hyphens
	Method  string `json:"method"` // one of Methods
	Pattern string `json:"path"`   // see PatternProblem
}

// Resource is a named set of paths of a product, with what may be done there.
type Resource struct {
	Key        string      `json:"key"`  // lower-case letters, digits and hyphens; unique in the product
	Name       string      `json:"name"` // for people; unique in the product
	Operations []Operation `json:"operations"`
}

// Resources are what a product offers. Of two patterns of one method that both fit a path the more exact one
// counts, as in net/http.ServeMux: /api/agent-base/triggers before /api/agent-base/{id}.
type Resources []Resource

// Methods are those that an operation can have. A GET answers HEAD too.
var Methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}

const (
	mostResources  = 50
	mostOperations = 200 // of all resources of a product together
	longestKey     = 40  // of a resource, and of an operation
	mostTold       = 20  // problems at once; nobody reads more
)

// Scope is what a token must hold for an operation of the resource.
func (r Resource) Scope(operation string) string { return r.Key + ":" + operation }

// OperationNames are the names of the operations, each once, in their order.
func (r Resource) OperationNames() []string {
	var names []string
	for _, o := range r.Operations {
		if !slices.Contains(names, o.Name) {
			names = append(names, o.Name)
		}
	}
	return names
}

// Scopes are all that a token can be narrowed to, each once, in their order.
func (r Resources) Scopes() []string {
	var scopes []string
	for _, resource := range r {
		for _, name := range resource.OperationNames() {
			scopes = append(scopes, resource.Scope(name))
		}
	}
	return scopes
}

// Has says whether a scope opens anything.
func (r Resources) Has(scope string) bool { return slices.Contains(r.Scopes(), scope) }

// Label is a scope for people: "Knowledge Base: Search". A scope that is no longer there is shown as it is.
func (r Resources) Label(scope string) string {
	for _, resource := range r {
		for _, name := range resource.OperationNames() {
			if resource.Scope(name) == scope {
				return resource.Name + ": " + OperationLabel(name)
			}
		}
	}
	return scope
}

// OperationLabel is an operation's name for people: "bulk-import" becomes "Bulk import".
func OperationLabel(name string) string {
	if name == "" {
		return ""
	}
	return strings.ToUpper(name[:1]) + strings.ReplaceAll(name[1:], "-", " ")
}

// Clean trims what was typed, drops the rows that were left empty, and tells everything that is wrong with the
// rest, of the fields key, name and operations. Sentences say of which resource and row they are, for one field can
// be told of several times.
func (r *Resources) Clean() Problems { return r.clean(nil) }

// clean is Clean for what was typed as text, where problems are told with their lines.
func (r *Resources) clean(at places) Problems {
	var p Problems
	rows := 0
	for i := range *r {
		(*r)[i].trim()
		rows += len((*r)[i].Operations)
	}
	p.Add(len(*r) > mostResources, "name", fmt.Sprintf("A product has at most %d resources. These are %d.", mostResources, len(*r)))
	p.Add(rows > mostOperations, "operations", fmt.Sprintf("A product has at most %d operations. These are %d.", mostOperations, rows))
	if len(p) > 0 {
		return p // to compare them all is work, and its amount is not for the sender to choose
	}
	for i, resource := range *r {
		p = append(p, resource.problems(i, at)...)
		p = append(p, resource.twin((*r)[:i], at)...)
	}
	p = append(p, r.conflicts(at)...)
	return p[:min(len(p), mostTold)]
}

func (r *Resource) trim() {
	r.Key, r.Name = strings.TrimSpace(r.Key), CleanText(r.Name)
	for i, o := range r.Operations {
		r.Operations[i] = Operation{strings.TrimSpace(o.Name), strings.ToUpper(strings.TrimSpace(o.Method)), strings.TrimSpace(o.Pattern)}
	}
	r.Operations = slices.DeleteFunc(r.Operations, func(o Operation) bool { return o == Operation{} })
}

// problems are what is wrong with the resource itself, which is number i from 0.
func (r Resource) problems(i int, at places) (p Problems) {
	called := r.Name
	if called == "" || !Printable(called) || utf8.RuneCountInString(called) > 60 {
		called = fmt.Sprintf("Resource %d", i+1)
	}
	where := at.resource(i, called)
	p.Add(!validKey(r.Key), "key", where+": the key must be "+keyForm+", like knowledge-base.")
	p.Add(r.Name == "", "name", where+": enter a name.")
	p.Add(utf8.RuneCountInString(r.Name) > 60, "name", where+": the name must be 60 characters or fewer.")
	p.Add(!Printable(r.Name), "name", where+": the name has characters that can't be shown. Type it again.")
	p.Add(len(r.Operations) == 0, "operations", where+": add at least one operation.")
	for row, o := range r.Operations {
		for _, problem := range o.problems() {
			p = append(p, Field{"operations", at.operation(i, row, called) + ": " + problem})
		}
	}
	return p
}

func (o Operation) problems() (list []string) {
	if !validKey(o.Name) {
		list = append(list, "the operation's name must be "+keyForm+", like search.")
	}
	if !slices.Contains(Methods, o.Method) {
		list = append(list, "the method must be one of "+strings.Join(Methods, ", ")+". A GET answers HEAD too.")
	}
	if problem := PatternProblem(o.Pattern); problem != "" {
		list = append(list, "the path "+problem)
	}
	return list
}

// twin tells of an earlier resource with the same key or name.
func (r Resource) twin(earlier Resources, at places) (p Problems) {
	for i, other := range earlier {
		both := at.resources(i, len(earlier))
		p.Add(r.Key != "" && r.Key == other.Key, "key", both+fmt.Sprintf("Two resources have the key %s. Give each its own.", Shorten(OnlyPrintable(r.Key), longestKey)))
		p.Add(r.Name != "" && Fold(r.Name) == Fold(other.Name), "name", both+fmt.Sprintf("Two resources have the name %s. Give each its own.", Shorten(OnlyPrintable(r.Name), 60)))
	}
	return p
}

// conflicts tells of each operation that meets an earlier one so that nobody could say which of them a call is. Rows with
// other problems are left out: what is wrong there comes first.
func (r Resources) conflicts(at places) (p Problems) {
	type row struct {
		Operation
		scope        string
		of, numbered int // its resource, and which of its operations it is
	}
	var rows []row
	for i, resource := range r {
		for n, o := range resource.Operations {
			if len(o.problems()) == 0 {
				rows = append(rows, row{o, resource.Scope(o.Name), i, n})
			}
		}
	}
	for i, a := range rows {
		for _, b := range rows[:i] {
			if a.Method != b.Method {
				continue
			}
			if problem := meeting(b.Operation, b.scope, a.Operation, a.scope); problem != "" {
				p = append(p, Field{"operations", at.operations(b.of, b.numbered, a.of, a.numbered) + problem})
				break
			}
		}
	}
	return p
}

const keyForm = "1 to 40 lower-case letters and digits, in words with a hyphen between them"

func validKey(text string) bool {
	if text == "" || len(text) > longestKey {
		return false
	}
	for word := range strings.SplitSeq(text, "-") {
		if word == "" || strings.ContainsFunc(word, func(c rune) bool { return (c < 'a' || c > 'z') && (c < '0' || c > '9') }) {
			return false
		}
	}
	return true
}
