package handlers

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/views"
	"tokendesk/web/gateway"
)

// What a product keeps sealed, and for what.
func headersPurpose(p models.Product) string { return "product/headers/" + p.ID }
func signingPurpose(p models.Product) string { return "product/signing-key/" + p.ID }

// signingKeyBytes is a key as long as the hash that it is for (RFC 2104, section 3).
const signingKeyBytes = 32

// UpstreamOf is where a product's calls go, with what it keeps sealed opened. What does not open is an error: calls that are
// not signed, or lack a field that the product insists on, must not be sent.
func (h *Handlers) UpstreamOf(p models.Product) (gateway.Upstream, error) {
	up := gateway.Upstream{
		ProductID: p.ID, Revision: p.Revision, ConnectTimeout: time.Duration(p.ConnectTimeoutS) * time.Second, HeaderTimeout: time.Duration(p.AnswerTimeoutS) * time.Second,
		MaxBody: int64(p.MaxBodyMiB) << 20, PassCredential: p.PassCredential, WebSocket: p.WebSocket,
	}
	if p.Sample() {
		up.URL, up.Dial, up.Key = h.Sample.URL, h.Sample.Dial, h.Sample.Key
		return up, nil
	}
	var err error
	if up.URL, err = gateway.ParseUpstream(p.Upstream); err != nil {
		return up, err
	}
	if up.Key, err = h.Key.Open(signingPurpose(p), p.SigningKey); err != nil {
		return up, err
	}
	up.Header, err = h.headersOf(p)
	return up, err
}

// headersOf are the fields that each call of a product carries.
func (h *Handlers) headersOf(p models.Product) (http.Header, error) {
	if len(p.Headers) == 0 {
		return nil, nil
	}
	plain, err := h.Key.Open(headersPurpose(p), p.Headers)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	header, problem := readHeaders(string(plain))
	if problem != "" {
		return nil, errors.New("what a product keeps sealed is no header")
	}
	return header, nil
}

// readHeaders reads header fields, "Name: value" a line.
func readHeaders(text string) (header http.Header, problem string) {
	header = http.Header{}
	for i, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, found := strings.Cut(line, ":")
		name, value = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name)), strings.TrimSpace(value)
		problem = gateway.HeaderProblem(name, value)
		switch {
		case !found:
			problem = "write a name, a colon and a value."
		case len(header[name]) > 0:
			problem = "the field " + name + " stands there twice."
		}
		if problem != "" {
			return nil, "Line " + strconv.Itoa(i+1) + ": " + problem
		}
		header.Set(name, value)
	}
	if len(header) > mostHeaders {
		return nil, "Send at most " + strconv.Itoa(mostHeaders) + " fields."
	}
	return header, ""
}

const mostHeaders = 20

// Upstream is where a product's calls go, and how.
func (h *Handlers) Upstream(c echo.Context) error {
	return h.drawUpstream(c, http.StatusOK, views.Form{}, nil)
}

var upstreamFields = []string{"to", "upstream", "connect_timeout", "answer_timeout", "max_body", "pass_credential", "web_socket", "headers", "drop_headers", "revision"}

// SaveUpstream says where a product's calls go, and how.
func (h *Handlers) SaveUpstream(c echo.Context) error {
	f, err := form(c, upstreamFields...)
	if err != nil {
		return err
	}
	revision, err := revisionOf(f)
	if err != nil {
		return err
	}
	w, p, err := h.product(c)
	if err != nil {
		return err
	}
	u, problems, err := h.typedUpstream(f, p)
	if err != nil {
		return err
	}
	if problems == nil && u.Upstream != "" {
		problems, err = h.foresee(c, u.Upstream)
		if err != nil {
			return err
		}
	}
	if err = problems.Err(); err == nil {
		p, err = h.Store.PointProduct(c.Request().Context(), actor(c), w.ID, p.ID, revision, u)
	}
	if err == nil {
		said := "Saved. The next call goes there."
		if u.SigningKey != nil {
			said += " It is signed with a key that nobody was shown: to get one that your API can check with, make a new signing key below."
		}
		return h.done(c, productPath(w, p)+"/upstream", "", said)
	}
	back, status, err := refused(err, f)
	if err != nil {
		return err
	}
	return h.drawUpstream(c, status, back, nil)
}

