package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/handlers"
	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/web/gateway"
	"tokendesk/web/tracing"
)

// errDoubted is why a call that the gate lets in is not sent on: what it was let in by changed at each attempt, or this server cannot know whether it does.
var errDoubted = errors.New("what the call was let in by changed again and again, or this server may not rely on hearing of it: see readyz")

// calls answers what programs ask of products. It stands before the console's middleware and not behind it: each call
// pays for what it needs and nothing else.
type calls struct {
	handlers *handlers.Handlers
	address  func(*http.Request) string
	log      *slog.Logger
	secure   bool
	askers   []*net.IPNet // proxies that may ask for a decision
	trusted  []*net.IPNet // proxies whose X-Forwarded-For is believed
	// anonymous says that they are not told who calls. It is a setting and nothing of the question: a caller's query may come along with that.
	anonymous bool
	tracer    *tracing.Tracer // nil: nothing is traced

	mu        sync.RWMutex
	upstreams map[string]*ready // by product, as of its revision
}

// apiPrefix is what the paths of products begin with.
const apiPrefix = "/api/"

// isCall is also what is nearly one, so that a program with a slip in a path is told of it and not shown a page.
func isCall(r *http.Request) bool {
	switch r.URL.Path {
	case forwardAuthPath, introspectPath, verifyPath:
		return true
	}
	return strings.HasPrefix(strings.TrimLeft(r.URL.Path, "/")+"/", apiPrefix[1:])
}

// ServeHTTP answers a call, or a proxy's question about one.
func (s *calls) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := models.NewID()
	header := w.Header()
	header["Cache-Control"] = noStore
	if s.secure {
		header["Strict-Transport-Security"] = strictTransport
	}
	if s.tracer != nil {
		var end func()
		w, r, end = s.traced(w, r, id)
		defer end()
	}
	defer s.recovered(w, r, id)
	allowed := allMethods
	switch r.URL.Path {
	case forwardAuthPath:
		allowed = askMethods
	case introspectPath, verifyPath:
		allowed = postMethods
	}
	ok := slices.Contains(allowed, r.Method)
	if ok && r.URL.Path == forwardAuthPath {
		s.forwardAuth(w, r, id)
		return
	}
	numbered(w, id)
	switch {
	case !ok:
		list := strings.Join(allowed, ", ")
		header["Allow"] = []string{list}
		s.Problem(w, r, http.StatusMethodNotAllowed, string(access.MethodNotAllowed), "The method is not allowed", "Use one of "+list+".")
	case r.URL.Path == introspectPath:
		s.introspect(w, r, id)
	case r.URL.Path == verifyPath:
		s.verify(w, r, id)
	default:
		s.forward(w, r, id)
	}
}

// forward checks a call and sends it on.
func (s *calls) forward(w http.ResponseWriter, r *http.Request, id string) {
	path, problem := readable(r)
	if problem != "" {
		s.handlers.Gate.Verdicts().Count(access.AtGateway, access.RequestAmbiguous)
		s.refuse(w, r, access.Decision{Code: access.RequestAmbiguous, Check: "request", Detail: problem})
		return
	}
	address := s.address(r)
	call := access.Call{
		Presented: access.Present(r.Header["Authorization"], r.Header["X-Api-Key"], r.Header["X-Api-Token"]),
		Need:      access.Need{Route: &access.Route{Method: r.Method, Path: path, Workspace: r.Header.Get("X-Workspace-Id")}},
		Address:   address, RequestID: id,
	}
	for range decideAgain {
		d := s.decide(r, call, access.AtGateway)
		tellLimit(w.Header(), &d)
		if !d.Allowed() {
			s.refuse(w, r, d)
			return
		}
		up, err := s.upstream(d.Product)
		if err != nil {
			s.unreadable(w, r, d, err)
			return
		}
		if s.send(w, r, up.Upstream, callerOf(&d, id, address), path) {
			return
		}
		call.Again = true
	}
	s.refuse(w, r, access.Decision{Code: access.VerifierUnavailable, Check: "changes", Detail: "Whether the token stays good while the call lasts could not be found out. Try again in a moment.", Cause: errDoubted})
}

