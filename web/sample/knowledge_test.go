package sample_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"tokendesk/web/sample"
)

func (c caller) search(q string) []finding {
	c.t.Helper()
	return items[finding](c.get("/api/knowledge-base/search?q=" + url.QueryEscape(q)))
}

// titles are what a search found, in its order.
func titles(found []finding) string {
	var all []string
	for _, f := range found {
		all = append(all, f.Title)
	}
	return strings.Join(all, ", ")
}

// What is uploaded is a document that is listed and found, until its file is deleted.
func TestKnowledgeBase(t *testing.T) {
	p := start(t)
	c := p.as("w1")
	text := "# House rules\n\nThe kettle is descaled on Fridays.\n\n" + strings.Repeat("Other sentences fill the page. ", 20)
	f := c.keep("house.md", text)
	all := items[document](c.get("/api/knowledge-base"))
	if len(all) != 6 {
		t.Fatalf("there are %d documents", len(all))
	}
	d := all[0]
	if d.ID != f.DocumentID || d.FileID != f.ID || d.Title != "House rules" || !strings.HasPrefix(d.Excerpt, "The kettle is descaled on Fridays. Other") ||
		!strings.HasSuffix(d.Excerpt, " …") || len(d.Excerpt) > 210 || d.Size != int64(len(strings.TrimSpace(text))) || !d.CreatedAt.Equal(p.clock.Now()) {
		t.Errorf("the document is %+v", d)
	}
	for q, want := range map[string]string{
		"kettle":                       "House rules",
		"KETTLES":                      "House rules", // other forms of a word count
		"When is the kettle descaled?": "House rules",
		"house":                        "House rules", // a title is searched too
		"friday kettle":                "House rules",
		"kettle zanzibar":              "House rules", // with some of the words, where none has all
		"zanzibar":                     "",
		"kettle fridays scope":         "House rules, Narrowing a token to operations",
		"narrowed":                     "Narrowing a token to operations",
		"retry-after":                  "Limits",
		"credential_revoked":           "Revoking, deactivating and replacing a token",
		"?!":                           "",
	} {
		if got := titles(c.search(q)); got != want {
			t.Errorf("%q finds %q, want %q", q, got, want)
		}
	}
	if found := c.search("kettle"); found[0].DocumentID != d.ID || !strings.HasPrefix(found[0].Snippet, "The **kettle** is descaled on Fridays.") {
		t.Errorf("the finding is %+v", found[0])
	}
	if len(c.search("the")) == 0 { // where there is no other word
		t.Error("nothing has the word the")
	}
	c.call("DELETE", "/api/knowledge-base/storage/"+f.ID, "").want(200)
	if found := c.search("kettle"); len(found) != 0 || len(items[document](c.get("/api/knowledge-base"))) != 5 {
		t.Errorf("after its deletion, %v is found", found)
	}
}

// The best come first: a title counts for more than a passage, and a document is named once.
func TestRanking(t *testing.T) {
	c := start(t).as("w1")
	c.keep("a.txt", "One marmalade among many, many other words that have nothing to do with it at all, and a few more.")
	c.keep("b.txt", "Marmalade and marmalade, and many other words that have nothing to do with it, in the first of several passages of this.\n\nThe second one has marmalade as well, and many other words that have nothing to do with it, as the first one has them.")
	c.keep("marmalade.txt", "It is made of oranges. Marmalade.")
	if got := titles(c.search("marmalade")); got != "marmalade, b, a" {
		t.Errorf("found %q", got)
	}
	if got := data[page[finding]](c.get("/api/knowledge-base/search?q=marmalade&limit=2"), 200); titles(got.Items) != "marmalade, b" {
		t.Errorf("the best two are %q", titles(got.Items))
	}
}

