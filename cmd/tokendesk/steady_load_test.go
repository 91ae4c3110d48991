package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tokendesk/models/store/storetest"
)

// A server that 64 connections call as fast as it answers, while a token is revoked each 100 ms and another made in its place, answers each call as it
// must, loses no memory, and has no goroutine left when they are gone. It is the program as it is shipped, in a process of its own.
//
// TOKENDESK_TEST_LOAD is how many seconds that lasts on each database, and TOKENDESK_TEST_TOKENS with how many tokens. Nothing else runs beside it: what it
// looks at are the memory and the goroutines of a server that has the machine to itself.
func TestSteadyLoad(t *testing.T) {
	lasts, tokens := time.Duration(howMany(t, "TOKENDESK_TEST_LOAD", 3))*time.Second, howMany(t, "TOKENDESK_TEST_TOKENS", 300)
	program := shipped(t)
	for _, where := range []func(*testing.T) place{onSQLite, onPostgres} { // one after the other
		in := where(t)
		t.Run(in.database(), func(t *testing.T) {
			s := runShippedIn(t, in.env("TOKENDESK_METRICS_LISTEN=127.0.0.1:0", "TOKENDESK_FORWARD_AUTH_FROM=127.0.0.0/8", "TOKENDESK_UPSTREAM_ALLOW=127.0.0.0/8"), program, "serve")
			l := newSteady(t, in, s, tokens)
			l.once() // whatever is made at the first call of a kind, or with a token, is there now
			before := l.settled()
			m := l.run(lasts)
			m.wantFlat(t)
			l.wantSettled(before)
			l.wantLog(s.stop(t).err)
			l.tell(lasts)
		})
	}
}

func (in place) database() string {
	if in.url == "" {
		return "sqlite"
	}
	return "postgres"
}

const (
	steadyConnections = 64
	revokeEvery       = 100 * time.Millisecond
	steadyAnswer      = `{"id":"42","name":"a small answer"}`
)

// steady is callers at every door of a server, and who revokes what they call with.
type steady struct {
	t         *testing.T
	server    server
	product   *httptest.Server
	client    *http.Client
	workspace string   // its ID
	admins    []called // whose bearer tokens ask about tokens, make them and revoke them
	turn      atomic.Int64
	tokens    []atomic.Pointer[standing]

	mu    sync.Mutex
	over  []*standing      // tokens whose revocation has been answered
	told  map[string]int64 // by door and code
	waits []time.Duration  // for the answers to revocations
	wrong []string         // what nobody should have been told
}

// standing is an API token and whether it still stands.
type standing struct {
	id, secret    string
	ending, ended atomic.Bool // its revocation was asked for, and was answered
}

func newSteady(t *testing.T, in place, s server, tokens int) *steady {
	t.Helper()
	product := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, steadyAnswer)
	}))
	t.Cleanup(product.Close)
	transport := &http.Transport{MaxIdleConnsPerHost: 2 * steadyConnections, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	l := &steady{
		t: t, server: s, product: product, client: &http.Client{Transport: transport, Timeout: enough}, told: map[string]int64{},
		admins: make([]called, 20+tokens/200), tokens: make([]atomic.Pointer[standing], tokens), // each may make 300 calls to the management API at once
	}
	admin := s.setUp(t)
	admin.product(t, product.URL)
	admin.client.CloseIdleConnections()
	db := in.open(t)
	(&callers{t: t, tokens: l.admins}).mint(db)
	rows(t, db, "SELECT id FROM workspaces", func(scan func(...any)) { scan(&l.workspace) })
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for i := range l.tokens {
		l.tokens[i].Store(l.make(fmt.Sprintf("token %d", i)))
	}
	l.failNow()
	return l
}

// once calls with every token at every door.
func (l *steady) once() {
	l.inParallel(func(worker int) {
		for i := worker; i < len(l.tokens); i += steadyConnections {
			for _, door := range doors {
				l.call(door, l.tokens[i].Load())
			}
		}
	})
	l.failNow()
}

