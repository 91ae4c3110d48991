package handlers

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tokendesk/web/gateway"
)

var whereItIs = regexp.MustCompile(`^(Line [1-9][0-9]*: |Send at most 20 fields\.$)`)

// Whatever is typed as header fields is fields that the gateway may set on every call, each once, or a problem that names its
// line; and they are read again as the same.
func FuzzReadHeaders(f *testing.F) {
	for _, text := range []string{
		"", "\n", "A: b", "a:b\r\nc : d", "A", ": b", "A:", "A: b\nA: c", "A: b\na: c", "A b: c", "A: \xff", "A: b\x00", "A: b\rC: d", "A: b:c", "X-Tokendesk-Scope: all", "x-tokendesk-x: y",
		"Host: x", "Cookie: x", "Connection: x", "Authorization: Bearer x", "Content-Length: 0", "Transfer-Encoding: chunked", "A_B: c", "É: x", "A: é", " A : b ", strings.Repeat("A: b\n", 21),
		"Proxy-Authorization: x", "X-Forwarded-For: 1", "Accept: " + strings.Repeat("x", 4097), strings.Repeat("a", 101) + ": x",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		header, problem := readHeaders(text)
		if problem != "" {
			if header != nil || !whereItIs.MatchString(problem) {
				t.Fatalf("%q: %v, %q", text, header, problem)
			}
			return
		}
		if len(header) > mostHeaders {
			t.Fatalf("%d fields", len(header))
		}
		var lines []string
		for name, values := range header {
			if len(values) != 1 || http.CanonicalHeaderKey(name) != name || gateway.HeaderProblem(name, values[0]) != "" {
				t.Fatalf("%q: the field %q with %q", text, name, values)
			}
			lines = append(lines, name+": "+values[0])
		}
		slices.Sort(lines)
		again, problem := readHeaders(strings.Join(lines, "\r\n"))
		if problem != "" || len(again) != len(header) {
			t.Fatalf("%q is read again as %v: %s", lines, again, problem)
		}
		for name, values := range header {
			if again.Get(name) != values[0] {
				t.Fatalf("%s is read again as %q, not %q", name, again.Get(name), values[0])
			}
		}
	})
}
