package store_test

import (
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

// A request can be held open between its guard and its last byte. Whoever lost the right meanwhile,
// whichever way, cannot finish it (S3, T9): the change is refused, and nothing is written.
func TestNobodyFinishesWhatTheyMayNoLongerDo(t *testing.T) {
	losses := map[string]struct {
		lose func(t *testing.T, w storetest.World, root models.Actor, eve models.Person, session, token string)
		want models.Kind // of what Eve does in her browser
	}{
		"demoted": {func(t *testing.T, w storetest.World, root models.Actor, eve models.Person, _, _ string) {
			_, err := w.EditPerson(t.Context(), root, eve.ID, models.PersonEdit{Name: eve.Name, Email: eve.Email, Role: models.Member})
			must(t, err)
		}, models.Unauthorized},
		"deactivated": {func(t *testing.T, w storetest.World, root models.Actor, eve models.Person, _, _ string) {
			_, err := w.DeactivatePerson(t.Context(), root, eve.ID)
			must(t, err)
		}, models.Unauthorized},
		"signed out": {func(t *testing.T, w storetest.World, root models.Actor, _ models.Person, session, _ string) {
			must(t, w.EndSession(t.Context(), root, session))
		}, models.Unauthorized},
		"idle": {func(_ *testing.T, w storetest.World, _ models.Actor, _ models.Person, _, _ string) {
			w.Clock.Advance(models.SessionIdle)
		}, models.Unauthorized},
	}
	for name, loss := range losses {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, w storetest.World) {
				root := w.SetUp(t)
				eve, ann := w.Person(t, root, models.Admin), w.Person(t, root, models.Admin)
				seen, who := find(t, w, signIn(t, w, eve.Email, storetest.Password))
				loss.lose(t, w, root, eve, seen.Session.ID, "")
				for what, do := range heldOpen(t, w, who, eve, ann) {
					unchanged(t, w, what, func() { wantKind(t, what, do(), loss.want) })
				}
			})
		})
	}
}

// heldOpen is what an Admin might have begun.
func heldOpen(t *testing.T, w storetest.World, who models.Actor, eve, ann models.Person) map[string]func() error {
	return map[string]func() error{
		"create a token": func() error {
			_, text, _, err := w.CreateBearerToken(t.Context(), who, ann.ID, secret.FormID())
			if text != "" {
				t.Error("a secret was answered")
			}
			return err
		},
		"create an API token": func() error {
			_, text, err := w.CreateAPIToken(t.Context(), who, home, models.NewAPIToken{Name: "a"}, secret.FormID())
			if text != "" {
				t.Error("a secret was answered")
			}
			return err
		},
		"delete the workspace": func() error { _, err := w.DeleteWorkspace(t.Context(), who, home, press.Name); return err },
		"add an Admin": func() error {
			_, err := w.CreatePerson(t.Context(), who, models.NewPerson{Name: "Mallory", Email: "m@x.example", Role: models.Admin, Password: storetest.Password})
			return err
		},
		"promote oneself": func() error {
			_, err := w.EditPerson(t.Context(), who, eve.ID, models.PersonEdit{Name: "Eve", Email: eve.Email, Role: models.Admin})
			return err
		},
		"activate somebody": func() error { _, err := w.ActivatePerson(t.Context(), who, ann.ID); return err },
		"change the password": func() error {
			_, _, err := w.ChangePassword(t.Context(), who, storetest.Password, another)
			return notOnField(err)
		},
	}
}

// notOnField: a deactivated person's password is not even compared, and that is refused as the wrong one is.
func notOnField(err error) error {
	if models.KindOf(err) == models.Invalid {
		return models.Fail(models.Unauthorized, "refused at the password")
	}
	return err
}

