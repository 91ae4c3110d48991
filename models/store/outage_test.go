package store_test

import (
	"context"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// "Could not find out" is never an answer: while the database is away nothing is said to be missing, wrong,
// refused, empty or done, by any method, whatever it was asked.
func TestOutageIsNoAnswer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		card, replaced := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "a"})
		_, _, err := w.RegenerateAPIToken(t.Context(), admin, home, card.ID, models.Regeneration{}, secret.FormID())
		must(t, err)
		admin.SessionID = models.NewID()
		person, err := w.PersonByEmail(t.Context(), "ines@marlowe.example")
		if err != nil {
			t.Fatal(err)
		}
		cookie := signIn(t, w, person.Email, storetest.Password)
		seen, _ := find(t, w, cookie)
		seen.Session.SeenAt = seen.Session.SeenAt.AddDate(0, 0, -1)
		a := newAccount(t, w)
		signed := a.signIn(t, person.Email)
		_, auto := a.automation(t, signed.who(), home, "no_exp")
		s := w.OpenWith(t, func(*store.Settings) {})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for name, do := range everyMethod(t.Context(), s, admin, person, seen, cookie) {
			wantKind(t, name, do(), models.Unavailable)
		}
		for name, do := range everyTokenMethod(t.Context(), s, admin, card, replaced) {
			wantKind(t, name, do(), models.Unavailable)
		}
		for name, do := range everyKeyMethod(t.Context(), s, admin) {
			wantKind(t, name, do(), models.Unavailable)
		}
		for name, do := range everyAccountMethod(t.Context(), s, signed, auto) {
			wantKind(t, name, do(), models.Unavailable)
		}
		a.finds(t, "afterwards", signed, true)
		find(t, w, cookie)
	})
}

