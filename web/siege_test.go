package web_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

const (
	ines  = "ines@marlowe.example"
	wrong = "a wrong password of some length"
)

// besieged is a site behind a proxy that is trusted, where passwords are hashed for real.
type besieged struct {
	webtest.Site
	hashed *atomic.Int64 // passwords of strangers
}

func besiege(t *testing.T, options ...webtest.Option) besieged {
	t.Helper()
	world, hasher := webtest.SQLite(t), secret.NewHasher(0, 0)
	b := besieged{hashed: new(atomic.Int64)}
	kept := world.OpenWith(t, func(set *store.Settings) {
		set.Hasher, set.Strangers = hasher, counting{hasher.Strangers(), b.hashed}
	})
	b.Site = webtest.Start(t, world.World, append(options, webtest.Over(kept), webtest.Trusting("127.0.0.0/8"))...)
	b.Admin = world.Admin
	return b
}

// counting is a hasher that counts what it compares.
type counting struct {
	store.Passwords
	times *atomic.Int64
}

func (c counting) Verify(ctx context.Context, phc, password string) (bool, bool, error) {
	c.times.Add(1)
	return c.Passwords.Verify(ctx, phc, password)
}

func (c counting) VerifyNobody(ctx context.Context, password string) error {
	c.times.Add(1)
	return c.Passwords.VerifyNobody(ctx, password)
}

// try signs in from an address.
func (b besieged) try(t testing.TB, browser *webtest.Agent, from, email, password string) *webtest.Answer {
	t.Helper()
	return browser.Post(t, "/signin", webtest.Form{"email": email, "password": password}, "X-Forwarded-For", from)
}

// flood sends wrong passwords from so many addresses, eight at a time, and answers how often each status came.
func (b besieged) flood(t testing.TB, addresses, attempts int, email func(n int) string) map[int]int {
	t.Helper()
	var guard sync.Mutex
	var all sync.WaitGroup
	var next atomic.Int64
	statuses := map[int]int{}
	for range 8 {
		all.Go(func() {
			for n := int(next.Add(1)); n <= attempts; n = int(next.Add(1)) {
				a := b.try(t, b.Browser(t), zombie(n%addresses), email(n), wrong)
				guard.Lock()
				statuses[a.Status]++
				guard.Unlock()
			}
		})
	}
	all.Wait()
	return statuses
}

func zombie(n int) string                { return fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255) }
func only(email string) func(int) string { return func(int) string { return email } }

// exhaust has strangers use up what an address may try on an account.
func (b besieged) exhaust(t testing.TB, email, address string) {
	t.Helper()
	for range 5 {
		b.try(t, b.Browser(t), address, email, wrong).Want(t, 422)
	}
	b.try(t, b.Browser(t), address, email, wrong).Want(t, 429)
}

// S10: while thousands of addresses try passwords on an account, its owner signs in at once in a browser that
// signed in before, wherever it is; in one that is new, as soon as the same addresses come again. Almost all
// of the flood is answered without hashing anything.
func TestTheOwnerSignsInAmidAFlood(t *testing.T) {
	t.Parallel()
	b := besiege(t)
	laptop := b.Browser(t)
	b.try(t, laptop, "198.51.100.2", ines, storetest.Password).To(t, "/")
	b.hashed.Store(0)
	done := make(chan map[int]int)
	go func() { done <- b.flood(t, 2000, 2000, only(ines)) }()
	for n := range 10 {
		b.try(t, laptop, fmt.Sprintf("198.51.100.%d", 2+n), ines, storetest.Password).To(t, "/")
	}
	if statuses := <-done; statuses[422] != 20 || statuses[429] != 1980 || b.hashed.Load() != 20 {
		t.Errorf("the flood was answered with %v, and %d hashes", statuses, b.hashed.Load())
	}
	b.Clock.Advance(2 * time.Second)
	if statuses := b.flood(t, 2000, 100, only(ines)); statuses[422] != 1 || statuses[429] != 99 {
		t.Errorf("two seconds later it was answered with %v", statuses)
	}
	b.try(t, b.Browser(t), "203.0.113.9", ines, storetest.Password).To(t, "/")
}

