package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Each event of a stream is with the caller before the next one is made, through whatever a framework puts around the writer; and
// the header is, before there is any.
func TestEventsArriveOneByOne(t *testing.T) {
	t.Parallel()
	next := make(chan string)
	d := toProduct(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		for event := range next {
			fmt.Fprintf(w, "data: %s\n\n", event)
			w.(http.Flusher).Flush()
		}
	}, nil)
	c := d.connect(t)
	c.say("GET /api/a HTTP/1.1\r\nHost: x\r\n\r\n")
	answer := c.hear("GET")
	lines := bufio.NewScanner(answer.Body)
	for i := range 100 {
		next <- fmt.Sprint(i)
		if !lines.Scan() || lines.Text() != fmt.Sprintf("data: %d", i) || !lines.Scan() {
			t.Fatalf("event %d is %q (%v)", i, lines.Text(), lines.Err())
		}
	}
	close(next)
	if lines.Scan() || lines.Err() != nil {
		t.Errorf("after the end: %q, %v", lines.Text(), lines.Err())
	}
}

// A body of known length comes as it is made, too.
func TestPartsArriveOneByOne(t *testing.T) {
	t.Parallel()
	next := make(chan int)
	d := toProduct(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(100<<10))
		w.(http.Flusher).Flush()
		for size := range next {
			_, _ = io.WriteString(w, strings.Repeat("x", size))
			w.(http.Flusher).Flush()
		}
	}, nil)
	c := d.connect(t)
	c.say("GET /api/a HTTP/1.1\r\nHost: x\r\n\r\n")
	answer := c.hear("GET")
	if answer.ContentLength != 100<<10 {
		t.Errorf("length %d", answer.ContentLength)
	}
	for _, size := range []int{1, 1023, 1 << 10, 98 << 10} {
		next <- size
		if n, err := io.ReadFull(answer.Body, make([]byte, size)); err != nil {
			t.Fatalf("%d of %d: %v", n, size, err)
		}
	}
	close(next)
}

// Both sides may talk at once: the answer begins before the body has ended, and none of the body is lost.
func TestBothWaysAtOnce(t *testing.T) {
	t.Parallel()
	d := toProduct(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		w.(http.Flusher).Flush()
		for buffer := make([]byte, 100); ; {
			n, err := r.Body.Read(buffer)
			fmt.Fprintf(w, "%s;", buffer[:n])
			w.(http.Flusher).Flush()
			if err != nil {
				return
			}
		}
	}, nil)
	c := d.connect(t)
	c.say("POST /api/a HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n")
	answer := c.hear("POST")
	parts := bufio.NewReader(answer.Body)
	for i := range 10 {
		c.say("part%d", i)
		if got, err := parts.ReadString(';'); err != nil || got != fmt.Sprintf("part%d;", i) {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	if rest, err := io.ReadAll(parts); err != nil || strings.Trim(string(rest), ";") != "" {
		t.Errorf("then %q, %v", rest, err)
	}
}

// A caller who leaves ends the call to the product, before its answer and in the middle of it.
func TestACallerLeaves(t *testing.T) {
	t.Parallel()
	for _, begun := range []bool{false, true} {
		called, left := make(chan struct{}), make(chan struct{})
		d := toProduct(t, func(w http.ResponseWriter, r *http.Request) {
			if begun {
				_, _ = io.WriteString(w, "a beginning")
				w.(http.Flusher).Flush()
			}
			close(called)
			<-r.Context().Done()
			close(left)
		}, nil)
		c := d.connect(t)
		c.say("GET /api/a HTTP/1.1\r\nHost: x\r\n\r\n")
		if begun {
			c.hear("GET")
		}
		within(t, "the call", called)
		c.Close()
		within(t, "the end of the call", left)
	}
}

// A caller who leaves in the middle of an upload does too.
func TestACallerLeavesWhileUploading(t *testing.T) {
	t.Parallel()
	got := make(chan error, 1)
	d := toProduct(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		got <- err
	}, nil)
	for _, framing := range []string{"Content-Length: 100\r\n\r\nsome", "Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n"} {
		c := d.connect(t)
		c.say("POST /api/a HTTP/1.1\r\nHost: x\r\n%s", framing)
		c.Close()
		select {
		case err := <-got:
			if err == nil {
				t.Errorf("%q: the product takes the body for whole", framing)
			}
		case <-time.After(patience):
			t.Fatal("the product still waits")
		}
	}
}

