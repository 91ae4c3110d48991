//go:build linux

package chaos

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type atomicToken = atomic.Pointer[token]

// run is one run: who calls, who clicks, and the account of it.
type run struct {
	*desk
	client *http.Client
	slots  []atomicToken // tokens in use; the last one is for faults that aim
	ended  []atomicToken // the ones that were in use before, or nil
	stop   context.Context
	all    sync.WaitGroup
	turn   atomic.Int64
	aim    sync.Mutex // held by the fault that has the last place

	mu        sync.Mutex
	histories []*history
	gone      []string // secrets that must be refused at the end
	told      map[string]int
	strange   []string // answers that nobody should get
	waits     []time.Duration
	clicks    []time.Duration
	cut       []string // pieces of streams that came too late
	streams   int

	late, lateHurt int
	clockJumps     bool
	alone          bool // nothing else keeps the machine busy: only then does it say something how long a receipt took
}

// note counts what somebody was told that was not a verdict.
func (r *run) note(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told[what]++
}

func (r *run) wrong(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.strange = append(r.strange, fmt.Sprintf(format, args...))
}

// pick takes a token that is in use, or one that was until a moment ago: those are the ones that a replica may still remember.
func (r *run) pick(random *rand.Rand) *token {
	slot := random.IntN(len(r.slots))
	if dead := r.ended[slot].Load(); dead != nil && random.IntN(3) == 0 {
		return dead
	}
	return r.slots[slot].Load()
}

// verify calls again and again, with any token at any replica.
func (r *run) verify(by int, random *rand.Rand) {
	for r.stop.Err() == nil {
		one, at := r.pick(random), random.IntN(len(r.replicas))
		if random.IntN(200) == 0 {
			r.ask(by, at, one)
			continue
		}
		if !r.called(by, at, one) {
			time.Sleep(time.Millisecond)
		}
	}
}

// called makes a call, and puts what it was told into the token's history. It says whether it was answered.
func (r *run) called(by, at int, one *token) bool {
	q := r.question(at, one.secret)
	from := now()
	a, err := r.client.Do(q)
	if err != nil {
		r.note("call: no answer")
		return false
	}
	_, _ = io.Copy(io.Discard, a.Body)
	a.Body.Close()
	r.judge(one, "call", a.StatusCode, a.Header.Get("X-Tokendesk-Code"), op{from: from, until: now(), by: int16(by), other: int16(at)})
	return true
}

// question is a call of a program, as a proxy asks about it.
func (r *run) question(at int, text string) *http.Request {
	q, _ := http.NewRequest(http.MethodGet, r.replicas[at].base+"/forward-auth", nil)
	q.Header.Set("X-Api-Token", text)
	q.Header.Set("X-Forwarded-Method", http.MethodGet)
	q.Header.Set("X-Forwarded-Uri", "/api/agent-base")
	return q
}

// call makes one, and tells how it was answered; 0: it was not.
func (r *run) call(at int, one *token) (status int) {
	a, err := r.client.Do(r.question(at, one.secret))
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, a.Body)
	a.Body.Close()
	return a.StatusCode
}

// ask asks about a token with POST /v1/credentials:verify.
func (r *run) ask(by, at int, one *token) {
	body := fmt.Sprintf(`{"requests":[{"credential":%q,"method":"GET","path":"/api/agent-base"}]}`, one.secret)
	from := now()
	status, text := r.send(r.client, at, r.askers[int(r.turn.Add(1))%len(r.askers)], "/v1/credentials:verify", body)
	var answer struct{ Data []struct{ Code string } }
	if status != http.StatusOK || json.Unmarshal(text, &answer) != nil || len(answer.Data) != 1 {
		r.note(fmt.Sprintf("question: %d", status))
		if status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusNotFound {
			r.wrong("a question was answered %d %.200s", status, text)
		}
		return
	}
	code := answer.Data[0].Code
	r.judge(one, "question", status, code, op{from: from, until: now(), by: int16(by), other: int16(at)})
}

