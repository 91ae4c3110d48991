package handlers

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"tokendesk/models"
	"tokendesk/views"
)

// tale is how an action reads: a glyph, the sentence after the actor's name, and what the list of events to
// choose from calls it. {subject} stands for the subject, with a link where it has a page; a sentence that
// begins with a capital is told without the actor.
type tale struct{ glyph, tone, sentence, title string }

var telling = map[models.Action]tale{
	models.SetupOffered:          {"gear", "", "printed a set-up address", "Set-up offered"},
	models.SetupCompleted:        {"plus", "ok", "set the console up with the first Admin, {subject}", "Console set up"},
	models.InstallationRestored:  {"rotate", "warn", "restored the database from a backup", "Backup restored"},
	models.JWTKeyMade:            {"key", "", "made a new key that signs sign-in tokens", "Signing key of sign-ins made"},
	models.PolicyChanged:         {"lock", "warn", "changed the policies", "Policies changed"},
	models.PersonCreated:         {"user-plus", "acc", "added {subject}", "Person added"},
	models.PersonChanged:         {"pencil", "", "changed the record of {subject}", "Person changed"},
	models.PersonDeactivated:     {"pause", "warn", "deactivated {subject}", "Person deactivated"},
	models.PersonActivated:       {"play", "ok", "activated {subject}", "Person activated"},
	models.PasswordChanged:       {"lock", "", "changed the password of {subject}", "Password changed"},
	models.SessionStarted:        {"user", "", "signed in", "Signed in"},
	models.SessionConfirmed:      {"lock", "", "confirmed their password", "Password confirmed"},
	models.SessionEnded:          {"logout", "", "ended a session of {subject}", "Session ended"},
	models.SessionRenewed:        {"rotate", "", "renewed the sign-in of a program", "Program's sign-in renewed"},
	models.SessionStolen:         {"warn", "bad", "A refresh token of {subject} was used twice: the program is signed out", "Refresh token used twice"},
	models.SessionsEnded:         {"logout", "", "signed {subject} out everywhere", "Signed out everywhere"},
	models.TokensEnded:           {"ban", "bad", "revoked tokens of their own", "Own tokens revoked"},
	models.SignInRefused:         {"warn", "warn", "Sign-in refused for {subject}", "Sign-in refused"},
	models.WorkspaceChanged:      {"pencil", "", "changed the workspace {subject}", "Workspace changed"},
	models.WorkspaceCreated:      {"plus", "acc", "created the workspace {subject}", "Workspace created"},
	models.WorkspaceHandedOver:   {"key", "warn", "made {subject} the Owner", "Workspace handed over"},
	models.MemberAdded:           {"user-plus", "acc", "added {subject}", "Member added"},
	models.MemberChanged:         {"pencil", "", "changed the role of {subject}", "Member's role changed"},
	models.MemberRemoved:         {"ban", "bad", "removed {subject}", "Member removed"},
	models.WorkspaceDeleted:      {"ban", "bad", "deleted the workspace {subject}", "Workspace deleted"},
	models.CredentialCreated:     {"plus", "ok", "created a bearer token for {subject}", "Token created"},
	models.CredentialRevoked:     {"ban", "bad", "revoked the bearer token of {subject}", "Token revoked"},
	models.CredentialRegenerated: {"rotate", "warn", "regenerated the {token} {subject}", "Token regenerated"},
	models.CredentialActivated:   {"play", "ok", "activated the {token} {subject}", "Token activated"},
	models.CredentialDeactivated: {"pause", "warn", "deactivated the {token} {subject}", "Token deactivated"},
	models.CredentialRenamed:     {"pencil", "", "renamed the {token} {subject}", "Token renamed"},
	models.CredentialLeaked:      {"warn", "bad", "The {token} of {subject} was reported as leaked", "Leak reported"},
	models.ProductCreated:        {"plus", "acc", "created the product {subject}", "Product created"},
	models.ProductChanged:        {"route", "", "changed the product {subject}", "Product changed"},
	models.CollectionInstalled:   {"box", "acc", "installed the collection {subject}", "Collection installed"},
	models.CollectionReinstalled: {"box", "", "installed the collection {subject} again, unchanged", "Collection installed again"},
	models.CollectionRestored:    {"rotate", "warn", "made another version of the collection {subject} current", "Other version made current"},
	models.CollectionDeleted:     {"ban", "bad", "deleted the collection {subject}", "Collection deleted"},
	models.InstallRefused:        {"warn", "warn", "was refused an installation", "Installation refused"},
	models.AccessDenied:          {"lock", "warn", "was denied access", "Access denied"},
	models.CallDenied:            {"ban", "warn", "was refused a call", "Call refused"},
}

