package store_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

// walk is one random walk through an installation, with the model beside it.
type walk struct {
	account
	model              accountModel
	random             *rand.Rand
	root               models.Actor // who is never touched
	people, workspaces []string
	emails             map[string]string
	told               []string // what was done
}

const walkSteps = 100

// walks is how many walks each database is taken on. TOKENDESK_TEST_WALKS asks for another number.
func walks(t *testing.T) int {
	t.Helper()
	text := os.Getenv("TOKENDESK_TEST_WALKS")
	if text == "" {
		return 4
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("TOKENDESK_TEST_WALKS is %q: write a number from 1 on", text)
	}
	return n
}

// Whatever is done, in whatever order: after each step exactly those sign-in tokens, automation tokens and refresh tokens are good that a
// simple model says are, through the real gate, and the others are refused for the reason that it says. A walk that fails says its steps and its seed, which is its name: -run TestAccountWalks/7.
func TestAccountWalks(t *testing.T) {
	for seed := range walks(t) {
		t.Run(strconv.Itoa(seed+1), func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, world storetest.World) {
				w := newWalk(t, world, uint64(seed+1))
				for range walkSteps {
					w.step(t)
					w.compare(t)
					if t.Failed() {
						t.Fatalf("the walk with the seed %d:\n%s", seed+1, strings.Join(w.told, "\n"))
					}
				}
				if c := verify(t, w.World); c.Broken != "" {
					t.Errorf("the chain: %+v", c)
				}
			})
		})
	}
}

// newWalk sets up three workspaces and three people, two of whom own one, on some day of two years.
func newWalk(t *testing.T, world storetest.World, seed uint64) *walk {
	t.Helper()
	w := &walk{account: newAccount(t, world), random: rand.New(rand.NewPCG(seed, uint64(len(world.Database())))), emails: map[string]string{}}
	w.Clock.Advance(time.Duration(w.random.IntN(730*24)) * time.Hour)
	w.root = w.SetUp(t)
	w.model = accountModel{people: map[string]*modelPerson{}, joined: map[string]map[string]time.Time{}, owner: map[string]string{}}
	first, err := w.Workspace(t.Context(), w.root, home)
	must(t, err)
	w.know(first.ID, w.root.ID)
	var admins []models.Person
	for _, role := range []models.Role{models.Admin, models.Admin, models.Member} {
		p := w.Person(t, w.root, role)
		w.people, w.emails[p.ID] = append(w.people, p.ID), p.Email
		w.model.people[p.ID] = &modelPerson{admin: role == models.Admin, password: storetest.Password}
		w.model.joined[first.ID][p.ID] = w.Clock.Now()
		if role == models.Admin {
			admins = append(admins, p)
		}
	}
	for i, p := range admins {
		w.Clock.Advance(time.Minute)
		w.know(w.workspace(t, storetest.As(p), fmt.Sprint("Workspace ", i)).ID, p.ID)
	}
	for _, id := range w.workspaces {
		_, err := w.SetCallLimits(t.Context(), w.root, id, models.CallLimits{API: 1, User: models.MostCallsAMinute, Automation: models.MostCallsAMinute})
		must(t, err)
	}
	w.model.now = w.Clock.Now()
	return w
}

func (w *walk) know(workspace, owner string) {
	w.workspaces = append(w.workspaces, workspace)
	w.model.joined[workspace], w.model.owner[workspace] = map[string]time.Time{owner: w.Clock.Now()}, owner
}

// step does something, as often as its weight says, and has the model do the same.
func (w *walk) step(t *testing.T) {
	t.Helper()
	steps := []struct {
		weight int
		do     func(t *testing.T)
	}{
		{5, w.signInSomebody}, {5, w.refresh}, {2, w.presentUsed}, {5, w.mintByProgram}, {3, w.mintInConsole}, {6, w.advance}, {2, w.changePassword},
		{4, w.remove}, {5, w.addBack}, {2, w.deactivateSomebody}, {3, w.activateSomebody}, {1, w.handOver}, {1, w.revoke}, {1, w.endOne}, {1, w.demote}, {1, w.prune},
	}
	all := 0
	for _, s := range steps {
		all += s.weight
	}
	n := w.random.IntN(all)
	for _, s := range steps {
		if n -= s.weight; n < 0 {
			s.do(t)
			return
		}
	}
}

// compare asks the gate about every token that was ever given out, and the store about every refresh token that was not used: for a
// workspace that is not there one that is good is refused as what it is, and not used up.
func (w *walk) compare(t *testing.T) {
	t.Helper()
	for text, want := range w.model.verdicts() {
		d := w.decide(t, text, "")
		if d.Allowed() && want == access.Allowed {
			d = w.decide(t, text, knowledge)
		}
		if d.Code == access.CredentialRevoked && secret.LooksLikeJWT(text.Reveal()) {
			d.Code = access.CredentialUnknown // the model does not tell one that was replaced in time from one that is over
		}
		if d.Code != want {
			t.Errorf("%s: %s, %s, and not %s", w.name(text), d.Code, d.Detail, want)
		}
	}
	for i, s := range w.model.sessions {
		_, _, err := w.RenewProgram(t.Context(), guest, s.refresh, models.Renewal{Email: w.emails[s.person], WorkspaceID: "no-such"})
		if want := map[bool]models.Kind{true: models.Forbidden, false: models.Ambiguous}[w.model.refreshes(s)]; models.KindOf(err) != want {
			t.Errorf("the refresh token of session %d: %v", i, err)
		}
	}
}

// name tells which token a text is.
func (w *walk) name(text secret.Text) string {
	for i, s := range w.model.sessions {
		if s.token == text {
			return fmt.Sprintf("the sign-in token of session %d", i)
		}
		for n, before := range s.replaced {
			if before == text {
				return fmt.Sprintf("sign-in token %d of session %d", n, i)
			}
		}
	}
	for i, k := range w.model.tokens {
		if k.text == text {
			return fmt.Sprintf("automation token %d", i)
		}
	}
	return "a text that nobody was given"
}

// one is any of a list.
func one[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// chance is true so many times in a hundred.
func (w *walk) chance(percent int) bool { return w.random.IntN(100) < percent }

// tell notes what is done, and insists that it ended as the model says.
func (w *walk) tell(t *testing.T, err error, want models.Kind, what string, args ...any) {
	t.Helper()
	text := fmt.Sprintf("%s  %s", w.model.now.Format("01-02 15:04:05.000000"), fmt.Sprintf(what, args...))
	w.told = append(w.told, fmt.Sprintf("%s: %v", text, err))
	if models.KindOf(err) != want {
		t.Errorf("%s: got %v, want %q", text, err, want)
	}
}

func (w *walk) who(person string) int   { return index(w.people, person) }
func (w *walk) in(workspace string) int { return index(w.workspaces, workspace) }

func index(list []string, id string) int {
	for i, other := range list {
		if other == id {
			return i
		}
	}
	return -1
}
