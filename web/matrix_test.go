package web_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/store/storetest"
	"tokendesk/web"
	"tokendesk/web/webtest"
)

// Every route against every kind of caller (security rules T11, S3): who comes in is what the guard's
// column of the table says, and nothing else about a route matters. Whoever is refused changes nothing,
// though the form is one that would; reading changes nothing for anybody (W1); nobody is ever answered with 500.
func TestEveryRouteAgainstEveryCaller(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		everybody := callers(t, s)
		m := newMatrix(t, s)
		for _, row := range web.Rows() {
			for _, c := range everybody {
				m.ask(t, row, c)
			}
		}
		for _, row := range web.Calls() {
			for _, c := range everybody {
				m.call(t, row, c)
			}
		}
	})
}

// matrix has what the requests of the matrix are about.
type matrix struct {
	webtest.Site
	archive    []byte
	owner      models.Person            // of what refused callers aim at
	targets    map[string]models.Person // by what they are: "active", "deactivated"
	collection *aimedAt
	workspace  *aimedIn
}

// aimedIn is what of workspaces a form does something to.
type aimedIn struct {
	token, automation, product string // IDs, in the first workspace
	key, share                 string // IDs of an API key, and of an access key of the collection
	doomed                     models.Workspace
}

// aimedAt is a collection for a form to do something to: of its two versions the second is current.
type aimedAt struct {
	id    string
	event int64 // the number of an event about it
}

// collectionName is its name, which deleting it asks for.
const collectionName = "aimed at"

func newMatrix(t *testing.T, s webtest.Site) matrix {
	m := matrix{Site: s, archive: smallZip(t), owner: s.Person(t, s.Admin, models.Admin), targets: map[string]models.Person{}, collection: &aimedAt{}, workspace: &aimedIn{}}
	session(t, s, m.owner)
	m.restore(t)
	m.aimToken(t, "")
	m.aimAutomation(t, "", storetest.As(m.owner))
	m.aimKeys(t, storetest.As(m.owner))
	m.workspace.product = m.product(t).ID
	for _, state := range []string{"active", "deactivated"} {
		m.targets[state] = m.target(t, state)
	}
	return m
}

// target makes a person with a bearer token, for a form to do something to.
func (m matrix) target(t *testing.T, state string) models.Person {
	t.Helper()
	person := m.Person(t, m.Admin, models.Member)
	m.Token(t, m.Admin, person.ID)
	if state == "deactivated" {
		if _, err := m.DeactivatePerson(t.Context(), m.Admin, person.ID); err != nil {
			t.Fatal(err)
		}
	}
	return person
}

// restore brings the collection back to where a form can change something about it.
func (m matrix) restore(t *testing.T) {
	t.Helper()
	for _, content := range []string{"one", "two"} {
		m.collection.id = installed(t, m.Site, storetest.As(m.owner), "marlowe-press", collectionName, zipOf(t, "docs/a.txt", content)).Collection.ID
	}
	m.collection.event = m.Changes(t)
}

// aimToken makes an API token for a form to do something to.
func (m matrix) aimToken(t *testing.T, row string) {
	t.Helper()
	made, _ := m.WorkspaceToken(t, m.Admin, "marlowe-press", models.NewAPIToken{Name: "aimed at"})
	m.workspace.token = made.ID
	if row == "token.activate" {
		if _, err := m.SwitchAPIToken(t.Context(), m.Admin, "marlowe-press", made.ID, false); err != nil {
			t.Fatal(err)
		}
	}
}

// aimAutomation makes an automation token of somebody for a form to do something to.
func (m matrix) aimAutomation(t *testing.T, row string, owner models.Actor) {
	t.Helper()
	made, _ := m.Automation(t, owner, "marlowe-press", models.NewAutomationToken{Name: "aimed at", Period: "24h"})
	m.workspace.automation = made.ID
	if row == "automation.activate" {
		if _, err := m.SwitchAutomationToken(t.Context(), owner, "marlowe-press", made.ID, false); err != nil {
			t.Fatal(err)
		}
	}
}

