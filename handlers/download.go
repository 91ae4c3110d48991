package handlers

import (
	"cmp"
	"log/slog"
	"mime"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
)

// attach makes an answer a file to be kept and never a page: whatever is in it, a browser shows none of it
// and runs none of it (security rule U12).
func attach(c echo.Context, name, kind string) {
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, kind)
	disposition := mime.FormatMediaType("attachment", map[string]string{"filename": name})
	if disposition == "" {
		disposition = "attachment"
	}
	h.Set(echo.HeaderContentDisposition, disposition)
	h.Set(echo.HeaderContentSecurityPolicy, "default-src 'none'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
}

// Downloads counts what each person is being sent. The zero value counts from none.
type Downloads struct {
	mu      sync.Mutex
	running map[string]int
}

// mostDownloads is how many files a person is sent at once, as many as a browser asks one server for; each keeps a
// part of a file, or of the log, in memory for as long as its reader takes.
const mostDownloads = 6

// begin counts one more, until done; or refuses it, with models.TooMany.
func (d *Downloads) begin(person string) (done func(), err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running[person] >= mostDownloads {
		full := models.Fail(models.TooMany, "%d of your downloads are running. Wait until one is done, then try again.", mostDownloads)
		full.RetryAfterSeconds = 5
		return nil, full
	}
	if d.running == nil {
		d.running = map[string]int{}
	}
	d.running[person]++
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.running[person]--; d.running[person] == 0 {
			delete(d.running, person)
		}
	}, nil
}

// steady writes an answer for as long as it goes on, because a large download may take longer than any request should:
// each piece has a deadline of its own, and every few seconds it asks whether the reader still may. done says that all
// is written. models.TooMany refuses whoever has too many of them.
func (h *Handlers) steady(c echo.Context) (w http.ResponseWriter, done func(), err error) {
	if done, err = h.Downloads.begin(cmp.Or(actor(c).ID, actor(c).CredentialID)); err != nil {
		return nil, nil, err
	}
	inUse := h.inUse(c)
	return &steadyWriter{
		ResponseWriter: c.Response(), control: http.NewResponseController(c.Response().Writer), now: h.Clock, asked: h.Clock(),
		may: func() error {
			if err := h.Store.StillMay(c.Request().Context(), actor(c)); err != nil {
				return err
			}
			inUse()
			return nil
		},
	}, done, nil
}

// inUse has a session not end as idle while something that it sends or is sent goes on. It may be called at any
// time, and does something once a minute.
func (h *Handlers) inUse(c echo.Context) func() {
	seen := visit(c).Seen
	if seen.Session.ID == "" { // a program, which has none
		return func() {}
	}
	return func() {
		now := h.Clock()
		if now.Before(seen.Session.SeenAt.Add(time.Minute)) {
			return
		}
		if err := h.Store.TouchSession(c.Request().Context(), seen); err != nil {
			h.Log.LogAttrs(c.Request().Context(), slog.LevelWarn, "the session's last use was not noted", slog.String("request_id", RequestID(c)), slog.Any("error", err))
		}
		seen.Session.SeenAt = now
	}
}

type steadyWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	now     models.Clock
	asked   time.Time
	may     func() error
}

// WriteHeader keeps what every answer of ours says: http.ServeContent drops it where it refuses a range.
func (s *steadyWriter) WriteHeader(status int) {
	s.Header().Set(echo.HeaderCacheControl, "no-store")
	s.ResponseWriter.WriteHeader(status)
}

const (
	// A system takes megabytes from us at once, and then nothing until its reader had a third of them: what is slower
	// than some 20 KiB a second is cut off.
	perWrite   = 3 * time.Minute
	stillEvery = 5 * time.Second // how long a right that was lost goes on
)

func (s *steadyWriter) Write(b []byte) (int, error) {
	if now := s.now(); now.Sub(s.asked).Abs() >= stillEvery { // a clock may be put back
		if err := s.may(); err != nil {
			return 0, err
		}
		s.asked = now
	}
	_ = s.control.SetWriteDeadline(models.SystemClock().Add(perWrite)) // connections of net/http support it
	return s.ResponseWriter.Write(b)
}
