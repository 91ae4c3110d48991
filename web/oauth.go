package web

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/handlers"
	"tokendesk/models"
	"tokendesk/models/access"
)

// What programs ask about credentials: RFC 7662, and many at once. Both stand before the console's middleware, as calls to products do.
const (
	oauthPrefix    = "/oauth2/"
	introspectPath = oauthPrefix + "introspect"
	verifyPath     = "/v1/credentials:verify"
)

var (
	postMethods   = []string{http.MethodPost}
	asJSON        = []string{"application/json"}
	crossSite     = http.NewCrossOriginProtection()
	nosniff       = ofEveryAnswer["X-Content-Type-Options"]
	basicOrBearer = `Basic realm="tokendesk", charset="UTF-8"`
)

// introspect answers whether a credential is good, and for what (RFC 7662). Of one that is not, for whatever reason, or that is not of a workspace
// that the caller runs, it says nothing else.
func (s *calls) introspect(w http.ResponseWriter, r *http.Request, id string) {
	who, let, ok := s.asker(w, r, id, asOAuth)
	if !ok {
		return
	}
	token, err := handlers.ReadTokenForm(w, r)
	if err != nil {
		s.badRequest(w, r, err, asOAuth)
		return
	}
	if who, ok = s.stillAsks(w, r, id, asOAuth, who, let); !ok {
		return
	}
	d := s.decide(r, access.Call{
		Presented: access.PresentText(token), Need: access.Need{Live: true, Workspace: r.Header.Get("X-Workspace-Id")}, Address: who.Address, Asker: &who, RequestID: id,
	}, access.AtIntrospect)
	if d.Code == access.VerifierUnavailable {
		s.refuse(w, r, d)
		return
	}
	if !d.Allowed() {
		answer(w, inactive)
		return
	}
	buffer := answers.Get().(*[]byte)
	*buffer = appendActive((*buffer)[:0], d, s.handlers.BaseURL)
	answer(w, *buffer)
	answers.Put(buffer)
}