// aimKeys makes an API key and an access key of somebody for a form to do something to.
func (m matrix) aimKeys(t *testing.T, owner models.Actor) {
	t.Helper()
	m.restore(t)
	key, _ := m.Key(t, owner, models.NewAPIKey{Name: "aimed at"})
	share, _ := m.Share(t, owner, m.collection.id, "aimed at")
	m.workspace.key, m.workspace.share = key.ID, share.ID
}

// doom makes a workspace for a form to delete. For all other forms there is the one that everybody belongs to.
func (m matrix) doom(t *testing.T, row web.Row) {
	t.Helper()
	if m.workspace.doomed.ID != "" {
		_, err := m.Store.DeleteWorkspace(t.Context(), m.Admin, m.workspace.doomed.ID, doomed)
		if err != nil && models.KindOf(err) != models.NotFound { // a form has done it
			t.Fatal(err)
		}
		m.workspace.doomed = models.Workspace{}
	}
	if strings.HasPrefix(row.Name, "workspace.delete") {
		var err error
		if m.workspace.doomed, err = m.CreateWorkspace(t.Context(), m.Admin, models.NewWorkspace{Name: doomed}); err != nil {
			t.Fatal(err)
		}
	}
}

// doomed is its name, which deleting it asks for.
const doomed = "Doomed"

// product is the first workspace's, as it is now.
func (m matrix) product(t *testing.T) models.Product {
	t.Helper()
	list, err := m.Products(t.Context(), m.Admin, "marlowe-press")
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	return list[0]
}

// ask sends the row's request as the caller, and holds the answer against the guard's column.
func (m matrix) ask(t *testing.T, row web.Row, c caller) {
	t.Helper()
	admitted := admits(row.Guard, c)
	owner, aim := m.owner, m.targets
	if c.role != "" {
		owner = m.Person(t, m.Admin, c.role)
	}
	if admitted && row.Method == http.MethodPost && (row.Guard == "admins" || strings.HasPrefix(row.Name, "member.")) {
		aim = map[string]models.Person{stateFor(row): m.target(t, stateFor(row))}
		m.restore(t)
	}
	if admitted && (strings.HasPrefix(row.Name, "token.") || strings.HasPrefix(row.Name, "credential")) {
		m.aimToken(t, row.Name)
	}
	if admitted && strings.HasPrefix(row.Name, "automation.") {
		m.aimAutomation(t, row.Name, storetest.As(owner))
	}
	if admitted && (strings.HasPrefix(row.Name, "key.") || strings.HasPrefix(row.Name, "share.")) {
		m.aimKeys(t, storetest.As(owner))
	}
	if admitted && row.Name == "member.add" { // who is there already cannot be added
		if _, err := m.RemoveMember(t.Context(), m.Admin, "marlowe-press", aim[stateFor(row)].ID); err != nil {
			t.Fatal(err)
		}
	}
	if c.program != "" {
		owner = m.Person(t, m.Admin, models.Admin)
		c.wear = wearing("Authorization", "Bearer "+m.programOf(t, owner, c.program))
	}
	r := m.request(t, row, owner, aim[stateFor(row)])
	if c.role != "" {
		r.AddCookie(&http.Cookie{Name: "sid", Value: session(t, m.Site, owner)})
	}
	c.wear(r)
	counts := row.Method == http.MethodPost || admitted // nobody counts for whoever cannot even send a form
	before := m.changes(t, counts)
	answer := m.Browser(t).Do(t, r)
	changed := m.changes(t, counts) > before
	told := fmt.Sprintf("%s %s by %s: status %d", row.Method, row.Path, c.name, answer.Status)

	headersOf(t, told, row, answer)
	if answer.Status >= 500 {
		t.Errorf("%s: %.300s", told, answer.Body)
	}
	switch refusedAs := refusal(row, answer); {
	case admitted && refusedAs != "":
		t.Errorf("%s: refused as %s", told, refusedAs)
	case admitted && row.Method == http.MethodPost && row.Guard != "anyone" && c.role != models.Member && !changed && row.Name != "product.test" && row.Name != "credentials.find":
		t.Errorf("%s: the form changed nothing, so this test shows nothing: %.300s", told, answer.Body)
	case admitted && row.Method == http.MethodGet && row.Guard != "anyone" && c.role == models.Admin && answer.Status != http.StatusOK:
		t.Errorf("%s: an Admin does not see it: %.300s", told, answer.Body)
	case !admitted && refusedAs != expected(row.Guard, c):
		t.Errorf("%s: refused as %q, want %q", told, refusedAs, expected(row.Guard, c))
	case changed && (!admitted || row.Method == http.MethodGet && row.Name != "automation.get"): // which the vendor's guide makes a token by
		t.Errorf("%s: it changed something", told)
	}
}

