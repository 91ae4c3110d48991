package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// A server that is killed again and again, while 32 callers call with many tokens, has counted each call that was answered exactly once, and each call that
// was under way when it was killed at most once: for each token, in its total, by day and in the sum of all.
//
// TOKENDESK_TEST_CALLS is how many calls are made on each database, 4,000 at least, or there is no time to kill anybody; TOKENDESK_TEST_TOKENS with how many tokens; TOKENDESK_TEST_LIFE how many milliseconds
// a server lives at most.
func TestUsageOfAKilledServer(t *testing.T) {
	t.Parallel()
	calls, tokens := max(4000, howMany(t, "TOKENDESK_TEST_CALLS", 4000)), howMany(t, "TOKENDESK_TEST_TOKENS", 50)
	life := howMany(t, "TOKENDESK_TEST_LIFE", 1200)
	each(t, func(t *testing.T, in place) {
		random := chance(t)
		s := in.serve(t)
		s.setUp(t)
		db := in.open(t)
		db.SetMaxOpenConns(1)
		c := callers{t: t, calls: int64(calls), tokens: make([]called, tokens)}
		c.mint(db)
		begun, kills := time.Now(), 0
		for c.some(s.base, time.Duration(1+random.IntN(life))*time.Millisecond, func() { s.signal(t, syscall.SIGKILL) }) {
			<-s.ended
			kills++
			s = in.serve(t)
		}
		took := time.Since(begun)
		s.stop(t)
		c.wantCounted(db, kills)
		t.Logf("%d kills, %.0f calls a second, starts of servers included", kills, float64(calls)/took.Seconds())
	})
}

// callers make calls, and keep account of what was answered.
type callers struct {
	t      *testing.T
	tokens []called
	calls  int64 // to be made
	made   atomic.Int64
}

// called is a token.
type called struct {
	id                 string
	secret             secret.Text
	answered, underWay atomic.Int64 // underWay: no answer came
}

// mint makes an Admin with a bearer token for each, past the server: twenty thousand at once.
func (c *callers) mint(db *sql.DB) {
	c.t.Helper()
	now := models.SystemClock()
	tx, err := db.Begin()
	for i := range c.tokens {
		if err != nil {
			break
		}
		at, person := &c.tokens[i], models.NewID()
		at.id = models.NewID()
		if at.secret, err = secret.Mint("user", rand.Reader); err != nil {
			break
		}
		name, hash := fmt.Sprintf("caller %d", i), at.secret.Hash()
		_, err = tx.Exec(`INSERT INTO people (id, name, name_key, email, email_key, role, password_hash, password_changed_at, created_at)
			VALUES ($1, $2, $2, $3, $3, 'Admin', 'x', $4, $4)`, person, name, fmt.Sprintf("caller%d@marlowe.example", i), now)
		if err == nil {
			_, err = tx.Exec(`INSERT INTO credentials (id, kind, name, name_key, prefix, last4, hash, person_id, scopes, enabled, created_at, created_by, revoked_by, revoke_reason, replaced_by)
				VALUES ($1, 'bearer', 'Bearer Token', 'bearer token', 'user_abc', 'abcd', $2, $3, '', true, $4, '', '', '', '')`, at.id, hash[:], person, now)
		}
	}
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// some makes calls, 32 at a time, until all are made or the server is killed, and says whether it was.
func (c *callers) some(base string, after time.Duration, kill func()) bool {
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	defer transport.CloseIdleConnections()
	var all sync.WaitGroup
	done := make(chan struct{})
	for range 32 {
		all.Go(func() {
			for n := c.made.Add(1); n <= c.calls; n = c.made.Add(1) {
				if !c.one(transport, base, &c.tokens[mrand.IntN(len(c.tokens))]) {
					c.made.Add(-1)
					return
				}
			}
		})
	}
	go func() { all.Wait(); close(done) }()
	select {
	case <-time.After(after):
		kill()
		<-done
		return true
	case <-done:
		return false
	}
}

// one makes one call, which is let through and then told that there is no file, and says whether it was answered.
func (c *callers) one(by *http.Transport, base string, with *called) bool {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, base+"/installCollection", nil)
	if err != nil {
		c.t.Error(err)
		return false
	}
	r.Header.Set("Authorization", "Bearer "+with.secret.Reveal())
	a, err := by.RoundTrip(r)
	if err != nil {
		if !errors.Is(err, syscall.ECONNREFUSED) {
			with.underWay.Add(1)
		}
		return false
	}
	with.answered.Add(1) // its status has come
	defer a.Body.Close()
	_, err = io.Copy(io.Discard, a.Body)
	if a.StatusCode != http.StatusBadRequest {
		c.t.Errorf("status %d", a.StatusCode)
	}
	return err == nil
}

// wantCounted insists on the account, token by token.
func (c *callers) wantCounted(db *sql.DB, kills int) {
	c.t.Helper()
	counted := map[string]int64{}
	rows(c.t, db, "SELECT credential_id, calls FROM usages WHERE calls > 0", func(scan func(...any)) {
		var id string
		var calls int64
		scan(&id, &calls)
		counted[id] = calls
	})
	var answered, underWay, sum int64
	for i := range c.tokens {
		at := &c.tokens[i]
		least, most := at.answered.Load(), at.answered.Load()+at.underWay.Load()
		if got := counted[at.id]; got < least || got > most {
			c.t.Errorf("of a token %d calls were answered and %d under way at a kill; %d are counted", least, most-least, got)
		}
		answered, underWay, sum = answered+least, underWay+most-least, sum+counted[at.id]
	}
	for where, sql := range map[string]string{
		"usages": "SELECT sum(calls) FROM usages", "usage_totals": "SELECT sum(calls) FROM usage_totals",
		"the days": "SELECT (SELECT sum(day_calls) FROM usages) + (SELECT coalesce(sum(calls), 0) FROM usage_days)",
	} {
		if n := int64(count(c.t, db, "SELECT cast(("+sql+") AS bigint)")); n != sum {
			c.t.Errorf("%s: %d calls, want %d", where, n, sum)
		}
	}
	if kills == 0 || underWay > int64(32*kills) {
		c.t.Errorf("%d calls were under way at %d kills", underWay, kills)
	}
	c.t.Logf("%d calls were answered with %d tokens, and all are counted; of %d that were under way at a kill %d", answered, len(c.tokens), underWay, sum-answered)
}
