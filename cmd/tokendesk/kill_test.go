package main

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A server that is killed in the middle of an installation, of a token's creation or of a revocation has
// done all of it or nothing; what it had answered is there after the next start, and the log's chain holds (R4).
//
// TOKENDESK_TEST_KILLS is how many times servers are killed in the middle, on both databases together. A
// kill that comes after the answer is looked at like the others, and does not count.
func TestKilled(t *testing.T) {
	t.Parallel()
	kills := howMany(t, "TOKENDESK_TEST_KILLS", 12)
	each(t, func(t *testing.T, in place) {
		v := newVictim(t, in)
		v.killEach(t, (kills+5)/6)
		v.settle(t)
	})
}

// victim is an installation whose servers are killed, and the account of what they had answered by then.
type victim struct {
	in        place
	db        *sql.DB
	random    *rand.Rand
	server    server
	admin     browser
	installer string            // the Admin's token
	people    []string          // the addresses of records
	live      map[string]string // by person: the token that must be good
	dead      []string          // tokens that must be refused for ever
	installed []string          // hashes of archives that must be there
	seen      map[string]bool   // versions that were found whole
	before    kept
	met       []*encounters
}

// encounters counts how the kills met a kind of operation.
type encounters struct {
	what             string
	prepare          func(t *testing.T) operation
	kills, cut, done int           // cut: no answer had come; done: and yet all of it had happened
	took             time.Duration // of the operations that were left alone, all together
}

func newVictim(t *testing.T, in place) *victim {
	t.Helper()
	v := &victim{in: in, random: chance(t), live: map[string]string{}, seen: map[string]bool{}}
	v.met = []*encounters{{what: "install", prepare: v.install}, {what: "create", prepare: v.create}, {what: "revoke", prepare: v.revoke}}
	v.server = in.serve(t)
	v.admin = v.server.setUp(t)
	v.installer = v.admin.bearerToken(t)
	for i := range 4 {
		v.people = append(v.people, "/people/"+in.person(t, fmt.Sprintf("Tomas Berg %d", i), fmt.Sprintf("tomas%d@marlowe.example", i)))
	}
	v.db = in.open(t)
	v.db.SetMaxOpenConns(1)
	v.before = in.wantWhole(t, v.db, v.seen)
	return v
}

// killEach kills the server in the middle of so many operations of each kind.
func (v *victim) killEach(t *testing.T, times int) {
	t.Helper()
	for left := true; left; {
		left = false
		for _, m := range v.met {
			if m.cut == times {
				continue
			}
			left = true
			if v.killOne(t, m); m.kills > 8*times+8 {
				t.Fatalf("%s: of %d kills only %d came before the answer", m.what, m.kills, m.cut)
			}
		}
	}
}

// killOne leaves operations alone, the second of which says how long one takes in a server that is warm;
// kills the server at some moment of the next one of the kind; starts the next server, and looks.
func (v *victim) killOne(t *testing.T, m *encounters) {
	t.Helper()
	v.leaveAlone(t, m.prepare(t))
	took := v.leaveAlone(t, m.prepare(t))
	cut := m.prepare(t)
	a, answered := v.kill(t, cut, time.Duration(v.random.Int64N(int64(took))))
	now := v.restart(t)
	m.kills, m.took = m.kills+1, m.took+took
	switch {
	case answered && a.status != cut.status:
		t.Fatalf("%s: status %d", m.what, a.status)
	case answered:
		cut.settled(a)
	case cut.happened(t, now):
		m.done++
		fallthrough
	default:
		m.cut++
	}
	v.compare(t, now)
}

// leaveAlone lets an operation be done, and says how long that took.
func (v *victim) leaveAlone(t *testing.T, o operation) time.Duration {
	t.Helper()
	begun := time.Now()
	a, err := v.admin.attempt(t.Context(), o)
	took := time.Since(begun)
	if err != nil || a.status != o.status {
		t.Fatalf("an operation that nobody disturbed: status %d, %v", a.status, err)
	}
	o.settled(a)
	return took
}

