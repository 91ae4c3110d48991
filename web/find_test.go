package web_test

import (
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"tokendesk/web/webtest"
)

// named matches what has exactly these words.
func named(words string) func(int, *goquery.Selection) bool {
	return func(_ int, found *goquery.Selection) bool {
		return strings.Join(strings.Fields(found.Text()), " ") == words
	}
}

// linkTo is where the one link with these words leads.
func linkTo(t testing.TB, page *webtest.Answer, words string) string {
	t.Helper()
	found := page.Page(t).Find("a").FilterFunction(named(words))
	if found.Length() != 1 {
		t.Fatalf("%d links %q", found.Length(), words)
	}
	return found.AttrOr("href", "")
}

// fact is what stands under a heading of a list of facts: "Status" is "Active".
func fact(t testing.TB, page *webtest.Answer, heading string) string {
	t.Helper()
	found := page.Page(t).Find("main dt").FilterFunction(named(heading))
	if found.Length() == 0 {
		t.Fatalf("no fact %q", heading)
	}
	return strings.Join(strings.Fields(found.First().NextFiltered("dd").Text()), " ")
}

// hasValue matches a control that holds a value.
func hasValue(value string) func(int, *goquery.Selection) bool {
	return func(_ int, found *goquery.Selection) bool { return found.AttrOr("value", "") == value }
}