// run calls at every door, with any token, while tokens are revoked, and reads the server's memory meanwhile.
func (l *steady) run(lasts time.Duration) *memoryOverTime {
	var revocations sync.WaitGroup
	end, seeds := time.Now().Add(lasts), chance(l.t)
	all := []uint64{}
	for range steadyConnections {
		all = append(all, seeds.Uint64())
	}
	slots := seeds.Perm(len(l.tokens)) // so that no two revocations at once are of one slot
	done := make(chan struct{})
	revocations.Go(func() {
		ticks := time.NewTicker(revokeEvery / 10)
		defer ticks.Stop()
		begun := time.Now()
		for n := range int(lasts / revokeEvery) {
			for time.Since(begun) < time.Duration(n)*revokeEvery { // one that comes late does not put off the next
				<-ticks.C
			}
			revocations.Go(func() { l.replace(slots[n%len(slots)], n) })
		}
	})
	m := watchMemory(l.t, l.server, lasts, done)
	l.inParallel(func(worker int) {
		random := rand.New(rand.NewPCG(all[worker], 0))
		for time.Now().Before(end) {
			l.call(doors[random.IntN(len(doors))], l.pick(random))
		}
	})
	revocations.Wait()
	close(done)
	<-m.ended
	l.failNow()
	if want := int(lasts / revokeEvery); len(l.waits) != want {
		l.t.Errorf("%d tokens were revoked, want %d", len(l.waits), want)
	}
	return m
}

func (l *steady) inParallel(work func(worker int)) {
	var all sync.WaitGroup
	for worker := range steadyConnections {
		all.Go(func() { work(worker) })
	}
	all.Wait()
}

// pick takes any token, one time in ten one that is over.
func (l *steady) pick(random *rand.Rand) *standing {
	if random.IntN(10) == 0 {
		l.mu.Lock()
		defer l.mu.Unlock()
		if n := len(l.over); n > 0 {
			return l.over[random.IntN(n)]
		}
	}
	return l.tokens[random.IntN(len(l.tokens))].Load()
}

// door is a way to call, and to tell what came of it.
type door struct {
	name string
	ask  func(l *steady, with string) (status int, code string, err error)
}

var doors = []door{{"forward-auth", (*steady).forwardAuth}, {"gateway", (*steady).gateway}, {"verify", (*steady).verify}}

// call makes one call, and holds what it was told against what is known of the token: one whose revocation was answered before is refused, one that
// nobody had begun to revoke when the answer came is let through, and in between either may be.
func (l *steady) call(at door, with *standing) {
	ended := with.ended.Load()
	status, code, err := at.ask(l, with.secret)
	ending := with.ending.Load()
	passed, refused := status == http.StatusOK && code == "", status == http.StatusUnauthorized && (code == "credential_revoked" || code == "credential_ended") // the second: it was under way when its token ended
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		l.wrong = append(l.wrong, fmt.Sprintf("%s: %v", at.name, err))
	case !passed && !refused, passed && ended, refused && !ending:
		l.wrong = append(l.wrong, fmt.Sprintf("%s: status %d %s with a token that was ended: %t, and was ending: %t", at.name, status, code, ended, ending))
	}
	l.told[fmt.Sprintf("%s %d", at.name, status)]++
}

func (l *steady) forwardAuth(with string) (int, string, error) {
	status, header, _, err := l.send(http.MethodGet, "/forward-auth", with, "", "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/api/agent-base/42")
	return status, header.Get("X-Tokendesk-Code"), err
}

func (l *steady) gateway(with string) (int, string, error) {
	status, _, body, err := l.send(http.MethodGet, "/api/agent-base/42", with, "")
	if err != nil || status == http.StatusOK {
		if err == nil && body != steadyAnswer {
			err = fmt.Errorf("the product's answer comes as %.80q", body)
		}
		return status, "", err
	}
	var refusal struct{ Code string }
	if err := json.Unmarshal([]byte(body), &refusal); err != nil {
		return status, "", err
	}
	return status, refusal.Code, nil
}

