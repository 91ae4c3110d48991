package access

import (
	"strings"

	"tokendesk/models"
)

// Routes find the scope that a call needs. They are made once of a product's resources and then only read.
type Routes struct {
	trees map[string]*node // by method; the first segments of the patterns are the root's
}

// node is a place in a pattern: what may come after it, and what it means to end here.
type node struct {
	names    []string         // of the literals, in their order
	literals map[string]*node // by segment
	one      *node            // after {name}
	rest     string           // the scope of a pattern that goes on with * and ends
	scope    string           // of a pattern that ends here
}

// Compile makes the routes of resources that are clean. A pattern that is none opens nothing, and of two that nobody could
// choose between the first one counts.
func Compile(resources models.Resources) *Routes {
	r := &Routes{map[string]*node{}}
	for _, resource := range resources {
		for _, o := range resource.Operations {
			if models.PatternProblem(o.Pattern) == "" {
				r.add(o.Method, o.Pattern, resource.Scope(o.Name))
			}
		}
	}
	return r
}

func (r *Routes) add(method, pattern, scope string) {
	if r.trees[method] == nil {
		r.trees[method] = &node{}
	}
	at := r.trees[method]
	for segment := range strings.SplitSeq(pattern[1:], "/") {
		switch {
		case segment == "*":
			if at.rest == "" {
				at.rest = scope
			}
			return
		case segment[0] == '{':
			if at.one == nil {
				at.one = &node{}
			}
			at = at.one
		default:
			at = at.literal(segment)
		}
	}
	if at.scope == "" {
		at.scope = scope
	}
}

func (n *node) literal(segment string) *node {
	if n.literals[segment] == nil {
		if n.literals == nil {
			n.literals = map[string]*node{}
		}
		n.names = append(n.names, segment)
		n.literals[segment] = &node{}
	}
	return n.literals[segment]
}

// Match finds what a call needs: the scope of the most exact pattern that fits. Where none has this method, allowed are the methods
// that one has, in the order of models.Methods, with HEAD after GET. Where there is neither, no resource answers this path.
//
// A path that some products would take for a more exact one is none of ours: with the patterns /api/a/triggers and /api/a/{id},
// what asks for /api/a/Triggers or /api/a/triggers.json must not get in with the scope of {id}, for a product that is
// careless about case or endings would answer with the triggers. So it gets in with neither.
func (r *Routes) Match(method string, p Path) (scope string, allowed []string) {
	if p.decoded == "" {
		return "", nil
	}
	if method == "HEAD" {
		method = "GET"
	}
	if scope := r.match(method, p); scope != "" {
		return scope, nil
	}
	for _, other := range models.Methods {
		if r.match(other, p) == "" {
			continue
		}
		allowed = append(allowed, other)
		if other == "GET" {
			allowed = append(allowed, "HEAD")
		}
	}
	return "", allowed
}

func (r *Routes) match(method string, p Path) string {
	tree := r.trees[method]
	if tree == nil {
		return ""
	}
	if scope, exact := tree.find(p.decoded[1:]); exact {
		return scope
	}
	return ""
}

// find goes down the tree: first where the segment is a literal, then where it is like one, then where anything fits. Patterns that
// may stand beside each other are told apart by the first segment in which one is more exact, so that what is found first
// is the most exact that fits. exact is false when it was found by likeness.
func (n *node) find(path string) (scope string, exact bool) {
	segment, below, more := strings.Cut(path, "/")
	if next := n.literals[segment]; next != nil {
		if scope, exact := next.after(below, more); scope != "" {
			return scope, exact
		}
	}
	for _, name := range n.names {
		if name != segment && alike(segment, name) {
			if scope, _ := n.literals[name].after(below, more); scope != "" {
				return scope, false
			}
		}
	}
	if n.one != nil {
		if scope, exact := n.one.after(below, more); scope != "" {
			return scope, exact
		}
	}
	return n.rest, true
}

// after goes on below a node, or ends there.
func (n *node) after(below string, more bool) (scope string, exact bool) {
	if !more {
		return n.scope, true
	}
	return n.find(below)
}

// alike says whether some products take a segment for the literal: those that ignore case, and those that take what follows a dot for a
// format, or cut off spaces.
func alike(segment, literal string) bool {
	n := len(literal)
	return strings.EqualFold(segment, literal) ||
		len(segment) > n && (segment[n] == '.' || segment[n] == ' ') && strings.EqualFold(segment[:n], literal)
}
