package views_test

import (
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"

	"tokendesk/views"
)

// hostile breaks out of text, of either kind of quotes, of a title and of a script.
const hostile = `"><script>alert(1)</script></title><img src=x onerror=alert(1)>' onfocus='alert(1)`

// Security rule W7: names, addresses and reasons come from outside. However they read, they stay text.
func TestHostileNamesStayText(t *testing.T) {
	p := page()
	p.Me.Name, p.Me.Email, p.Version, p.RequestID, p.Address = hostile, hostile, hostile, hostile, hostile
	p.Workspace = &views.WorkspaceLink{Name: hostile, Slug: hostile, Initials: hostile, Host: hostile}
	p.Workspaces = []views.WorkspaceLink{*p.Workspace, marlowe}
	p.Note = &views.Note{Kind: "ok", Lead: hostile, Text: hostile}
	r := ines()
	r.ID, r.Name, r.Email, r.Initials, r.FormID = hostile, hostile, hostile, hostile, hostile
	r.Bearer.Prefix, r.Bearer.LastFour, r.Bearer.CreatedBy, r.Bearer.LastFrom, r.Bearer.Status = hostile, hostile, hostile, hostile, hostile
	r.Earlier[0].Reason, r.Earlier[0].EndedBy = hostile, hostile
	f := form(map[string]string{"name": hostile, "email": hostile, "workspace": hostile, "role": hostile}, "name", hostile, "", hostile)
	r.Form = f
	entry := views.Entry{Time: at(hostile), Glyph: "key", Tone: hostile, Actor: hostile, Address: hostile,
		Sentence: []views.Part{{Text: hostile}, {Text: hostile, Strong: true}, {Text: hostile, Mono: true}, {Text: hostile, Href: "/" + hostile}},
		Details:  []views.Change{{Label: hostile, Before: hostile, After: hostile}}}
	row := views.CollectionRow{Name: hostile, FileName: hostile, Label: hostile, Size: hostile, SHA256: hostile, Installed: at(hostile), By: hostile, TokenPrefix: hostile}
	version := views.VersionRow{Number: 1, Label: hostile, Size: hostile, SHA256: hostile, FileName: hostile, Description: hostile, Installed: at(hostile), By: hostile,
		TokenPrefix: hostile, TokenLastFour: hostile, Href: "/" + hostile, ArchiveHref: "/" + hostile, CurrentAction: "/" + hostile}
	asked := views.AuditFilter{Path: "/" + hostile, Actor: hostile, Subject: hostile, Action: hostile, Workspace: hostile, From: hostile, To: hostile, Set: true,
		Actions: []views.Option{{Value: hostile, Text: hostile}}, Workspaces: []views.Option{{Value: hostile, Text: hostile}}, Form: form(nil, "from", hostile)}
	entry.Href = "/" + hostile
	event := views.AuditEvent{Entry: entry, Number: hostile, Action: hostile, Facts: []views.Fact{{Label: hostile, Text: hostile}, {Label: hostile, Text: hostile, Href: "/" + hostile}, {Label: hostile, Text: hostile, Mono: true}},
		Changes: entry.Details, Hash: hostile, HashBefore: hostile, LogHref: "/" + hostile, OlderHref: "/" + hostile, NewerHref: "/" + hostile, SameActor: "/" + hostile, SameSubject: "/" + hostile}
	log := views.AuditLog{Filter: asked, Choose: hostile, Choices: []views.Part{{Text: hostile, Href: "/" + hostile}}, Days: []views.AuditDay{{Heading: hostile, Entries: []views.Entry{entry}}},
		Count: hostile, OlderHref: "/" + hostile, CSVHref: "/" + hostile, JSONHref: "/" + hostile}
	upload := views.Upload{Action: "/" + hostile, May: true, Limits: []string{hostile}, Form: form(nil, "collectionFile", hostile)}
	card := views.TokenCard{ID: hostile, Path: "/" + hostile, Name: hostile, Prefix: hostile, LastFour: hostile, Status: "Active", Created: at(hostile), CreatedBy: hostile, Expires: at(hostile),
		Revoked: at(hostile), RevokedBy: hostile, Reason: hostile, LastUsed: at(hostile), LastFrom: hostile, Product: hostile, InUse: true}
	ask := views.TokenForm{Path: "/" + hostile, Policy: hostile, AskEnd: true, Workspace: hostile, FormID: hostile, Form: f, Products: []views.Option{{Value: hostile, Text: hostile}}, Presets: []views.Preset{{Value: hostile, Text: hostile, Ends: hostile}}, Zone: hostile,
		Resources: []views.ScopeGroup{{Name: hostile, Path: hostile, Operations: []views.ScopeOption{{Value: hostile, Text: hostile, Label: hostile}}}}}
	upstream := views.UpstreamPage{Product: hostile, Path: "/" + hostile, Back: "/" + hostile, Form: f, HeaderNames: []string{hostile}, FormID: hostile, Revision: hostile, Tested: hostile, Signed: true}
	for name, c := range map[string]templ.Component{
		"setup":      views.Setup(p, hostile, f),
		"sign-in":    views.SignIn(p, views.SignInForm{Next: hostile, Form: f}),
		"overview":   views.Overview(p, views.Start{FirstRun: true, Recent: []views.Entry{entry}, Workspaces: []views.WorkspaceCard{{WorkspaceLink: *p.Workspace, Role: hostile}}}),
		"people":     views.People(p, views.PeopleList{Q: hostile, Role: hostile, Rows: []views.PersonRow{{ID: hostile, Name: hostile, Email: hostile, BearerPrefix: hostile}}}),
		"nobody":     views.People(p, views.PeopleList{Q: hostile}),
		"people-new": views.PeopleNew(p, f, true),
		"person":     views.Person(p, r),
		"bearer":     views.PersonBearer(p, r, f),
		"revoke":     views.PersonRevoke(p, r, f),
		"reveal":     views.PersonReveal(p, r, views.Reveal{Secret: hostile, Prefix: hostile, LastFour: hostile, Replaced: hostile}),
		"replicas":   views.ReplicasPage(p, views.Replicas{Doubts: []string{hostile}, Rows: []views.ReplicaRow{{Name: hostile, Version: hostile, Behind: hostile, Renewed: hostile, Entries: hostile, Since: at(hostile), Notice: hostile}}}),
		"policies": views.PoliciesPage(p, views.Policies{Form: form(map[string]string{"key_days": hostile, "unused_days": hostile, "reason": hostile}, "reason", hostile), Days: hostile, Ask: hostile, Unused: hostile,
			Longest: []views.Lifetime{{Name: hostile, Label: hostile, Hint: hostile}}}),
		"unused": views.UnusedKeysPage(p, views.UnusedKeys{Form: form(map[string]string{"days": hostile}, "days", hostile), Asked: true, Count: hostile, Days: hostile,
			Rows: []views.UnusedKey{{Name: hostile, Prefix: hostile, LastFour: hostile, Owner: hostile, OwnerHref: "/" + hostile, Created: at(hostile), LastUsed: at(hostile), Expires: at(hostile)}}}),
		"shown":       views.AlreadyShown(p, views.Shown{RecordHref: "/" + hostile, Name: hostile, Made: at(hostile), CreateHref: "/" + hostile}),
		"account":     views.Account(p, views.Security{Sessions: []views.SessionRow{{ID: hostile, Agent: hostile, Address: hostile, Started: at(hostile)}}}),
		"general":     views.SettingsGeneral(p, views.General{Name: hostile, Slug: hostile, Form: f}),
		"collections": views.SettingsCollections(p, views.CollectionList{Rows: []views.CollectionRow{row}, Count: hostile, Upload: upload}),
		"collection":  views.CollectionPage(p, views.Collection{Name: hostile, Description: hostile, Path: "/" + hostile, Back: "/" + hostile, Current: version, Versions: []views.VersionRow{version}, Count: hostile, MayChange: true}),
		"version":     views.CollectionVersion(p, views.Version{Collection: hostile, VersionRow: version, Files: []views.FileRow{{Path: hostile, Size: hostile, SHA256: hostile, Href: "/" + hostile}}, Count: hostile}),
		"delete":      views.CollectionDeletePage(p, views.CollectionDelete{Name: hostile, Path: "/" + hostile, Versions: hostile, Size: hostile, Form: f}),
		"tokens":      views.PersonTokens(p, r, views.PastBearers{Tokens: r.Earlier, Count: hostile}),
		"audit":       views.Audit(p, log),
		"api tokens":  views.SettingsTokens(p, views.TokenList{Path: "/" + hostile, Cards: []views.TokenCard{card}, Query: hostile, Count: hostile, Looked: hostile, Here: true, Create: ask}),
		"api token":   views.Token(p, views.TokenPage{Card: card, List: "/" + hostile, Access: ask.Resources, Gone: []string{hostile}, Chart: []views.ChartDay{{Text: hostile}}, History: []views.Entry{entry}, Form: f}),
		"new token":   views.TokenNew(p, ask),
		"end token":   views.TokenRevoke(p, card, f, "/"+hostile),
		"regenerate":  views.TokenRegenerate(p, card, ask, "/"+hostile),
		"revealed":    views.TokenRevealed(p, views.TokenList{Path: "/" + hostile}, views.TokenReveal{Secret: hostile, Title: hostile, Card: card, Workspace: hostile, Access: hostile, AccessIn: hostile, Try: hostile}),
		"resources": views.SettingsResources(p, views.ProductList{Path: "/" + hostile, Gateway: hostile, MayEdit: true, MayPoint: true, MayAdd: true, Form: f, CallsLimit: hostile,
			Products: []views.ProductCard{{ID: hostile, Path: "/" + hostile, Name: hostile, Prefix: hostile, Upstream: hostile, Resources: ask.Resources}}}),
		"edit":       views.EditResources(p, views.ResourceForm{Product: hostile, Path: "/" + hostile, Back: "/" + hostile, Text: hostile, Revision: hostile, Form: f, Losses: views.Losses{Value: hostile, Lead: hostile, More: hostile, Tokens: []views.Loss{{Name: hostile, Scopes: hostile, More: hostile}}}}),
		"upstream":   views.ProductUpstream(p, upstream),
		"key":        views.SigningKeyRevealed(p, upstream, hostile),
		"key, asked": views.SigningKeyNew(p, upstream),
		"end":        views.WorkspaceDelete(p, views.WorkspaceEnd{Name: hostile, Path: "/" + hostile, Back: "/" + hostile, Form: f}),
		"here":       views.SettingsAudit(p, log),
		"event":      views.AuditEventPage(p, event),
		"event here": views.SettingsAuditEvent(p, event),
		"problem":    views.Problem(p, views.Failure{Status: 404, Heading: hostile, Sentence: hostile, Actions: []views.Action{{Text: hostile, Href: "/" + hostile}}}),
	} {
		doc, html := draw(t, c)
		if !strings.Contains(html, "&lt;script&gt;") {
			t.Errorf("%s does not show what it was given", name)
		}
		if n := doc.Find("script").Length(); n != 1 {
			t.Errorf("%s has %d scripts", name, n)
		}
		doc.Find("img, [onerror], [onfocus]").Each(func(_ int, s *goquery.Selection) {
			t.Errorf("%s lets %s through", name, outer(s))
		})
	}
}