// kill sends a request and kills the server a while after that, whether it has answered by then or not.
func (v *victim) kill(t *testing.T, o operation, after time.Duration) (a answered, ok bool) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		var err error
		a, err = v.admin.attempt(t.Context(), o)
		done <- err
	}()
	select {
	case <-time.After(after):
		v.server.signal(t, syscall.SIGKILL)
		ok = <-done == nil
	case err := <-done:
		v.server.signal(t, syscall.SIGKILL)
		ok = err == nil
	}
	<-v.server.ended
	return a, ok
}

// restart starts the next server at once, as a supervisor would, and insists that nothing is half and
// nothing that was found before is undone. Sessions go on, and an upload that broke off leaves no bytes.
func (v *victim) restart(t *testing.T) kept {
	t.Helper()
	old := v.connections(t)
	v.server = v.in.serve(t)
	v.admin = v.admin.after(t, v.server)
	v.awaitEnd(t, old)
	v.admin.get(t, "/people").want(t, http.StatusOK)
	now := v.in.wantWhole(t, v.db, v.seen)
	for id, c := range v.before.credentials {
		if c.revoked && !now.credentials[id].revoked {
			t.Errorf("the revocation of %s is undone", id)
		}
	}
	for sum := range v.before.versions {
		if _, there := now.versions[sum]; !there {
			t.Errorf("the version with %.8s is gone", sum)
		}
	}
	v.before = now
	left, err := os.ReadDir(spoolDir(config{dataDir: v.in.dir}))
	for _, file := range left {
		if info, gone := file.Info(); gone != nil || info.Size() > 0 {
			t.Errorf("the killed server left %s with %d bytes", file.Name(), info.Size())
		}
	}
	if err != nil {
		t.Error(err)
	}
	return now
}

// connections are those of the killed server: what PostgreSQL does for it at that moment may still finish.
func (v *victim) connections(t *testing.T) (pids []string) {
	t.Helper()
	if v.in.url != "" {
		rows(t, v.db, "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()", func(scan func(...any)) {
			var pid string
			scan(&pid)
			pids = append(pids, pid)
		})
	}
	return pids
}

// awaitEnd waits until the connections are gone, and with them what they were still doing.
func (v *victim) awaitEnd(t *testing.T, pids []string) {
	t.Helper()
	again, late := time.NewTicker(5*time.Millisecond), time.After(enough)
	defer again.Stop()
	for len(pids) > 0 && count(t, v.db, "SELECT count(*) FROM pg_stat_activity WHERE pid IN ("+strings.Join(pids, ",")+")") > 0 {
		select {
		case <-again.C:
		case <-late:
			t.Fatal("the connections of a killed server do not end")
		}
	}
}

// compare insists that what was answered is so.
func (v *victim) compare(t *testing.T, now kept) {
	t.Helper()
	for _, sum := range v.installed {
		if _, there := now.versions[sum]; !there {
			t.Errorf("the collection with %.8s was installed, and is not there", sum)
		}
	}
	for _, token := range v.live {
		v.wantCall(t, token, http.StatusForbidden, "Admin access required")
	}
	v.wantDead(t, v.dead[max(0, len(v.dead)-2):])
}

func (v *victim) wantDead(t *testing.T, tokens []string) {
	t.Helper()
	for _, token := range tokens {
		v.wantCall(t, token, http.StatusUnauthorized, "Token was re") // voked, or placed
	}
}

// wantCall insists on what a call with a token is told.
func (v *victim) wantCall(t *testing.T, token string, status int, says string) {
	t.Helper()
	r, err := v.admin.call(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if a := v.admin.do(t, r); a.status != status || !strings.Contains(a.body, says) {
		t.Errorf("the token %s... is answered %d %s", token[:8], a.status, a.body)
	}
}

// settle looks at everything once more, from the beginning, and tells how the kills went.
func (v *victim) settle(t *testing.T) {
	t.Helper()
	v.in.wantWhole(t, v.db, map[string]bool{})
	v.wantDead(t, v.dead)
	v.server.stop(t)
	for _, m := range v.met {
		t.Logf("%s: %d kills, %d before the answer; of those %d had happened. Left alone it takes %s",
			m.what, m.kills, m.cut, m.done, (m.took / time.Duration(m.kills)).Round(100*time.Microsecond))
	}
}
