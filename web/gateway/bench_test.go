package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"syscall"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/access"
)

// BenchmarkForward compares the gateway with a tuned httputil.ReverseProxy in front of the same upstream. All run in this process,
// whose processor time per call is what to compare: the difference is what the gateway adds, for the rest is the same.
func BenchmarkForward(b *testing.B) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"42","name":"a small answer"}`)
	}))
	defer upstream.Close()
	address, _ := url.Parse(upstream.URL)
	tuned := &httputil.ReverseProxy{
		Rewrite: func(pr *httputil.ProxyRequest) {
			pr.SetURL(address)
			pr.SetXForwarded()
		},
		Transport:  &http.Transport{MaxIdleConns: mostIdle, MaxIdleConnsPerHost: mostIdle, DisableCompression: true, ResponseHeaderTimeout: DefaultHeaderTimeout},
		BufferPool: &buffers,
	}
	g := New(Settings{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Clock: models.SystemClock})
	up := Upstream{ProductID: "p", Revision: 1, URL: address, Key: []byte("0123456789abcdef0123456789abcdef")}
	who := Caller{
		Workspace: "01a20049-a317-7ea3-9747-ad5f991ff792", Kind: "api", Credential: "01a20049-a317-7ea3-9747-ad5f991ff793",
		Person: "01a20049-a317-7ea3-9747-ad5f991ff794", Scope: "agents:list", RequestID: "01a20049-a317-7ea3-9747-ad5f991ff795",
	}
	gate := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, _ := access.CanonicalPath(r.URL.EscapedPath())
		g.Forward(w, r, up, who, path)
	})
	b.Run("tuned", func(b *testing.B) { load(b, tuned) })
	b.Run("gateway", func(b *testing.B) { load(b, gate) })
	b.Run("tuned again", func(b *testing.B) { load(b, tuned) })
	b.Run("gateway again", func(b *testing.B) { load(b, gate) })
}

// load calls a handler over connections that stay open, and reports the processor time of a call.
func load(b *testing.B, handler http.Handler) {
	server := httptest.NewUnstartedServer(handler)
	server.Config.WriteTimeout = time.Minute
	server.Start()
	defer server.Close()
	b.ReportAllocs()
	b.SetParallelism(8)
	before := processor(b)
	b.RunParallel(func(pb *testing.PB) {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			b.Error(err)
			return
		}
		defer conn.Close()
		request := fmt.Appendf(nil, "GET /api/agent-base/42?full=1 HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench\r\nAccept: application/json\r\nAuthorization: Bearer x\r\n\r\n", server.Listener.Addr())
		reader := bufio.NewReader(conn)
		for pb.Next() {
			if _, err := conn.Write(request); err != nil {
				b.Error(err)
				return
			}
			answer, err := http.ReadResponse(reader, nil)
			if err != nil || answer.StatusCode != http.StatusOK {
				b.Error(answer, err)
				return
			}
			_, _ = io.Copy(io.Discard, answer.Body)
		}
	})
	b.ReportMetric(float64((processor(b)-before).Nanoseconds())/float64(b.N)/1000, "cpu-µs/op")
}

func processor(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
