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

// ParseResources reads what Text writes. A resource without a key gets its name's. What is wrong with a line is told with its
// number; what is wrong with what the lines mean is for Clean to say.
func ParseResources(text string) (Resources, Problems) {
	var list Resources
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
			list = append(list, resource)
		case len(list) == 0:
			wrong(i+1, "an operation stands below its resource. Begin the resource's line without a space.")
		case len(words) != 3:
			wrong(i+1, "an operation is a name, a method and a path, for example: list GET /api/agent-base.")
		default:
			last := &list[len(list)-1]
			last.Operations = append(last.Operations, Operation{words[0], strings.ToUpper(words[1]), words[2]})
		}
	}
	return list, p
}
