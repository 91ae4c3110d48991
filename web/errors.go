package web

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"tokendesk/handlers"
	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/archive"
	"tokendesk/views"
)

// voice is how an address tells of errors, those before its guard and those of a wrong method among
// them. The row decides, not the Accept header: a program that forgot the header must not get a page.
type voice string

const (
	asPage     voice = "page"
	asEnvelope voice = "envelope" // {"success":false,"message":…}, of POST /installCollection
	asProblem  voice = "problem"  // application/problem+json (RFC 9457), of calls to products
	asOAuth    voice = "oauth"    // {"error":…,"error_description":…} of RFC 6749 where it has that, and problem documents elsewhere
	asStatus   voice = "status"   // {"status":{"error_code":…,"http_code":…,"message":…},"data":null}, of the account API
)

// statuses is the one place that turns kinds into HTTP.
var statuses = map[models.Kind]int{
	models.Internal:     http.StatusInternalServerError,
	models.Invalid:      http.StatusUnprocessableEntity,
	models.Ambiguous:    http.StatusBadRequest,
	models.Unauthorized: http.StatusUnauthorized,
	models.Forbidden:    http.StatusForbidden,
	models.NotFound:     http.StatusNotFound,
	models.Conflict:     http.StatusConflict,
	models.TooMany:      http.StatusTooManyRequests,
	models.Unavailable:  http.StatusServiceUnavailable,
	models.TooLarge:     http.StatusRequestEntityTooLarge,
	models.ShownAlready: http.StatusGone,
}

// verdicts is the same for the gate's codes (http.md).
var verdicts = map[access.Code]int{
	access.RequestAmbiguous:    http.StatusBadRequest,
	access.CredentialMissing:   http.StatusUnauthorized,
	access.CredentialMalformed: http.StatusUnauthorized,
	access.CredentialUnknown:   http.StatusUnauthorized,
	access.CredentialExpired:   http.StatusUnauthorized,
	access.CredentialRevoked:   http.StatusUnauthorized,
	access.CredentialReplaced:  http.StatusUnauthorized,
	access.CredentialInactive:  http.StatusUnauthorized,
	access.OwnerDeactivated:    http.StatusUnauthorized,
	access.AdminRequired:       http.StatusForbidden,
	access.WrongWorkspace:      http.StatusForbidden,
	access.WrongCollection:     http.StatusForbidden,
	access.NoSuchResource:      http.StatusNotFound,
	access.MethodNotAllowed:    http.StatusMethodNotAllowed,
	access.ScopeMissing:        http.StatusForbidden,
	access.RateLimited:         http.StatusTooManyRequests,
	access.VerifierUnavailable: http.StatusServiceUnavailable,
}

// failure is an error as it is told.
type failure struct {
	status     int
	code       string // of a refusal
	heading    string // of its page; empty: the page's own for the status
	message    string // empty: the page speaks for the status
	retryAfter int    // seconds
}

// fail tells an error, in the voice of the route. It is Echo's error handler, and the only one.
func (s *Server) fail(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	if client := (*handlers.RefusedClient)(nil); errors.As(err, &client) {
		err = &refusal{client.Decision}
	}
	f := describe(err)
	if f.status >= http.StatusInternalServerError && c.Request().Context().Err() == nil {
		s.log.LogAttrs(c.Request().Context(), slog.LevelError, "request failed", slog.String("request_id", handlers.RequestID(c)), slog.Int("status", f.status), slog.Any("error", err))
	}
	if f.retryAfter > 0 {
		c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(f.retryAfter))
	}
	if refused := (*refusal)(nil); errors.As(err, &refused) {
		challenge(c, refused.Decision)
	}
	s.noteRefusal(c, f, err)
	message := cmp.Or(f.message, http.StatusText(f.status)+".")
	if refused := (*refusal)(nil); s.voices[c.Path()] == asStatus && errors.As(err, &refused) {
		message = accountWords(refused.Decision)
	}
	switch {
	case strings.HasPrefix(c.Request().URL.Path, oauthPrefix):
		s.failOAuth(c, f, err)
		err = nil
	case s.voices[c.Path()] == asStatus:
		err = c.JSON(f.status, handlers.StatusOf(f.status, f.code, message))
	case manages(c.Request()):
		err = tellProblem(c, f, err)
	case s.voices[c.Path()] == asEnvelope:
		err = c.JSON(f.status, handlers.Envelope{Message: message, Code: f.code, RequestID: handlers.RequestID(c)})
	case s.voices[c.Path()] == asProblem:
		s.Problem(c.Response(), c.Request(), f.status, f.code, http.StatusText(f.status), message)
		err = nil
	case handlers.Scripted(c): // of a page that is there already, and shows it
		err = c.JSON(f.status, map[string]string{"message": message})
	default:
		err = s.problem(c, f)
	}
	if err != nil {
		s.log.LogAttrs(c.Request().Context(), slog.LevelWarn, "the error could not be told", slog.String("request_id", handlers.RequestID(c)), slog.Any("error", err))
	}
}