// An address that would run a script leads nowhere.
func TestAddressesThatRunAreRefused(t *testing.T) {
	const run = "javascript:alert(1)"
	p := page()
	p.Crumbs = []views.Crumb{{Text: "Back", Href: run}, {Text: "Here"}}
	entry := views.Entry{Glyph: "key", Sentence: []views.Part{{Text: "x", Href: run}}}
	for name, c := range map[string]templ.Component{
		"crumb":    views.Audit(p, views.AuditLog{Days: []views.AuditDay{{Entries: []views.Entry{entry}}}, OlderHref: run}),
		"action":   views.Problem(page(), views.Failure{Status: 404, Actions: []views.Action{{Text: "x", Href: run}}}),
		"shown":    views.AlreadyShown(page(), views.Shown{RecordHref: run, CreateHref: run}),
		"people":   views.People(page(), views.PeopleList{Rows: people(), MoreHref: run}),
		"log":      views.Audit(p, views.AuditLog{CSVHref: run, JSONHref: run, Choose: "?", Choices: []views.Part{{Text: "x", Href: run}}, Filter: views.AuditFilter{Path: run, Set: true}}),
		"event":    views.AuditEventPage(p, views.AuditEvent{Entry: entry, LogHref: run, OlderHref: run, NewerHref: run, SameActor: run, SameSubject: run, Facts: []views.Fact{{Text: "x", Href: run}}}),
		"package":  views.CollectionPage(page(), views.Collection{Path: run, Back: run, MayChange: true, Versions: []views.VersionRow{{Href: run, ArchiveHref: run, CurrentAction: run, ByHref: run}}}),
		"files":    views.CollectionVersion(page(), views.Version{Path: run, Back: run, Files: []views.FileRow{{Href: run}}}),
		"delete":   views.CollectionDeletePage(page(), views.CollectionDelete{Path: run, Back: run}),
		"install":  views.SettingsCollections(page(), views.CollectionList{Upload: views.Upload{Action: run, May: true}}),
		"packages": views.SettingsCollections(page(), views.CollectionList{Rows: []views.CollectionRow{{By: "x", ByHref: run}}, OlderHref: run}),
	} {
		doc, _ := draw(t, c)
		if n := doc.Find(`[href^="javascript"], [action^="javascript"], [formaction^="javascript"]`).Length(); n != 0 {
			t.Errorf("%s: %d addresses run a script", name, n)
		}
	}
}