// foresee tells of an address to which no call would ever get.
func (h *Handlers) foresee(c echo.Context, address string) (problems models.Problems, err error) {
	u, err := gateway.ParseUpstream(address)
	if err != nil {
		return nil, err
	}
	said := h.Gateway.Foresee(c.Request().Context(), u)
	problems.Add(said != "", "upstream", said)
	return problems, nil
}

// TestUpstream asks what was typed whether somebody answers there. It changes nothing.
func (h *Handlers) TestUpstream(c echo.Context) error {
	f, err := form(c, upstreamFields...)
	if err != nil {
		return err
	}
	_, p, err := h.product(c)
	if err != nil {
		return err
	}
	u, problems, err := h.typedUpstream(f, p)
	if err != nil {
		return err
	}
	back := views.Form{Values: f, Errors: problems}
	if len(problems) > 0 {
		return h.drawUpstream(c, http.StatusUnprocessableEntity, back, nil)
	}
	p.Upstream, p.ConnectTimeoutS, p.AnswerTimeoutS, p.Headers = u.Upstream, u.ConnectTimeoutS, u.AnswerTimeoutS, u.Headers
	if u.SigningKey != nil {
		p.SigningKey = u.SigningKey
	}
	up, err := h.UpstreamOf(p)
	if err != nil {
		return err
	}
	result := h.Gateway.Test(c.Request().Context(), up)
	if p.Sample() {
		result.Sentence = "The sample product is there."
	}
	return h.drawUpstream(c, http.StatusOK, back, &result)
}

// typedUpstream makes a form what the store takes.
func (h *Handlers) typedUpstream(f map[string]string, p models.Product) (u models.ProductUpstream, problems models.Problems, err error) {
	u = models.ProductUpstream{
		ConnectTimeoutS: number(f["connect_timeout"]), AnswerTimeoutS: number(f["answer_timeout"]), MaxBodyMiB: number(f["max_body"]),
		PassCredential: f["pass_credential"] == "on", WebSocket: f["web_socket"] == "on", Headers: p.Headers,
	}
	if f["to"] == "own" {
		address, wrong := gateway.ParseUpstream(f["upstream"])
		if wrong != nil {
			var told *models.Error
			if !errors.As(wrong, &told) {
				return u, nil, wrong
			}
			problems.Add(true, "upstream", told.Message)
		} else {
			u.Upstream = address.String()
		}
		if len(p.SigningKey) == 0 {
			if u.SigningKey, err = h.sealKey(p, randomKey()); err != nil {
				return u, nil, err
			}
		}
	} else {
		problems.Add(f["to"] != "sample", "to", "Choose where calls go.")
	}
	problems = append(problems, u.Clean()...)
	switch text := strings.TrimSpace(f["headers"]); {
	case text != "":
		_, wrong := readHeaders(text)
		problems.Add(wrong != "", "headers", wrong)
		if u.Headers, err = h.Key.Seal(headersPurpose(p), []byte(text)); err != nil {
			return u, nil, err
		}
	case f["drop_headers"] == "on":
		u.Headers = []byte{}
	case len(p.Headers) > 0 && u.Upstream != "" && origin(u.Upstream) != origin(p.Upstream): // whoever listens there would get what nobody is shown
		problems.Add(true, "headers", "The fields from before were for another address. Type them again for this one, or send none of them.")
	}
	return u, problems, nil
}

// origin is the part of an address that says who answers there; empty of the sample.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

func randomKey() []byte {
	key := make([]byte, signingKeyBytes)
	_, _ = rand.Read(key)
	return key
}

