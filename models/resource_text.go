package models

import (
	"fmt"
	"regexp"
	"strings"
)

// Text is resources as people edit them: a line for each resource, its name and its key in brackets, and below it, indented,
// a line for each operation, its name, method and pattern.
func (r Resources) Text() string {
	var b strings.Builder
	for _, resource := range r {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s (%s)\n", resource.Name, resource.Key)
		wide := 0
		for _, o := range resource.Operations {
			wide = max(wide, len(o.Name))
		}
		for _, o := range resource.Operations {
			fmt.Fprintf(&b, "  %-*s  %-6s  %s\n", wide, o.Name, o.Method, o.Pattern)
		}
	}
	return b.String()
}

var resourceLineForm = regexp.MustCompile(`^(.*?)\s*(?:\(([^()]*)\))?$`)

// ParseResources reads what Text writes. A resource without a key gets its name's. What is wrong is told of the field resources, with the
// number of its line: how lines are written, and then, as Clean does, what they mean.
func ParseResources(text string) (Resources, Problems) {
	var list Resources
	var at places
	var p Problems
	wrong := func(line int, message string) {
		if len(p) < mostTold {
			p = append(p, Field{"resources", fmt.Sprintf("Line %d: %s", line, message)})
		}
	}
	for i, line := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case line[0] != ' ' && line[0] != '\t':
			parts := resourceLineForm.FindStringSubmatch(strings.TrimSpace(line))
			resource := Resource{Name: CleanText(parts[1]), Key: strings.TrimSpace(parts[2])}
			if resource.Key == "" {
				resource.Key = Slug(resource.Name)
			}
			list, at = append(list, resource), append(at, place{line: i + 1})
		case len(list) == 0:
			wrong(i+1, "an operation stands below its resource. Begin the resource's line without a space.")
		case len(words) != 3:
			wrong(i+1, "an operation is a name, a method and a path, for example: list GET /api/agent-base.")
		default:
			last := &list[len(list)-1]
			last.Operations = append(last.Operations, Operation{words[0], strings.ToUpper(words[1]), words[2]})
			at[len(at)-1].rows = append(at[len(at)-1].rows, i+1)
		}
	}
	if len(p) > 0 { // without the lines that could not be read, the others say something else
		return list, p
	}
	p = list.clean(at)
	for i := range p {
		p[i].Name = "resources"
	}
	return list, p
}

// places are the lines at which resources and their operations were typed, in their order; nil where they were not typed as text.
type places []place

type place struct {
	line int
	rows []int
}

// resource says where a resource stands, or else what it is called.
func (p places) resource(i int, called string) string {
	if p == nil {
		return called
	}
	return fmt.Sprintf("Line %d", p[i].line)
}

// operation says where an operation stands, or else which one of a resource that is called so it is.
func (p places) operation(i, row int, called string) string {
	if p == nil {
		return fmt.Sprintf("%s, row %d", called, row+1)
	}
	return fmt.Sprintf("Line %d", p[i].rows[row])
}

// resources begins a sentence about two resources.
func (p places) resources(i, j int) string {
	if p == nil {
		return ""
	}
	return fmt.Sprintf("Lines %d and %d: ", p[i].line, p[j].line)
}

// operations begins a sentence about two operations.
func (p places) operations(i, row, j, other int) string {
	if p == nil {
		return ""
	}
	return fmt.Sprintf("Lines %d and %d: ", p[i].rows[row], p[j].rows[other])
}