// everyMethod is all that a store can be asked.
func everyMethod(ctx context.Context, s *store.Store, admin models.Actor, person models.Person, seen models.SessionSeen, cookie string) map[string]func() error {
	id := person.ID
	return map[string]func() error{
		"Ping":          func() error { return s.Ping(ctx) },
		"HasAdmin":      func() error { _, err := s.HasAdmin(ctx); return err },
		"OfferSetup":    func() error { _, err := s.OfferSetup(ctx, server); return err },
		"SetupOpen":     func() error { _, err := s.SetupOpen(ctx, "code"); return err },
		"SetUp":         func() error { _, _, err := s.SetUp(ctx, guest, "code", ines(), press); return err },
		"AddAdmin":      func() error { _, err := s.AddAdmin(ctx, command, ines(), press); return err },
		"People":        func() error { _, _, err := s.People(ctx, admin, models.PeopleFilter{}); return err },
		"CountPeople":   func() error { _, err := s.CountPeople(ctx, admin, models.PeopleFilter{}); return err },
		"PersonByEmail": func() error { _, err := s.PersonByEmail(ctx, person.Email); return err },
		"PersonRecord":  func() error { _, err := s.PersonRecord(ctx, admin, id); return err },
		"CreatePerson": func() error {
			n := ines()
			n.Role = models.Member
			_, err := s.CreatePerson(ctx, admin, n)
			return err
		},
		"EditPerson": func() error {
			_, err := s.EditPerson(ctx, admin, id, models.PersonEdit{Name: "A", Email: "a@x.example", Role: models.Member})
			return err
		},
		"DeactivatePerson": func() error { _, err := s.DeactivatePerson(ctx, admin, id); return err },
		"ActivatePerson":   func() error { _, err := s.ActivatePerson(ctx, admin, id); return err },
		"ChangePassword":   func() error { _, _, err := s.ChangePassword(ctx, admin, storetest.Password, another); return err },
		"SetPassword":      func() error { return s.SetPassword(ctx, command, id, another) },
		"SignIn": func() error {
			_, _, err := s.SignIn(ctx, guest, models.SignIn{Email: person.Email, Password: storetest.Password})
			return err
		},
		"StartSession":      func() error { _, err := s.StartSession(ctx, guest, person, "Firefox"); return err },
		"FindSession":       func() error { _, err := s.FindSession(ctx, cookie); return err },
		"TouchSession":      func() error { return s.TouchSession(ctx, seen) },
		"SaveSessionData":   func() error { return s.SaveSessionData(ctx, seen.Session.ID, nil) },
		"ConfirmSession":    func() error { _, err := s.ConfirmSession(ctx, admin, storetest.Password); return err },
		"Sessions":          func() error { _, err := s.Sessions(ctx, admin, id); return err },
		"EndSession":        func() error { return s.EndSession(ctx, admin, seen.Session.ID) },
		"SignOutEverywhere": func() error { _, err := s.SignOutEverywhere(ctx, admin, id); return err },
		"Prune":             func() error { return s.Prune(ctx) },
		"CreateBearerToken": func() error { _, _, _, err := s.CreateBearerToken(ctx, admin, id, secret.FormID()); return err },
		"RevokeBearerToken": func() error { _, err := s.RevokeBearerToken(ctx, admin, id, models.Revocation{}); return err },
		"RevokeCredential":  func() error { _, err := s.RevokeCredential(ctx, admin, id, models.Revocation{}); return err },
		"Credential":        func() error { _, err := s.Credential(ctx, admin, id); return err },
		"Credentials":       func() error { _, _, err := s.Credentials(ctx, admin, 10); return err },
		"AnyCredential":     func() error { _, err := s.AnyCredential(ctx); return err },
		"GrantOf":           func() error { _, err := s.GrantOf(ctx, secret.Hash{}); return err },
		"RecordUsage":       func() error { return s.RecordUsage(ctx, storetest.Flush(), []models.Usage{{CredentialID: id}}, nil) },
		"Workspaces":        func() error { _, err := s.Workspaces(ctx, admin, models.Place{}); return err },
		"Workspace":         func() error { _, err := s.Workspace(ctx, admin, "marlowe-press"); return err },
		"HomeWorkspace":     func() error { _, err := s.HomeWorkspace(ctx, admin); return err },
		"RenameWorkspace":   func() error { _, err := s.RenameWorkspace(ctx, admin, "marlowe-press", press); return err },
		"CreateWorkspace":   func() error { _, err := s.CreateWorkspace(ctx, admin, press); return err },
		"Members":           func() error { _, _, err := s.Members(ctx, admin, "marlowe-press", models.Place{}); return err },
		"CountMembers":      func() error { _, err := s.CountMembers(ctx, id); return err },
		"Member":            func() error { _, err := s.Member(ctx, admin, "marlowe-press", id); return err },
		"AddMember": func() error {
			_, err := s.AddMember(ctx, admin, "marlowe-press", models.NewMember{Email: "a@x.example", Role: models.WorkspaceMember})
			return err
		},
		"ChangeMember": func() error {
			_, err := s.ChangeMember(ctx, admin, "marlowe-press", id, models.WorkspaceAdmin)
			return err
		},
		"RemoveMember":      func() error { _, err := s.RemoveMember(ctx, admin, "marlowe-press", id); return err },
		"HandOver":          func() error { _, err := s.HandOver(ctx, admin, "marlowe-press", id); return err },
		"CountVersions":     func() error { _, err := s.CountVersions(ctx, models.Collection{}); return err },
		"CountCollections":  func() error { _, err := s.CountCollections(ctx, []models.WorkspaceSeen{{}}); return err },
		"InstallCollection": func() error { _, err := s.InstallCollection(ctx, admin, archive("a.zip", "PK")); return err },
		"Collections":       func() error { _, _, err := s.Collections(ctx, id, models.Place{}); return err },
		"Events":            func() error { _, err := s.Events(ctx, admin, models.EventFilter{Limit: 10}); return err },
		"CountEvents":       func() error { _, _, err := s.CountEvents(ctx, admin, models.EventFilter{}); return err },
		"Event":             func() error { _, err := s.Event(ctx, admin, "", 1); return err },
		"events of a workspace": func() error {
			_, err := s.Events(ctx, storetest.As(person), models.EventFilter{WorkspaceID: id, From: person.CreatedAt, Limit: 10})
			return err
		},
		"StillMay":         func() error { return s.StillMay(ctx, admin) },
		"FindPeople":       func() error { _, err := s.FindPeople(ctx, admin, "", "ines"); return err },
		"FindCollections":  func() error { _, err := s.FindCollections(ctx, admin, "", "tools"); return err },
		"FindCredentials":  func() error { _, err := s.FindCredentials(ctx, admin, "user_"); return err },
		"NameOf":           func() error { _, err := s.NameOf(ctx, id); return err },
		"EndedCredentials": func() error { _, err := s.EndedCredentials(ctx, admin, id, ""); return err },
		"CountEnded":       func() error { _, err := s.CountEnded(ctx, admin, id); return err },
		"AutomationTokens": func() error { _, _, err := s.AutomationTokens(ctx, admin, "marlowe-press", models.Place{}); return err },
		"AutomationToken":  func() error { _, err := s.AutomationToken(ctx, admin, "marlowe-press", id); return err },
		"AutomationDays": func() error {
			_, err := s.AutomationDays(ctx, admin, "marlowe-press", id, person.CreatedAt)
			return err
		},
		"CountAutomationTokens": func() error { _, err := s.CountAutomationTokens(ctx, admin, "marlowe-press"); return err },
		"CountOwnedAutomation":  func() error { _, err := s.CountOwnedAutomation(ctx, admin); return err },
		"SessionWorkspaces":     func() error { _, err := s.SessionWorkspaces(ctx, []models.Session{{WorkspaceID: id}}); return err },
		"CreateAutomationToken": func() error {
			_, _, err := s.CreateAutomationToken(ctx, admin, "marlowe-press", models.NewAutomationToken{Period: "1h"}, secret.FormID())
			return err
		},
		"RegenerateAutomationToken": func() error {
			_, _, err := s.RegenerateAutomationToken(ctx, admin, "marlowe-press", id, models.AutomationRegeneration{}, secret.FormID())
			return err
		},
		"SwitchAutomationToken": func() error { _, err := s.SwitchAutomationToken(ctx, admin, "marlowe-press", id, true); return err },
		"Collection":            func() error { _, err := s.Collection(ctx, admin, "marlowe-press", id); return err },
		"Versions":              func() error { _, err := s.Versions(ctx, models.Collection{ID: id}, 0, 1); return err },
		"Version":               func() error { _, err := s.Version(ctx, models.Collection{ID: id}, 1); return err },
		"Files":                 func() error { _, err := s.Files(ctx, models.CollectionVersion{ID: id}, "", 1); return err },
		"File":                  func() error { _, err := s.File(ctx, models.CollectionVersion{ID: id}, "a"); return err },
		"SizeOf":                func() error { _, _, err := s.SizeOf(ctx, models.Collection{ID: id}); return err },
		"Archive": func() error {
			_, err := s.Archive(ctx, models.CollectionVersion{Size: 9}).Read(make([]byte, 1))
			return err
		},
		"MakeCurrent":        func() error { _, err := s.MakeCurrent(ctx, admin, "marlowe-press", id, 1); return err },
		"DeleteCollection":   func() error { _, err := s.DeleteCollection(ctx, admin, "marlowe-press", id, "tools"); return err },
		"ProductPrefixes":    func() error { _, err := s.ProductPrefixes(ctx); return err },
		"Policy":             func() error { _, err := s.Policy(ctx); return err },
		"SetPolicy":          func() error { _, err := s.SetPolicy(ctx, admin, models.PolicyEdit{Policy: free}); return err },
		"UnusedKeys":         func() error { _, _, _, err := s.UnusedKeys(ctx, admin, 1, models.Place{}); return err },
		"RevokeUnused":       func() error { _, err := s.RevokeUnused(ctx); return err },
		"ReportLeaked":       func() error { _, err := s.ReportLeaked(ctx, guest, []secret.Text{"x"}); return err },
		"RevokeHeld":         func() error { _, err := s.RevokeHeld(ctx, guest, "x"); return err },
		"EndHeldSignIn":      func() error { _, err := s.EndHeldSignIn(ctx, guest, secret.Hash{}); return err },
		"RoleIn":             func() error { _, _, err := s.RoleIn(ctx, models.NewID(), models.NewID()); return err },
		"ReportLeakedSignIn": func() error { _, err := s.ReportLeakedSignIn(ctx, guest, secret.Hash{}); return err },
		"RecordRefused":      func() error { return s.RecordRefused(ctx, models.Refused{Action: models.AccessDenied}) },
		"EventsAfter":        func() error { _, err := s.EventsAfter(ctx, 0, 10); return err },
		"VerifyEvents":       func() error { _, err := s.VerifyEvents(ctx); return err },
	}
}