// decide asks the gate, and notes what it says at a door.
func (s *calls) decide(r *http.Request, call access.Call, door access.Door) access.Decision {
	ctx, step := s.tracer.Step(r.Context(), "decide")
	d := s.handlers.Gate.Decide(ctx, call)
	step.End()
	s.handlers.Gate.Verdicts().Count(door, d.Code)
	s.tracer.Of(r.Context()).Verdict(string(d.Code), d.Scope)
	return d
}

// send sends a call on; false says that what let it in does not hold any more.
func (s *calls) send(w http.ResponseWriter, r *http.Request, up gateway.Upstream, who gateway.Caller, path access.Path) bool {
	sent := s.tracer.Upstream(r)
	defer sent.End()
	return s.handlers.Gateway.Forward(w, r, up, who, path)
}

// decideAgain is how often a call is decided on whose decision is out of date before it begins.
const decideAgain = 3

var (
	noStore         = []string{"no-store"}
	allMethods      = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
	askMethods      = allMethods[:2]
	strictTransport = []string{"max-age=31536000; includeSubDomains"}
)

// readable refuses what could be read in two ways, before anybody looks at it (security rules G1, G2, G7 and G11).
func readable(r *http.Request) (access.Path, string) {
	fields := 0
	for _, values := range r.Header {
		fields += len(values)
	}
	if fields > mostFields {
		return access.Path{}, fmt.Sprintf("The request has more than %d header fields. Send fewer.", mostFields)
	}
	for _, check := range []error{gateway.CheckHeaders(r.Header), gateway.CheckQuery(r.URL.RawQuery)} {
		if check != nil {
			return access.Path{}, check.Error()
		}
	}
	if len(r.Header["X-Workspace-Id"]) > 1 {
		return access.Path{}, "The field X-Workspace-Id was sent more than once. Send it once."
	}
	path, ok := access.CanonicalPath(r.URL.EscapedPath())
	if !ok {
		return path, "The path can be read in two ways. Leave out dots, doubled slashes, a slash at its end and escapes that are not needed."
	}
	return path, ""
}

func callerOf(d *access.Decision, id, address string) gateway.Caller {
	k := &d.Known
	return gateway.Caller{
		Workspace: access.TextOf(d.Workspace), Kind: string(k.Kind()), Credential: access.TextOf(k.ID), Person: access.TextOf(k.Person), Scope: d.Scope,
		RequestID: id, Address: address, Until: k.Expires(), Pass: d.Pass(),
	}
}

// ready is where a product's calls go, and what signs who makes them.
type ready struct {
	gateway.Upstream
	signer *gateway.Signer
}

// upstream is where a product's calls go. What it keeps sealed is opened once for each revision.
func (s *calls) upstream(p *access.Product) (*ready, error) {
	s.mu.RLock()
	up, ok := s.upstreams[p.ID]
	s.mu.RUnlock()
	if ok && up.Revision == p.Revision {
		return up, nil
	}
	opened, err := s.handlers.UpstreamOf(p.Product)
	if err != nil {
		return nil, err
	}
	up = &ready{opened, gateway.NewSigner(opened.Key)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.upstreams) >= mostUpstreams {
		clear(s.upstreams)
	}
	s.upstreams[p.ID] = up
	return up, nil
}

const mostUpstreams = 1000

// tellLimit says where the caller stands (draft-ietf-httpapi-ratelimit-headers-10). Only calls that were counted are told: a
// credential that is no good learns nothing.
func tellLimit(h http.Header, d *access.Decision) {
	if d.Limit.Window == 0 {
		return
	}
	var room [128]byte
	text := appendPolicy(room[:0], d.Known.Kind())
	text = strconv.AppendInt(append(text, ";q="...), int64(d.Limit.Quota), 10)
	text = strconv.AppendInt(append(text, ";w="...), int64(d.Limit.Window/time.Second), 10)
	end := len(text)
	text = appendPolicy(text, d.Known.Kind())
	text = strconv.AppendInt(append(text, ";r="...), int64(d.Limit.Remaining), 10)
	text = strconv.AppendInt(append(text, ";t="...), int64(access.Seconds(d.Limit.Wait)), 10)
	both := string(text)
	values := [...]string{both[:end], both[end:]}
	h["RateLimit-Policy"], h["RateLimit"] = values[:1:1], values[1:]
}

