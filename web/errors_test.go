package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"tokendesk/handlers"
	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/archive"
)

// failing is a server with one page and one call that fail in the same way, and what it logs.
func failing(with func(c echo.Context) error) (*Server, *bytes.Buffer) {
	var log bytes.Buffer
	s := New(&handlers.Handlers{Log: slog.New(slog.NewTextHandler(&log, nil)), Refusals: access.NewRefusals(models.SystemClock), Version: "test"}, nil)
	s.echo.GET("/page", with)
	s.echo.GET("/call", with)
	s.voices["/call"] = asEnvelope
	return s, &log
}

func ask(s *Server, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// An error becomes one status and one sentence, in the voice of its address, however deep it is wrapped.
// What is not for the reader (causes, panics, what is not ours) is in the log and never in the answer.
func TestHowErrorsAreTold(t *testing.T) {
	const inside = "pq: password of 10.0.0.1 in SELECT"
	cause := errors.New(inside)
	var fields models.Problems
	fields.Add(true, "name", "Enter a name.")
	for name, c := range map[string]struct {
		err    error
		status int
		says   string
	}{
		"ours":             {models.Fail(models.Conflict, "It was revoked.").Because(cause), 409, "It was revoked."},
		"ours, wrapped":    {fmt.Errorf("deep: %w", models.Fail(models.NotFound, "It is gone.").Because(cause)), 404, "It is gone."},
		"fields":           {fields.Err(), 422, "Enter a name."},
		"Echo's":           {echo.ErrNotFound, 404, ""},
		"Echo's, wrapped":  {fmt.Errorf("load: %w", echo.ErrMethodNotAllowed), 405, ""},
		"Echo's own fault": {echo.NewHTTPError(502, inside), 500, "couldn"},
		"foreign":          {cause, 500, "couldn"},
		"away":             {models.Fail(models.Unavailable, "The database does not answer.").Because(cause), 503, "does not answer"},
		"not a zip":        {fmt.Errorf("check: %w", archive.ErrNotZip), 400, "Only .zip collection files are accepted."},
		"unsafe":           {&archive.Refusal{Code: archive.Bomb, Message: "It is a bomb."}, 422, "It is a bomb."},
		"refused":          {&refusal{access.Decision{Code: access.AdminRequired, Detail: "Ask."}}, 403, "Admin access required. Ask."},
		"not checked":      {&refusal{access.Decision{Code: access.VerifierUnavailable, Detail: "Later.", Cause: cause}}, 503, "could not be checked. Later."},
	} {
		s, log := failing(func(echo.Context) error { return c.err })
		for _, path := range []string{"/page", "/call"} {
			w := ask(s, path)
			kind := map[string]string{"/page": "text/html; charset=UTF-8", "/call": "application/json"}[path]
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) || w.Header().Get("Content-Type") != kind || w.Body.Len() == 0 {
				t.Errorf("%s at %s: status %d as %s: %.200s", name, path, w.Code, w.Header().Get("Content-Type"), w.Body)
			}
			if strings.Contains(w.Body.String(), "SELECT") || strings.Contains(fmt.Sprint(w.Header()), "SELECT") {
				t.Errorf("%s at %s tells the inside", name, path)
			}
			id := w.Header().Get("X-Request-Id")
			if path == "/page" && !strings.Contains(w.Body.String(), id) {
				t.Errorf("%s: the page does not have the request's number", name)
			}
			if failed := strings.Contains(log.String(), `"request failed" request_id=`+id); failed != (c.status >= 500) {
				t.Errorf("%s at %s: logged as a failure: %v", name, path, failed)
			}
		}
	}
}

// A panic is an error of its one request: 500, a line in the log with where it was, and nothing of it in
// the answer. A handler that wants the connection cut gets that.
func TestPanics(t *testing.T) {
	s, log := failing(func(echo.Context) error { panic("what only we may know") })
	for _, path := range []string{"/page", "/call"} {
		if w := ask(s, path); w.Code != 500 || strings.Contains(w.Body.String(), "only we") || strings.Contains(w.Body.String(), "goroutine") {
			t.Errorf("%s: status %d: %.200s", path, w.Code, w.Body)
		}
	}
	if !strings.Contains(log.String(), "what only we may know") || !strings.Contains(log.String(), "errors_test.go") {
		t.Errorf("the log has %.300s", log)
	}
	s, _ = failing(func(echo.Context) error { panic(http.ErrAbortHandler) })
	defer func() {
		if r := recover(); r != http.ErrAbortHandler {
			t.Errorf("recovered %v", r)
		}
	}()
	ask(s, "/page")
}

// What has begun to be answered is not answered again. Whoever hung up, or closed only their half of the
// connection and listens on, is never told of a success.
func TestAnsweredOnce(t *testing.T) {
	s, _ := failing(func(c echo.Context) error {
		_ = c.String(http.StatusOK, "begun")
		return errors.New("late")
	})
	if w := ask(s, "/page"); w.Code != 200 || w.Body.String() != "begun" {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	s, log := failing(func(echo.Context) error { return fmt.Errorf("query: %w", context.Canceled) })
	hungUp, hangUp := context.WithCancel(t.Context())
	hangUp()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/page", nil).WithContext(hungUp))
	if w.Code != http.StatusServiceUnavailable || strings.Contains(log.String(), "ERROR") {
		t.Errorf("status %d: %s, logged %s", w.Code, w.Body, log)
	}
}

// How long to wait is told in seconds, where it is known.
func TestRetryAfter(t *testing.T) {
	wait := models.Fail(models.TooMany, "Wait.")
	wait.RetryAfterSeconds = 7
	for want, err := range map[string]error{"7": wait, "": models.Fail(models.TooMany, "Wait."), "1": &refusal{access.Decision{Code: access.VerifierUnavailable}}} {
		s, _ := failing(func(echo.Context) error { return err })
		if got := ask(s, "/call").Header().Get("Retry-After"); got != want {
			t.Errorf("%v: Retry-After %q, want %q", err, got, want)
		}
	}
}

// An example in a message is for copying: "<token>" is not "\u003ctoken\u003e".
func TestJSONIsReadable(t *testing.T) {
	s, _ := failing(func(echo.Context) error { return models.Fail(models.Ambiguous, "Send '<token>' & \"more\".") })
	if got := ask(s, "/call").Body.String(); !strings.Contains(got, `Send '<token>' & \"more\".`) {
		t.Error(got)
	}
}

// A line of the log names the route, its status and the request's number, and nothing of an address that
// is no route: somebody may have pasted a credential there (T6, R5). Probes and files are not worth a line.
func TestTheLogLine(t *testing.T) {
	s, log := failing(func(echo.Context) error { return nil })
	for _, c := range []struct{ path, logged string }{
		{"/page?token=user_abc", "method=GET path=/page status=200"},
		{"/nope/user_4mQabcdefgh", "method=GET path=(none) status=404"},
		{"/w/%0d%0aforged=1/x", "path=(none) status=404"},
	} {
		log.Reset()
		id := ask(s, c.path).Header().Get("X-Request-Id")
		line := log.String()
		if strings.Count(line, "\n") != 1 || !strings.Contains(line, c.logged) || !strings.Contains(line, "request_id="+id) || strings.Contains(line, "user_") {
			t.Errorf("%s is logged as %q", c.path, line)
		}
	}
	log.Reset()
	for _, path := range []string{"/healthz", "/static/app.css", "/static/nope"} {
		if ask(s, path); log.Len() > 0 {
			t.Errorf("%s is logged: %s", path, log)
		}
	}
}
