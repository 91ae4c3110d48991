package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// swept calls Sweep until something has happened.
func (d *door) swept(t *testing.T, what string, happened <-chan struct{}) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.After(patience); ; {
		select {
		case <-happened:
			return
		case <-end:
			t.Fatalf("%s did not happen", what)
		case <-tick.C:
			if err := d.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// talking is a product that makes an event whenever a test says so, and tells when its caller is gone.
type talking struct{ next, gone chan struct{} }

func newTalking() *talking { return &talking{make(chan struct{}), make(chan struct{}, 10)} }

func (p *talking) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.(http.Flusher).Flush()
	for {
		select {
		case <-p.next:
			_, _ = io.WriteString(w, "data: x\n\n")
			w.(http.Flusher).Flush()
		case <-r.Context().Done():
			p.gone <- struct{}{}
			return
		}
	}
}

// ends gives word when what comes from a caller's connection is over, and how.
func (w *wire) ends(answer *http.Response) (<-chan struct{}, *error) {
	over, how := make(chan struct{}), new(error)
	go func() {
		defer close(over)
		_, *how = io.Copy(io.Discard, answer.Body)
	}()
	return over, how
}

// When a credential ends, so do the calls that it was admitted for, those that only listen among them; others go on.
func TestCut(t *testing.T) {
	t.Parallel()
	product := newTalking()
	d := toProduct(t, product.ServeHTTP, func(d *door) {
		d.before = func(_ http.ResponseWriter, r *http.Request) { d.who.Credential = r.Header.Get("X-Who") }
	})
	begin := func(who string) (*wire, *http.Response) {
		c := d.connect(t)
		c.say("GET /api/a HTTP/1.1\r\nHost: x\r\nX-Who: %s\r\n\r\n", who)
		return c, c.hear("GET")
	}
	mine, minesAnswer := begin("mine")
	_, others := begin("others")
	if n := d.Cut(func(c Caller) bool { return c.Credential == "nobody" }); n != 0 {
		t.Errorf("%d were ended", n)
	}
	if n := d.Cut(func(c Caller) bool { return c.Credential == "mine" }); n != 1 {
		t.Errorf("%d were ended", n)
	}
	over, how := mine.ends(minesAnswer)
	d.swept(t, "the end of mine", over)
	if *how == nil {
		t.Error("mine ends as if it were whole")
	}
	within(t, "the end at the product", product.gone)
	product.next <- struct{}{}
	if got, err := bufio.NewReader(others.Body).ReadString('\n'); got != "data: x\n" || err != nil {
		t.Errorf("the other gets %q, %v", got, err)
	}
	if log := d.log.String(); !strings.Contains(log, "a call was ended") {
		t.Errorf("logged %s", log)
	}
}

// A call that has no answer yet gets one that says what happened.
func TestCutBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	for _, framing := range []string{"GET /api/a HTTP/1.1\r\nHost: x\r\n\r\n", "POST /api/a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", "POST /api/a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nh"} {
		called := make(chan struct{})
		d := toProduct(t, func(w http.ResponseWriter, r *http.Request) {
			close(called)
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}, nil)
		c := d.connect(t)
		c.say("%s", framing)
		within(t, "the call", called)
		d.Cut(func(Caller) bool { return true })
		told := make(chan struct{})
		var answer *http.Response
		var body string
		go func() {
			defer close(told)
			answer, body = c.answer("POST")
		}()
		d.swept(t, "the answer", told)
		if answer.StatusCode != 401 || !strings.Contains(body, "credential_ended: The token stopped being valid. It did while the call was under way.") || answer.Header.Get("WWW-Authenticate") == "" || !answer.Close { // or the next call on the connection would be taken for one whose caller has left
			t.Errorf("%q: %s %s", framing, answer.Status, body)
		}
		if strings.Contains(d.log.String(), "level=WARN") { // it is not the product's doing
			t.Errorf("%q: %s", framing, d.log)
		}
	}
}

// No call goes on for longer than an hour.
func TestTheOldestCallsEnd(t *testing.T) {
	t.Parallel()
	product := newTalking()
	d := toProduct(t, product.ServeHTTP, nil)
	c := d.connect(t)
	c.say("GET /api/a HTTP/1.1\r\nHost: x\r\n\r\n")
	over, how := c.ends(c.hear("GET"))
	for range 3 {
		_ = d.Sweep(t.Context())
	}
	product.next <- struct{}{} // it is young, and goes on
	d.mu.Lock()
	d.oldest = 0
	d.mu.Unlock()
	d.swept(t, "its end", over)
	if *how == nil || !strings.Contains(d.log.String(), errTooOld.Error()) {
		t.Errorf("it ends with %v, and %s", *how, d.log)
	}
}

