package models

import (
	"slices"
	"strings"
)

// Loss is what tokens lose of a product when its resources become others.
type Loss struct {
	Scopes []string // operations that are no longer there by their name, which tokens that are narrowed to them lose
	Gone   []string // those of them with calls that nothing covers any more, which tokens for every resource lose too
	Empty  bool     // nothing is left at all
}

// Loss tells what is lost when the resources become others, in the order in which it stood.
func (r Resources) Loss(to Resources) Loss {
	loss := Loss{Empty: len(r) > 0 && len(to) == 0}
	kept := to.Scopes()
	for _, resource := range r {
		for _, name := range resource.OperationNames() {
			scope := resource.Scope(name)
			if slices.Contains(kept, scope) {
				continue
			}
			loss.Scopes = append(loss.Scopes, scope)
			if slices.ContainsFunc(resource.Operations, func(o Operation) bool { return o.Name == name && !to.cover(o) }) {
				loss.Gone = append(loss.Gone, scope)
			}
		}
	}
	return loss
}

// Of is what tokens that are narrowed to some scopes lose, or, with none, those that may use every resource.
func (l Loss) Of(scopes Scopes) []string {
	if len(scopes) == 0 {
		return l.Gone
	}
	var lost []string
	for _, scope := range l.Scopes {
		if slices.Contains(scopes, scope) {
			lost = append(lost, scope)
		}
	}
	return lost
}

// cover says whether one operation fits every call that another one does.
func (r Resources) cover(o Operation) bool {
	for _, resource := range r {
		for _, other := range resource.Operations {
			if other.Method != o.Method {
				continue
			}
			if path, _, narrower := common(strings.Split(o.Pattern, "/"), strings.Split(other.Pattern, "/")); path != "" && !narrower {
				return true
			}
		}
	}
	return false
}

// Losers are the tokens of a product that lose operations by a change of its resources.
type Losers struct {
	Loss
	Tokens []Loser // the first of them
	Count  int     // of all
	Looked int     // at how many tokens it was looked, where there are more than that; otherwise 0
}

// Loser is a token, active or inactive, with the operations that it loses.
type Loser struct {
	Name   string
	Scopes []string
}
