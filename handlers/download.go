package handlers

import (
	"cmp"
	"log/slog"
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

// download sends an answer for as long as it goes on, because a large one may take longer than any request should: each piece has a deadline
// of its own. It ends when the right to it does: at the very change, and should that not be heard, a few seconds after it. models.TooMany refuses whoever
// has too many of them.
//
// send finds out what it is and whether its reader may have it, then says what was found. It is called where Cut finds the download: a change before that is
// seen by send, and one after it by Cut.
func (h *Handlers) download(c echo.Context, send func(w *steadyWriter) error) error {
	who, inUse := actor(c), h.inUse(c)
	w := &steadyWriter{
		ResponseWriter: c.Response(), control: http.NewResponseController(c.Response().Writer), now: h.Clock, asked: h.Clock(),
		may: func() error {
			if err := h.Store.StillMay(c.Request().Context(), who); err != nil {
				return err
			}
			inUse()
			return nil
		},
		list: h.Downloads, transfer: transferOf(visit(c)),
	}
	whose := cmp.Or(who.ID, who.CredentialID)
	if err := h.Downloads.enter(whose, w); err != nil {
		return err
	}
	defer func() {
		h.Downloads.leave(whose, w)
		if w.cut.Load() {
			h.Log.LogAttrs(c.Request().Context(), slog.LevelInfo, "a download was ended", slog.String("request_id", RequestID(c)))
		}
	}()
	if w.goesOn = h.Gate.GoesOn; !w.goesOn() {
		deaf := models.Fail(models.Unavailable, "This server does not know what has changed, so it sends no files. Try again in a moment.")
		deaf.RetryAfterSeconds = 1
		return deaf
	}
	if err := w.may(); err != nil {
		return err
	}
	return send(w)
}

// transferOf is a download by whoever asks for it, before anybody has looked what it is of.
func transferOf(v Visit) Transfer {
	who := v.Actor
	t := Transfer{Kind: string(v.Grant.Credential.Kind), Credential: cmp.Or(who.SessionID, who.CredentialID), Person: who.ID, Workspace: v.Grant.Credential.WorkspaceID}
	if who.Kind == models.Human {
		t.Kind = Browser
	}
	return t
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

// WriteHeader keeps what every answer of ours says: http.ServeContent drops it where it refuses a range.
func (s *steadyWriter) WriteHeader(status int) {
	s.begun.Store(true)
	s.Header().Set(echo.HeaderCacheControl, "no-store")
	s.ResponseWriter.WriteHeader(status)
}

const (
	// A system takes megabytes from us at once, and then nothing until its reader had a third of them: what is slower
	// than some 20 KiB a second is cut off.
	perWrite   = 3 * time.Minute
	stillEvery = 5 * time.Second // how long a right that was lost goes on at most, whatever this server hears
)

func (s *steadyWriter) Write(b []byte) (int, error) {
	if now := s.now(); now.Sub(s.asked).Abs() >= stillEvery { // a clock may be put back
		if err := s.may(); err != nil {
			return 0, err
		}
		s.asked = now
	}
	s.begun.Store(true)
	_ = s.control.SetWriteDeadline(models.Ticks().Add(perWrite)) // connections of net/http support it
	if s.cut.Load() {                                            // looked at after the deadline was moved on: see end
		return 0, errRightEnded
	}
	if s.goesOn != nil && !s.goesOn() { // this server may have stood still since the last part
		s.end()
		return 0, errRightEnded
	}
	return s.ResponseWriter.Write(b)
}
