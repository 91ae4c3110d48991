package handlers

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/models/access"
)

// guess is an attempt to sign in to an account from this browser. A device cookie that is forged, too
// old, of another account or there twice is as if there were none; so is one from before the password was
// changed, or whoever knew the old one would have as many devices to guess the new one as they had made.
func (h *Handlers) guess(c echo.Context, account string) access.Guess {
	g := access.Guess{Account: account, Address: c.RealIP()}
	sent := c.Request().CookiesNamed(h.deviceCookie())
	if len(sent) != 1 {
		return g
	}
	device, made := access.KnownDevice(h.Key, account, sent[0].Value, h.Clock)
	if device == "" {
		return g
	}
	changed, err := h.Store.PasswordChanged(c.Request().Context(), account)
	if err == nil && !made.Before(changed.Truncate(time.Second)) {
		g.Device = device
	} // where nobody can tell, the sign-in will not succeed either
	return g
}

// guessAgain is an attempt of whoever is signed in at their own password. It counts with what is tried at the
// sign-in page of this browser; where that is a stranger, the session itself is as good as a device.
func (h *Handlers) guessAgain(c echo.Context) access.Guess {
	seen := visit(c).Seen
	g := h.guess(c, seen.Person.EmailKey)
	if !g.Familiar() {
		g.Device = seen.Session.ID
	}
	return g
}

// remember makes this browser familiar to the account that was just signed in to, and to no other: it
// keeps one device cookie. The cookie outlives the session and opens nothing.
func (h *Handlers) remember(c echo.Context, account string) {
	c.SetCookie(&http.Cookie{
		Name: h.deviceCookie(), Value: access.NewDevice(h.Key, account, h.Clock), Path: "/", MaxAge: int(access.DeviceLife / time.Second),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: h.behindTLS(),
	})
}

// deviceCookie is the cookie's name. Behind TLS it is bound to the host and to TLS by it, as a session's is.
func (h *Handlers) deviceCookie() string {
	if h.behindTLS() {
		return "__Host-device"
	}
	return "device"
}