func (m matrix) changes(t *testing.T, counts bool) int64 {
	if !counts {
		return 0
	}
	return m.Changes(t)
}

// admits is the guards' column in words.
func admits(guard string, c caller) bool {
	return map[string]bool{
		"anyone": true, "whoever holds it": c.program == "" && (c.code == access.Allowed || c.code == access.AdminRequired || c.code == access.CredentialMissing && c.name != inTheAddress), "signed": c.role != "", "admins": c.role == models.Admin, "admin programs": c.code == access.Allowed,
		"signed-in programs": c.program == models.SignInToken, "signed-in programs that end what is theirs": c.program == models.SignInToken, "programs of the account API": c.program != "",
	}[guard]
}

// programOf signs a person's program in, and answers the token of a kind that it has then.
func (m matrix) programOf(t *testing.T, person models.Person, kind models.CredentialKind) string {
	t.Helper()
	p := m.signIn(t, person)
	if kind == models.AutomationToken {
		return p.mint(t, "1h", "").Token
	}
	return p.token
}

// expected is how somebody is refused whom a guard does not admit.
func expected(guard string, c caller) string {
	switch {
	case c.name == inTheAddress && guard == "whoever holds it":
		return string(access.RequestAmbiguous)
	case guard == "whoever holds it" && c.name == "Basic with a token": // whose client_id is another
		return string(access.CredentialUnknown)
	case guard == "admin programs":
		return string(c.code)
	case strings.Contains(guard, "programs"), guard == "whoever holds it":
		if c.code == access.Allowed || c.code == access.AdminRequired { // it is good, and of another kind
			return string(access.ScopeMissing)
		}
		return string(c.code)
	case c.role == "":
		return "not signed in"
	}
	return "no Admin"
}

// refusal is how an answer refuses; empty when it does not. A store that refuses what the guard let
// through has other words.
func refusal(row web.Row, a *webtest.Answer) string {
	switch {
	case row.Voice == "envelope" && a.Status != http.StatusOK:
		return codeIn(a.Body)
	case row.Voice == "oauth" && a.Status != http.StatusOK:
		return codeIn(a.Body)
	case row.Voice == "status" && row.Guard != "anyone" && a.Status != http.StatusOK:
		return codeIn(strings.Replace(a.Body, `"error_code"`, `"code"`, 1))
	case a.Status == http.StatusSeeOther && strings.HasPrefix(a.Header.Get("Location"), "/signin?next="):
		return "not signed in"
	case a.Status == http.StatusForbidden && strings.Contains(a.Body, "not an Admin"):
		return "no Admin"
	case a.Status == http.StatusUnauthorized && strings.Contains(a.Body, "You are signed out"): // a file was sent
		return "not signed in"
	case a.Status == http.StatusUnauthorized:
		return "401"
	}
	return ""
}

func codeIn(body string) string {
	_, rest, _ := strings.Cut(body, `"code":"`)
	code, _, _ := strings.Cut(rest, `"`)
	return code
}

func stateFor(row web.Row) string {
	if row.Name == "person.activate.do" {
		return "deactivated"
	}
	return "active"
}

