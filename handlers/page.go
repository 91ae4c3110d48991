package handlers

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/views"
)

// show draws the page to memory and then sends it, so that a page that cannot be drawn is an error
// and not half a page.
func show(c echo.Context, status int, page templ.Component) error {
	var b bytes.Buffer
	if err := page.Render(c.Request().Context(), &b); err != nil {
		return err
	}
	return c.HTMLBlob(status, b.Bytes())
}

// page gathers what every page has around its content.
func (h *Handlers) page(c echo.Context) (views.Page, error) {
	p := h.Outside(c)
	seen := visit(c).Seen
	if seen.Person.ID == "" {
		return p, nil
	}
	me := seen.Person
	p.Me = &views.Me{ID: me.ID, Name: me.Name, Email: me.Email, Initials: initials(me.Name), Role: string(me.Role), IsAdmin: me.Role == models.Admin}
	if err := h.workspaces(c, &p); err != nil {
		return p, err
	}
	note, err := h.Sessions.Take(c.Request(), c.Response())
	if err != nil {
		h.Log.LogAttrs(c.Request().Context(), slog.LevelWarn, "the note could not be read", slog.String("request_id", p.RequestID), slog.Any("error", err))
	}
	if note != nil {
		p.Note = &views.Note{Kind: note.Kind, Lead: note.Lead, Text: note.Text}
	}
	return p, nil
}

// workspaces adds the first of those that the reader may open, and the one that the page is about.
func (h *Handlers) workspaces(c echo.Context, p *views.Page) error {
	ctx, who, here := c.Request().Context(), actor(c), c.Param("workspace")
	last := h.lastWorkspace(c)
	list, err := h.Store.Workspaces(ctx, who, models.Place{})
	if err != nil {
		return err
	}
	if p.More = len(list) > models.PageSize; p.More {
		list = list[:models.PageSize]
	}
	is := func(w models.WorkspaceSeen) bool { return w.Slug == here || w.ID == here }
	if here != "" && !slices.ContainsFunc(list, is) {
		w, err := h.Store.Workspace(ctx, who, here)
		if err != nil {
			return err
		}
		list = append([]models.WorkspaceSeen{w}, list...)
	} else if here == "" && last != "" && !slices.ContainsFunc(list, func(w models.WorkspaceSeen) bool { return w.ID == last }) {
		w, err := h.Store.Workspace(ctx, who, last)
		if err == nil {
			list = append([]models.WorkspaceSeen{w}, list...)
		} else if models.KindOf(err) != models.NotFound { // it is gone, or it is not theirs any more
			return err
		}
	}
	for _, w := range list {
		link := h.workspaceLink(c, w.Workspace)
		link.MayAudit, link.MayTokens = who.MayReadWorkspaceAudit(w.Role), who.MayManageTokens(w.Role)
		p.Workspaces = append(p.Workspaces, link)
		if p.Workspace == nil || is(w) || here == "" && w.ID == last {
			p.Workspace = &link
		}
		if is(w) && w.ID != last {
			c.SetCookie(h.workspaceCookie(w.ID, 365*24*3600))
		}
	}
	return nil
}

// lastWorkspace is the ID of the workspace that this browser was in last, for the pages that are in none. It comes from outside, and opens
// nothing.
func (h *Handlers) lastWorkspace(c echo.Context) string {
	if cookie, err := c.Cookie(h.workspaceCookie("", 0).Name); err == nil && models.ValidID(cookie.Value) {
		return cookie.Value
	}
	return ""
}

// workspaceCookie is bound to the host by its name where it can be, like every cookie here (security rule S6).
func (h *Handlers) workspaceCookie(id string, seconds int) *http.Cookie {
	cookie := &http.Cookie{Name: "workspace", Value: id, Path: "/", MaxAge: seconds, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: h.behindTLS()}
	if h.behindTLS() {
		cookie.Name = "__Host-workspace"
	}
	return cookie
}

// Outside is the page around what a stranger sees, and around an error. It asks no database.
func (h *Handlers) Outside(c echo.Context) views.Page {
	p := views.Page{Address: h.address(c), Version: h.Version, RequestID: RequestID(c)}
	if theme, err := c.Cookie(h.themeCookie()); err == nil && (theme.Value == "light" || theme.Value == "dark") {
		p.Theme = theme.Value
	}
	return p
}

func (h *Handlers) workspaceLink(c echo.Context, w models.Workspace) views.WorkspaceLink {
	_, host, _ := strings.Cut(h.address(c), "://")
	return views.WorkspaceLink{Name: w.Name, Slug: w.Slug, Initials: initials(w.Name), Host: host}
}

// Page is what every page has around its content.
func (h *Handlers) Page(c echo.Context) (views.Page, error) { return h.page(c) }

// Show answers with a page.
func Show(c echo.Context, page templ.Component) error { return show(c, http.StatusOK, page) }

// Address is where this installation is reached.
func (h *Handlers) Address(c echo.Context) string { return h.address(c) }

// address is where this installation is reached, for commands to copy.
func (h *Handlers) address(c echo.Context) string {
	if h.BaseURL != "" {
		return h.BaseURL
	}
	host := c.Request().Host
	if !plainHost.MatchString(host) { // it comes from outside, and is shown in commands that people run
		host = "localhost"
	}
	if c.Request().TLS != nil {
		return "https://" + host
	}
	return "http://" + host
}

var plainHost = regexp.MustCompile(`^([0-9A-Za-z.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)

// initials are the first letters of the first and the last word.
func initials(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) == 0 {
		return "?"
	}
	first := []rune(words[0])[:1]
	if len(words) > 1 {
		first = append(first, []rune(words[len(words)-1])[0])
	}
	return strings.ToUpper(string(first))
}

// refused makes what a model said of an input the errors of a form, with the status that fits. Other
// errors are not for a form, and come back.
func refused(err error, values map[string]string) (views.Form, int, error) {
	var e *models.Error
	if !errors.As(err, &e) {
		return views.Form{}, 0, err
	}
	form := views.Form{Values: values, Errors: e.Fields}
	switch e.Kind {
	case models.Invalid:
		if len(form.Errors) == 0 {
			form.Errors = []models.Field{{Message: e.Message}}
		}
		return form, http.StatusUnprocessableEntity, nil
	case models.Conflict:
		form.Errors = []models.Field{{Message: e.Message}}
		return form, http.StatusConflict, nil
	}
	return form, 0, err
}
