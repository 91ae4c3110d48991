package gateway

import (
	"io"
	"net/http"
	"testing"
)

// A caller who sends something too early, which ends net/http's watch over the connection, does not keep a call alive: a stream, one
// without an answer yet, and one whose product has fallen silent end as the others do.
func TestAnEarlyByteKeepsNothingAlive(t *testing.T) {
	t.Parallel()
	for _, early := range []string{"G", "GET /api/b HTTP/1.1\r\nHost: x\r\n\r\n"} {
		for name, end := range map[string]func(d *door){
			"cut":     func(d *door) { d.Cut(func(Caller) bool { return true }) },
			"too old": func(d *door) { d.mu.Lock(); d.oldest = 0; d.mu.Unlock(); _ = d.Sweep(t.Context()) },
		} {
			product := newTalking()
			d := toProduct(t, product.ServeHTTP, nil)
			c := d.connect(t)
			c.say("GET /api/a HTTP/1.1\r\nHost: x\r\n\r\n")
			answer := c.hear("GET")
			c.say("%s", early)
			event := make([]byte, len("data: x\n\n"))
			for range 100 { // by the end it has come
				product.next <- struct{}{}
				if _, err := io.ReadFull(answer.Body, event); err != nil {
					t.Fatal(err)
				}
			}
			over, how := c.ends(answer)
			end(d)
			within(t, name+": the end of the product's half", product.gone)
			within(t, name+": the end of the caller's half", over)
			if *how == nil {
				t.Errorf("%s: the stream ends as if it were whole", name)
			}
		}
	}
}

// Nor before there is an answer.
func TestAnEarlyByteBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	called, gone := make(chan struct{}), make(chan struct{})
	d := toProduct(t, func(w http.ResponseWriter, r *http.Request) {
		close(called)
		<-r.Context().Done()
		close(gone)
	}, nil)
	c := d.connect(t)
	c.say("GET /api/a HTTP/1.1\r\nHost: x\r\n\r\nG")
	within(t, "the call", called)
	d.Cut(func(Caller) bool { return true })
	within(t, "the end of the product's half", gone)
	if answer, _ := c.answer("GET"); answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("%s", answer.Status)
	}
}