// request is a request of the row that changes something, if it is let through.
func (m matrix) request(t *testing.T, row web.Row, owner, aim models.Person) *http.Request {
	t.Helper()
	var body io.Reader
	kind := "application/x-www-form-urlencoded"
	if row.Voice == "envelope" || row.Name == "collections.upload" {
		body, kind = bytes.NewReader(m.archive), "multipart/form-data; boundary=edge"
	} else if row.Voice == "status" {
		body, kind = strings.NewReader(m.object(t, row, owner)), "application/json"
	} else if row.Method == http.MethodPost {
		form, ok := m.forms(t, owner, aim)[row.Name]
		if !ok {
			t.Fatalf("%s %s has no form in this test that would change something", row.Method, row.Path)
		}
		if row.Name == "oauth.revoke" {
			_, text := m.WorkspaceToken(t, m.Admin, "marlowe-press", models.NewAPIToken{Name: "held", ProductID: m.product(t).ID})
			form = webtest.Form{"token": text.Reveal()}
		}
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(t.Context(), row.Method, m.URL+m.path(t, row, owner, aim), body)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", kind)
	}
	if row.Name == "version.file" {
		r.URL.RawQuery = "path=docs/a.txt"
	}
	return r
}

// signIn signs a person's program in to the first workspace, in which nobody is by themself any more once there are several.
func (m matrix) signIn(t *testing.T, person models.Person) *apiUser {
	t.Helper()
	_, err := m.AddMember(t.Context(), m.Admin, "marlowe-press", models.NewMember{Email: person.Email, Role: models.WorkspaceMember})
	if err != nil && models.KindOf(err) != models.Conflict && models.KindOf(err) != models.Invalid { // who is there already
		t.Fatal(err)
	}
	return signInAs(t, m.Site, person.Email)
}

// object is what a call of the account API brings.
func (m matrix) object(t *testing.T, row web.Row, owner models.Person) string {
	t.Helper()
	switch row.Name {
	case "user.signin":
		return jsonOf("email", owner.Email, "password", storetest.Password)
	case "user.refresh":
		return jsonOf("email", owner.Email, "refresh_token", m.signIn(t, owner).refresh)
	case "user.password":
		return jsonOf("password", storetest.Password, "new_password", "seven green bicycles under a bridge")
	case "user.revoke":
		return `{"is_automation":false}`
	}
	return ""
}

// path is the row's address, about somebody.
func (m matrix) path(t *testing.T, row web.Row, owner, aim models.Person) string {
	t.Helper()
	id, number := aim.ID, "1"
	switch {
	case strings.Contains(row.Path, "/sessions/"):
		id = m.sessionOf(t, owner)
	case strings.Contains(row.Path, "/collections/"):
		id = m.collection.id
	case strings.Contains(row.Path, "/audit/"):
		number = strconv.FormatInt(m.collection.event, 10)
	case strings.Contains(row.Path, "/api-tokens/"), strings.HasPrefix(row.Path, "/credentials/"):
		id = m.workspace.token
	case strings.Contains(row.Path, "/automation-tokens/"):
		id = m.workspace.automation
	case strings.Contains(row.Path, "/api-keys/"):
		id = m.workspace.key
	case strings.Contains(row.Path, "/collection-access-keys/"):
		id = m.workspace.share
	case strings.Contains(row.Path, "/products/"):
		id = m.workspace.product
	}
	workspace := "marlowe-press"
	m.doom(t, row)
	if strings.HasPrefix(row.Name, "workspace.delete") {
		workspace = m.workspace.doomed.Slug
	}
	return strings.NewReplacer(":id", id, ":number", number, ":workspace", workspace, "*", "app.css").Replace(row.Path)
}

// sessionOf makes another session of a person, to end.
func (m matrix) sessionOf(t *testing.T, person models.Person) string {
	t.Helper()
	session(t, m.Site, person)
	list, err := m.Store.Sessions(t.Context(), m.Admin, person.ID)
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	return list[0].ID
}
