package web_test

import (
	"net/http"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/web/webtest"
)

// A client authenticates with an API key in each way that there is, and no other (RFC 6749, section 2.3.1; RFC 6750, section 2).
func TestIntrospectionClients(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	_, token := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "asked about"})
	key, text := s.Key(t, s.Admin, models.NewAPIKey{Name: "resource server"})
	basic := func(id, password string) string {
		r, _ := http.NewRequest("GET", "/", nil)
		r.SetBasicAuth(id, password)
		return r.Header.Get("Authorization")
	}
	unknown, err := secret.Mint("pkey", nil)
	must(t, err)
	for what, c := range map[string]struct {
		headers []string
		status  int
		name    string // of the error
	}{
		"X-API-Key":               {[]string{"X-API-Key", text.Reveal()}, 200, ""},
		"Bearer":                  {[]string{"Authorization", "bearer " + text.Reveal()}, 200, ""},
		"Basic":                   {[]string{"Authorization", basic("tokendesk", text.Reveal())}, 200, ""},
		"Basic with its ID":       {[]string{"Authorization", strings.Replace(basic(key.ID, text.Reveal()), "Basic", "bAsIc", 1)}, 200, ""},
		"Basic, escaped":          {[]string{"Authorization", basic("token%64esk", strings.Replace(text.Reveal(), "_", "%5F", 1))}, 200, ""},
		"another client_id":       {[]string{"Authorization", basic("somebody", text.Reveal())}, 401, "invalid_client"},
		"no client_id":            {[]string{"Authorization", basic("", text.Reveal())}, 401, "invalid_client"},
		"the key as client_id":    {[]string{"Authorization", basic(text.Reveal(), "")}, 401, "invalid_client"},
		"an unknown key":          {[]string{"Authorization", basic("tokendesk", unknown.Reveal())}, 401, "invalid_client"},
		"a broken escape":         {[]string{"Authorization", basic("tokendesk", text.Reveal()+"%")}, 401, "invalid_client"},
		"no base64":               {[]string{"Authorization", "Basic " + text.Reveal()}, 401, "invalid_client"},
		"nothing":                 {nil, 401, "invalid_client"},
		"Basic and X-API-Key":     {[]string{"Authorization", basic("tokendesk", text.Reveal()), "X-API-Key", text.Reveal()}, 400, "invalid_request"},
		"two fields":              {[]string{"X-API-Key", text.Reveal(), "X-API-Token", text.Reveal()}, 400, "invalid_request"},
		"what is asked about":     {[]string{"Authorization", "Bearer " + token.Reveal()}, 403, ""},
		"it as password":          {[]string{"Authorization", basic("tokendesk", token.Reveal())}, 403, ""},
		"a browser's other site":  {[]string{"X-API-Key", text.Reveal(), "Origin", "https://evil.example"}, 403, ""},
		"from another site":       {[]string{"X-API-Key", text.Reveal(), "Sec-Fetch-Site", "cross-site"}, 403, ""},
		"two workspaces are sent": {[]string{"X-API-Key", text.Reveal(), "X-Workspace-Id", "a", "X-Workspace-Id", "b"}, 400, "invalid_request"},
	} {
		a := introspect(t, s, token.Reveal(), c.headers...)
		if a.Status != c.status || (c.name != "") != strings.HasPrefix(a.Body, `{"error":"`+c.name+`","error_description":"`) || strings.Contains(a.Body, text.Reveal()) {
			t.Errorf("%s: %d %s", what, a.Status, a.Body)
		}
		if challenges := a.Header.Values("WWW-Authenticate"); a.Status == 401 && (len(challenges) != 2 || !strings.HasPrefix(challenges[0], "Bearer ") || !strings.HasPrefix(challenges[1], "Basic ")) {
			t.Errorf("%s: it asks for %q", what, challenges)
		}
	}
	if log := s.Log.String(); strings.Contains(log, text.Reveal()) || strings.Contains(log, token.Reveal()) {
		t.Error("the log has a credential")
	}
}