// appendPolicy writes the policy's name as a structured field has it (RFC 9651, section 3.3.3).
func appendPolicy(b []byte, kind models.CredentialKind) []byte {
	return append(append(append(b, '"'), kind...), '"')
}

// refuse tells why a call was not let through, and notes it.
func (s *calls) refuse(w http.ResponseWriter, r *http.Request, d access.Decision) {
	h := w.Header()
	if value := challengeOf(d); value != "" {
		h["Www-Authenticate"] = []string{value}
	}
	switch d.Code {
	case access.RateLimited:
		h["Retry-After"] = []string{strconv.Itoa(access.Seconds(d.Limit.Wait))}
	case access.VerifierUnavailable:
		h["Retry-After"] = []string{"1"}
		s.log.LogAttrs(r.Context(), slog.LevelError, "a credential could not be checked", slog.String("request_id", h.Get("X-Request-Id")), slog.Any("error", d.Cause))
	case access.MethodNotAllowed:
		h["Allow"] = []string{strings.Join(d.Methods, ", ")}
	}
	if d.Code != access.VerifierUnavailable {
		s.handlers.RefusedProduct(s.address(r), h.Get("X-Request-Id"), d)
	}
	s.Problem(w, r, verdicts[d.Code], string(d.Code), d.Code.Title(), d.Detail)
}

// problem is an error as programs are told of it (RFC 9457).
type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail,omitempty"`
	Code      string `json:"code"`
	RequestID string `json:"request_id"`

	Errors []fieldProblem `json:"errors,omitempty"` // of a body that is wrong
}

// Problem tells a program of an error.
func (s *calls) Problem(w http.ResponseWriter, r *http.Request, status int, code, title, detail string) {
	h := w.Header()
	body, err := json.Marshal(problem{Type: "about:blank", Title: title, Status: status, Detail: detail, Code: code, RequestID: h.Get("X-Request-Id")})
	if err != nil { // text always encodes
		panic(err)
	}
	h["Content-Type"] = []string{"application/problem+json"}
	for name, value := range ofEveryAnswer {
		h[name] = value
	}
	h["Content-Length"] = []string{strconv.Itoa(len(body) + 1)}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(append(body, '\n'))
	}
	s.log.LogAttrs(r.Context(), slog.LevelDebug, "call refused", slog.String("code", code), slog.Int("status", status), slog.String("request_id", h.Get("X-Request-Id")))
}

// recovered makes a panic an error of this one call. One that ends the connection on purpose goes on.
func (s *calls) recovered(w http.ResponseWriter, r *http.Request, id string) {
	switch why := recover(); why {
	case nil:
	case http.ErrAbortHandler:
		panic(why)
	default:
		s.log.LogAttrs(r.Context(), slog.LevelError, "request failed", slog.String("request_id", id), slog.String("error", fmt.Sprintf("panic: %v\n%s", why, debug.Stack())))
		s.Problem(numbered(w, id), r, http.StatusInternalServerError, "internal", "The server couldn't finish that", "Try again. If it happens again, tell an Admin the request_id.")
	}
}

// challengeOf says how to authenticate (RFC 6750, section 3): without an error where no credential came, and with what is
// wrong where one did.
func challengeOf(d access.Decision) string {
	value := `Bearer realm="tokendesk"`
	switch verdicts[d.Code] {
	case http.StatusBadRequest:
		value += `, error="invalid_request"`
	case http.StatusUnauthorized:
		if d.Code != access.CredentialMissing {
			value += `, error="invalid_token"`
		}
		if d.Matched() {
			value += `, error_description="` + d.Code.Title() + `"`
		}
	case http.StatusForbidden:
		value += `, error="insufficient_scope", error_description="` + d.Code.Title() + `"`
		if d.Scope != "" {
			value += `, scope="` + d.Scope + `"`
		}
	default:
		return ""
	}
	return value
}

// challenge puts it on an answer of the console's own routes.
func challenge(c echo.Context, d access.Decision) {
	if value := challengeOf(d); value != "" {
		c.Response().Header().Set(echo.HeaderWWWAuthenticate, value)
	}
}
