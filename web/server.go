// Package web assembles the server: the table of routes, who may pass, what goes on every answer,
// how errors are told.
package web

import (
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/handlers"
	"tokendesk/web/gateway"
	"tokendesk/web/tracing"
)

// Server answers requests.
type Server struct {
	handlers *handlers.Handlers
	echo     *echo.Echo
	calls    *calls
	log      *slog.Logger
	secure   bool             // reached through TLS, by its base URL
	voices   map[string]voice // by path

	tracer    *tracing.Tracer                                    // nil: nothing is traced
	onRequest func(route string, status int, took time.Duration) // see Observe
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
	s.calls = &calls{handlers: h, address: func(r *http.Request) string { return e.IPExtractor(r) }, log: h.Log, secure: s.secure, trusted: trusted, upstreams: map[string]*ready{}}
	verbs := map[string]map[string]echo.HandlerFunc{}
	for _, r := range routes(h) {
		if r.handler == nil {
			continue // answered by calls, which stands before all of this
		}
		handler := named(r.name, sameOrigin(s.guarded(r)))
		if path, verb := r.verb(); verb != "" {
			s.addVerb(verbs, r, path, verb, handler)
			continue
		}
		s.voices[r.path] = r.voice
		e.Add(r.method, r.path, handler).Name = r.name
		if r.method == http.MethodGet {
			e.Add(http.MethodHead, r.path, handler).Name = r.name + ".head"
		}
	}
	return s
}

// addVerb adds a call that does something with a thing. Those with things of one kind share a route, and are told apart by the end of the
// segment; those with none have a route each.
func (s *Server) addVerb(verbs map[string]map[string]echo.HandlerFunc, r route, path, verb string, handler echo.HandlerFunc) {
	param := path[strings.LastIndexByte(path, '/')+1:]
	if param[0] != ':' {
		escaped := path + `\:` + verb
		s.echo.Add(r.method, escaped, handler).Name = r.name
		return
	}
	key := r.method + " " + path
	if verbs[key] == nil {
		verbs[key] = map[string]echo.HandlerFunc{}
		s.echo.Add(r.method, path, byVerb(verbs[key], param[1:])).Name = r.name
	}
	verbs[key][verb] = handler
}

func byVerb(verbs map[string]echo.HandlerFunc, param string) echo.HandlerFunc {
	return func(c echo.Context) error {
		names, values := c.ParamNames(), c.ParamValues()
		at := slices.Index(names, param)
		id, verb, _ := cutLast(values[at], ":")
		run := verbs[verb]
		if run == nil {
			return echo.ErrNotFound
		}
		values[at] = id
		return run(c)
	}
}

func cutLast(text, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(text, sep); i >= 0 {
		return text[:i], text[i+len(sep):], true
	}
	return text, "", false
}

// AnswerProxies has proxies in some networks answered at /forward-auth. Whoever else can send a request from there can ask too, so they
// are named apart from those that are believed about addresses. Without identity they learn the decision alone.
func (s *Server) AnswerProxies(from []*net.IPNet, identity bool) {
	s.calls.askers, s.calls.anonymous = from, !identity
}

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
