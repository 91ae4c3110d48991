package handlers

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
)

// signInData is what a program gets at its sign-in, and at each renewal.
type signInData struct {
	Token        revealed `json:"token"`         // a JWT, for half an hour
	RefreshToken revealed `json:"refresh_token"` // for one use
}

// SignInByAPI checks a password and starts a program's session.
func (h *Handlers) SignInByAPI(c echo.Context) error {
	var email, password string
	if err := accountInput(c, map[string]any{"email": &email, "password": &password}); err != nil {
		return err
	}
	if models.CleanText(email) == "" || password == "" {
		return models.Fail(models.Ambiguous, `Send the fields email and password: {"email":"…","password":"…"}.`)
	}
	guess := h.guess(c, models.EmailKey(email))
	if wait := h.Throttle.Attempt(guess); wait > 0 {
		h.refusedSignIn(c, "too_many", models.Person{Name: "an account"})
		return tooMany(retryAfter(c, wait))
	}
	seen, tokens, err := h.Store.SignInProgram(c.Request().Context(), actor(c), models.SignIn{Email: email, Password: password, Browser: c.Request().UserAgent()})
	switch models.KindOf(err) {
	case "", models.Forbidden: // of which the second is no member anywhere
		h.Throttle.Passed(guess)
	case models.Unauthorized:
		h.Throttle.Failed(guess)
		h.refusedSignIn(c, whyRefused(seen.Person), seen.Person)
		return wrongSignIn(password)
	default:
		h.Throttle.TakeBack(guess)
	}
	if err != nil {
		return err
	}
	return h.answerSignIn(c, "Successful signin", seen, tokens)
}

func wrongSignIn(password string) error {
	message := "Invalid email or password"
	if looksLikeMD5(password) {
		message += ". What was sent looks like an MD5 digest: send the password itself, over TLS."
	}
	return models.Fail(models.Unauthorized, "%s", message).Named("invalid_email_or_password")
}

// looksLikeMD5 recognises what some clients send in place of a password.
func looksLikeMD5(text string) bool {
	return len(text) == 32 && strings.Trim(text, "0123456789abcdefABCDEF") == ""
}

func (h *Handlers) answerSignIn(c echo.Context, message string, seen models.ProgramSeen, tokens store.ProgramTokens) error {
	defer tokens.Refresh.Wipe()
	now := h.Clock()
	token, err := h.Keys.SignIn(c.Request().Context(), secret.SignInClaims{
		PersonID: seen.Person.ID, WorkspaceID: seen.Workspace.ID, Random: tokens.Random, IssuedAt: now, ExpiresAt: now.Add(models.SignInTokenLife),
	})
	if err != nil {
		return err
	}
	return answered(c, message, signInData{revealed{token}, revealed{tokens.Refresh}})
}

// RenewSignIn gives a program its next tokens, perhaps in another workspace.
func (h *Handlers) RenewSignIn(c echo.Context) error {
	var email, refresh, workspace string
	if err := accountInput(c, map[string]any{"email": &email, "refresh_token": &refresh, "workspace_id": &workspace}); err != nil {
		return err
	}
	switch {
	case models.CleanText(email) == "" || refresh == "":
		return models.Fail(models.Ambiguous, "Send the fields email and refresh_token, and workspace_id to switch to another workspace.")
	case workspace == "" && strict(c):
		return models.Fail(models.Ambiguous, "With X-Strict-Mode, workspace_id must be there too. GET /user/workspaces lists yours.")
	}
	text, ok := secret.Parse(refresh)
	if !ok {
		return models.BadRefreshToken
	}
	seen, tokens, err := h.Store.RenewProgram(c.Request().Context(), actor(c), text, models.Renewal{Email: email, WorkspaceID: workspace})
	if err != nil {
		return err
	}
	return h.answerSignIn(c, "Token successfully updated", seen, tokens)
}

// strict says that a caller wants every parameter to be there.
func strict(c echo.Context) bool {
	return strings.EqualFold(c.Request().Header.Get("X-Strict-Mode"), "true")
}

// automationData is a new automation token.
type automationData struct {
	Token     revealed   `json:"token"`
	ExpiresAt *time.Time `json:"expires_at"` // null: never
}

// MintAutomation makes an automation token in the workspace that the program is in. It answers GET, as the vendor's guide has it, but not HEAD, which
// would make one that nobody sees.
func (h *Handlers) MintAutomation(c echo.Context) error {
	if c.Request().Method == http.MethodHead {
		c.Response().Header().Set(echo.HeaderAllow, "GET, POST")
		return echo.ErrMethodNotAllowed
	}
	q, err := query(c, "expiration_period", "workspace_id")
	if err != nil {
		return err
	}
	place, several, err := h.whereIs(c)
	if err != nil {
		return err
	}
	here := visit(c).Grant.Opens
	if id := q["workspace_id"]; id != "" && id != here.WorkspaceID && id != here.Slug {
		return models.Fail(models.Forbidden, "You are in %s workspace: switch with POST /user/refresh_token first.", place).Named("wrong_workspace")
	}
	period := models.ExpirationPeriod(q["expiration_period"])
	if period == "" && !strict(c) {
		period = models.DefaultPeriod
	}
	if _, ok := period.Ends(h.Clock()); !ok {
		return models.Fail(models.Ambiguous, "Incorrect expiration period. The valid ones are %s.", models.PeriodList()).Named("incorrect_expiration_period")
	}
	made, text, err := h.Store.CreateAutomationToken(c.Request().Context(), actor(c), here.WorkspaceID, models.NewAutomationToken{Period: period}, "")
	if err != nil {
		return err
	}
	defer text.Wipe()
	message := ""
	if several && place == ownPlace { // the guide's team members forget to switch
		message = "You are in your own workspace. For a token of another one, switch with POST /user/refresh_token first."
	}
	return answered(c, message, automationData{revealed{text}, made.ExpiresAt})
}

const ownPlace, otherPlace = "your own", "another"

// whereIs says whether the workspace that a program is in is its person's own, and whether there are several that it could be in.
func (h *Handlers) whereIs(c echo.Context) (place string, several bool, err error) {
	list, _, err := h.Store.Memberships(c.Request().Context(), actor(c))
	own := slices.ContainsFunc(list, func(w models.WorkspaceSeen) bool {
		return w.ID == visit(c).Grant.Opens.WorkspaceID && w.Role == models.WorkspaceOwner
	})
	if own {
		return ownPlace, len(list) > 1, err
	}
	return otherPlace, len(list) > 1, err
}
