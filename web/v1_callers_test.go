package web_test

import (
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// managed is a site with two workspaces, people of every role in and out of the first of them, and what they call with.
type managed struct {
	webtest.Site
	here       models.Workspace
	there      models.Workspace
	collection string // in the first workspace
	number     int64  // of an event in the first workspace
	callers    []managedCaller
	changes    map[string]bool // calls that changed something when they were let through
	made       int

	owner       string // the ID of the workspace's
	known       string // a whole secret that there is
	idle, share string // an API token and an access key that nobody who may do something to them is pointed to
}

const fox = "the quick brown fox\n"

func newManaged(t *testing.T, s webtest.Site) *managed {
	t.Helper()
	m := &managed{Site: s, changes: map[string]bool{}}
	first, err := s.Workspace(t.Context(), s.Admin, "marlowe-press")
	must(t, err)
	m.here = first.Workspace
	m.there, err = s.CreateWorkspace(t.Context(), s.Admin, models.NewWorkspace{Name: "There"})
	must(t, err)
	for _, content := range []string{"one", fox} {
		m.collection = installed(t, s, s.Admin, m.here.ID, collectionName, zipOf(t, "docs/a.txt", content)).Collection.ID
	}
	m.number = s.Changes(t)
	token, _ := s.WorkspaceToken(t, s.Admin, m.here.ID, models.NewAPIToken{Name: "idle"})
	share, _ := s.Share(t, s.Admin, m.collection, "")
	m.idle, m.share = token.ID, share.ID
	m.everybody(t)
	m.nobodys(t)
	m.dead(t)
	return m
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// add adds a credential in the field in which its kind is sent, and a key as bearer too.
func (m *managed) add(c managedCaller, text secret.Text) {
	m.Secrets.Add(text)
	c.header, c.value = "Authorization", "Bearer "+text.Reveal()
	if c.kind == models.APIKey || c.kind == models.CollectionKey {
		key := c
		key.name, key.header, key.value = c.name+" in X-API-Key", "X-API-Key", text.Reveal()
		m.callers = append(m.callers, key)
	}
	m.callers = append(m.callers, c)
}

// everybody has, for each role, a person with each kind of credential that acts as them.
func (m *managed) everybody(t *testing.T) {
	t.Helper()
	for _, who := range []struct {
		name      string
		site      models.Role
		here      models.WorkspaceRole
		elsewhere bool
	}{
		{"an Admin who owns the workspace", models.Admin, models.WorkspaceOwner, false},
		{"an Admin who is an Admin there", models.Admin, models.WorkspaceAdmin, false},
		{"an Admin who is no member", models.Admin, "", false},
		{"a Member who is an Admin there", models.Member, models.WorkspaceAdmin, false},
		{"a Member who is a Member there", models.Member, models.WorkspaceMember, false},
		{"a Member there and elsewhere", models.Member, models.WorkspaceMember, true},
		{"a Member of another workspace", models.Member, "", true},
		{"a Member of none", models.Member, "", false},
	} {
		person := m.person(t, who.site, who.here, who.elsewhere)
		base := managedCaller{code: access.Allowed, site: person.Role, role: who.here, person: person}
		of := func(kind models.CredentialKind, within string) managedCaller {
			c := base
			c.name, c.kind, c.within = kind.Named()+" of "+who.name, kind, within
			if within == "there" {
				c.name += ", for another workspace"
			}
			return c
		}
		_, bearer := m.Token(t, m.Admin, person.ID)
		m.add(of(models.Bearer, ""), bearer)
		_, key := m.Key(t, storetest.As(person), models.NewAPIKey{Name: "a key"})
		m.add(of(models.APIKey, ""), key)
		for where, w := range map[string]models.Workspace{"here": m.here, "there": m.there} {
			if where == "here" && who.here == "" || where == "there" && !who.elsewhere {
				continue
			}
			_, auto := m.Automation(t, storetest.As(person), w.ID, models.NewAutomationToken{Period: "no_exp"})
			m.add(of(models.AutomationToken, where), auto)
			program := signInAs(t, m.Site, person.Email)
			program.renew(t, w.ID)
			m.add(of(models.SignInToken, where), secret.Text(program.token))
		}
	}
}

// person makes somebody with a role in the workspace, or none.
func (m *managed) person(t *testing.T, site models.Role, here models.WorkspaceRole, elsewhere bool) models.Person {
	t.Helper()
	person := m.Person(t, m.Admin, site)
	join := func(workspace string, role models.WorkspaceRole) {
		_, err := m.AddMember(t.Context(), m.Admin, workspace, models.NewMember{Email: person.Email, Role: role})
		must(t, err)
	}
	switch here {
	case "":
	case models.WorkspaceOwner:
		join(m.here.ID, models.WorkspaceAdmin)
		_, err := m.HandOver(t.Context(), m.Admin, m.here.ID, person.ID)
		must(t, err)
		m.owner = person.ID
	default:
		join(m.here.ID, here)
	}
	if elsewhere {
		join(m.there.ID, models.WorkspaceMember)
	}
	return person
}

// nobodys are credentials that act as nobody, and what is none.
func (m *managed) nobodys(t *testing.T) {
	t.Helper()
	other := installed(t, m.Site, m.Admin, m.here.ID, "another", zipOf(t, "b.txt", "b")).Collection.ID
	for name, w := range map[string]models.Workspace{"the workspace": m.here, "another workspace": m.there} {
		_, text := m.WorkspaceToken(t, m.Admin, w.ID, models.NewAPIToken{Name: "a token"})
		m.add(managedCaller{name: "an API token of " + name, kind: models.APIToken, code: access.Allowed, within: "here"}, text)
	}
	for opens, id := range map[string]string{"this": m.collection, "another": other} {
		_, text := m.Share(t, m.Admin, id, "")
		m.add(managedCaller{name: "an access key of " + opens + " collection", kind: models.CollectionKey, code: access.Allowed, opens: opens}, text)
	}
	_, good := m.Key(t, m.Admin, models.NewAPIKey{Name: "good"})
	m.known = good.Reveal()
	unknown, err := secret.Mint("pkey", nil)
	must(t, err)
	m.callers = append(m.callers, []managedCaller{
		{name: "nobody", code: access.CredentialMissing},
		{name: "a signed-in browser", code: access.CredentialMissing, header: "Cookie", value: "sid=" + session(t, m.Site, m.person(t, models.Admin, "", false))},
		{name: "a key that was never made", code: access.CredentialUnknown, header: "X-API-Key", value: unknown.Reveal()},
		{name: "a key with a wrong checksum", code: access.CredentialMalformed, header: "X-API-Key", value: garbled(good.Reveal())},
		{name: "a key with a space", code: access.CredentialMalformed, header: "Authorization", value: "Bearer  " + good.Reveal()},
		{name: "garbage", code: access.CredentialMalformed, header: "X-API-Key", value: "let-me-in"},
		{name: "a forged sign-in token", code: access.CredentialUnknown, header: "Authorization", value: "Bearer " + forged},
		{name: "a password", code: access.CredentialMalformed, header: "Authorization", value: "Basic aW5lczpwYXNzd29yZA=="},
	}...)
}

// forged has the shape of a sign-in token, and says that nobody signed it.
const forged = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIwIn0.AAAA"

// dead are credentials that were good once, or that are switched off.
func (m *managed) dead(t *testing.T) {
	t.Helper()
	ctx, soon := t.Context(), m.Clock.Now().Add(time.Hour)
	owner, gone := m.person(t, models.Admin, models.WorkspaceAdmin, false), m.person(t, models.Admin, models.WorkspaceAdmin, false)
	who := storetest.As(owner)
	add := func(kind models.CredentialKind, code access.Code, text secret.Text) {
		m.add(managedCaller{name: kind.Named() + ", " + string(code), kind: kind, code: code, site: models.Admin, role: models.WorkspaceAdmin}, text)
	}
	key := func(n models.NewAPIKey) (models.Credential, secret.Text) { n.Name = "dead"; return m.Key(t, who, n) }
	_, expiring := key(models.NewAPIKey{ExpiresAt: &soon, Given: true})
	_, token := m.WorkspaceToken(t, m.Admin, m.here.ID, models.NewAPIToken{Name: "expiring", EndsAt: &soon})
	_, auto := m.Automation(t, who, m.here.ID, models.NewAutomationToken{Period: "1h"})
	revoked, revokedText := key(models.NewAPIKey{})
	_, err := m.RevokeAPIKey(ctx, who, revoked.ID, models.Revocation{})
	must(t, err)
	replaced, replacedText := key(models.NewAPIKey{})
	_, next, err := m.RegenerateAPIKey(ctx, who, replaced.ID, models.KeyRegeneration{}, secret.FormID())
	must(t, err)
	m.Secrets.Add(next)
	off, offText := m.WorkspaceToken(t, m.Admin, m.here.ID, models.NewAPIToken{Name: "off"})
	_, err = m.SwitchAPIToken(ctx, m.Admin, m.here.ID, off.ID, false)
	must(t, err)
	idle, idleText := m.Automation(t, who, m.here.ID, models.NewAutomationToken{Period: "no_exp"})
	_, err = m.SwitchAutomationToken(ctx, who, m.here.ID, idle.ID, false)
	must(t, err)
	share, shareText := m.Share(t, who, m.collection, "")
	_, err = m.RevokeCollectionKey(ctx, who, share.ID, models.Revocation{})
	must(t, err)
	_, theirs := m.Key(t, storetest.As(gone), models.NewAPIKey{Name: "theirs"})
	_, bearer := m.Token(t, m.Admin, gone.ID)
	_, before := m.Token(t, m.Admin, owner.ID)
	m.Token(t, m.Admin, owner.ID)
	_, err = m.DeactivatePerson(ctx, m.Admin, gone.ID)
	must(t, err)
	m.Clock.Advance(time.Hour)
	m.revive(t)
	add(models.APIKey, access.CredentialExpired, expiring)
	add(models.APIToken, access.CredentialExpired, token)
	add(models.AutomationToken, access.CredentialExpired, auto)
	add(models.APIKey, access.CredentialRevoked, revokedText)
	add(models.CollectionKey, access.CredentialRevoked, shareText)
	add(models.APIKey, access.CredentialReplaced, replacedText)
	add(models.Bearer, access.CredentialReplaced, before)
	add(models.APIToken, access.CredentialInactive, offText)
	add(models.AutomationToken, access.CredentialInactive, idleText)
	add(models.APIKey, access.OwnerDeactivated, theirs)
	add(models.Bearer, access.OwnerDeactivated, bearer)
}

// revive gives those who signed in a token that is as young as the clock.
func (m *managed) revive(t *testing.T) {
	t.Helper()
	for i, c := range m.callers {
		if c.kind == models.SignInToken {
			program := signInAs(t, m.Site, c.person.Email)
			program.renew(t, map[string]string{"here": m.here.ID, "there": m.there.ID}[c.within])
			m.callers[i].value = "Bearer " + program.token
		}
	}
}
