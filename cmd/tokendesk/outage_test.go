package main

import (
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

// PostgreSQL is killed and started again while people and programs use the server. While it is away they are
// told so, and never that something is not there, not allowed or done; when it is back the server works on
// by itself, and everything that was answered as done is there.
//
// TOKENDESK_TEST_RESTARTS is how many times it is killed.
func TestDatabaseKilled(t *testing.T) {
	t.Parallel()
	restarts := howMany(t, "TOKENDESK_TEST_RESTARTS", 2)
	own := storetest.NewOwnPostgres(t)
	random := chance(t)
	in := place{dir: t.TempDir() + "/data", url: own.URL}
	s := in.serve(t)
	l := newLoad(t, s)
	installer := l.admin.bearerToken(t)
	people := make([]string, 3)
	for i := range people {
		people[i] = "/people/" + in.person(t, fmt.Sprintf("Tomas Berg %d", i), fmt.Sprintf("tomas%d@marlowe.example", i))
	}
	olga := "/people/" + in.person(t, "Olga Brandt", "olga@marlowe.example", "--admin")
	caller := l.admin.tokenFor(t, olga)

	l.start(random, installer, caller, people)
	for n := range restarts {
		outage(t, own, random, n)
		l.awaitWork(t)
		in.ok(t, "", "audit", "verify")
	}
	l.end()
	s.stop(t)
	db := in.open(t)
	now := in.wantWhole(t, db, map[string]bool{})
	l.tell(now)
	l.wantKept(t, db, now)
	l.wantCounted(t, db, caller)
}

// outage kills PostgreSQL at some moment, in one of two ways, and starts it again after some time.
func outage(t *testing.T, own *storetest.OwnPostgres, random *rand.Rand, n int) {
	t.Helper()
	pause(time.Duration(500+random.IntN(1000)) * time.Millisecond)
	if n%2 == 0 {
		own.Kill(t)
	} else {
		own.KillFirst(t)
	}
	pause(time.Duration(random.IntN(400)) * time.Millisecond)
	own.Start(t)
}

// pause lets others work for a while.
func pause(d time.Duration) { <-time.After(d) }

func newLoad(t *testing.T, s server) *load {
	t.Helper()
	l := &load{t: t, server: s, admin: s.setUp(t), stop: make(chan struct{}), statuses: map[string]map[int]int{}}
	l.admin.client.Transport.(*http.Transport).MaxIdleConnsPerHost = 32
	t.Cleanup(l.end) // however the test ends
	return l
}

// awaitWork waits until the load gets what it wants again.
func (l *load) awaitWork(t *testing.T) {
	t.Helper()
	done := func() (n int) {
		l.note(func() { n = min(len(l.installed), len(l.dead), l.calls) })
		return n
	}
	again, late, before := time.NewTicker(5*time.Millisecond), time.After(enough), done()
	defer again.Stop()
	for done() == before {
		select {
		case <-again.C:
		case <-late:
			t.Fatal("the server does not go on when the database is back")
		}
	}
}

// wantKept insists that what was told to be done is there, and that what was told not to be is not.
func (l *load) wantKept(t *testing.T, db *sql.DB, now kept) {
	t.Helper()
	for _, sum := range l.installed {
		if _, there := now.versions[sum]; !there {
			t.Errorf("the collection with %.8s was installed, and is not there", sum)
		}
	}
	for _, sum := range l.untouched {
		if _, there := now.versions[sum]; there {
			t.Errorf("the collection with %.8s is there, and it was said that nothing was changed", sum)
		}
	}
	used := map[string]bool{}
	rows(t, db, "SELECT form_id FROM used_forms", func(scan func(...any)) {
		var id string
		scan(&id)
		used[id] = true
	})
	for _, id := range l.unused {
		if used[id] {
			t.Error("a form made a token, and it was said that nothing was changed")
		}
	}
	for _, token := range l.made {
		id, there := now.byHash[secret.Text(token).Hash().Hex()]
		if !there || slices.Contains(l.dead, token) && !now.credentials[id].revoked {
			t.Errorf("the token %s... was shown: there %v, revoked %v", token[:8], there, now.credentials[id].revoked)
		}
	}
}

// wantCounted insists that the calls that were answered are counted, each once.
func (l *load) wantCounted(t *testing.T, db *sql.DB, caller string) {
	t.Helper()
	counted := count(t, db, "SELECT calls FROM usages WHERE credential_id = (SELECT id FROM credentials WHERE hash = '\\x"+secret.Text(caller).Hash().Hex()+"')")
	t.Logf("%d calls were answered, %d are counted", l.calls, counted)
	if counted != l.calls {
		t.Errorf("%d calls were answered, %d are counted", l.calls, counted)
	}
}

// tell says what everybody was told, by what they asked; and what became of installations of which the
// server could not say whether they had happened.
func (l *load) tell(now kept) {
	for _, what := range slices.Sorted(maps.Keys(l.statuses)) {
		l.t.Logf("%s: %v", what, l.statuses[what])
	}
	happened := 0
	for _, sum := range l.unclear {
		if _, there := now.versions[sum]; there {
			happened++
		}
	}
	l.t.Logf("%d installations were answered as unclear, %d of them had happened", len(l.unclear), happened)
}