// everyTokenMethod is all that a store can be asked about a workspace's tokens and products.
func everyTokenMethod(ctx context.Context, s *store.Store, admin models.Actor, card models.Credential, replaced secret.Text) map[string]func() error {
	owner, id, product := models.Person{ID: admin.ID, Role: models.Admin}, card.ID, card.ProductID
	methods := map[string]func() error{
		"CreateAPIToken": func() error {
			_, _, err := s.CreateAPIToken(ctx, admin, home, models.NewAPIToken{Name: "a"}, secret.FormID())
			return err
		},
		"RegenerateAPIToken": func() error {
			_, _, err := s.RegenerateAPIToken(ctx, admin, home, id, models.Regeneration{}, secret.FormID())
			return err
		},
		"SwitchAPIToken": func() error { _, err := s.SwitchAPIToken(ctx, admin, home, id, false); return err },
		"RenameAPIToken": func() error {
			_, err := s.RenameAPIToken(ctx, admin, home, id, models.TokenNaming{Name: "b"})
			return err
		},
		"RevokeAPIToken":          func() error { _, err := s.RevokeAPIToken(ctx, admin, home, id, models.Revocation{}); return err },
		"APIToken":                func() error { _, err := s.APIToken(ctx, admin, home, id); return err },
		"CountAPITokens":          func() error { _, err := s.CountAPITokens(ctx, card.WorkspaceID); return err },
		"LiveTokens":              func() error { _, err := s.LiveTokens(ctx, card.WorkspaceID); return err },
		"GrantOf what was before": func() error { _, err := s.GrantOf(ctx, replaced.Hash()); return err },
		"OpensFor":                func() error { _, err := s.OpensFor(ctx, models.Bearer, owner, home); return err },
		"OpensFor the only one":   func() error { _, err := s.OpensFor(ctx, models.Bearer, owner, ""); return err },
		"Products":                func() error { _, err := s.Products(ctx, admin, home); return err },
		"Product":                 func() error { _, err := s.Product(ctx, product); return err },
		"CreateProduct": func() error {
			_, err := s.CreateProduct(ctx, admin, home, models.ProductNaming{Name: "B", Prefix: "bbbb"})
			return err
		},
		"NameProduct": func() error {
			_, err := s.NameProduct(ctx, admin, home, product, models.ProductNaming{Name: "B", Prefix: "prod"})
			return err
		},
		"TokensLosing": func() error { _, err := s.TokensLosing(ctx, admin, home, product, nil); return err },
		"SetResources": func() error { _, err := s.SetResources(ctx, admin, home, product, 1, nil); return err },
		"PointProduct": func() error {
			_, err := s.PointProduct(ctx, admin, home, product, 1, models.ProductUpstream{ConnectTimeoutS: 1, AnswerTimeoutS: 1, MaxBodyMiB: 1})
			return err
		},
		"DeleteWorkspace": func() error { _, err := s.DeleteWorkspace(ctx, admin, home, press.Name); return err },
		"SetCallLimits": func() error {
			_, err := s.SetCallLimits(ctx, admin, home, models.CallLimits{API: 1, User: 50, Automation: 300})
			return err
		},
		"SetTimeZone": func() error { return s.SetTimeZone(ctx, admin, models.ZoneChoice{Name: "Europe/London"}) },
	}
	for _, sort := range tokenSorts {
		methods["APITokens "+string(sort)] = func() error { _, err := s.APITokens(ctx, admin, home, models.TokenFilter{Sort: sort}); return err }
	}
	return methods
}

