package handlers

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/views"
)

// Account is one's own password and sessions.
func (h *Handlers) Account(c echo.Context) error {
	return h.showAccount(c, http.StatusOK, views.Form{}, views.Form{}, views.Form{})
}

// ChangePassword sets one's own password. All sessions end; this browser gets a new one.
func (h *Handlers) ChangePassword(c echo.Context) error {
	f, err := form(c, "current_password", "new_password")
	if err != nil {
		return err
	}
	ctx, guess := c.Request().Context(), h.guessAgain(c)
	if wait := h.Throttle.Attempt(guess); wait > 0 {
		return tooMany(retryAfter(c, wait))
	}
	person, ended, err := h.Store.ChangePassword(ctx, actor(c), f["current_password"], f["new_password"])
	switch {
	case err == nil:
		h.Throttle.Passed(guess)
	case wrongPassword(err):
		h.Throttle.Failed(guess)
		h.refusedSignIn(c, "wrong_password", visit(c).Seen.Person)
	default:
		h.Throttle.TakeBack(guess)
	}
	if err != nil {
		back, status, err := refused(err, nil)
		if err != nil {
			return err
		}
		return h.showAccount(c, status, back, views.Form{}, views.Form{})
	}
	text, err := h.Store.StartSession(ctx, actor(c), person, c.Request().UserAgent())
	if err != nil {
		return err
	}
	if err := h.Sessions.Start(c.Request(), c.Response(), text); err != nil {
		return err
	}
	h.remember(c, person.EmailKey)
	said := "Your password is changed. Every other session is signed out."
	if ended > 0 {
		said += " " + plainly(ended, "automation token of a workspace that you own has", "automation tokens of workspaces that you own have") + " ended."
	}
	return h.done(c, "/account", "", said)
}

// EndSession ends one of one's own sessions.
func (h *Handlers) EndSession(c echo.Context) error {
	f, err := form(c, "current_password")
	if err != nil {
		return err
	}
	id := c.Param("id")
	if id == actor(c).SessionID {
		return h.SignOut(c)
	}
	if err = h.confirmed(c, f["current_password"]); err == nil {
		err = h.Store.EndSession(c.Request().Context(), actor(c), id)
	}
	if err == nil {
		return h.done(c, "/account", "", "That session is over.")
	}
	back, status, err := refused(err, nil)
	if err != nil {
		return err
	}
	return h.showAccount(c, status, views.Form{}, back, views.Form{})
}

// SignOutEverywhere ends all of one's own sessions, this one too.
func (h *Handlers) SignOutEverywhere(c echo.Context) error {
	f, err := form(c, "current_password")
	if err != nil {
		return err
	}
	if err = h.confirmed(c, f["current_password"]); err == nil {
		_, err = h.Store.SignOutEverywhere(c.Request().Context(), actor(c), actor(c).ID)
	}
	if err == nil {
		h.leave(c)
		return seeOther(c, "/signin?out=1")
	}
	back, status, err := refused(err, nil)
	if err != nil {
		return err
	}
	return h.showAccount(c, status, views.Form{}, back, views.Form{})
}

func (h *Handlers) showAccount(c echo.Context, status int, password, signOut, zone views.Form) error {
	now, me := h.Clock(), visit(c)
	sessions, err := h.Store.Sessions(c.Request().Context(), me.Actor, me.Actor.ID)
	if err != nil {
		return err
	}
	workspaces, err := h.Store.SessionWorkspaces(c.Request().Context(), sessions)
	if err != nil {
		return err
	}
	ends, err := h.Store.CountOwnedAutomation(c.Request().Context(), me.Actor)
	if err != nil {
		return err
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	security := views.Security{PasswordChanged: day(me.Seen.Person.PasswordChangedAt, now), Password: password, SignOut: signOut, AskPassword: h.askPassword(c)}
	security.Zone, security.Zones = zone, zones
	security.ZoneNow = me.Seen.Person.Zone().String()
	security.Now = now.In(me.Seen.Person.Zone()).Format("15:04")
	if ends > 0 {
		security.Ends = atMost(ends, "automation token", "automation tokens")
	}
	for _, s := range sessions {
		security.Sessions = append(security.Sessions, views.SessionRow{
			ID: s.ID, Agent: agent(s), Workspace: workspaces[s.WorkspaceID], Address: s.Address, Started: moment(s.CreatedAt, now), LastActive: moment(s.SeenAt, now),
			Current: s.ID == me.Actor.SessionID,
		})
	}
	return show(c, status, views.Account(page, security))
}

// Theme keeps the choice of light or dark in a cookie of its own; it is no secret and needs no row.
func (h *Handlers) Theme(c echo.Context) error {
	f, err := form(c, "theme")
	if err != nil {
		return err
	}
	cookie := &http.Cookie{Name: h.themeCookie(), Value: f["theme"], Path: "/", MaxAge: 365 * 24 * 3600, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: h.behindTLS()}
	switch f["theme"] {
	case "light", "dark":
	case "system":
		cookie.Value, cookie.MaxAge = "", -1
	default:
		return models.Fail(models.Ambiguous, "The theme is one of system, light and dark.")
	}
	c.SetCookie(cookie)
	return seeOther(c, back(c))
}

// themeCookie is bound to the host by its name where it can be, like every cookie here (security rule S6).
func (h *Handlers) themeCookie() string {
	if h.behindTLS() {
		return "__Host-theme"
	}
	return "theme"
}

func (h *Handlers) behindTLS() bool { return strings.HasPrefix(h.BaseURL, "https://") }

// back is the page of this console that a form was sent from, or the overview.
func back(c echo.Context) string {
	from, err := url.Parse(c.Request().Referer())
	if err != nil || from.Host != c.Request().Host {
		return "/"
	}
	return local(from.RequestURI())
}

// waitFirst tells whoever tried too often for how long to wait.
func waitFirst(seconds int) string {
	return "Too many attempts. Wait " + plainly(seconds, "second", "seconds") + ", then try again."
}

func tooMany(seconds int) error {
	e := models.Fail(models.TooMany, "%s", waitFirst(seconds))
	e.RetryAfterSeconds = seconds
	return e
}

// wrongPassword says whether the only thing wrong is the current password.
func wrongPassword(err error) bool {
	form, _, rest := refused(err, nil)
	return err != nil && rest == nil && len(form.Errors) == 1 && form.Errors[0].Name == "current_password"
}

// agent names what is signed in.
func agent(s models.Session) string {
	if s.Kind != models.OfProgram {
		return browser(s.Browser)
	}
	if name, _, _ := strings.Cut(s.Browser, "/"); name != "" {
		return "Program (" + models.Shorten(name, 40) + ")"
	}
	return "Program"
}

// browser names a browser and its system from the User-Agent field, for people to recognise.
func browser(agent string) string {
	name := first(agent, "Edg/", "Edge", "OPR/", "Opera", "Firefox/", "Firefox", "Chrome/", "Chrome", "Safari/", "Safari", "curl/", "curl")
	system := first(agent, "Android", "Android", "iPhone", "iPhone", "iPad", "iPad", "Windows", "Windows", "Macintosh", "macOS", "CrOS", "ChromeOS", "Linux", "Linux")
	switch {
	case name != "" && system != "":
		return name + " on " + system
	case name+system != "":
		return name + system
	}
	return "Unknown browser"
}

// first answers the name that goes with the first mark that the text has.
func first(text string, marksAndNames ...string) string {
	for i := 0; i < len(marksAndNames); i += 2 {
		if strings.Contains(text, marksAndNames[i]) {
			return marksAndNames[i+1]
		}
	}
	return ""
}
