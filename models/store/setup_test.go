package store_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

var (
	guest   = models.Actor{Kind: models.Guest, RequestID: "r1", Address: "192.0.2.9"}
	server  = models.Actor{Kind: models.System}
	command = models.Actor{Kind: models.Command, Name: "root"}
	press   = models.NewWorkspace{Name: "Marlowe Press"}
)

func ines() models.NewPerson {
	return models.NewPerson{Name: "Ines Moreau", Email: "ines@marlowe.example", Password: storetest.Password}
}

func offer(t *testing.T, w storetest.World) string {
	t.Helper()
	code, err := w.OfferSetup(t.Context(), server)
	if err != nil || code == "" {
		t.Fatalf("offered %q (%v)", code, err)
	}
	return code.Reveal()
}

// S9: there is no default account. The code that the server printed makes the first Admin and the first
// workspace, once; then no code opens anything, and none is offered.
func TestSetUpOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		code := offer(t, w)
		for _, wrong := range []string{"", "x", code[1:], code + "x", "\x00", "' OR 1=1 --"} {
			if open, err := w.SetupOpen(t.Context(), wrong); open || err != nil {
				t.Errorf("%q opens it (%v)", wrong, err)
			}
			_, _, err := w.Store.SetUp(t.Context(), guest, wrong, ines(), press)
			wantKind(t, "with the code "+wrong, err, models.Forbidden)
		}
		person, workspace, err := w.Store.SetUp(t.Context(), guest, code, ines(), press)
		if err != nil || !person.ActiveAdmin() || workspace.Slug != "marlowe-press" {
			t.Fatalf("made %+v and %+v (%v)", person, workspace, err)
		}
		seen, err := w.Workspace(t.Context(), storetest.As(person), "marlowe-press")
		if err != nil || seen.Role != models.WorkspaceOwner {
			t.Errorf("in the workspace they are %q (%v)", seen.Role, err)
		}
		if e := lastEvent(t, w); e.Action != models.SetupCompleted || e.ActorKind != models.Guest || e.SubjectID != person.ID || e.Address != guest.Address {
			t.Errorf("the event is %+v", e)
		}
		unchanged(t, w, "afterwards", func() {
			again := ines()
			again.Email = "second@marlowe.example"
			_, _, err = w.Store.SetUp(t.Context(), guest, code, again, press)
			wantKind(t, "the same code again", err, models.Forbidden)
			if open, err := w.SetupOpen(t.Context(), code); open || err != nil {
				t.Errorf("it is still open (%v)", err)
			}
			if code, err := w.OfferSetup(t.Context(), server); code != "" || err != nil {
				t.Errorf("offered again (%v)", err)
			}
		})
	})
}

// What is wrong with the form is told all at once, and the code is still good afterwards.
func TestSetUpKeepsTheCodeForAnotherTry(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		code := offer(t, w)
		unchanged(t, w, "a form that does not validate", func() {
			_, _, err := w.Store.SetUp(t.Context(), guest, code, models.NewPerson{Name: " ", Email: "ines", Password: "short"}, models.NewWorkspace{})
			for _, field := range []string{"name", "email", "password", "workspace"} {
				var told bool
				for _, f := range fields(err) {
					told = told || f.Name == field
				}
				if !told {
					t.Errorf("nothing about %s in %v", field, err)
				}
			}
		})
		if _, _, err := w.Store.SetUp(t.Context(), guest, code, ines(), press); err != nil {
			t.Error(err)
		}
	})
}

// S9: a code lives 15 minutes, to the microsecond; several are good at once, as of servers that start
// together.
func TestSetupCodeEnds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		first := offer(t, w)
		w.Clock.Advance(10 * time.Minute)
		second := offer(t, w)
		w.Clock.Advance(5*time.Minute - time.Microsecond)
		for _, code := range []string{first, second} {
			if open, err := w.SetupOpen(t.Context(), code); !open || err != nil {
				t.Errorf("a code is not good (%v)", err)
			}
		}
		w.Clock.Advance(time.Microsecond)
		if open, err := w.SetupOpen(t.Context(), first); open || err != nil {
			t.Errorf("after 15 minutes the code is good (%v)", err)
		}
		_, _, err := w.Store.SetUp(t.Context(), guest, first, ines(), press)
		wantKind(t, "after 15 minutes", err, models.Forbidden)
		if _, _, err := w.Store.SetUp(t.Context(), guest, second, ines(), press); err != nil {
			t.Errorf("the other code: %v", err)
		}
		offered := number(t, w, "SELECT count(*) FROM setup_codes")
		if offered != 0 {
			t.Errorf("%d codes are left", offered)
		}
	})
}