// everyKeyMethod is all that a store can be asked about API keys and collection access keys.
func everyKeyMethod(ctx context.Context, s *store.Store, admin models.Actor) map[string]func() error {
	id := models.NewID()
	return map[string]func() error{
		"CreateAPIKey": func() error {
			_, _, err := s.CreateAPIKey(ctx, admin, models.NewAPIKey{Name: "a"}, secret.FormID())
			return err
		},
		"RegenerateAPIKey": func() error {
			_, _, err := s.RegenerateAPIKey(ctx, admin, id, models.KeyRegeneration{}, secret.FormID())
			return err
		},
		"RenameAPIKey":   func() error { _, err := s.RenameAPIKey(ctx, admin, id, models.TokenNaming{Name: "b"}); return err },
		"RevokeAPIKey":   func() error { _, err := s.RevokeAPIKey(ctx, admin, id, models.Revocation{}); return err },
		"SetKeySettings": func() error { return s.SetKeySettings(ctx, admin, models.KeySettings{Days: 30}) },
		"APIKeys":        func() error { _, _, err := s.APIKeys(ctx, admin, models.Place{}); return err },
		"CountAPIKeys":   func() error { _, err := s.CountAPIKeys(ctx, admin); return err },
		"EndedAPIKeys":   func() error { _, err := s.EndedAPIKeys(ctx, admin); return err },
		"CountKeysOf":    func() error { _, err := s.CountKeysOf(ctx, admin, id); return err },
		"APIKey":         func() error { _, err := s.APIKey(ctx, admin, id); return err },
		"APIKeyDays":     func() error { _, err := s.APIKeyDays(ctx, admin, id, time.Time{}); return err },
		"Policy":         func() error { _, err := s.Policy(ctx); return err },
		"CreateCollectionKey": func() error {
			_, _, err := s.CreateCollectionKey(ctx, admin, id, models.NewCollectionKey{}, secret.FormID())
			return err
		},
		"RevokeCollectionKey": func() error { _, err := s.RevokeCollectionKey(ctx, admin, id, models.Revocation{}); return err },
		"CollectionKey":       func() error { _, err := s.CollectionKey(ctx, admin, id); return err },
		"CollectionKeys":      func() error { _, _, err := s.CollectionKeys(ctx, admin, "", models.Place{}); return err },
		"those of one":        func() error { _, _, err := s.CollectionKeys(ctx, admin, id, models.Place{}); return err },
	}
}