// ofTokens are the sentences that a bearer token has too, in other words: it has no name, and its person is named.
var ofTokens = map[models.Action]string{
	models.CredentialCreated: "created the {token} {subject}",
	models.CredentialRevoked: "revoked the {token} {subject}",
	models.CredentialLeaked:  "The {token} {subject} was reported as leaked",
}

// kindWords are what the kinds of tokens that have a name are called.
var kindWords = map[models.CredentialKind]string{
	models.APIToken: "API token", models.AutomationToken: "automation token", models.APIKey: models.APIKey.Said(), models.CollectionKey: models.CollectionKey.Said(),
}

// made are the sentences for making a key.
var made = map[models.CredentialKind]string{models.APIKey: "generated the {token} {subject}", models.CollectionKey: "shared {collection} with the access key {subject}"}

// tokenOf is the kind of token that an event is about; empty where it is about something else, or cannot be told. An API token is nobody's,
// and a bearer token is for no workspace, but a call with it is. Keys are told by the event itself.
func tokenOf(e models.Event) models.CredentialKind {
	said := e.CredentialKindSaid()
	switch {
	case e.SubjectKind != models.OfCredential:
		return ""
	case said != "":
		return said
	case e.PersonID == "":
		return models.APIToken
	case e.Action == models.CallDenied:
		return ""
	case e.WorkspaceID == "":
		return models.Bearer
	}
	return models.AutomationToken
}

// reasons are the words for why something was refused; a code without words is shown as it is.
var reasons = map[string]string{
	"wrong_password":  "wrong password",
	"unknown_address": "nobody here has it",
	"deactivated":     "the account is deactivated",
	"too_many":        "too many attempts",
	"other_address":   "a good refresh token came with another email address",
	"cross_site":      "sent from another site",
	"forbidden":       "the right is missing",
	"several kinds":   "of several kinds",
	"no-file":         "no file came",
	"not-a-zip":       "the file is no zip",
	"ambiguous":       "the request can be read in two ways",
	"not_found":       "there is no such workspace, or not for them",

	"request_ambiguous":    "the request can be read in two ways",
	"credential_missing":   "it came without a token",
	"credential_malformed": "what it came with is no token",
	"credential_unknown":   "it came with a token that does not exist",
	"credential_expired":   "its token has expired",
	"credential_revoked":   "its token was revoked",
	"credential_replaced":  "its token was replaced by a newer one",
	"credential_inactive":  "its token is switched off",
	"owner_deactivated":    "the person of its token is deactivated",
	"admin_required":       "the person of its token is no Admin",
	"wrong_workspace":      "its token belongs to another workspace",
	"no_such_resource":     "the product has no such resource",
	"method_not_allowed":   "the resource takes another method",
	"scope_missing":        "its token was not given the operation",
	"rate_limited":         "it made too many calls",
}

