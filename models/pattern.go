package models

import (
	"fmt"
	"slices"
	"strings"
)

// Patterns say which paths an operation covers. A pattern begins with /api/, and each of its segments is a text that
// the path has in this place, or a name in braces like {id} for exactly one segment of any content, or, as the
// last one, a * for one or more.

const longestPattern = 200 // characters

// PlainInPath says whether a character stands in a path as itself, wherever it stands: what RFC 3986, section 3.3
// calls pchar, without the semicolon, which some servers take for the end of a segment.
func PlainInPath(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return true
	}
	return strings.IndexByte("-._~!$&'()*+,=:@", c) >= 0
}

// PatternProblem is what is wrong with a pattern, as the end of a sentence that begins with "the path"; empty when
// nothing is. What it accepts can be the canonical form of a path, but for the braces and the star.
func PatternProblem(pattern string) string {
	switch {
	case !strings.HasPrefix(pattern, "/api/"):
		return "must begin with /api/."
	case len(pattern) > longestPattern:
		return fmt.Sprintf("must be %d characters or fewer.", longestPattern)
	case strings.HasSuffix(pattern, "/"):
		return "must not end with a slash."
	}
	segments := strings.Split(pattern[1:], "/")
	for i, segment := range segments {
		if problem := segmentProblem(segment, i == len(segments)-1); problem != "" {
			return problem
		}
		if takesOne(segment) && slices.Contains(segments[:i], segment) {
			return "has " + segment + " twice. Give each its own name."
		}
	}
	return ""
}

func segmentProblem(segment string, last bool) string {
	switch {
	case segment == "":
		return "must not have two slashes in a row."
	case segment == "." || segment == "..":
		return "must not have . or .. as a part of its own."
	case segment == "*" && last:
		return ""
	case strings.Contains(segment, "*"):
		return "may have a * only alone, as its last part. Write {name} for one part of any content."
	case strings.ContainsAny(segment, "{}"):
		if !takesOne(segment) || !validWildcard(segment[1:len(segment)-1]) {
			return "may have braces only around a whole part, with letters, digits and _ in them, like {id}."
		}
		return ""
	case segment[0] == ':':
		return "must not have a part that begins with a colon. Write {id} for one part of any content."
	}
	for i := range len(segment) {
		if !PlainInPath(segment[i]) {
			return "must be of letters and digits from A to Z and 0 to 9, and of - . _ ~ ! $ & ' ( ) + , = : @ between slashes."
		}
	}
	return ""
}

// takesOne says whether a segment of a pattern stands for one segment of any content.
func takesOne(segment string) bool {
	return len(segment) > 2 && segment[0] == '{' && segment[len(segment)-1] == '}'
}

func validWildcard(name string) bool {
	for i, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '_' && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// meeting tells of two operations of one method that nobody could choose between: some path fits both, and neither's paths
// are among the other's, or all of them are the same. It is empty where one is more exact, or nothing fits both.
func meeting(a Operation, aScope string, b Operation, bScope string) string {
	path, aExact, bExact := common(strings.Split(a.Pattern, "/"), strings.Split(b.Pattern, "/"))
	switch {
	case path == "" || aExact != bExact:
		return ""
	case aExact:
		return fmt.Sprintf("%s %s and %s %s both match %s %s: neither is more exact than the other. Change one of them, so that no call fits both.",
			a.Method, a.Pattern, b.Method, b.Pattern, a.Method, path)
	}
	return fmt.Sprintf("%s %s (%s) and %s %s (%s) both match %s %s: they match the same calls, so that one of them is never reached. Remove it.",
		a.Method, a.Pattern, aScope, b.Method, b.Pattern, bScope, a.Method, path)
}

// common is a path that fits both of two patterns, cut into segments; empty when there is none. aExact says that somewhere
// a is more exact than b, bExact the other way round: when just one of them is true, all paths of that pattern fit the other.
func common(a, b []string) (path string, aExact, bExact bool) {
	var fits []string
	for i := 0; i < len(a) || i < len(b); i++ {
		if i == len(a) || i == len(b) {
			return "", false, false
		}
		switch {
		case a[i] == "*" && b[i] == "*":
			fits = append(fits, "1")
		case b[i] == "*":
			return strings.Join(append(fits, example(a[i:])...), "/"), true, bExact
		case a[i] == "*":
			return strings.Join(append(fits, example(b[i:])...), "/"), aExact, true
		case takesOne(a[i]) && takesOne(b[i]):
			fits = append(fits, "1")
		case takesOne(b[i]):
			fits, aExact = append(fits, a[i]), true
		case takesOne(a[i]):
			fits, bExact = append(fits, b[i]), true
		case a[i] != b[i]:
			return "", false, false
		default:
			fits = append(fits, a[i])
		}
	}
	return strings.Join(fits, "/"), aExact, bExact
}

// example is some segments that fit a pattern.
func example(pattern []string) []string {
	fits := slices.Clone(pattern)
	for i, segment := range fits {
		if takesOne(segment) || segment == "*" {
			fits[i] = "1"
		}
	}
	return fits
}
