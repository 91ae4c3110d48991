package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/static"
)

// Health says that the process is there.
func (h *Handlers) Health(c echo.Context) error { return c.String(http.StatusOK, "ok\n") }

// Ready says whether calls can be answered as they should be: the database is there, and this server may answer from memory. One that may not is
// fenced: it asks the database at each call, and is no use to whoever has another one.
func (h *Handlers) Ready(c echo.Context) error {
	if err := h.Store.Ping(c.Request().Context()); err != nil {
		return c.String(http.StatusServiceUnavailable, "the database does not answer\n")
	}
	switch now := h.Replica.Standing(); {
	case !now.Hears:
		return c.String(http.StatusServiceUnavailable, "fenced: this server does not know what has changed\n")
	case now.Lease <= 0:
		return c.String(http.StatusServiceUnavailable, "fenced: this server may not answer from memory\n")
	}
	return c.String(http.StatusOK, "ok\n")
}

// Static serves style, script, icons and fonts. A name with a content hash may be kept for ever.
func (h *Handlers) Static(c echo.Context) error {
	name, hashed, ok := static.Lookup(c.Param("*"))
	if !ok {
		return models.Fail(models.NotFound, "There is no such file.")
	}
	body, kind := static.Read(name)
	keep := "no-cache"
	if hashed {
		keep = "public, max-age=31536000, immutable"
	}
	c.Response().Header().Set(echo.HeaderCacheControl, keep)
	return c.Blob(http.StatusOK, kind, body)
}