// S10: while one address, or a few, flood an account, its owner signs in at once in a new browser elsewhere.
func TestAFewAddressesKeepNobodyOut(t *testing.T) {
	t.Parallel()
	for _, addresses := range []int{1, 2} {
		b := besiege(t)
		for range 3 {
			if statuses := b.flood(t, addresses, 100, only(ines)); statuses[422] > 5*addresses || statuses[503] > 0 {
				t.Errorf("the flood was answered with %v", statuses)
			}
			b.try(t, b.Browser(t), "203.0.113.9", ines, storetest.Password).To(t, "/")
			b.Clock.Advance(time.Second)
		}
	}
}

// Where strangers try all sorts of accounts, no account's budget stops them; but they have only their own places
// where passwords are hashed, and whoever is familiar neither waits in their queue nor is told that it is full.
func TestStrangersHaveTheirOwnQueue(t *testing.T) {
	t.Parallel()
	b := besiege(t)
	laptop := b.Browser(t)
	b.try(t, laptop, "198.51.100.2", ines, storetest.Password).To(t, "/")
	var all sync.WaitGroup
	var busy atomic.Int64
	for n := range 100 {
		all.Go(func() {
			a := b.try(t, b.Browser(t), zombie(n), fmt.Sprintf("nobody%d@marlowe.example", n), wrong)
			if a.Status == 503 && a.Header.Get("Retry-After") == "5" {
				busy.Add(1)
			} else if a.Status != 422 {
				t.Errorf("status %d", a.Status)
			}
		})
	}
	for range 5 {
		b.try(t, laptop, "198.51.100.2", ines, storetest.Password).To(t, "/")
	}
	all.Wait()
	if busy.Load() == 0 {
		t.Error("the queue was never full")
	}
}

// S9: nobody learns who has an account from what an attack does to it: in every situation the answers for
// somebody, for nobody and for who is deactivated are the same, headers and cookies too.
func TestAnAttackTellsNothing(t *testing.T) {
	t.Parallel()
	b := besiege(t)
	gone := b.Person(t, b.Admin, models.Member)
	if _, err := b.DeactivatePerson(t.Context(), b.Admin, gone.ID); err != nil {
		t.Fatal(err)
	}
	accounts := []string{b.Person(t, b.Admin, models.Member).Email, gone.Email, "Nobody3@marlowe.example"}
	crowded := webtest.Start(t, b.World, webtest.Trusting("127.0.0.0/8"), webtest.Over(b.OpenWith(t, func(set *store.Settings) { set.Strangers = full{} })))
	cookie := "device=" + b.device(t, ines, "device")
	for _, situation := range []struct {
		name  string
		site  webtest.Site
		from  string
		want  int
		first func(email string)
	}{
		{"calm", b.Site, "192.0.2.1", 422, func(string) {}},
		{"the queue is full", crowded, "192.0.2.1", 503, func(string) {}},
		{"the address has tried before", b.Site, "192.0.2.2", 429, func(email string) { b.exhaust(t, email, "192.0.2.2") }},
		{"many addresses have", b.Site, "192.0.2.3", 429, func(email string) { b.flood(t, 20, 20, only(email)) }},
	} {
		answers := map[string]bool{}
		for _, email := range accounts {
			situation.first(email)
			a := situation.site.Browser(t).Post(t, "/signin", webtest.Form{"email": email, "password": wrong}, "X-Forwarded-For", situation.from, "Cookie", cookie)
			answers[allOf(t, a.Want(t, situation.want), email)] = true
		}
		if len(answers) != 1 {
			t.Errorf("%s: %d different answers: %q", situation.name, len(answers), slices.Sorted(maps.Keys(answers)))
		}
	}
}

// full is a hasher that has no place left.
type full struct{ store.Passwords }

func (full) Verify(context.Context, string, string) (bool, bool, error) {
	return false, false, secret.ErrBusy
}
func (full) VerifyNobody(context.Context, string) error { return secret.ErrBusy }

// allOf is all that an answer tells, but for what was typed, the request's number and the time.
func allOf(t testing.TB, a *webtest.Answer, email string) string {
	t.Helper()
	header := a.Header.Clone()
	id := header.Get("X-Request-Id")
	header.Del("X-Request-Id")
	header.Del("Date")
	if len(header.Values("Set-Cookie")) > 0 {
		t.Errorf("a refusal sets %q", header.Values("Set-Cookie"))
	}
	return fmt.Sprint(a.Status, header, strings.NewReplacer(email, "(typed)", id, "(number)").Replace(a.Body))
}