// noteRefusal has the audit log tell of what was refused: a call, an installation, a right.
func (s *Server) noteRefusal(c echo.Context, f failure, err error) {
	var refused *refusal
	switch {
	case c.Path() == "" || f.status >= http.StatusInternalServerError || f.status == http.StatusMethodNotAllowed:
	case errors.As(err, &refused) && (s.voices[c.Path()] == asStatus || s.voices[c.Path()] == asOAuth || manages(c.Request())):
		s.handlers.RefusedAccount(c, refused.Decision)
	case errors.As(err, &refused):
		s.handlers.RefusedCall(c, f.code, refused.Grant())
	case s.voices[c.Path()] == asEnvelope:
		s.handlers.RefusedInstall(c, err, f.message)
	case f.status == http.StatusForbidden:
		s.handlers.Denied(c, f.code)
	}
}

func describe(err error) failure {
	var refused *refusal
	var unsafe *archive.Refusal
	var ours *models.Error
	var theirs *echo.HTTPError
	switch {
	case errors.As(err, &refused):
		f := failure{status: verdicts[refused.Code], code: string(refused.Code), message: refused.Code.Title() + ". " + refused.Detail}
		switch refused.Code {
		case access.VerifierUnavailable:
			f.retryAfter = 1
		case access.RateLimited:
			f.retryAfter = access.Seconds(refused.Limit.Wait)
		}
		return f
	case errors.Is(err, archive.ErrNotZip):
		return failure{status: http.StatusBadRequest, code: "not-a-zip", message: "Only .zip collection files are accepted."}
	case errors.As(err, &unsafe):
		return failure{status: http.StatusUnprocessableEntity, code: string(unsafe.Code), message: unsafe.Message}
	case errors.Is(err, adminsOnly):
		return failure{status: http.StatusForbidden, code: string(models.Forbidden), heading: access.AdminRequired.Title(), message: adminsOnly.Message}
	case errors.As(err, &ours):
		return failure{status: statuses[ours.Kind], code: cmp.Or(ours.Code, string(ours.Kind)), message: sentence(ours), retryAfter: ours.RetryAfterSeconds}
	case errors.As(err, &theirs) && theirs.Code == http.StatusMethodNotAllowed:
		return failure{status: theirs.Code, code: "method_not_allowed", message: "This address takes another method; the field Allow of this answer names it."}
	case errors.As(err, &theirs) && theirs.Code < http.StatusInternalServerError:
		return failure{status: theirs.Code, code: "http_" + strconv.Itoa(theirs.Code)}
	case errors.Is(err, context.Canceled):
		// The caller hung up, or closed its half of the connection and still listens: whatever it
		// makes of this, it must not be a success.
		return failure{status: http.StatusServiceUnavailable, code: string(models.Unavailable), message: "The connection was closed before the answer was ready. Look whether it was done before you try again."}
	}
	return failure{code: string(models.Internal), status: http.StatusInternalServerError, message: "The server couldn't finish that. Nothing was changed. Try again."}
}

// accountWords tells a refusal in the words of the account API, which calls every token that is no good an incorrect one.
func accountWords(d access.Decision) string {
	words := d.Code.Title() + ". " + d.Detail
	switch d.Code {
	case access.CredentialMissing, access.CredentialMalformed:
		words = "Send the token of the last POST /user/signin as 'Authorization: Bearer <token>'."
	case access.CredentialUnknown:
		words = d.Detail
	}
	if kind := d.Grant().Credential.Kind; verdicts[d.Code] == http.StatusUnauthorized && (kind == "" || kind == models.SignInToken) {
		words = "Incorrect JWT token. " + words
	}
	return words
}

// sentence is what an error says; for bad input, what is wrong with the first field.
func sentence(e *models.Error) string {
	if len(e.Fields) > 0 {
		return e.Fields[0].Message
	}
	return e.Message
}

// problem draws an error page. It asks no database: an error page that fails helps nobody.
func (s *Server) problem(c echo.Context, f failure) error {
	var b bytes.Buffer
	page := views.Problem(s.handlers.Outside(c), views.Failure{Status: f.status, Heading: f.heading, Sentence: f.message})
	if err := page.Render(c.Request().Context(), &b); err != nil {
		return errors.Join(err, c.Blob(f.status, echo.MIMETextPlainCharsetUTF8, []byte("Something went wrong, and so did the page that says so.\n")))
	}
	return c.HTMLBlob(f.status, b.Bytes())
}