// A product that is silent in the middle of a body whose length it told is given up; in a stream it may be silent for as long as it likes.
func TestSilence(t *testing.T) {
	t.Parallel()
	d := toProduct(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/body" {
			w.Header().Set("Content-Length", "100000")
		}
		_, _ = io.WriteString(w, strings.Repeat("x", 50_000))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}, func(d *door) { d.stall = 100 * time.Millisecond })
	stream, body := d.connect(t), d.connect(t)
	stream.say("GET /api/stream HTTP/1.1\r\nHost: x\r\n\r\n")
	streamEnds, _ := stream.ends(stream.hear("GET"))
	body.say("GET /api/body HTTP/1.1\r\nHost: x\r\n\r\n")
	bodyEnds, how := body.ends(body.hear("GET"))
	d.swept(t, "the end of the body", bodyEnds)
	if *how == nil || !strings.Contains(d.log.String(), errSilent.Error()) {
		t.Errorf("it ends with %v, and %s", *how, d.log)
	}
	select {
	case <-streamEnds:
		t.Error("the stream ends too")
	default:
	}
}

// What is under way is known, and nothing else is kept: whatever becomes of calls, afterwards there are none.
func TestNothingIsKeptOfACall(t *testing.T) {
	t.Parallel()
	d := toProduct(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/panic" {
			_, _ = io.WriteString(w, "x")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
	}, nil)
	for i := range 20 {
		c := d.connect(t)
		c.say("POST /api/%s HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", map[bool]string{true: "panic", false: "a"}[i%2 == 0])
		_, _ = io.Copy(io.Discard, c.hear("POST").Body)
		c.Close()
	}
	none := make(chan struct{})
	go func() {
		defer close(none)
		for d.Cut(func(Caller) bool { return false }); ; {
			d.mu.Lock()
			empty := d.live.next == &d.live && d.live.previous == &d.live
			d.mu.Unlock()
			if empty {
				return
			}
		}
	}()
	within(t, "the end of all calls", none)
}

// The connections to a product are kept while its revision stays, and while somebody calls it; and of very many products only those of the last.
func TestLines(t *testing.T) {
	t.Parallel()
	var opened, called int
	d := toProduct(t, func(w http.ResponseWriter, r *http.Request) { called++ }, nil)
	dial := d.dialer().DialContext
	d.up.Dial = countedDial(dial, &opened)
	ask := func(wantOpened int) {
		t.Helper()
		if status, body := d.ask(t, "GET /api/a\n"); status != 200 || opened != wantOpened {
			t.Fatalf("%d %s, %d connections", status, body, opened)
		}
	}
	ask(1)
	ask(1)
	d.up.Revision = 2
	ask(2)
	ask(2)
	_ = d.Sweep(t.Context())
	ask(2)
	d.quiet = -1
	_ = d.Sweep(t.Context())
	if len(d.lines) != 0 {
		t.Errorf("%d lines are kept", len(d.lines))
	}
	ask(3)
	now := time.Now()
	d.mu.Lock()
	for i := range 3 * mostLines {
		up := d.up
		up.ProductID = fmt.Sprint(i)
		d.line(up, now.Add(time.Duration(i)*time.Second))
		if len(d.lines) > mostLines {
			t.Fatalf("%d lines", len(d.lines))
		}
	}
	first, last := d.lines["0"], d.lines[fmt.Sprint(3*mostLines-1)]
	d.mu.Unlock()
	if first != nil || last == nil {
		t.Error("it is not the oldest that goes")
	}
}

// A server that does not know any more whether what let a call in still holds passes nothing on, of what the product sends and of what the caller does; it
// looks each time, because it may have stood still since.
func TestNothingGoesOnThatMayNot(t *testing.T) {
	t.Parallel()
	var deaf atomic.Bool
	product := newTalking()
	got := make(chan byte, 10)
	d := toProduct(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			product.ServeHTTP(w, r)
			return
		}
		var one [1]byte
		for _, err := r.Body.Read(one[:]); err == nil; _, err = r.Body.Read(one[:]) {
			got <- one[0]
		}
		product.gone <- struct{}{}
	}, func(d *door) { d.settings.GoesOn = func() bool { return !deaf.Load() } })

	reads := d.connect(t)
	reads.say("GET /api/a HTTP/1.1\r\nHost: x\r\n\r\n")
	stream := reads.hear("GET")
	product.next <- struct{}{}
	body := bufio.NewReader(stream.Body)
	if text, err := body.ReadString('\n'); text != "data: x\n" || err != nil {
		t.Fatalf("%q, %v", text, err)
	}
	writes := d.connect(t)
	writes.say("POST /api/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\na")
	if one := <-got; one != 'a' {
		t.Fatalf("%q", one)
	}

	deaf.Store(true)
	product.next <- struct{}{}
	if rest, err := io.ReadAll(body); string(rest) != "\n" || err == nil {
		t.Errorf("then %q came, %v", rest, err)
	}
	writes.say("b")
	within(t, "the end of both at the product", product.gone)
	within(t, "the end of both at the product", product.gone)
	if len(got) > 0 {
		t.Errorf("then the product got %q", <-got)
	}
}
