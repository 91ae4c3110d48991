package handlers

import (
	"mime"
	"net/http"
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

// steady writes an answer for as long as it goes on: each piece has a deadline of its own, because a large
// download may take longer than any request should; and every few seconds it asks whether the reader still may.
func (h *Handlers) steady(c echo.Context) http.ResponseWriter {
	return &steadyWriter{c.Response(), http.NewResponseController(c.Response().Writer), h.Clock, h.Clock(), func() error { return h.Store.StillMay(c.Request().Context(), actor(c)) }}
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
	perWrite   = 30 * time.Second // how long a piece of at most some hundred KiB may take
	stillEvery = 5 * time.Second  // how long a right that was lost goes on
)

func (s *steadyWriter) Write(b []byte) (int, error) {
	if now := s.now(); now.Sub(s.asked) >= stillEvery {
		if err := s.may(); err != nil {
			return 0, err
		}
		s.asked = now
	}
	_ = s.control.SetWriteDeadline(models.SystemClock().Add(perWrite)) // connections of net/http support it
	return s.ResponseWriter.Write(b)
}