// The same for a program: a token that is revoked, replaced, expired or switched off, or whose owner is
// no Admin any more, installs nothing that it had begun to send.
func TestNoTokenFinishesAfterItsEnd(t *testing.T) {
	for name, loss := range map[string]struct {
		lose func(t *testing.T, w storetest.World, root models.Actor, eve models.Person, token string) error
		want models.Kind
	}{
		"revoked": {func(t *testing.T, w storetest.World, root models.Actor, _ models.Person, token string) error {
			_, err := w.RevokeCredential(t.Context(), root, token, models.Revocation{})
			return err
		}, models.Unauthorized},
		"replaced": {func(t *testing.T, w storetest.World, root models.Actor, eve models.Person, _ string) error {
			_, _, _, err := w.CreateBearerToken(t.Context(), root, eve.ID, secret.FormID())
			return err
		}, models.Unauthorized},
		"expired": {func(_ *testing.T, w storetest.World, _ models.Actor, _ models.Person, _ string) error {
			w.Clock.Advance(367 * 24 * time.Hour)
			return nil
		}, models.Unauthorized},
		"owner deactivated": {func(t *testing.T, w storetest.World, root models.Actor, eve models.Person, _ string) error {
			_, err := w.DeactivatePerson(t.Context(), root, eve.ID)
			return err
		}, models.Unauthorized},
		"owner demoted": {func(t *testing.T, w storetest.World, root models.Actor, eve models.Person, _ string) error {
			_, err := w.EditPerson(t.Context(), root, eve.ID, models.PersonEdit{Name: eve.Name, Email: eve.Email, Role: models.Member})
			return err
		}, models.Forbidden},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, w storetest.World) {
				root := w.SetUp(t)
				eve := w.Person(t, root, models.Admin)
				made, _ := w.Token(t, root, eve.ID)
				who := models.Actor{Kind: models.Program, ID: eve.ID, Name: eve.Name, Role: models.Admin, CredentialID: made.ID}
				must(t, loss.lose(t, w, root, eve, made.ID))
				unchanged(t, w, "install", func() {
					_, err := w.InstallCollection(t.Context(), who, archive("tools.zip", "PK"))
					wantKind(t, "install", err, loss.want)
				})
				if n := number(t, w, "SELECT count(*) FROM blobs"); n != 0 {
					t.Errorf("%d archives are kept", n)
				}
			})
		})
	}
}

// Who loses the Admin role is no longer the Admin of workspaces either; an Owner stays.
func TestDemotionReachesWorkspaces(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		root := w.SetUp(t)
		eve := w.Person(t, root, models.Admin)
		demote := func(p models.Person, by models.Actor) models.WorkspaceRole {
			t.Helper()
			_, err := w.EditPerson(t.Context(), by, p.ID, models.PersonEdit{Name: p.Name, Email: p.Email, Role: models.Member})
			must(t, err)
			p.Role = models.Member
			list, err := w.Workspaces(t.Context(), storetest.As(p), models.Place{})
			if err != nil || len(list) != 1 {
				t.Fatalf("%+v (%v)", list, err)
			}
			return list[0].Role
		}
		if role := demote(eve, root); role != models.WorkspaceMember {
			t.Errorf("a demoted Admin is %s of the workspace", role)
		}
		ann := w.Person(t, root, models.Admin)
		owner, err := w.PersonByEmail(t.Context(), "ines@marlowe.example")
		must(t, err)
		if role := demote(owner, storetest.As(ann)); role != models.WorkspaceOwner {
			t.Errorf("a demoted Owner is %s of the workspace", role)
		}
	})
}

// Events never go back in time, whichever server's clock was behind.
func TestEventsDoNotGoBackInTime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		root := w.SetUp(t)
		w.Person(t, root, models.Member)
		w.Clock.Advance(-time.Hour)
		w.Person(t, root, models.Member)
		list, err := w.Events(t.Context(), root, models.EventFilter{Limit: 2})
		if err != nil || len(list) != 2 || list[0].At.Before(list[1].At) {
			t.Errorf("%+v (%v)", list, err)
		}
		if chain, err := w.VerifyEvents(t.Context()); err != nil || chain.Broken != "" {
			t.Errorf("%+v (%v)", chain, err)
		}
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
