package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/web"
)

// call sends a call to a product as a caller, with each method, and holds the answer against what the caller carries:
// whoever has a credential that opens a product comes in, and a browser's session is nothing here.
func (m matrix) call(t *testing.T, row web.Row, c caller) {
	t.Helper()
	want := c.code
	if c.program != "" {
		c.wear = wearing("Authorization", "Bearer "+m.programOf(t, m.Person(t, m.Admin, models.Admin), c.program))
	}
	if want == access.AdminRequired || c.program != "" { // a product is for Members too, and for programs that signed in
		want = access.Allowed
	}
	if row.Name == "forward-auth" { // which asks first who asks
		want = "proxy_not_trusted"
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.URL+strings.Replace(row.Path, "*", "agent-base", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.role != "" {
		r.AddCookie(&http.Cookie{Name: "sid", Value: session(t, m.Site, m.Person(t, m.Admin, c.role))})
	}
	c.wear(r)
	before := m.Changes(t)
	a := m.Browser(t).Do(t, r)
	told := fmt.Sprintf("%s by %s: status %d", row.Path, c.name, a.Status)
	if got := codeIn(a.Body); want != access.Allowed && got != string(want) {
		t.Errorf("%s: refused as %q, want %q", told, got, want)
	} else if want == access.Allowed && (a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden) {
		t.Errorf("%s: refused: %.300s", told, a.Body)
	}
	if want != access.Allowed {
		headersOf(t, told, row, a)
	}
	if a.Status == http.StatusInternalServerError || m.Changes(t) != before {
		t.Errorf("%s: %.300s", told, a.Body)
	}
}
