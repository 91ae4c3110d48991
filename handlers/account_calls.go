package handlers

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
)

// workspacesData are the workspaces of a person.
type workspacesData struct {
	TotalCount int             `json:"total_count"`
	Workspaces []workspaceData `json:"workspaces"`
}

type workspaceData struct {
	Name        string `json:"name"`
	Role        string `json:"role"` // owner, admin or member
	WorkspaceID string `json:"workspace_id"`
}

// MyWorkspaces lists the workspaces that the caller is a member of, as many as a page has, and tells how many there are.
func (h *Handlers) MyWorkspaces(c echo.Context) error {
	if err := noParameters(c); err != nil {
		return err
	}
	list, total, err := h.Store.Memberships(c.Request().Context(), actor(c))
	if err != nil {
		return err
	}
	data := workspacesData{TotalCount: total, Workspaces: make([]workspaceData, len(list))}
	for i, w := range list {
		data.Workspaces[i] = workspaceData{w.Name, strings.ToLower(string(w.Role)), w.ID}
	}
	return answered(c, "", data)
}

// restrictionsData is what the class of a token may do.
type restrictionsData struct {
	WorkspaceID string      `json:"workspace_id"`
	RateLimit   []rateLimit `json:"ratelimit"`
}

type rateLimit struct {
	LimitSize  int    `json:"limit_size"` // calls in the window
	Operation  string `json:"operation"`
	WindowSize string `json:"window_size"`
}

// Restrictions tells the limits of the kind of token that asks.
func (h *Handlers) Restrictions(c echo.Context) error {
	if err := noParameters(c); err != nil {
		return err
	}
	opens := visit(c).Grant.Opens
	return answered(c, "", restrictionsData{opens.WorkspaceID, []rateLimit{{opens.CallsAMinute, "all", "60s"}}})
}

// RevokeMine ends tokens of the caller's own: the one that is sent; or those in the workspace that the caller is in, of one kind or of both.
func (h *Handlers) RevokeMine(c echo.Context) error {
	var token string
	var automation *bool
	if err := accountInput(c, map[string]any{"token": &token, "is_automation": &automation}); err != nil {
		return err
	}
	var err error
	if token != "" && automation != nil {
		return models.Fail(models.Ambiguous, "Send token or is_automation, and not both: a token says itself what it is.")
	}
	if token != "" {
		err = h.revokeOneOfMine(c, token)
	} else {
		err = h.Store.EndMine(c.Request().Context(), actor(c), visit(c).Grant.Opens.WorkspaceID, automation == nil || !*automation, automation == nil || *automation)
	}
	if err != nil {
		return err
	}
	return answered(c, "Tokens successfully revoked", nil)
}

// revokeOneOfMine ends an automation token, or the sign-in that a sign-in token or a refresh token is of. One that ends nothing is not told as one that did.
func (h *Handlers) revokeOneOfMine(c echo.Context, token string) error {
	ctx, who := c.Request().Context(), actor(c)
	text, ok := secret.Parse(token)
	var err error
	switch {
	case ok && strings.HasPrefix(token, store.RefreshPrefix+"_"):
		err = h.Store.EndProgramOf(ctx, who, text.Hash())
	case ok:
		err = h.Store.RevokeMine(ctx, who, text.Hash())
	case !secret.LooksLikeJWT(token):
		return models.Fail(models.Ambiguous, "The field token holds no token. Send it whole, or leave it out to revoke all of yours in this workspace.")
	default:
		var claims secret.SignInClaims
		if claims, ok, err = h.Keys.ParseNow(ctx, secret.Text(token)); err == nil && !ok {
			return noSuchToken
		}
		if err == nil {
			err = h.Store.EndProgram(ctx, who, claims.Hash())
		}
	}
	if models.KindOf(err) == models.NotFound {
		return noSuchToken
	}
	return err
}

var noSuchToken = models.Fail(models.NotFound, "Nothing was revoked: you have no token like that one, or it has expired, or a newer one took its place. Leave the field token out to revoke all of yours in this workspace.")

// ChangePasswordByAPI sets the caller's own password. Every sign-in of theirs ends, this one too.
func (h *Handlers) ChangePasswordByAPI(c echo.Context) error {
	var current, next string
	if err := accountInput(c, map[string]any{"password": &current, "new_password": &next}); err != nil {
		return err
	}
	switch {
	case current == "" || next == "":
		return models.Fail(models.Ambiguous, "Send the fields password, which is the current one, and new_password.")
	case looksLikeMD5(next):
		return models.Fail(models.Invalid, "The new password looks like an MD5 digest. Send the password itself, over TLS.")
	}
	person := visit(c).Grant.Owner
	guess := h.guess(c, person.EmailKey)
	guess.Device = actor(c).SessionID // whoever has signed in is no stranger
	if wait := h.Throttle.Attempt(guess); wait > 0 {
		h.refusedSignIn(c, "too_many", person)
		return tooMany(retryAfter(c, wait))
	}
	_, _, err := h.Store.ChangePassword(c.Request().Context(), actor(c), current, next)
	switch {
	case err == nil:
		h.Throttle.Passed(guess)
	case wrongPassword(err):
		h.Throttle.Failed(guess)
		h.refusedSignIn(c, "wrong_password", person)
	default:
		h.Throttle.TakeBack(guess)
	}
	if err != nil {
		return err
	}
	return answered(c, "Password successfully changed", nil)
}

// JWKs are the public keys that sign-in tokens are checked with, for whoever wants to check one themself (RFC 7517). That the signature is good
// does not say that the token has not been revoked.
func (h *Handlers) JWKs(c echo.Context) error {
	keys, err := h.Keys.JWKs(c.Request().Context())
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "public, max-age=300")
	c.Response().Header().Set(echo.HeaderContentType, "application/jwk-set+json")
	return c.JSON(http.StatusOK, map[string]any{"keys": keys})
}
