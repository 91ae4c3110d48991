package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/views"
)

// SetupPage asks for the first Admin and the first workspace, with the code that the server printed.
// After the first use there is no such page.
func (h *Handlers) SetupPage(c echo.Context) error {
	q, err := query(c, "code")
	if err != nil {
		return err
	}
	open, err := h.setupOpen(c, q["code"])
	if err != nil {
		return err
	}
	if !open {
		return show(c, http.StatusForbidden, views.SetupClosed(h.Outside(c)))
	}
	return show(c, http.StatusOK, views.Setup(h.Outside(c), q["code"], views.Form{}))
}

func (h *Handlers) setupOpen(c echo.Context, code string) (bool, error) {
	done, err := h.Store.HasAdmin(c.Request().Context())
	if err != nil {
		return false, err
	}
	if done {
		return false, models.Fail(models.NotFound, "This console is set up already.")
	}
	return h.Store.SetupOpen(c.Request().Context(), code)
}

// SetUp makes the first Admin and the first workspace, and signs in.
func (h *Handlers) SetUp(c echo.Context) error {
	f, err := form(c, "code", "name", "email", "password", "workspace")
	if err != nil {
		return err
	}
	// The code is asked before a password is hashed: a stranger without it costs next to nothing.
	open, err := h.setupOpen(c, f["code"])
	if err != nil {
		return err
	}
	if !open {
		return show(c, http.StatusForbidden, views.SetupClosed(h.Outside(c)))
	}
	ctx := c.Request().Context()
	want := models.NewPerson{Name: f["name"], Email: f["email"], Password: f["password"]}
	person, _, err := h.Store.SetUp(ctx, actor(c), f["code"], want, models.NewWorkspace{Name: f["workspace"]})
	if models.KindOf(err) == models.Forbidden {
		return show(c, http.StatusForbidden, views.SetupClosed(h.Outside(c)))
	}
	if err != nil {
		back, status, err := refused(err, without(f, passwords...))
		if err != nil {
			return err
		}
		return show(c, status, views.Setup(h.Outside(c), f["code"], back))
	}
	text, err := h.Store.StartSession(ctx, actor(c), person, c.Request().UserAgent())
	if err != nil {
		return err
	}
	if err := h.Sessions.Start(c.Request(), c.Response(), text); err != nil {
		return err
	}
	h.remember(c, person.EmailKey)
	return seeOther(c, "/")
}