// An answer that breaks off at the product breaks off at the caller: it is never ended as if it were whole.
func TestAProductBreaksOff(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(http.Header){
		"of known length":   func(h http.Header) { h.Set("Content-Length", "1000") },
		"in chunks":         func(http.Header) {},
		"a stream":          func(h http.Header) { h.Set("Content-Type", "text/event-stream") },
		"with no beginning": func(h http.Header) { h.Set("Content-Length", "10") },
	} {
		d := toProduct(t, func(w http.ResponseWriter, r *http.Request) {
			begin(w.Header())
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			if name != "with no beginning" {
				_, _ = io.WriteString(w, "a beginning")
				w.(http.Flusher).Flush()
			}
			panic(http.ErrAbortHandler)
		}, nil)
		c := d.connect(t)
		c.say("GET /api/a HTTP/1.1\r\nHost: x\r\n\r\n")
		answer, err := http.ReadResponse(c.reader, nil)
		if err == nil {
			_, err = io.ReadAll(answer.Body)
		}
		if err == nil {
			t.Errorf("%s: it ends well", name)
		}
		if !c.over() {
			t.Errorf("%s: the connection goes on", name)
		}
		if log := d.log.String(); !strings.Contains(log, "a product broke off its answer") || !strings.Contains(log, "request_id=r-1") {
			t.Errorf("%s: logged %q", name, log)
		}
	}
}

// A product may answer, and be done, before it has the whole body: the caller gets the answer at once, and the connection is not used again.
func TestAnAnswerBeforeTheBody(t *testing.T) {
	t.Parallel()
	d := toProduct(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex() // or the product's server would read on first
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "not that")
	}, nil)
	for _, framing := range []string{"Content-Length: 1000000000", "Transfer-Encoding: chunked"} {
		c := d.connect(t)
		c.say("POST /api/a HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n5\r\nhello\r\n", framing)
		if answer, body := c.answer("POST"); answer.StatusCode != http.StatusForbidden || body != "not that" {
			t.Errorf("%s: %s %q", framing, answer.Status, body)
		}
		c.Close()
	}
}

// Expect: 100-continue is the product's to answer: what it refuses is never sent.
func TestExpectContinue(t *testing.T) {
	t.Parallel()
	product := func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/no":
			w.WriteHeader(http.StatusForbidden)
			return
		case "/api/late":
			time.Sleep(continueWithin + 200*time.Millisecond)
		}
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "got %s", body)
	}
	d := toProduct(t, product, nil)
	for _, path := range []string{"/api/yes", "/api/late"} { // the late one says so when it is not waited for any more
		c := d.connect(t)
		c.say("POST %s HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", path)
		if early := c.hear("POST"); early.StatusCode != http.StatusContinue {
			t.Fatalf("%s", early.Status)
		}
		c.say("hello")
		if answer, body := c.answer("POST"); answer.StatusCode != 200 || body != "got hello" {
			t.Errorf("%s: %s %s", path, answer.Status, body)
		}
	}
	c := d.connect(t)
	c.say("POST /api/no HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
	if answer, _ := c.answer("POST"); answer.StatusCode != http.StatusForbidden {
		t.Errorf("%s", answer.Status)
	}
	c.say("helloGET /api/yes HTTP/1.1\r\nHost: x\r\n\r\n") // which it may send all the same; but nothing behind it counts
	if !c.over() {
		t.Error("the connection goes on")
	}
}

// Answers without a body have none, and keep what they say of the one that they do not have.
func TestAnswersWithoutBody(t *testing.T) {
	t.Parallel()
	d := toProduct(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/204":
			w.WriteHeader(204)
		case "/api/304":
			w.Header().Set("Etag", `"1"`)
			w.WriteHeader(304)
		case "/api/redirect":
			http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusFound)
		default:
			w.Header().Set("Content-Length", "1234")
			if r.Method == http.MethodGet {
				_, _ = io.WriteString(w, strings.Repeat("x", 1234))
			}
		}
	}, nil)
	c := d.connect(t)
	for _, want := range []struct {
		method, path string
		status       int
		length       int64
	}{
		{"HEAD", "/api/a", 200, 1234}, {"GET", "/api/204", 204, 0}, {"GET", "/api/304", 304, 0}, {"GET", "/api/a", 200, 1234},
	} {
		c.say("%s %s HTTP/1.1\r\nHost: x\r\n\r\n", want.method, want.path) // all on one connection
		answer, body := c.answer(want.method)
		if answer.StatusCode != want.status || answer.ContentLength != want.length || want.method == "HEAD" && body != "" {
			t.Errorf("%s %s: %s, length %d, %q", want.method, want.path, answer.Status, answer.ContentLength, body)
		}
	}
	c.say("GET /api/redirect HTTP/1.1\r\nHost: x\r\n\r\n")
	if answer, _ := c.answer("GET"); answer.StatusCode != 302 || answer.Header.Get("Location") != "http://169.254.169.254/latest" {
		t.Errorf("a redirect is %s to %s", answer.Status, answer.Header.Get("Location"))
	}
}

