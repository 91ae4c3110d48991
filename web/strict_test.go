package web_test

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/web"
	"tokendesk/web/webtest"
)

// Every form takes its own fields, each once, in the one encoding, up to a size (security rule W9, ASVS
// 15.3.3): what else is sent is refused as a whole, and changes nothing. Signing out alone does not look
// at what comes with it: it must always work.
func TestFormsAreStrict(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	m := newMatrix(t, s)
	cookie := session(t, s, m.owner)
	const form = "application/x-www-form-urlencoded"
	for name, c := range map[string]struct {
		kind   string
		body   func(sent string) string
		status int
	}{
		"an unknown field":      {form, func(sent string) string { return sent + "&unknown=1" }, 400},
		"a field of no name":    {form, func(sent string) string { return sent + "&=1" }, 400},
		"a right that one took": {form, func(sent string) string { return sent + "&id=1&Role=Admin&is_admin=true" }, 400},
		"each field twice":      {form, func(sent string) string { return sent + "&" + sent }, 400},
		"a semicolon":           {form, func(sent string) string { return sent + ";x=1" }, 400},
		"a broken escape":       {form, func(sent string) string { return sent + "&a=%zz" }, 400},
		"too much":              {form, func(sent string) string { return sent + "&a=" + strings.Repeat("x", 64<<10) }, 413},
		"too many":              {form, func(sent string) string { return sent + strings.Repeat("&a", 20_000) }, 400},
		"JSON":                  {"application/json", func(string) string { return `{"role":"Admin"}` }, 400},
		"text, as a page sends": {"text/plain", func(sent string) string { return sent + "&" }, 400},
		"multipart":             {"multipart/form-data; boundary=edge", func(string) string { return string(bodyOf(part("name", "", []byte("x")))) }, 400},
		"no type":               {"", func(sent string) string { return sent + "&" }, 400},
	} {
		for _, row := range web.Rows() {
			if !takesForm(row) {
				continue
			}
			owner, aim := m.owner, m.targets[stateFor(row)]
			sent := m.forms(t, owner, aim)[row.Name].Encode()
			if sent == "" && name == "each field twice" {
				continue
			}
			r := m.request(t, row, owner, aim)
			body := c.body(sent)
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
			r.Header.Set("Content-Type", c.kind)
			r.AddCookie(&http.Cookie{Name: "sid", Value: cookie})
			before := s.Changes(t)
			if a := s.Browser(t).Do(t, r); a.Status != c.status {
				t.Errorf("%s to %s: status %d, want %d: %.200s", name, row.Path, a.Status, c.status, a.Body)
			}
			if s.Changes(t) != before {
				t.Errorf("%s to %s: it changed something", name, row.Path)
			}
		}
	}
}

// takesForm says whether a row reads a form's fields. Signing out looks at nothing that comes with it, and
// an upload is multipart.
func takesForm(row web.Row) bool {
	return row.Method == http.MethodPost && row.Voice == "page" && row.Name != "signout" && row.Name != "collections.upload"
}

// parameters are those that each page's address may have, by the name of its row.
var parameters = map[string]string{
	"setup": "code", "signin": "next out", "overview": "after", "tokens": ofTheTab, "automations": ofTheTab, "token.new": "product", "people": "q role status after", "person.tokens": "after", "collections": "after", "members": "after", "collection": "after shares_after", "keys": "after shares_after", "share.delete": "next", "version": "after", "version.file": "path", "policies.unused": "days after",
	"automation.get": "expiration_period workspace_id name",
	"audit":          ofTheLog, "audit.csv": ofTheLog, "audit.jsonl": ofTheLog, "settings.audit": ofTheLog, "settings.audit.csv": ofTheLog, "settings.audit.jsonl": ofTheLog,
}

const ofTheTab = "q status sort after automation_after"

const ofTheLog = "actor action subject workspace from to after"

// A parameter of an address stands there once or not at all, as text (W9); one that a page does not know is
// ignored, because whoever passes a link on may have added to it.
func TestParametersStandOnce(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	m := newMatrix(t, s)
	in, out := s.SignedIn(t, "ines@marlowe.example"), s.Browser(t)
	for _, row := range web.Rows() {
		names, path, agent := strings.Fields(parameters[row.Name]), m.path(t, row, m.owner, m.targets["active"]), in
		if row.Method != http.MethodGet || row.Voice == "status" { // of which TestAccountRefusals has the parameters
			continue
		}
		if row.Guard == "anyone" {
			agent = out
		}
		plain := agent.Get(t, path).Status
		agent.Get(t, path+"?utm_source=mail&utm_source=mail&access_token=x").Want(t, plain)
		for _, name := range names {
			agent.Get(t, path+"?"+name+"=&"+name+"=").Want(t, 400).Has(t, name+" stands in the address more than once")
			agent.Get(t, path+"?"+name+"=%00").Want(t, 400)
			agent.Get(t, path+"?"+name+"=a%FFb").Want(t, 400)
		}
	}
}

// The test above knows every parameter that a handler reads.
func TestParametersAreKnown(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, names := range parameters {
		for _, name := range strings.Fields(names) {
			known[name] = true
		}
	}
	files, err := filepath.Glob("../handlers/*.go")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	reads := 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range regexp.MustCompile(`\bquery\(c, ([^)]*)\)`).FindAllStringSubmatch(string(source), -1) {
			reads++
			for _, name := range regexp.MustCompile(`"(\w+)"`).FindAllStringSubmatch(call[1], -1) {
				if !known[name[1]] {
					t.Errorf("%s reads the parameter %s, which no test sends", file, name[1])
				}
			}
		}
		if strings.Contains(string(source), ".QueryParam") || strings.Contains(string(source), ".FormValue") {
			t.Errorf("%s reads a value past query and form", file)
		}
	}
	if reads < 8 {
		t.Errorf("found only %d places that read parameters", reads)
	}
}

// A place in a list is one that this server gave out: signed, for that list, unchanged. Any other is
// 400, and leads back to the beginning (Hydra CVE-2026-33504).
func TestPlacesInListsAreSigned(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		for range models.PageSize {
			s.Person(t, s.Admin, models.Member)
		}
		admin := s.SignedIn(t, "ines@marlowe.example")
		next := linkTo(t, admin.Get(t, "/people").Want(t, 200), "Show more")
		admin.Get(t, next).Want(t, 200)
		u, err := url.Parse(next)
		if err != nil {
			t.Fatal(err)
		}
		place := u.Query().Get("after")
		admin.Get(t, "/w/marlowe-press/settings/collections?after="+place).Want(t, 400)
		for _, made := range []string{"1", "x", place[1:], place[:len(place)-1], place + "A", strings.ToUpper(place), "eyJrIjoiYSJ9", "' OR 1=1 --", strings.Repeat("A", 10_000)} {
			admin.Get(t, "/people?"+url.Values{"after": {made}}.Encode()).Want(t, 400).Has(t, "Start again at its beginning")
		}
		for _, made := range []string{"0", "-1", "x", "1.5", "9223372036854775808", "0x10", "1 OR 1=1", " 1"} {
			admin.Get(t, "/audit?"+url.Values{"after": {made}}.Encode()).Want(t, 400).Has(t, "Start again at its beginning")
		}
		admin.Get(t, "/audit?after=1").Want(t, 200).Has(t, "No events here")
		admin.Get(t, "/audit?after=9223372036854775807").Want(t, 200)
	})
}
