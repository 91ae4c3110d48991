package models

import "slices"

// Changes tells what differs in another set of resources, operation by operation, or that only their order does.
func (r Resources) Changes(to Resources) []Change {
	var changes []Change
	before, after := r.lines(), to.lines()
	for _, line := range before {
		if !slices.Contains(after, line) {
			changes = append(changes, Change{Field: line.field, Before: line.text})
		}
	}
	for _, line := range after {
		if !slices.Contains(before, line) {
			changes = append(changes, Change{Field: line.field, After: line.text})
		}
	}
	if len(changes) == 0 && !slices.Equal(before, after) {
		changes = append(changes, Change{Field: "resources", After: "in another order"})
	}
	return changes
}

type resourceLine struct{ field, text string }

// lines are all there is to a set of resources, a line for each.
func (r Resources) lines() []resourceLine {
	var lines []resourceLine
	for _, resource := range r {
		lines = append(lines, resourceLine{"resource " + resource.Key, resource.Name})
		for _, o := range resource.Operations {
			lines = append(lines, resourceLine{"operation " + resource.Scope(o.Name), o.Method + " " + o.Pattern})
		}
	}
	return lines
}