// Nothing that somebody types is an operator.
func TestSearchIsNoLanguage(t *testing.T) {
	c := start(t).as("w1")
	for _, q := range []string{
		`"`, `""`, `"revoke`, `revoke"`, `rev*`, `revoke*`, `^revoke`, `revoke AND`, `AND OR NOT`, `NOT revoke`, `NEAR(revoke, 2)`, `title : revoke`, `home : t1`, `{title} : x`, `(revoke`, `revoke)`,
		`revoke + token`, `-revoke`, `a:b:c`, "revoke\x00token", "\xff\xfe", "revoke' OR 1=1 --", `\`, `%`, "🙂", "ａｂｃ", "e\u0301", strings.Repeat("revoke ", 200), strings.Repeat("x", 2000), "NULL", "t1",
	} {
		c.get("/api/knowledge-base/search?q=" + url.QueryEscape(q)).want(200)
	}
	if got := titles(c.search(`"revoke" AND NOT`)); !strings.HasPrefix(got, "Revoking") {
		t.Errorf("found %q", got)
	}
	if len(c.search("home t1 tenant")) != 0 {
		t.Error("the column of tenants is searched")
	}
	for _, query := range []string{"", "?q=", "?q=+%09", "?q=" + strings.Repeat("x", 2001)} {
		c.get("/api/knowledge-base/search"+query).refused(400, "bad_request", "in q")
	}
	c.get("/api/knowledge-base/search?q=x&limit=0").refused(400, "bad_request", "1 to 100")
}

func TestWords(t *testing.T) {
	many := make([]string, 40)
	for i := range many {
		many[i] = fmt.Sprintf("word%d", i)
	}
	for text, want := range map[string][]string{
		"How do I revoke a token?":   {"revoke", "token"},
		"Token, TOKEN: token!":       {"token"},
		"to be or not to be":         {"to", "be", "or", "not"},
		"Größe 10.000":               {"größe", "10", "000"},
		"":                           nil,
		"?":                          nil,
		strings.Join(many, " "):      many[:32],
		strings.Repeat("x", 65):      nil,
		strings.Repeat("the a ", 99): {"the", "a"},
	} {
		if got := sample.Words(text); !slices.Equal(got, want) {
			t.Errorf("%.50q has the words %q", text, got)
		}
	}
}

// A text in pieces is the same text, but for the spaces between them; no piece is too long, and few are short.
func TestPassages(t *testing.T) {
	for name, text := range map[string]string{
		"paragraphs":     strings.Repeat("One sentence. And another one, which is longer.\n\n", 100),
		"one paragraph":  strings.Repeat("One sentence. And another one, which is longer. ", 200),
		"windows":        strings.Repeat("One sentence.\r\nA line.\r\n\r\n", 200),
		"no spaces":      strings.Repeat("é", 5000),
		"empty lines":    strings.Repeat("\n", 5000) + "x",
		"short lines":    strings.Repeat("a\n\n", 5000),
		"a table":        strings.Repeat("1,2,3,4,5\n", 2000),
		"one long word":  "a " + strings.Repeat("x", 2000) + " b",
		"short":          "x",
		"not even words": " \n\n ",
	} {
		all := sample.Passages(text)
		squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if got := squeeze(strings.Join(all, " ")); got != squeeze(text) {
			t.Errorf("%s: the text has become another", name)
		}
		for _, p := range all {
			if len(p) > 900 || p == "" || !utf8.ValidString(p) || p != strings.TrimSpace(p) {
				t.Errorf("%s: a piece has %d bytes: %.50q", name, len(p), p)
			}
		}
		if len(all) > 1+len(text)/100 {
			t.Errorf("%s: %d bytes make %d pieces", name, len(text), len(all))
		}
	}
}

// A workspace begins with documents that say what a new user asks.
func TestFirstDocumentsAnswer(t *testing.T) {
	c := start(t).as("w1")
	for question, want := range map[string]string{
		"How do I send a token?":          "`Authorization: Bearer <token>`",
		"Can I see my token again?":       "Afterwards nobody can see the token again",
		"How do I revoke a token?":        "Revoke ends a token for good.",
		"My token leaked":                 "Revoke a token that leaked",
		"What does Deactivate do?":        "a pause",
		"What is shown of a token?":       "The full token is in the answer",
		"What is scope_missing?":          "refused with 403",
		"Why do I get too many requests?": "`Retry-After`",
	} {
		if r := data[reply](c.ask(question, ""), 200); !strings.Contains(r.Answer, want) {
			t.Errorf("%s\n%s", question, r.Answer)
		}
	}
}
