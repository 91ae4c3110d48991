package handlers

import (
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/views"
)

// SignInPage is the way in. Whoever is in already goes on.
func (h *Handlers) SignInPage(c echo.Context) error {
	q, err := query(c, "next", "out")
	if err != nil {
		return err
	}
	_, in, err := h.Sessions.Current(c.Request())
	if err != nil {
		return err
	}
	if in {
		return seeOther(c, local(q["next"]))
	}
	p := h.Outside(c)
	if done, err := h.Store.HasAdmin(c.Request().Context()); err == nil && !done {
		p.Note = &views.Note{Kind: "warn", Text: "This console is not set up yet. Open the address that the server printed when it started."}
	}
	if q["out"] != "" {
		p.Note = &views.Note{Kind: "ok", Text: "You are signed out."}
	}
	return show(c, http.StatusOK, views.SignIn(p, views.SignInForm{Next: local(q["next"])}))
}

// SignIn checks a password and starts a session.
func (h *Handlers) SignIn(c echo.Context) error {
	f, err := form(c, "email", "password", "next")
	if err != nil {
		return err
	}
	again := views.SignInForm{Next: local(f["next"]), Form: views.Form{Values: without(f, passwords...)}}
	var missing models.Problems
	missing.Add(models.CleanText(f["email"]) == "", "email", "Enter your email address.")
	missing.Add(f["password"] == "", "password", "Enter your password.")
	if len(missing) > 0 {
		again.Form.Errors = missing
		return show(c, http.StatusUnprocessableEntity, views.SignIn(h.Outside(c), again))
	}
	before, _, err := h.Sessions.Current(c.Request())
	if err != nil {
		return err
	}
	guess := h.guess(c, models.EmailKey(f["email"]))
	if wait := h.Throttle.Attempt(guess); wait > 0 {
		h.refusedSignIn(c, "too_many", models.Person{Name: "an account"})
		again.WaitSeconds = retryAfter(c, wait)
		return show(c, http.StatusTooManyRequests, views.SignIn(h.Outside(c), again))
	}
	text, person, err := h.Store.SignIn(c.Request().Context(), actor(c), models.SignIn{
		Email: f["email"], Password: f["password"], Browser: c.Request().UserAgent(), Before: before.Session.ID, Familiar: guess.Familiar(),
	})
	if models.KindOf(err) == models.Unauthorized {
		h.Throttle.Failed(guess)
		h.refusedSignIn(c, whyRefused(person), person)
		again.Form.Errors = []models.Field{{Name: "password", Message: store.BadSignIn}}
		return show(c, http.StatusUnprocessableEntity, views.SignIn(h.Outside(c), again))
	}
	if err != nil {
		h.Throttle.TakeBack(guess)
		return err
	}
	h.Throttle.Passed(guess)
	if err := h.Sessions.Start(c.Request(), c.Response(), text); err != nil {
		return err
	}
	h.remember(c, person.EmailKey)
	return seeOther(c, again.Next)
}

// whyRefused says for the log, and never for the answer, why a sign-in was refused.
func whyRefused(person models.Person) string {
	switch {
	case person.ID == "":
		return "unknown_address"
	case !person.Active():
		return "deactivated"
	}
	return "wrong_password"
}

// SignOut ends this session. It also has the browser drop what it keeps of this console.
func (h *Handlers) SignOut(c echo.Context) error {
	seen, in, err := h.Sessions.Current(c.Request())
	if err != nil {
		return err
	}
	if in {
		who := visit(c).Actor
		who.Kind, who.ID, who.Name, who.Role, who.SessionID = models.Human, seen.Person.ID, seen.Person.Name, seen.Person.Role, seen.Session.ID
		err = h.Store.EndSession(c.Request().Context(), who, seen.Session.ID)
		if kind := models.KindOf(err); err != nil && kind != models.NotFound && kind != models.Unauthorized { // an ended one is what was asked for
			h.leave(c)
			return models.Fail(models.Unavailable, "This browser is signed out, but the server could not end the session. Sign in again later, and end it under Account.").Because(err)
		}
	}
	h.leave(c)
	return seeOther(c, "/signin?out=1")
}

// leave takes the session from this browser (security rule W6).
func (h *Handlers) leave(c echo.Context) {
	h.Sessions.End(c.Request(), c.Response())
	c.SetCookie(h.workspaceCookie("", -1))
	c.Response().Header().Set("Clear-Site-Data", `"cache", "storage"`)
}

// confirmed insists that the password was checked a short while ago (security rule S5). When it was
// not, the form must bring it; the check renews the session's secret. Without it, or with a wrong
// one, the answer is models.Invalid for the field current_password.
func (h *Handlers) confirmed(c echo.Context, password string) error {
	v := visit(c)
	if v.Seen.Session.Recent(h.Clock()) {
		return nil
	}
	var p models.Problems
	p.Add(password == "", "current_password", "Enter your password: it was last checked more than 15 minutes ago.")
	if err := p.Err(); err != nil {
		return err
	}
	guess := h.guessAgain(c)
	if wait := h.Throttle.Attempt(guess); wait > 0 {
		p.Add(true, "current_password", waitFirst(retryAfter(c, wait)))
		return p.Err()
	}
	text, err := h.Store.ConfirmSession(c.Request().Context(), v.Actor, password)
	switch models.KindOf(err) {
	case "":
		h.Throttle.Passed(guess)
	case models.Invalid: // the wrong password
		h.Throttle.Failed(guess)
		h.refusedSignIn(c, "wrong_password", v.Seen.Person)
		return err
	default:
		h.Throttle.TakeBack(guess)
		return err
	}
	v.Seen.Session.ConfirmedAt = h.Clock()
	Admit(c, v)
	return h.Sessions.Start(c.Request(), c.Response(), text)
}

// askPassword says whether forms that matter must ask for the password.
func (h *Handlers) askPassword(c echo.Context) bool {
	return !visit(c).Seen.Session.Recent(h.Clock())
}

// retryAfter tells programs how long to wait, and answers whole seconds for people.
func retryAfter(c echo.Context, wait time.Duration) int {
	seconds := int((wait + time.Second - 1) / time.Second)
	c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(seconds))
	return seconds
}