func (l *steady) verify(with string) (int, string, error) {
	status, _, body, err := l.send(http.MethodPost, "/v1/credentials:verify", l.admin(), fmt.Sprintf(`{"requests":[{"credential":%q,"method":"GET","path":"/api/agent-base/42"}]}`, with))
	if err != nil || status != http.StatusOK {
		return status, "the question itself", err
	}
	var answer struct {
		Data []struct {
			Allowed bool
			Status  int
			Code    string
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || len(answer.Data) != 1 || answer.Data[0].Allowed != (answer.Data[0].Code == "allowed") {
		return status, "", fmt.Errorf("an answer that is none: %v %.200s", err, body)
	}
	return answer.Data[0].Status, strings.TrimPrefix(answer.Data[0].Code, "allowed"), nil
}

// admin is the credential of whoever is next.
func (l *steady) admin() string {
	return l.admins[int(l.turn.Add(1))%len(l.admins)].secret.Reveal()
}

// replace revokes a token and makes another in its place.
func (l *steady) replace(slot, n int) {
	old := l.tokens[slot].Load()
	next := l.make(fmt.Sprintf("token %d instead", n))
	if next == nil {
		return
	}
	l.tokens[slot].Store(next)
	old.ending.Store(true)
	begun := time.Now()
	status, _, body, err := l.send(http.MethodPost, "/v1/tokens/"+old.id+":revoke", l.admin(), `{"reason":"load"}`)
	took := time.Since(begun)
	var answer struct {
		Receipt struct {
			Revoked, Effective bool
			Confirmed          int
			TimedOut           int `json:"timed_out"`
		}
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &answer)
	}
	if r := answer.Receipt; err != nil || status != http.StatusOK || !r.Revoked || !r.Effective || r.Confirmed != 1 || r.TimedOut != 0 {
		l.fail("revoke: status %d after %s, %v, receipt %+v", status, took, err, r)
		return
	}
	old.ended.Store(true)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over, l.waits = append(l.over, old), append(l.waits, took)
}

// make makes an API token; nil when that failed, which is noted.
func (l *steady) make(name string) *standing {
	status, _, body, err := l.send(http.MethodPost, "/v1/workspaces/"+l.workspace+"/tokens", l.admin(), fmt.Sprintf(`{"name":%q}`, name))
	var made struct{ ID, Token string }
	if err == nil {
		err = json.Unmarshal([]byte(body), &made)
	}
	if err != nil || status != http.StatusCreated || made.Token == "" {
		l.fail("create: status %d, %v", status, err)
		return nil
	}
	return &standing{id: made.ID, secret: made.Token}
}

// send makes a call and reads its answer to the end. Fields are names and values by turns.
func (l *steady) send(method, path, with, body string, fields ...string) (int, http.Header, string, error) {
	r, err := http.NewRequestWithContext(l.t.Context(), method, l.server.base+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, "", err
	}
	r.Header.Set("Authorization", "Bearer "+with)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for field := range slices.Chunk(fields, 2) {
		r.Header.Set(field[0], field[1])
	}
	a, err := l.client.Do(r)
	if err != nil {
		return 0, nil, "", err
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	return a.StatusCode, a.Header, string(text), err
}

func (l *steady) fail(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong = append(l.wrong, fmt.Sprintf(format, args...))
}

// failNow ends the test when somebody was told what nobody should be.
func (l *steady) failNow() {
	l.t.Helper()
	for _, what := range l.wrong[:min(10, len(l.wrong))] {
		l.t.Error(what)
	}
	if len(l.wrong) > 0 {
		l.complaints(l.server.err.String())
		l.t.Fatalf("%d answers were wrong", len(l.wrong))
	}
}

// wantLog insists that the server had nothing to complain of but how long something took, on a machine that has no idle moment: there a lease may be
// renewed too late as well, and then calls are answered by the database for a moment.
func (l *steady) wantLog(log string) {
	l.t.Helper()
	l.complaints(log)
	secrets := make([]string, 0, 10)
	for i := range min(10, len(l.tokens)) {
		secrets = append(secrets, l.tokens[i].Load().secret)
	}
	for _, trace := range storetest.Traces([]byte(log), secrets...) {
		l.t.Errorf("the log has %s", trace)
	}
}

// complaints fails for each line of a log that is a warning or worse, but for slowness, and shows the first ten.
func (l *steady) complaints(log string) {
	l.t.Helper()
	wrong, slow, late := 0, 0, 0
	for line := range strings.Lines(log) {
		switch {
		case strings.Contains(line, `level=WARN msg="SQL executed"`), strings.Contains(line, "level=WARN msg=request"):
			slow++
		case strings.Contains(line, "the lease could not be renewed") && strings.Contains(line, "context deadline exceeded"):
			late++
		case strings.Contains(line, "level=ERROR"), strings.Contains(line, "level=WARN"):
			if wrong++; wrong <= 10 {
				l.t.Errorf("the server says: %s", line)
			}
		}
	}
	l.t.Logf("%d lines of the log say that something was slow, %d that a lease was late, and %d complain", slow, late, wrong)
}

// tell prints what was done.
func (l *steady) tell(lasts time.Duration) {
	var calls int64
	var list []string
	for what, n := range l.told {
		calls += n
		list = append(list, fmt.Sprintf("%s: %d", what, n))
	}
	slices.Sort(list)
	slices.SortFunc(l.waits, cmp.Compare)
	at := func(share float64) time.Duration {
		return l.waits[int(share*float64(len(l.waits)-1))].Round(100 * time.Microsecond)
	}
	l.t.Logf("%d calls in %s, each answered as it must be (%s); %d revocations, answered within %s (median), %s (99 of 100), %s (all)",
		calls, lasts, strings.Join(list, ", "), len(l.waits), at(.5), at(.99), at(1))
}