// judge puts what a call was told into the history of its token.
func (r *run) judge(one *token, what string, status int, code string, o op) {
	switch {
	case status == http.StatusOK && (code == "" || code == "allowed"):
		o.kind = accepts
		one.h.add(o)
	case code == "credential_revoked", code == "credential_inactive", code == "credential_replaced":
		o.kind = refuses
		one.h.add(o)
	case code == "verifier_unavailable", code == "rate_limited" && r.clockJumps: // one that goes back puts the calls of two whiles into one
		r.note(what + ": " + code)
	default:
		r.wrong("%s was told %d %q at replica %d", what, status, code, o.other)
	}
}

// send posts to /v1 of a replica; status 0 is no answer.
func (r *run) send(client *http.Client, at int, as, path, body string) (status int, text []byte) {
	q, _ := http.NewRequest(http.MethodPost, r.replicas[at].base+path, strings.NewReader(body))
	q.Header.Set("Authorization", "Bearer "+as)
	q.Header.Set("Content-Type", "application/json")
	a, err := client.Do(q)
	if err != nil {
		return 0, nil
	}
	defer a.Body.Close()
	text, err = io.ReadAll(a.Body)
	if err != nil {
		return 0, nil
	}
	if a.StatusCode/100 == 2 && path != "/v1/credentials:verify" {
		r.receipt(at, a.Header.Get("Tokendesk-Receipt"))
	}
	return a.StatusCode, text
}

// latestReceipt is when a change is answered at the latest, by a server that nothing keeps from its work.
const latestReceipt = 3100 * time.Millisecond

// receipt looks at what an answer says about the replicas: never without one, and never later than it may be, where the replica was not itself
// kept from its work.
func (r *run) receipt(at int, field string) {
	if field == "" { // an attempt before had done it, and all replicas had said so
		r.note("click: nothing left to do")
		return
	}
	_, ms, ok := strings.Cut(field, "ms=")
	took, err := strconv.Atoi(ms)
	if !ok || err != nil {
		r.wrong("a change was answered with the receipt %q", field)
		return
	}
	wait := time.Duration(took) * time.Millisecond
	late := wait > latestReceipt
	hurt := late && !r.replicas[at].well(now()-wait, now())
	if late && !hurt && r.alone {
		r.wrong("replica %d, which nothing kept from it, waited for %v", at, wait)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if late {
		r.late++
	}
	if hurt {
		r.lateHurt++
	}
	r.waits = append(r.waits, wait)
}

// listen reads streams through the gateway, and notes what was sent after its token was over.
func (r *run) listen(random *rand.Rand) {
	for r.stop.Err() == nil {
		r.stream(r.pick(random), random.IntN(len(r.replicas)), between(random, 100*time.Millisecond, 5*time.Second))
		time.Sleep(between(random, 0, 100*time.Millisecond))
	}
}

func (r *run) stream(one *token, at int, lasts time.Duration) {
	ctx, cancel := context.WithTimeout(r.stop, lasts)
	defer cancel()
	q, _ := http.NewRequestWithContext(ctx, http.MethodGet, r.replicas[at].base+"/api/agent-base", nil)
	q.Header.Set("X-Api-Token", one.secret)
	a, err := r.client.Transport.RoundTrip(q)
	if err != nil {
		return
	}
	defer a.Body.Close()
	if a.StatusCode != http.StatusOK {
		return
	}
	open, last := now(), time.Duration(0)
	for s := bufio.NewScanner(a.Body); s.Scan(); {
		if n, ok := strings.CutPrefix(s.Text(), "data: "); ok {
			sent, _ := strconv.ParseInt(n, 10, 64)
			last = time.Duration(sent)
		}
	}
	r.mu.Lock()
	r.streams++
	r.mu.Unlock()
	if late := one.h.tooLate(open, last); late != "" {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.cut = append(r.cut, fmt.Sprintf("replica %d: %s", at, late))
	}
}

// tooLate tells of a piece of a stream that was open when its token ended, and was sent after that had been answered.
func (h *history) tooLate(open, sent time.Duration) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.ops {
		if c.kind == refused && open < c.from && sent > c.until {
			return fmt.Sprintf("a stream that was open at %v brought what was sent at %v; the token ended from %v to %v", open, sent, c.from, c.until)
		}
	}
	return ""
}
