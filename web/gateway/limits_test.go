package gateway

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A body may be as large as the product allows, to the byte, whether its length is told or not; what is more is refused, and the product never takes
// it for whole.
func TestMaxBody(t *testing.T) {
	t.Parallel()
	whole := make(chan bool, 10)
	d := toProduct(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		whole <- err == nil && len(body) > 10
		fmt.Fprint(w, len(body))
	}, func(d *door) { d.up.MaxBody = 10 })
	for _, c := range []struct {
		framing string
		status  int
	}{
		{"Content-Length: 10\r\n\r\n0123456789", 200},
		{"Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n", 200},
		{"Content-Length: 11\r\n\r\n0123456789x", 413},
		{"Transfer-Encoding: chunked\r\n\r\nb\r\n0123456789x\r\n0\r\n\r\n", 413},
		{"Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n1\r\nx\r\n", 413},
		{"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\nb\r\n0123456789x\r\n0\r\n\r\n", 413},
		{"Transfer-Encoding: chunked\r\n\r\n4\r\nbodyandmore\r\n0\r\n\r\n", 400},
		{"Transfer-Encoding: chunked\r\n\r\nxyz\r\nbody\r\n0\r\n\r\n", 400},
	} {
		conn := d.connect(t)
		conn.say("POST /api/a HTTP/1.1\r\nHost: x\r\n%s", c.framing)
		answer := conn.hear("POST")
		if answer.StatusCode == http.StatusContinue {
			answer = conn.hear("POST")
		}
		body, _ := io.ReadAll(answer.Body)
		code := map[int]string{413: "request_too_large", 400: "request_ambiguous"}[c.status]
		if answer.StatusCode != c.status || code != "" && (!strings.Contains(string(body), code) || !answer.Close) {
			t.Errorf("%q: %s, %s, closed %v", c.framing, answer.Status, body, answer.Close)
		}
	}
	for len(whole) > 0 {
		if <-whole {
			t.Error("the product took more for whole")
		}
	}
}

// A product that is not there, and one that takes too long, are told from each other, with what to do; and logged with the request's ID.
func TestAProductThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	for name, c := range map[string]struct {
		address string
		change  func(*door)
		status  int
		says    string
	}{
		"refused":        {"http://" + nobody.Addr().String(), nil, 502, "upstream_unreachable: The product did not answer. Try again later. If it stays so, an Admin of this installation sees why with Test connection"},
		"no such host":   {"http://no-such-host.invalid", nil, 502, "upstream_unreachable"},
		"not TLS":        {"https://127.0.0.1", toHandler(func(w http.ResponseWriter, r *http.Request) {}), 502, "upstream_unreachable"},
		"denied":         {"http://127.0.0.1:1", func(d *door) { d.settings.Allow = nil }, 502, "The gateway may not call its address: an Admin of this installation sees why with Test connection"},
		"slow to open":   {"http://product.example", func(d *door) { d.up.ConnectTimeout, d.up.Dial = time.Millisecond, never }, 504, "upstream_timeout: The product did not answer in time. Try again later."},
		"slow to answer": {"http://product.example", slowly(20 * time.Millisecond), 504, "upstream_timeout"},
	} {
		d := open(t, c.address, c.change)
		for _, head := range []string{"GET /api/a\n", "POST /api/a\nContent-Length: 2\n\nhi", "HEAD /api/a\n"} {
			status, body := d.ask(t, head)
			if status != c.status || !strings.HasPrefix(head, "HEAD") && !strings.Contains(body, c.says) {
				t.Errorf("%s: %d %s", name, status, body)
			}
			if strings.Contains(body, "127.0.0.1") || strings.Contains(body, "invalid") {
				t.Errorf("%s: the caller is told the address: %s", name, body)
			}
		}
		if log := d.log.String(); strings.Count(log, "a product did not answer") != 3 || !strings.Contains(log, "request_id=r-1") {
			t.Errorf("%s: logged %s", name, log)
		}
	}
}

