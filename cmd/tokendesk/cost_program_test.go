package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/handlers"
	"tokendesk/web"
)

// programs are what this binary can be in a process of its own, by the value of TOKENDESK_TEST_PROGRAM. All but the first are for
// TestCost.
var programs = map[string]func(){
	"1":          main,
	"profiled":   serveProfiled,
	"upstream":   func() { os.Exit(exitCode(serveAlone(http.HandlerFunc(answerSmall), limited))) },
	"proxy":      func() { os.Exit(exitCode(serveAlone(tunedProxy(), limited))) },
	"free proxy": func() { os.Exit(exitCode(serveAlone(tunedProxy(), unlimited))) },
	"echo":       func() { os.Exit(exitCode(serveAlone(echoNothing(), limited))) },
	"free echo":  func() { os.Exit(exitCode(serveAlone(echoNothing(), unlimited))) },
}

func exitCode(err error) int {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// serveProfiled is the command serve, which writes where its processor's time goes.
func serveProfiled() {
	end := profiled()
	code := run(context.Background(), []string{"serve"}, console{os.Stdin, os.Stdout, os.Stderr, os.LookupEnv})
	end()
	os.Exit(code)
}

// serveAlone serves one handler until a signal.
func serveAlone(handler http.Handler, server func() *http.Server) error {
	ctx, stop := untilSignal(context.Background())
	defer stop()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "address=http://%s\n", listener.Addr())
	defer profiled()()
	s := server()
	s.Handler = handler
	return answer(s, listener, patience, slog.New(slog.DiscardHandler))(ctx)
}

// limited is a server with the limits on time and size that Tokendesk's has, and unlimited one without.
func limited() *http.Server {
	return web.New(&handlers.Handlers{Log: slog.New(slog.DiscardHandler)}, nil).HTTP()
}
func unlimited() *http.Server { return &http.Server{} }

func answerSmall(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"id":"42","name":"a small answer"}`)
}

// tunedProxy is httputil.ReverseProxy as one would use it for many calls: it keeps as many connections open as there are callers, and uses
// its buffers again. It checks nothing.
func tunedProxy() http.Handler {
	to, err := url.Parse(os.Getenv("UPSTREAM"))
	if err != nil {
		panic(err)
	}
	return &httputil.ReverseProxy{
		Rewrite: func(pr *httputil.ProxyRequest) {
			pr.SetURL(to)
			pr.SetXForwarded()
		},
		Transport:  &http.Transport{MaxIdleConns: 128, MaxIdleConnsPerHost: 128, IdleConnTimeout: 90 * time.Second, DisableCompression: true, ResponseHeaderTimeout: 30 * time.Second},
		BufferPool: &pooled{},
	}
}

type pooled struct{ sync.Pool }

func (p *pooled) Get() []byte {
	if b, ok := p.Pool.Get().(*[32 << 10]byte); ok {
		return b[:]
	}
	return make([]byte, 32<<10)
}

func (p *pooled) Put(b []byte) { p.Pool.Put((*[32 << 10]byte)(b)) }

// echoNothing is a handler of the web framework that answers 204 and checks nothing.
func echoNothing() http.Handler {
	e := echo.New()
	e.Any("/*", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	return e
}

// profiled writes where the processor's time goes to a file in the folder PROFILES, until the function that it answers is called.
func profiled() (end func()) {
	folder := os.Getenv("PROFILES")
	if folder == "" {
		return func() {}
	}
	file, err := os.Create(fmt.Sprintf("%s/%s %d.pprof", folder, os.Getenv("TOKENDESK_TEST_PROGRAM"), os.Getpid()))
	if err == nil {
		err = pprof.StartCPUProfile(file)
	}
	if err != nil {
		panic(err)
	}
	return func() {
		pprof.StopCPUProfile()
		_ = file.Close()
	}
}