// What a product says beforehand is passed on, and nothing of it stays in the answer; nor does it take away what we say.
func TestInformationalAnswers(t *testing.T) {
	t.Parallel()
	d := toProduct(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.Header().Set("Set-Cookie", "sid=evil")
		w.Header().Set("X-Request-Id", "the product's")
		w.WriteHeader(http.StatusEarlyHints)
		clear(w.Header())
		w.Header().Set("X-Final", "yes")
		_, _ = io.WriteString(w, "done")
	}, func(d *door) {
		d.before = func(w http.ResponseWriter, r *http.Request) { w.Header().Set("X-Request-Id", "r-1") }
	})
	c := d.connect(t)
	c.say("GET /api/a HTTP/1.1\r\nHost: x\r\n\r\n")
	early := c.hear("GET")
	if early.StatusCode != http.StatusEarlyHints || early.Header.Get("Link") == "" || early.Header.Get("Set-Cookie") != "" || early.Header.Get("X-Request-Id") != "r-1" {
		t.Errorf("%s %v", early.Status, early.Header)
	}
	answer, body := c.answer("GET")
	if answer.StatusCode != 200 || body != "done" || answer.Header.Get("X-Request-Id") != "r-1" || answer.Header.Get("X-Final") != "yes" || answer.Header.Get("Link") != "" {
		t.Errorf("%s %q %v", answer.Status, body, answer.Header)
	}
	c = d.connect(t)
	c.say("GET /api/a HTTP/1.0\r\nHost: x\r\n\r\n") // which knows of no such thing
	if answer, body := c.answer("GET"); answer.StatusCode != 200 || body != "done" {
		t.Errorf("%s %q", answer.Status, body)
	}
}

// Fields behind the body: the caller's go nowhere, for nobody who decided saw them; the product's arrive.
func TestTrailers(t *testing.T) {
	t.Parallel()
	trailers := make(chan http.Header, 1)
	d := toProduct(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		trailers <- r.Trailer
		w.Header().Set("Trailer", "X-Sum")
		_, _ = io.WriteString(w, "done")
		w.Header().Set("X-Sum", "42")
		w.Header().Set(http.TrailerPrefix+"X-Late", "1")
	}, nil)
	c := d.connect(t)
	c.say("POST /api/a HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\nTrailer: X-Tokendesk-Identity, X-Sum\r\n\r\n4\r\nbody\r\n0\r\nX-Tokendesk-Person: mallory\r\nX-Sum: 1\r\n\r\n")
	answer, _ := c.answer("POST")
	if got := <-trailers; len(got) > 0 {
		t.Errorf("the product got %v", got)
	}
	if answer.Trailer.Get("X-Sum") != "42" || answer.Trailer.Get("X-Late") != "1" {
		t.Errorf("the caller got %v", answer.Trailer)
	}
}

// What a product says that means the whole host, the console with it, or what stands in front of us, is left out; what we say, it does not say a second time.
func TestWhatAProductMayNotSay(t *testing.T) {
	t.Parallel()
	d := toProduct(t, func(w http.ResponseWriter, r *http.Request) {
		for _, names := range hostWide {
			for _, name := range names {
				w.Header().Set(name, "evil")
			}
		}
		w.Header().Set("Cache-Control", "public")
		w.Header().Set("Connection", "X-Hop")
		w.Header().Set("X-Hop", "evil")
		w.Header().Set("X-Own", "1")
		w.Header().Set("WWW-Authenticate", "Basic")
		w.WriteHeader(http.StatusUnauthorized)
	}, func(d *door) {
		d.before = func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Cache-Control", "no-store") }
	})
	answer, _ := d.exchange(t, "GET /api/a\n")
	if got := fmt.Sprint(answer.Header); strings.Contains(got, "evil") || len(answer.Header["Cache-Control"]) != 1 || answer.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %s", got)
	}
	if answer.StatusCode != 401 || answer.Header.Get("X-Own") != "1" || answer.Header.Get("Www-Authenticate") != "Basic" {
		t.Errorf("%s %v", answer.Status, answer.Header)
	}
}
