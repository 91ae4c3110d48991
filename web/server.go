// Package web assembles the server: the table of routes, who may pass, what goes on every answer,
// how errors are told.
package web

import (
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/handlers"
	"tokendesk/web/gateway"
)

// Server answers requests.
type Server struct {
	handlers *handlers.Handlers
	echo     *echo.Echo
	calls    *calls
	log      *slog.Logger
	secure   bool             // reached through TLS, by its base URL
	voices   map[string]voice // by path

	// For Hear: whether it knows where to begin, after which event it hears again, and which it heard last.
	hears        bool
	again, heard int64
}

// New makes the server. Addresses that proxies report are believed only of those whose own address
// lies in trusted; with none, the caller is whoever holds the connection.
func New(h *handlers.Handlers, trusted []*net.IPNet) *Server {
	s := &Server{handlers: h, echo: echo.New(), log: h.Log, secure: strings.HasPrefix(h.BaseURL, "https://"), voices: map[string]voice{}}
	e := s.echo
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler, e.JSONSerializer = s.fail, plainJSON{}
	e.IPExtractor = clientAddress(trusted)
	e.Pre(s.headers)
	e.Use(s.logged, recovered, bounded)
	s.calls = &calls{handlers: h, address: func(r *http.Request) string { return e.IPExtractor(r) }, log: h.Log, secure: s.secure, upstreams: map[string]gateway.Upstream{}}
	for _, r := range routes(h) {
		if r.guard == programs {
			continue // answered by calls, which stands before all of this
		}
		handler := sameOrigin(s.guarded(r))
		s.voices[r.path] = r.voice
		e.Add(r.method, r.path, handler).Name = r.name
		if r.method == http.MethodGet {
			e.Add(http.MethodHead, r.path, handler).Name = r.name + ".head"
		}
	}
	return s
}

// AnswerProxies has proxies in some networks answered at /forward-auth. Whoever else can send a request from there can ask too, so they
// are named apart from those that are believed about addresses.
func (s *Server) AnswerProxies(from []*net.IPNet) { s.calls.askers = from }

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	gateway.CloseAfterChunks(w, r)
	if isCall(r) {
		s.calls.ServeHTTP(w, r)
		return
	}
	s.echo.ServeHTTP(w, r)
}

// Problem tells a program of an error in the voice of calls to products; the gateway's Settings take it.
func (s *Server) Problem(w http.ResponseWriter, r *http.Request, status int, code, title, detail string) {
	s.calls.Problem(w, r, status, code, title, detail)
}

// HTTP is the server with its limits on time and size, to listen with.
func (s *Server) HTTP() *http.Server {
	return &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second, // an upload moves its own deadlines on
		WriteTimeout:      time.Minute,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    28 << 10, // and 4 KiB that net/http adds: 32 KiB in all

		// OPTIONS * gets the answer of an unknown address, like every other that this server makes.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

func clientAddress(trusted []*net.IPNet) echo.IPExtractor {
	if len(trusted) == 0 {
		return echo.ExtractIPDirect()
	}
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, network := range trusted {
		options = append(options, echo.TrustIPRange(network))
	}
	return echo.ExtractIPFromXFFHeader(options...)
}