func (h *Handlers) sealKey(p models.Product, key []byte) ([]byte, error) {
	return h.Key.Seal(signingPurpose(p), key)
}

// SigningKeyPage asks before a product gets another signing key.
func (h *Handlers) SigningKeyPage(c echo.Context) error {
	w, p, err := h.product(c)
	if err != nil {
		return err
	}
	page, u, err := h.upstreamPage(c, w, p, views.Form{}, nil)
	if err != nil {
		return err
	}
	return show(c, http.StatusOK, views.SigningKeyNew(page, u))
}

// MakeSigningKey gives a product another signing key and shows it, in this one answer and never again.
func (h *Handlers) MakeSigningKey(c echo.Context) error {
	f, err := form(c, "form_id", "revision")
	if err != nil {
		return err
	}
	revision, err := revisionOf(f)
	if err != nil {
		return err
	}
	w, p, err := h.product(c)
	if err != nil {
		return err
	}
	page, u, err := h.upstreamPage(c, w, p, views.Form{}, nil)
	if err != nil {
		return err
	}
	key := randomKey()
	defer clear(key)
	sealed, err := h.sealKey(p, key)
	if err != nil {
		return err
	}
	if p, err = h.Store.SetSigningKey(c.Request().Context(), actor(c), w.ID, p.ID, revision, sealed, f["form_id"]); models.KindOf(err) == models.ShownAlready {
		return models.Fail(models.ShownAlready, "This key was already shown. If it was not stored, open the page again and make a new one.")
	}
	if err != nil {
		return err
	}
	if err := h.Sessions.MarkRevealed(c.Request(), c.Response()); err != nil {
		h.Log.LogAttrs(c.Request().Context(), slog.LevelWarn, "the next page will not drop the one with the secret", slog.String("request_id", RequestID(c)), slog.Any("error", err))
	}
	text := make([]byte, hex.EncodedLen(len(key)))
	hex.Encode(text, key)
	shown := secret.Text(text)
	clear(text)
	defer shown.Wipe()
	u.Signed, u.Revision = true, strconv.FormatInt(p.Revision, 10)
	return showSecret(c, shown, func(place string) templ.Component { return views.SigningKeyRevealed(page, u, place) })
}

func (h *Handlers) drawUpstream(c echo.Context, status int, back views.Form, tested *gateway.TestResult) error {
	w, p, err := h.product(c)
	if err != nil {
		return err
	}
	page, u, err := h.upstreamPage(c, w, p, back, tested)
	if err != nil {
		return err
	}
	return show(c, status, views.ProductUpstream(page, u))
}

func (h *Handlers) upstreamPage(c echo.Context, w models.WorkspaceSeen, p models.Product, back views.Form, tested *gateway.TestResult) (views.Page, views.UpstreamPage, error) {
	path := productPath(w, p)
	u := views.UpstreamPage{Product: p.Name, Path: path + "/upstream", Back: path, Form: back, Signed: len(p.SigningKey) > 0, FormID: secret.FormID(), Revision: strconv.FormatInt(p.Revision, 10)}
	if u.Form.Values == nil {
		u.Form.Values = map[string]string{
			"to": "own", "upstream": p.Upstream, "connect_timeout": strconv.Itoa(p.ConnectTimeoutS), "answer_timeout": strconv.Itoa(p.AnswerTimeoutS),
			"max_body": strconv.Itoa(p.MaxBodyMiB), "pass_credential": onOff(p.PassCredential), "web_socket": onOff(p.WebSocket),
		}
		if p.Sample() {
			u.Form.Values["to"] = "sample"
		}
	}
	header, err := h.headersOf(p)
	if err != nil {
		return views.Page{}, u, err
	}
	for name := range header {
		u.HeaderNames = append(u.HeaderNames, name)
	}
	slices.Sort(u.HeaderNames)
	if tested != nil {
		u.Tested, u.TestedWell = tested.Sentence, tested.OK
	}
	page, err := h.page(c)
	return page, u, err
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return ""
}