func never(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// toHandler has a handler in place of the network.
func toHandler(product http.HandlerFunc) func(*door) {
	return func(d *door) {
		listener := &pipes{make(chan net.Conn), make(chan struct{})}
		go func() { _ = http.Serve(listener, product) }()
		d.up.Dial = listener.dial
	}
}

func slowly(within time.Duration) func(*door) {
	return func(d *door) {
		toHandler(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		})(d)
		d.up.HeaderTimeout = within
	}
}

// pipes is a listener without a network.
type pipes struct {
	made   chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.made:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	p.made <- there
	return here, nil
}

// A product without a network, as the sample is: nothing is looked up, nothing is denied (security rule G8).
func TestDial(t *testing.T) {
	t.Parallel()
	product := &seen{}
	d := open(t, "http://sample.internal", func(d *door) {
		d.settings.Allow = nil
		toHandler(product.ServeHTTP)(d)
	})
	if status, body := d.ask(t, "PUT /api/a\nContent-Length: 2\n\nhi"); status != 200 || body != "done" || product.body[0] != "hi" || product.only(t).Host != "sample.internal" {
		t.Errorf("%d %s", status, body)
	}
}

// impatient is a gateway in a hurry: a tenth of a second without a move is too long.
func impatient(d *door) { d.stall = 100 * time.Millisecond }

// A caller who sends nothing any more is told so; one who takes nothing any more is left; a product that takes nothing any more is given up.
func TestNobodyHoldsACallUp(t *testing.T) {
	t.Parallel()
	t.Run("a caller sends nothing", func(t *testing.T) {
		t.Parallel()
		d := toProduct(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }, impatient)
		c := d.connect(t)
		c.say("POST /api/a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nsome")
		if answer, body := c.answer("POST"); answer.StatusCode != 408 || !strings.Contains(body, "request_timeout") || !answer.Close {
			t.Errorf("%s %s", answer.Status, body)
		}
	})
	t.Run("a caller takes nothing", func(t *testing.T) {
		t.Parallel()
		left := make(chan struct{})
		d := toProduct(t, func(w http.ResponseWriter, r *http.Request) {
			for part := make([]byte, 1<<20); ; {
				if _, err := w.Write(part); err != nil {
					close(left)
					return
				}
			}
		}, impatient)
		c := d.connect(t)
		c.say("GET /api/a HTTP/1.1\r\nHost: x\r\n\r\n")
		within(t, "the end of the call", left)
	})
	t.Run("a product takes nothing", func(t *testing.T) {
		t.Parallel()
		deaf, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer deaf.Close()
		d := open(t, "http://"+deaf.Addr().String(), func(d *door) { d.stall = 2 * time.Second }) // in which the caller is sure to send
		c := d.connect(t)
		go func() {
			_, _ = io.Copy(c, io.MultiReader(strings.NewReader("POST /api/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n"), zeros{}))
		}()
		if answer, body := c.answer("POST"); answer.StatusCode != 504 || !strings.Contains(body, "upstream_timeout") {
			t.Errorf("%s %s", answer.Status, body)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// A body that keeps coming, if ever so slowly, may take longer than a side may be still. The pauses are short beside what
// is allowed, so that a busy machine does not make them too long.
func TestSlowIsNotStill(t *testing.T) {
	t.Parallel()
	patient := func(d *door) { d.stall = 2 * time.Second }
	d := toProduct(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprint(w, len(body), err)
	}, patient)
	c := d.connect(t)
	c.say("POST /api/a HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n")
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range 50 { // two and a half seconds
		<-tick.C
		c.say("x")
	}
	if answer, body := c.answer("POST"); answer.StatusCode != 200 || body != "50 <nil>" {
		t.Errorf("%s %s", answer.Status, body)
	}
}

func countedDial(dial func(context.Context, string, string) (net.Conn, error), opened *int) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		*opened++
		return dial(ctx, network, address)
	}
}