// answer writes an answer of JSON. The length of a short one net/http tells by itself, for less.
func answer(w http.ResponseWriter, body []byte) {
	h := w.Header()
	h["Content-Type"] = asJSON
	h["X-Content-Type-Options"] = nosniff
	if len(body) > shortAnswer {
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	_, _ = w.Write(body)
}

const shortAnswer = 1024 // bytes

// asker finds who asks about credentials, before anything of what they ask is read; ok is false when that was answered.
func (s *calls) asker(w http.ResponseWriter, r *http.Request, id string, as voice) (who models.Actor, let admitted, ok bool) {
	if problem := askable(r); problem != "" {
		s.badRequest(w, r, models.Fail(models.Ambiguous, "%s", problem), as)
		return who, let, false
	}
	if err := crossSite.Check(r); err != nil {
		s.Problem(w, r, http.StatusForbidden, "cross_site", titles["cross_site"], "Programs make this call, and send neither Origin nor Sec-Fetch-Site.")
		return who, let, false
	}
	address := s.address(r)
	d := s.handlers.Client(r.Context(), r.Header, address, true)
	if d.Allowed() {
		return d.Asker(address, id), admitted{models.Ticks(), d.Pass()}, true
	}
	if noted := d; d.Code != access.VerifierUnavailable {
		noted.Scope = r.Method + " " + r.URL.Path
		s.handlers.RefusedProduct(address, id, noted)
	}
	s.refuseClient(w, r, d, as)
	return who, let, false
}

// admitted is when somebody was let in, and by what.
type admitted struct {
	at time.Time
	by access.Pass
}

// bodySoon is how long a body may take to come without anybody asking again who sent it.
const bodySoon = time.Second

// stillAsks is asked once the body has come, for which a caller may take its time: whoever is not let in any more by then hears nothing.
func (s *calls) stillAsks(w http.ResponseWriter, r *http.Request, id string, as voice, who models.Actor, let admitted) (models.Actor, bool) {
	if models.Ticks().Sub(let.at) < bodySoon && s.handlers.Gate.Holds(&let.by) {
		return who, true
	}
	who, _, ok := s.asker(w, r, id, as)
	return who, ok
}

// askable refuses what could be read in two ways, and a credential in the address.
func askable(r *http.Request) string {
	fields := 0
	for _, values := range r.Header {
		fields += len(values)
	}
	switch {
	case fields > mostFields:
		return "The request has more than 64 header fields. Send fewer."
	case len(r.Header["X-Workspace-Id"]) > 1:
		return "The field X-Workspace-Id was sent more than once. Send it once."
	case r.URL.RawQuery != "":
		return "Nothing stands in the address of this call: addresses are written down on the way. If a credential stood there, replace it."
	}
	return ""
}

// refuseClient tells a client that it is not let in: as RFC 6749 has it (section 5.2) where the call is one of OAuth and the client did not
// authenticate, and else as every refusal is told.
func (s *calls) refuseClient(w http.ResponseWriter, r *http.Request, d access.Decision, as voice) {
	h, status := w.Header(), verdicts[d.Code]
	if value := challengeOf(d); value != "" {
		h["Www-Authenticate"] = []string{value}
	}
	if status == http.StatusUnauthorized {
		h["Www-Authenticate"] = append(h["Www-Authenticate"], basicOrBearer)
	}
	if d.Code == access.VerifierUnavailable {
		h["Retry-After"] = []string{"1"}
		s.log.Error("a credential could not be checked", slog.String("request_id", h.Get("X-Request-Id")), slog.Any("error", d.Cause))
	}
	s.tell(w, r, status, string(d.Code), d.Code.Title(), d.Detail, as)
}

// badRequest tells what is wrong with a request.
func (s *calls) badRequest(w http.ResponseWriter, r *http.Request, err error, as voice) {
	f := describe(err)
	code := f.code
	var ours *models.Error
	if errors.As(err, &ours) && ours.Code == "" && codes[ours.Kind] != "" {
		code = codes[ours.Kind]
	}
	s.tell(w, r, f.status, code, titles[code], f.message, as)
}

// tell tells of an error in a voice: a problem document, or of a wrong request or client of OAuth what RFC 6749 has for it.
func (s *calls) tell(w http.ResponseWriter, r *http.Request, status int, code, title, detail string, as voice) {
	name := map[int]string{http.StatusBadRequest: "invalid_request", http.StatusUnauthorized: "invalid_client"}[status]
	if as != asOAuth || name == "" {
		if title == "" {
			title = http.StatusText(status)
		}
		s.Problem(w, r, status, code, title, detail)
		return
	}
	h := w.Header()
	body, err := json.Marshal(handlers.OAuthError{Error: name, Description: described(detail), Code: code, RequestID: h.Get("X-Request-Id")})
	if err != nil { // text always encodes
		panic(err)
	}
	for name, value := range ofEveryAnswer {
		h[name] = value
	}
	h["Content-Type"] = asJSON
	h["Content-Length"] = []string{strconv.Itoa(len(body) + 1)}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(append(body, '\n'))
	}
}

// described is a text in the characters that an error_description may have (RFC 6749, section 5.2).
func described(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return '\''
		}
		return c
	}, text)
}

// failOAuth is how the console's own routes tell an error in that voice.
func (s *Server) failOAuth(c echo.Context, f failure, err error) {
	if refused := (*refusal)(nil); errors.As(err, &refused) {
		s.calls.refuseClient(c.Response(), c.Request(), refused.Decision, asOAuth)
		return
	}
	if f.code == "http_404" {
		f.code, f.message = "not_found", "There is no such call. There are POST /oauth2/introspect and POST /oauth2/revoke."
		s.Problem(c.Response(), c.Request(), f.status, f.code, titles[f.code], f.message)
		return
	}
	s.calls.badRequest(c.Response(), c.Request(), err, asOAuth)
}