// However many people hold a code, of two servers, there is one first Admin; everybody else is told that
// the address is no longer valid, and not that something broke.
func TestSetUpAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		stores := []*store.Store{w.Store, w.Open(t)}
		codes := []string{offer(t, w), offer(t, w)}
		failed := atOnce(20, func(i int) error {
			n := ines()
			n.Email = fmt.Sprintf("person%d@marlowe.example", i%3)
			_, _, err := stores[i/2%2].SetUp(t.Context(), guest, codes[i%2], n, models.NewWorkspace{Name: fmt.Sprintf("Press %d", i)})
			return err
		})
		if got, want := kinds(failed), map[models.Kind]int{"": 1, models.Forbidden: 19}; !maps.Equal(got, want) {
			t.Errorf("got %v, want %v: %v", got, want, failed)
		}
		for table, want := range map[string]int64{"people": 1, "workspaces": 1, "memberships": 1, "setup_codes": 0} {
			if n := number(t, w, "SELECT count(*) FROM "+table); n != want {
				t.Errorf("%d %s", n, table)
			}
		}
		if n := events(t, w, models.SetupCompleted); n != 1 {
			t.Errorf("set up %d times", n)
		}
	})
}

// A code that a server printed at the very moment when another one was set up opens nothing: it would
// make whoever reads the log an Admin.
func TestCodeThatIsLeftOverOpensNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		w.SetUp(t)
		code, hash := secret.Random(store.SetupDomain)
		exec(t, w, "INSERT INTO setup_codes (expires_at, hash) VALUES (?, ?)", w.Clock.Now().Add(time.Minute), hash[:])
		n := ines()
		n.Email = "second@marlowe.example"
		unchanged(t, w, "a code that is left over", func() {
			_, _, err := w.Store.SetUp(t.Context(), guest, code.Reveal(), n, press)
			wantKind(t, "set up again", err, models.Forbidden)
		})
	})
}

// The command line adds Admins without a code: the first one with the first workspace, which ends all
// codes, later ones into that workspace.
func TestAddAdmin(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		code := offer(t, w)
		first, err := w.AddAdmin(t.Context(), command, ines(), press)
		if err != nil || !first.ActiveAdmin() {
			t.Fatalf("made %+v (%v)", first, err)
		}
		if open, err := w.SetupOpen(t.Context(), code); open || err != nil {
			t.Errorf("the set-up address is still open (%v)", err)
		}
		n := ines()
		n.Email = "tom@marlowe.example"
		second, err := w.AddAdmin(t.Context(), command, n, models.NewWorkspace{})
		if err != nil {
			t.Fatal(err)
		}
		for person, want := range map[models.Person]models.WorkspaceRole{first: models.WorkspaceOwner, second: models.WorkspaceAdmin} {
			list, err := w.Workspaces(t.Context(), storetest.As(person), models.Place{})
			if err != nil || len(list) != 1 || list[0].Slug != "marlowe-press" || list[0].Role != want {
				t.Errorf("%s sees %+v (%v)", person.Email, list, err)
			}
		}
		n.Email = "eve@marlowe.example"
		unchanged(t, w, "another workspace", func() {
			_, err = w.AddAdmin(t.Context(), command, n, models.NewWorkspace{Name: "Another"})
			wantKind(t, "another workspace", err, models.Conflict)
		})
		unchanged(t, w, "somebody else", func() {
			_, err = w.AddAdmin(t.Context(), guest, n, press)
			wantKind(t, "a guest", err, models.Forbidden)
		})
	})
}

// Admins who are added at once to an empty installation share its one workspace.
func TestAddAdminAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		stores := []*store.Store{w.Store, w.Open(t)}
		failed := atOnce(6, func(i int) error {
			n := ines()
			n.Email = fmt.Sprintf("person%d@marlowe.example", i)
			_, err := stores[i%2].AddAdmin(t.Context(), command, n, models.NewWorkspace{})
			return err
		})
		if got := kinds(failed); got[""] != 6 {
			t.Errorf("got %v: %v", got, failed)
		}
		if n := number(t, w, "SELECT count(*) FROM workspaces"); n != 1 {
			t.Errorf("%d workspaces", n)
		}
		if n := number(t, w, "SELECT count(*) FROM memberships"); n != 6 {
			t.Errorf("%d memberships", n)
		}
	})
}
