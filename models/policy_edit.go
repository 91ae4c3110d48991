package models

import (
	"fmt"
	"time"
)

// mostPolicyDays is the most days that a policy may name: a hundred years, as far ahead as a date may be.
const mostPolicyDays = 36500

// PolicyEdit is the input of changing the policy: all of it as it is to be, and why.
type PolicyEdit struct {
	Policy
	Reason string
}

// Clean trims what was typed and tells everything that is wrong with it.
func (e *PolicyEdit) Clean() Problems {
	var p Problems
	p.Add(e.KeyMakers != EveryoneMakesKeys && e.KeyMakers != AdminsMakeKeys && e.KeyMakers != NobodyMakesKeys, "key_makers", "Choose who may generate API keys: everyone, Admins or nobody.")
	if days := e.KeyDays; days != nil {
		p.Add(outside(*days), "key_days", dayRange)
		p.Add(*days == 0 && e.ExpiryRequired, "key_days", "New API keys cannot live forever where everything has to expire. Choose a number of days.")
		longest := e.LongestKeyDays
		p.Add(longest > 0 && (*days == 0 || *days > longest), "key_days", fmt.Sprintf("New API keys cannot live longer than the longest life of an API key, %s.", DayCount(longest)))
	}
	for _, kind := range []CredentialKind{Bearer, APIToken, AutomationToken, APIKey, CollectionKey} {
		p.Add(outside(e.LongestDays(kind)), LongestField(kind), dayRange)
	}
	p.Add(outside(e.UnusedDays), "unused_days", dayRange)
	reason := Revocation{e.Reason}
	p = append(p, reason.Clean()...)
	e.Reason = reason.Reason
	return p
}

const dayRange = "Enter a whole number of days from 1 to 36500, or leave the field empty."

func outside(days int) bool { return days < 0 || days > mostPolicyDays }

// LongestField is the field of a policy that says how long a credential of a kind lives at most.
func LongestField(kind CredentialKind) string { return "longest_" + string(kind) + "_days" }

// Say is the decision about credentials of a kind, as a dialog tells it before one is made; empty where there is none.
func (p Policy) Say(kind CredentialKind) string {
	days := p.LongestDays(kind)
	switch {
	case days > 0:
		return "Admins decided: at most " + DayCount(days) + "."
	case p.ExpiryRequired:
		return "Admins decided: everything expires."
	}
	return ""
}

// Offers says whether a form may offer an end for a credential of a kind that is made at a moment; nil is never.
func (p Policy) Offers(kind CredentialKind, now time.Time, ends *time.Time) bool {
	return p.Refuses(kind, now, ends) == ""
}

// NotUsedFor is why the server revokes a credential that the policy says was not used for too long.
func NotUsedFor(days int) string { return "not used for " + DayCount(days) + " (policy)" }

// ReportedAsLeaked is why a credential was revoked that somebody found where it does not belong.
const ReportedAsLeaked = "reported as leaked"

// RevokedByHolder is why a credential was revoked by a program that has all of it (RFC 7009).
const RevokedByHolder = "revoked by whoever holds it"
