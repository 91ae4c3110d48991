package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

// load is people and programs that use a server all the time, and the account of what they were told. They
// take 503 for an answer whenever it is a clear one; nothing else may come in the place of what they want.
type load struct {
	t      *testing.T
	server server
	admin  browser
	stop   chan struct{}
	ending sync.Once
	all    sync.WaitGroup

	mu        sync.Mutex
	statuses  map[string]map[int]int // by what was asked
	installed []string               // hashes of archives that were told to be installed
	untouched []string               // of those of which it was said that nothing was changed
	unclear   []string               // and of those of which it was said that one has to look
	made      []string               // tokens that were shown
	dead      []string               // those of them that were told to be revoked
	unused    []string               // numbers of forms of which it was said that nothing was changed
	calls     int                    // with the caller's token, that were told what is wrong with them
}

// start begins to use a server. The caller's token is used for calls and nothing else.
func (l *load) start(seeds *rand.Rand, installer, caller string, people []string) {
	for range 2 {
		random := rand.New(rand.NewPCG(seeds.Uint64(), 0))
		l.worker(5*time.Millisecond, func() { l.install(installer, random) })
		l.worker(2*time.Millisecond, func() { l.call(caller) })
	}
	for _, person := range people {
		l.worker(5*time.Millisecond, func() { l.token(person) })
	}
	l.worker(20*time.Millisecond, l.stranger)
	for _, page := range []string{"/", "/people", people[0], "/audit", "/account", "/w/marlowe-press/settings/collections"} {
		l.worker(25*time.Millisecond, func() { l.ask("page", l.get(l.admin, page), 200) })
	}
	l.worker(200*time.Millisecond, l.signIn)
	l.worker(10*time.Millisecond, func() {
		l.ask("healthz", l.get(l.admin, "/healthz"), 200)
		l.ask("readyz", l.get(l.admin, "/readyz"), 200)
	})
}

// worker repeats a piece of work, with a pause each time, until the load ends.
func (l *load) worker(pause time.Duration, work func()) {
	l.all.Go(func() {
		tick := time.NewTicker(pause)
		defer tick.Stop()
		for {
			select {
			case <-l.stop:
				return
			case <-tick.C:
				work()
			}
		}
	})
}

// end waits for the last answers.
func (l *load) end() {
	l.ending.Do(func() { close(l.stop) })
	l.all.Wait()
}

// ask sends a request and insists on the status that is wanted, or on a clear 503. Every request is
// answered: the server itself never goes away.
func (l *load) ask(what string, r *http.Request, status int) (a answered, ok bool) {
	b := l.admin
	if r.Header.Get("Authorization") != "" {
		b.client = &http.Client{Transport: b.client.Transport, Timeout: enough} // a program has no cookies
	}
	return l.askAs(b, what, r, status)
}

func (l *load) askAs(b browser, what string, r *http.Request, status int) (a answered, ok bool) {
	a, err := b.try(r)
	if err != nil {
		l.t.Errorf("%s: no answer: %v", what, err)
		return a, false
	}
	l.note(func() {
		if l.statuses[what] == nil {
			l.statuses[what] = map[int]int{}
		}
		l.statuses[what][a.status]++
	})
	switch {
	case a.status == status:
		return a, true
	case a.status != http.StatusServiceUnavailable || what == "healthz":
		l.t.Errorf("%s: status %d (%s), want %d: %.300s", what, a.status, a.to, status, a.body)
	case !tells(what, a):
		l.t.Errorf("%s: 503 does not say why: %.300s", what, a.body)
	}
	return a, false
}

// tells reports whether a 503 tells its reader what is the matter.
func tells(what string, a answered) bool {
	var told struct {
		Success bool
		Message string
		Code    string
		Data    any
	}
	switch {
	case what == "readyz":
		return a.body == "the database does not answer\n" || strings.HasPrefix(a.body, "fenced: ")
	case json.Unmarshal([]byte(a.body), &told) == nil:
		known := slices.ContainsFunc([]string{"The database did not answer", "The database went away", "The credential could not be checked"}, func(says string) bool {
			return strings.HasPrefix(told.Message, says)
		})
		return known && told.Code != "" && !told.Success && told.Data == nil
	}
	return strings.Contains(a.body, "<h1>The server is not ready</h1>") && strings.Contains(a.body, "The database ")
}

