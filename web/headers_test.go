package web_test

import (
	"mime"
	"net/http"
	"slices"
	"strings"
	"testing"

	"tokendesk/web"
	"tokendesk/web/webtest"
)

// headersOf insists on what every answer carries, errors included (security rules W3, W4, W5).
func headersOf(t *testing.T, told string, row web.Row, a *webtest.Answer) {
	t.Helper()
	want := map[string]string{
		"X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		"Referrer-Policy": "same-origin", "Cache-Control": "no-store",
	}
	if strings.Contains(a.Body, `id="reveal"`) {
		want["Referrer-Policy"] = "no-referrer"
	}
	if (row.Name == "static" || row.Name == "jwks" || strings.HasPrefix(row.Name, "patterns.")) && a.Status == http.StatusOK {
		want["Cache-Control"] = a.Header.Get("Cache-Control")
	}
	for field, value := range want {
		if got := a.Header.Values(field); len(got) != 1 || got[0] != value {
			t.Errorf("%s: %s is %q, want %q", told, field, got, value)
		}
	}
	if id := a.Header.Get("X-Request-Id"); len(id) != 36 {
		t.Errorf("%s: the request's number is %q", told, id)
	}
	if a.Header.Get("Permissions-Policy") == "" {
		t.Errorf("%s: no Permissions-Policy", told)
	}
	for _, field := range []string{"Server", "X-Powered-By", "Via", "Access-Control-Allow-Origin"} {
		if got := a.Header.Get(field); got != "" {
			t.Errorf("%s: %s is %q", told, field, got)
		}
	}
	kept := a.Header.Get("Content-Disposition") != ""
	if row.Name != "" && kept != (isFile[row.Name] && a.Status == http.StatusOK) {
		t.Errorf("%s: Content-Disposition is %q", told, a.Header.Get("Content-Disposition"))
	}
	if kept {
		attachmentOf(t, told, a)
		return
	}
	typeOf(t, told, a)
	policyOf(t, told, a)
}

// isFile are the rows that answer with a file, by name.
var isFile = map[string]bool{
	"version.archive": true, "version.file": true, "audit.csv": true, "credentials.csv": true, "audit.jsonl": true, "settings.audit.csv": true, "settings.audit.jsonl": true,
}

// attachmentOf insists that what somebody uploaded, or what is exported, is kept as a file and never shown
// (security rule U12): whatever is in it, it is no page, and if it were one it could do nothing.
func attachmentOf(t *testing.T, told string, a *webtest.Answer) {
	t.Helper()
	kind, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if err != nil || !slices.Contains([]string{"application/octet-stream", "application/zip", "application/jsonl", "text/csv"}, kind) {
		t.Errorf("%s: an attachment is of type %q", told, a.Header.Get("Content-Type"))
	}
	if disposition, named, err := mime.ParseMediaType(a.Header.Get("Content-Disposition")); err != nil || disposition != "attachment" || strings.ContainsAny(named["filename"], "/\\\r\n\x00") {
		t.Errorf("%s: Content-Disposition is %q", told, a.Header.Get("Content-Disposition"))
	}
	policy := "; " + a.Header.Get("Content-Security-Policy") + ";"
	for _, directive := range []string{"default-src 'none'", "sandbox", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, "; "+directive+";") {
			t.Errorf("%s: the policy of an attachment lacks %s: %s", told, directive, policy)
		}
	}
}

// typeOf insists that an answer is of the type that it says, and says in which characters it is written
// where the type leaves that open (ASVS 4.1.1; JSON does not).
func typeOf(t *testing.T, told string, a *webtest.Answer) {
	t.Helper()
	kind := a.Header.Get("Content-Type")
	text := strings.HasPrefix(kind, "text/") || strings.Contains(kind, "xml")
	page, object := strings.HasPrefix(strings.ToLower(a.Body), "<!doctype html>"), strings.HasPrefix(a.Body, "{")
	switch {
	case kind == "" && a.Body != "", text && !strings.Contains(strings.ToLower(kind), "; charset=utf-8"),
		page != strings.HasPrefix(kind, "text/html") && a.Body != "", object != (strings.HasPrefix(kind, "application/json") || kind == "application/problem+json" || kind == "application/jwk-set+json") && a.Body != "":
		t.Errorf("%s: Content-Type is %q", told, kind)
	}
}

// policyOf insists on a policy that lets a page load what the server itself has and nothing else.
func policyOf(t *testing.T, told string, a *webtest.Answer) {
	t.Helper()
	policy := map[string]string{}
	for _, directive := range strings.Split(a.Header.Get("Content-Security-Policy"), ";") {
		name, sources, _ := strings.Cut(strings.TrimSpace(directive), " ")
		policy[name] = sources
	}
	for name, sources := range map[string]string{
		"default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self'", "connect-src": "'self'",
		"form-action": "'self'", "base-uri": "'none'", "object-src": "'none'", "frame-ancestors": "'none'",
	} {
		if policy[name] != sources {
			t.Errorf("%s: the policy has %s %q, want %q", told, name, policy[name], sources)
		}
	}
	for name, sources := range policy {
		if strings.Contains(sources, "unsafe") || strings.Contains(sources, "*") || strings.Contains(sources, ":") {
			t.Errorf("%s: the policy has %s %s", told, name, sources)
		}
	}
}