// entry tells an event as a sentence. log is the path of the log that it is shown in.
func (h *Handlers) entry(e models.Event, log string) views.Entry {
	how, known := telling[e.Action]
	if !known { // from a newer version
		how.sentence = string(e.Action)
	}
	of := tokenOf(e)
	if kindWords[of] != "" {
		how.sentence = cmp.Or(ofTokens[e.Action], how.sentence)
	}
	if e.Action == models.CredentialCreated && made[of] != "" {
		how.sentence = strings.Replace(made[of], "{collection}", sharedName(e), 1)
	}
	how.sentence = strings.Replace(how.sentence, "{token}", cmp.Or(kindWords[of], "token"), 1)
	entry := views.Entry{
		Href: log + "/" + strconv.FormatInt(e.Seq, 10), Time: moment(e.At, h.Clock()), Glyph: how.glyph, Tone: how.tone, Address: e.Address, Details: details(e),
	}
	if how.sentence[:1] == strings.ToLower(how.sentence[:1]) {
		entry.Actor = actorName(e)
	}
	before, after, hasSubject := strings.Cut(how.sentence, "{subject}")
	entry.Sentence = []views.Part{{Text: before}}
	if hasSubject {
		entry.Sentence = append(entry.Sentence, views.Part{Text: cmp.Or(e.SubjectName, "an unknown address"), Href: subjectPath(e)}, views.Part{Text: after})
	}
	if end := ending(e); end != "" {
		entry.Sentence = append(entry.Sentence, views.Part{Text: end})
	}
	return entry
}

// sharedName is the collection that an event shared.
func sharedName(e models.Event) string {
	for _, c := range e.ChangeList() {
		if c.Field == "collection" && c.After != "" && !strings.ContainsAny(c.After, "{}") { // braces would be read as a place for the subject
			return "the collection " + c.After
		}
	}
	return "a collection"
}

// entryFor is entry for whoever reads it: people's pages are for Admins.
func (h *Handlers) entryFor(who models.Actor, e models.Event, log string) views.Entry {
	entry := h.entry(e, log)
	for i, part := range entry.Sentence {
		if strings.HasPrefix(part.Href, "/people/") && !who.MayManagePeople() {
			entry.Sentence[i].Href = ""
		}
	}
	return entry
}

// wheres are the words between a member and the workspace.
var wheres = map[models.Action]string{
	models.MemberAdded: " to the workspace ", models.MemberChanged: " in the workspace ", models.MemberRemoved: " from the workspace ", models.WorkspaceHandedOver: " of the workspace ",
}

// ending is what a sentence says after its subject: which version it was, what was asked for, why it was refused,
// and how often.
func ending(e models.Event) (text string) {
	said := map[string]models.Change{}
	for _, c := range e.ChangeList() {
		said[c.Field] = c
	}
	switch e.Action {
	case models.CollectionInstalled, models.CollectionReinstalled, models.CollectionRestored:
		if v := said["version"]; v.After != "" {
			text = ", version " + v.After
			if v.Before != "" {
				text += " after " + v.Before
			}
		}
	case models.MemberAdded, models.MemberChanged, models.MemberRemoved, models.WorkspaceHandedOver:
		text = wheres[e.Action] + said["workspace"].After
	case models.SessionStarted:
		if said["program"].After != "" {
			text = " with a program"
		}
	case models.SessionRenewed:
		if to := said["workspace"].After; to != "" {
			text = ", now in " + to
		}
	case models.SignInRefused, models.InstallRefused, models.AccessDenied, models.CallDenied:
		if asked := said["asked for"].After; asked != "" {
			if e.Action != models.CallDenied { // which asks for a scope, like storage:upload
				asked = named.ReplaceAllString(asked, "…")
			}
			text = " to " + asked
		}
		reason := said["reason"].After
		told := strings.TrimSuffix(strings.TrimPrefix(said["told"].After, "The archive was refused: "), ".")
		text += ": " + cmp.Or(reasons[reason], firstLower(told), strings.ReplaceAll(reason, "_", " "))
		if times := said["times"].After; times != "" && times != "1" {
			text += ", " + times + " times"
		}
	}
	if n := said[models.AutomationEnded].After; n != "" {
		text += ", which ended " + plainly(number(n), "automation token", "automation tokens")
	}
	if n := said[models.SharesEnded].After; n != "" {
		text += ", which ended " + plainly(number(n), "access key", "access keys")
	}
	return text
}

