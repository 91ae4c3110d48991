package gateway

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tokendesk/models"
)

// counted waits until the results are these, and no others.
func (d *door) counted(t *testing.T, want map[string]int64) {
	t.Helper()
	got := func() map[string]int64 {
		now := map[string]int64{}
		d.Results(func(result string, n int64) {
			if n != 0 {
				now[result] = n
			}
		})
		return now
	}
	eventually(t, fmt.Sprintf("the results %v", want), func() bool { return fmt.Sprint(got()) == fmt.Sprint(want) && d.UnderWay() == 0 })
}

// Every call is counted by what came of it, also those without an answer; how long answers took to begin is told of those that did.
func TestResults(t *testing.T) {
	t.Parallel()
	var told atomic.Int64
	d := toProduct(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/late":
			<-r.Context().Done()
		case "/api/broken":
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		default:
			var status int
			_, _ = fmt.Sscanf(r.URL.Path, "/api/%d", &status)
			w.WriteHeader(status)
		}
	}, func(d *door) {
		d.settings.OnAnswer = func(time.Duration) { told.Add(1) }
		d.up.HeaderTimeout = 50 * time.Millisecond
	})
	for path, times := range map[string]int{"200": 3, "204": 1, "302": 1, "404": 2, "503": 1, "late": 1, "broken": 1} {
		for range times {
			if answer, err := http.DefaultTransport.RoundTrip(request(t, "GET", "http://"+d.address+"/api/"+path, "")); err == nil {
				_, _ = io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
			}
		}
	}
	d.up.MaxBody = 3
	if answer, err := http.DefaultTransport.RoundTrip(request(t, "POST", "http://"+d.address+"/api/200", "too much")); err == nil {
		answer.Body.Close()
	}
	d.counted(t, map[string]int64{"2xx": 5, "3xx": 1, "4xx": 2, "5xx": 1, "timeout": 1, "broken_off": 1, "caller_fault": 1})
	if told.Load() != 9 {
		t.Errorf("%d answers were told of", told.Load())
	}
	nobody := open(t, "http://127.0.0.1:1", nil)
	if answer, err := http.DefaultTransport.RoundTrip(request(t, "GET", "http://"+nobody.address+"/api/a", "")); err == nil {
		answer.Body.Close()
	}
	nobody.counted(t, map[string]int64{"unreachable": 1})
}

func request(t *testing.T, method, address, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A caller who leaves, and one whose credential ends, are told apart from a product that does not answer; and a product that takes long has a line
// in the log, with the call's ID.
func TestResultsOfCallers(t *testing.T) {
	t.Parallel()
	product := newTalking()
	d := toProduct(t, product.ServeHTTP, nil)
	c := d.connect(t)
	c.say("GET /api/a HTTP/1.1\r\nHost: x\r\n\r\n")
	c.hear("GET")
	if n := d.UnderWay(); n != 1 {
		t.Errorf("%d calls are under way", n)
	}
	d.Cut(func(Caller) bool { return true })
	within(t, "the end", product.gone)
	d.counted(t, map[string]int64{"2xx": 1, "ended": 1})
	c = d.connect(t)
	c.say("GET /api/a HTTP/1.1\r\nHost: x\r\n\r\n")
	c.hear("GET")
	c.Close()
	within(t, "the end", product.gone)
	d.counted(t, map[string]int64{"2xx": 2, "ended": 1, "caller_left": 1})

	var jumps atomic.Int64
	slow := toProduct(t, func(http.ResponseWriter, *http.Request) { jumps.Store(int64(Slow + time.Second)) }, func(d *door) {
		d.settings.Clock = func() time.Time { return models.SystemClock().Add(time.Duration(jumps.Load())) }
	})
	slow.ask(t, "GET /api/a")
	if log := slow.log.String(); !strings.Contains(log, `level=WARN msg="a product was slow to answer" request_id=r-1 `) || !strings.Contains(log, "took=6") {
		t.Errorf("the log: %s", log)
	}
}
