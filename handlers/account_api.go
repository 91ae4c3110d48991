package handlers

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/secret"
	"tokendesk/models/store"
)

// signInData is what a program gets at its sign-in, and at each renewal.
type signInData struct {
	Token        Revealed `json:"token"`         // a JWT, for half an hour
	RefreshToken Revealed `json:"refresh_token"` // for one use
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
	case "":
		h.Throttle.Passed(guess)
	case models.Forbidden: // the password is right, and they are no member anywhere
		h.Throttle.Passed(guess)
		known(c, seen.Person)
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
	return answered(c, message, signInData{Revealed{token}, Revealed{tokens.Refresh}})
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
	seen, tokens, err := h.Store.RenewProgram(c.Request().Context(), actor(c), text, models.Renewal{Email: email, WorkspaceID: workspace, Allow: h.mayRenew(c.Request().Context())})
	switch {
	case models.KindOf(err) == models.Forbidden:
		known(c, seen.Person)
	case err != nil && seen.Person.ID != "": // it is good, and came with another email address
		h.refusedSignIn(c, "other_address", seen.Person)
	}
	if err != nil {
		return err
	}
	return h.answerSignIn(c, "Token successfully updated", seen, tokens)
}

// mayRenew counts a renewal with the calls of the sign-in tokens.
func (h *Handlers) mayRenew(ctx context.Context) func(models.ProgramSeen) error {
	return func(seen models.ProgramSeen) error {
		limit := h.Gate.CountSignedIn(ctx, seen.Person.ID, seen.Workspace.Workspace)
		if limit.Passed {
			return nil
		}
		e := models.Fail(models.TooMany, "Too many requests. All sign-in tokens of a person in a workspace together may make %d calls a minute.", limit.Quota).Named(string(access.RateLimited))
		e.RetryAfterSeconds = access.Seconds(limit.Wait)
		return e
	}
}

// known says who a call came from that is refused, for the audit log.
func known(c echo.Context, person models.Person) {
	v := visit(c)
	v.Actor.Kind, v.Actor.ID, v.Actor.Name, v.Actor.Role = models.Program, person.ID, person.Name, person.Role
	Admit(c, v)
}

// strict says that a caller wants every parameter to be there.
func strict(c echo.Context) bool {
	return strings.EqualFold(c.Request().Header.Get("X-Strict-Mode"), "true")
}

// automationData is a new automation token.
type automationData struct {
	Token     Revealed   `json:"token"`
	ExpiresAt *time.Time `json:"expires_at"` // null: never
}

// MintAutomation makes an automation token in the workspace that the program is in. It answers GET, as the vendor's guide has it, but not HEAD, which
// would make one that nobody sees.
func (h *Handlers) MintAutomation(c echo.Context) error {
	if c.Request().Method == http.MethodHead {
		c.Response().Header().Set(echo.HeaderAllow, "GET, POST")
		return echo.ErrMethodNotAllowed
	}
	asked, err := mintInput(c)
	if err != nil {
		return err
	}
	place, several, err := h.whereIs(c)
	if err != nil {
		return err
	}
	here, named := visit(c).Grant.Opens, asked["workspace_id"]
	if named != "" && named != here.WorkspaceID && named != here.Slug {
		return models.Fail(models.Forbidden, "You are in %s workspace: switch with POST /user/refresh_token first.", place).Named("wrong_workspace")
	}
	period := models.ExpirationPeriod(asked["expiration_period"])
	if period == "" && !strict(c) {
		period = models.DefaultPeriod
	}
	if _, ok := period.Ends(h.Clock()); !ok {
		problem := "Incorrect expiration period."
		if period == "" {
			problem += " With X-Strict-Mode, it must be there."
		}
		return models.Fail(models.Ambiguous, "%s The valid ones are %s.", problem, models.PeriodList()).Named("incorrect_expiration_period")
	}
	made, text, err := h.Store.CreateAutomationToken(c.Request().Context(), actor(c), here.WorkspaceID, models.NewAutomationToken{Name: asked["name"], Period: period}, "")
	if err != nil {
		return err
	}
	defer text.Wipe()
	message := ""
	if named == "" && several && place == ownPlace { // the guide's team members forget to switch
		message = "You are in your own workspace. For a token of another one, switch with POST /user/refresh_token first."
	}
	return answered(c, message, automationData{Revealed{text}, made.ExpiresAt})
}

// mintInput reads what a new automation token is to be: parameters of the address, or fields of a body.
func mintInput(c echo.Context) (map[string]string, error) {
	names := []string{"expiration_period", "workspace_id", "name"}
	asked, err := query(c, names...)
	if err != nil {
		return nil, err
	}
	if err := noParameters(c, names...); err != nil {
		return nil, err
	}
	var period, workspace, name string
	if err := bodyFields(c, map[string]any{"expiration_period": &period, "workspace_id": &workspace, "name": &name}); err != nil {
		return nil, err
	}
	sent := map[string]string{"expiration_period": period, "workspace_id": workspace, "name": name}
	for name, value := range sent {
		if value != "" && asked[name] != "" && asked[name] != value {
			return nil, models.Fail(models.Ambiguous, "%s was sent twice, and does not say the same. Send it once.", name)
		}
		if value != "" {
			asked[name] = value
		}
	}
	return asked, nil
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
