package web_test

import (
	"net/http"
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
	if row.Name == "static" && a.Status == http.StatusOK {
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
	if kind := a.Header.Get("Content-Type"); kind == "" && a.Body != "" || strings.HasPrefix(kind, "text/") && !strings.Contains(strings.ToLower(kind), "charset=utf-8") {
		t.Errorf("%s: Content-Type is %q", told, kind)
	}
	policyOf(t, told, a)
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