// nothingChanged is what may be said only where it is so.
const nothingChanged = "Nothing was changed."

// install installs a collection that is new, now and then a large one.
func (l *load) install(token string, random *rand.Rand) {
	files, size := 1+random.IntN(5), 512
	if random.IntN(20) == 0 {
		size = 256 << 10
	}
	p, err := packed(random, fmt.Sprintf("tools-%d.zip", random.IntN(5)), files, size)
	if err != nil {
		l.t.Error(err)
		return
	}
	a, ok := l.ask("install", l.must(l.admin.upload(l.t.Context(), token, p)), http.StatusOK)
	l.note(func() {
		switch {
		case ok:
			l.installed = append(l.installed, p.sha256)
		case strings.Contains(a.body, nothingChanged):
			l.untouched = append(l.untouched, p.sha256)
		case strings.Contains(a.body, "Look whether it was"):
			l.unclear = append(l.unclear, p.sha256)
		}
	})
}

// call makes a call that needs the database for its token and for nothing else.
func (l *load) call(token string) {
	if _, ok := l.ask("call", l.must(l.admin.call(l.t.Context(), token)), http.StatusBadRequest); ok {
		l.note(func() { l.calls++ })
	}
}

// token makes a token for a person, uses it, revokes it and tries it again.
func (l *load) token(person string) {
	page, ok := l.ask("form", l.get(l.admin, person+"/bearer-token"), http.StatusOK)
	if !ok {
		return
	}
	formID := l.pick(page, `name="form_id" value="([^"]+)"`)
	shown, ok := l.ask("create", l.must(l.admin.form(l.t.Context(), person+"/bearer-token", url.Values{"form_id": {formID}})), http.StatusOK)
	if !ok {
		if strings.Contains(shown.body, nothingChanged) {
			l.note(func() { l.unused = append(l.unused, formID) })
		}
		return
	}
	token := l.pick(shown, `<output[^>]* id="token"[^>]*>([^<]+)<`)
	l.note(func() { l.made = append(l.made, token) })
	l.ask("call of a Member", l.must(l.admin.call(l.t.Context(), token)), http.StatusForbidden)
	said, ok := l.ask("revoke", l.must(l.admin.form(l.t.Context(), person+"/bearer-token/revoke", url.Values{"reason": {"load"}})), http.StatusSeeOther)
	switch {
	case ok:
		l.note(func() { l.dead = append(l.dead, token) })
		l.ask("call with a revoked token", l.must(l.admin.call(l.t.Context(), token)), http.StatusUnauthorized)
	case strings.Contains(said.body, nothingChanged):
		l.ask("call of a Member", l.must(l.admin.call(l.t.Context(), token)), http.StatusForbidden)
	}
}

// pick is the one text on a page that a pattern's group matches.
func (l *load) pick(page answered, pattern string) string {
	found := regexp.MustCompile(pattern).FindStringSubmatch(page.body)
	if found == nil {
		l.t.Errorf("nothing on the page matches %s", pattern)
		return ""
	}
	return found[1]
}

// stranger makes a call with a token that nobody made: who cannot be looked up is not unknown.
func (l *load) stranger() {
	text, err := secret.Mint("user", nil)
	if err != nil {
		l.t.Error(err)
	}
	l.ask("call with an unknown token", l.must(l.admin.call(l.t.Context(), text.Reveal())), http.StatusUnauthorized)
}

// signIn signs somebody in, anew each time.
func (l *load) signIn() {
	fresh := l.server.browser(l.t)
	form := url.Values{"email": {"olga@marlowe.example"}, "password": {storetest.Password}}
	if _, ok := l.askAs(fresh, "sign in", l.must(fresh.form(l.t.Context(), "/signin", form)), http.StatusSeeOther); ok {
		l.askAs(fresh, "page", l.get(fresh, "/account"), http.StatusOK)
	}
	fresh.client.CloseIdleConnections()
}

func (l *load) get(b browser, path string) *http.Request {
	return l.must(http.NewRequestWithContext(l.t.Context(), http.MethodGet, b.base+path, nil))
}

func (l *load) must(r *http.Request, err error) *http.Request {
	if err != nil {
		panic(err) // of an address that is a constant
	}
	return r
}

func (l *load) note(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}