// everyAccountMethod is all that a store can be asked about programs that signed in, and automation tokens.
func everyAccountMethod(ctx context.Context, s *store.Store, signed signedIn, auto secret.Text) map[string]func() error {
	claims := secret.SignInClaims{PersonID: signed.Person.ID, WorkspaceID: signed.Workspace.ID}
	return map[string]func() error{
		"SignInProgram": func() error {
			_, _, err := s.SignInProgram(ctx, guest, models.SignIn{Email: signed.Person.Email, Password: storetest.Password})
			return err
		},
		"RenewProgram": func() error {
			_, _, err := s.RenewProgram(ctx, guest, signed.refresh, models.Renewal{Email: signed.Person.Email})
			return err
		},
		"FindProgram": func() error { _, err := s.FindProgram(ctx, signed.hash); return err },
		"ProgramOf":   func() error { _, err := s.ProgramOf(ctx, claims); return err },
		"CreateAutomationToken": func() error {
			_, _, err := s.CreateAutomationToken(ctx, signed.who(), home, models.NewAutomationToken{Period: "1h"}, "")
			return err
		},
		"CountOwnedAutomation": func() error { _, err := s.CountOwnedAutomation(ctx, signed.who()); return err },
		"ChangePassword by a program": func() error {
			_, _, err := s.ChangePassword(ctx, signed.who(), storetest.Password, another)
			return err
		},
		"GrantOf an automation token": func() error { _, err := s.GrantOf(ctx, auto.Hash()); return err },
		"OpensFor an automation token": func() error {
			_, err := s.OpensFor(ctx, models.AutomationToken, signed.Person, signed.Workspace.ID)
			return err
		},
		"JWTKeys": func() error { _, err := s.JWTKeys(ctx); return err },
		"AddJWTKey": func() error {
			_, err := s.AddJWTKey(ctx, models.JWTKey{ID: "k", Sealed: []byte("s"), CreatedAt: signed.Session.CreatedAt}, signed.Session.CreatedAt)
			return err
		},
	}
}