// named is a part of a route that stands for a name.
var named = regexp.MustCompile(`:[a-z]+`)

func firstLower(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToLower(first)) + text[size:]
}

func actorName(e models.Event) string {
	switch e.ActorKind {
	case models.Guest:
		return "A visitor"
	case models.System:
		return "The server"
	case models.Command:
		return e.ActorName + " (command line)"
	}
	return e.ActorName
}

func subjectPath(e models.Event) string {
	switch e.SubjectKind {
	case models.OfPerson, models.OfSession, models.OfCredential:
		if kind := tokenOf(e); kindNames[kind] != "" && e.WorkspaceID != "" {
			return credentialPath(models.Credential{ID: e.SubjectID, Kind: kind, WorkspaceID: e.WorkspaceID})
		}
		if e.PersonID != "" {
			return "/people/" + e.PersonID
		}
	case models.OfProduct:
		return "/w/" + e.WorkspaceID + "/settings/resources"
	case models.OfCollection:
		if e.WorkspaceID != "" && e.Action != models.CollectionDeleted {
			return "/w/" + e.WorkspaceID + "/settings/collections/" + e.SubjectID
		}
	case models.OfWorkspace:
		if e.Action != models.WorkspaceDeleted {
			return "/w/" + e.SubjectID + "/settings"
		}
	}
	return ""
}

// credentialPath is the page on which a credential is.
func credentialPath(c models.Credential) string {
	if name := kindNames[c.Kind]; name != "" {
		return "/w/" + c.WorkspaceID + "/settings/" + name + "/" + c.ID
	}
	if c.Kind == models.CollectionKey {
		return "/w/" + c.WorkspaceID + "/settings/collections/" + c.CollectionID
	}
	return "/people/" + c.PersonID
}

func details(e models.Event) []views.Change {
	list := changed(e)
	if e.CredentialID != "" {
		list = append(list, views.Change{Label: "with credential", After: e.CredentialID})
	}
	return append(list, views.Change{Label: "event", After: strconv.FormatInt(e.Seq, 10)}, views.Change{Label: "request", After: e.RequestID})
}

// changed is what an event changed, a line each.
func changed(e models.Event) []views.Change {
	var list []views.Change
	for _, change := range e.ChangeList() {
		if change.Before != "" || change.After != "" {
			list = append(list, views.Change{Label: change.Field, Before: change.Before, After: change.After})
		}
	}
	return list
}

// actionOptions are the events to choose from, in the order of their names. Those of a workspace are few.
func actionOptions(ofWorkspace bool) []views.Option {
	var list []views.Option
	for action, how := range telling {
		if !ofWorkspace || inWorkspace[action] {
			list = append(list, views.Option{Value: string(action), Text: how.title})
		}
	}
	slices.SortFunc(list, func(a, b views.Option) int { return strings.Compare(a.Text, b.Text) })
	return list
}

// inWorkspace are the actions whose events belong to a workspace.
var inWorkspace = map[models.Action]bool{
	models.SetupCompleted: true, models.WorkspaceCreated: true, models.WorkspaceChanged: true, models.WorkspaceHandedOver: true,
	models.MemberAdded: true, models.MemberChanged: true, models.MemberRemoved: true, models.CollectionInstalled: true, models.CollectionReinstalled: true,
	models.CredentialCreated: true, models.CredentialRevoked: true, models.CredentialRegenerated: true, models.CredentialActivated: true,
	models.CredentialDeactivated: true, models.CredentialRenamed: true, models.CredentialLeaked: true, models.ProductCreated: true, models.ProductChanged: true,
	models.SessionStarted: true, models.SessionRenewed: true, models.SessionStolen: true,
	models.CollectionRestored: true, models.CollectionDeleted: true, models.InstallRefused: true, models.AccessDenied: true, models.CallDenied: true,
}
