package handlers

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/secret"
)

// largestTokenForm is how many bytes the form of a token may have.
const largestTokenForm = 16 << 10

// ReadTokenForm reads the token from the body of a request to an address of OAuth. What is wrong is models.Ambiguous or models.TooLarge, with a
// sentence that an error_description may be.
func ReadTokenForm(w http.ResponseWriter, r *http.Request) (string, error) {
	kind := r.Header.Get("Content-Type")
	if kind != echo.MIMEApplicationForm {
		kind, _, _ = mime.ParseMediaType(kind)
	}
	switch {
	case r.URL.RawQuery != "":
		return "", models.Fail(models.Ambiguous, "Nothing stands in the address of this call: addresses are written down on the way. If a credential stood there, replace it.")
	case kind != echo.MIMEApplicationForm:
		return "", models.Fail(models.Ambiguous, "Send token=... as application/x-www-form-urlencoded.")
	}
	body, err := readAll(w, r)
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return "", models.Fail(models.TooLarge, "The body is larger than 16 KiB. No credential has as much.")
	}
	if err != nil {
		return "", models.Fail(models.Ambiguous, "The body could not be read to its end. Send it again.")
	}
	token, problem := TokenOf(string(body))
	clear(body)
	if problem != "" {
		return "", models.Fail(models.Ambiguous, "%s", problem)
	}
	return token, nil
}

// readAll reads a body; one that says how long it is, and that is not too long, in one piece.
func readAll(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength < 0 || r.ContentLength > largestTokenForm {
		return io.ReadAll(http.MaxBytesReader(w, r.Body, largestTokenForm))
	}
	body := make([]byte, r.ContentLength)
	_, err := io.ReadFull(r.Body, body)
	return body, err
}

// OAuthError is an error as RFC 6749 has it (section 5.2), with two members of ours.
type OAuthError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
	Code        string `json:"code"` // the stable name of the verdict, as in problem documents
	RequestID   string `json:"request_id"`
}

// RefusedClient is a client that is not let in.
type RefusedClient struct{ access.Decision }

func (r *RefusedClient) Error() string { return string(r.Code) + " at " + r.Check }
func (r *RefusedClient) Unwrap() error { return r.Cause }

// RevokeByProtocol ends a credential for whoever holds all of it (RFC 7009), a sign-in token or refresh token with its sign-in. The answer is the
// same for what was alive, is over, or never was. Who does not authenticate is bounded like who reports what was leaked, so that it is no scanner;
// who does, and is not let in, ends nothing.
func (h *Handlers) RevokeByProtocol(c echo.Context) error {
	r, who := c.Request(), actor(c)
	if carriesCredential(r.Header) {
		d := h.Client(r.Context(), r.Header, c.RealIP(), false)
		if !d.Allowed() {
			return &RefusedClient{d}
		}
		who = d.Actor(c.RealIP(), RequestID(c))
	} else if wait := h.Reports.Call(c.RealIP()); wait > 0 {
		return tooMany(retryAfter(c, wait))
	}
	token, err := ReadTokenForm(c.Response(), r)
	if err != nil {
		return err
	}
	if who.Kind == models.Guest {
		if wait := h.Reports.Show(c.RealIP(), 1); wait > 0 {
			return tooMany(retryAfter(c, wait))
		}
	}
	if err := h.revokeHeld(r.Context(), who, token); err != nil {
		return err
	}
	return c.NoContent(http.StatusOK)
}

func carriesCredential(h http.Header) bool {
	return len(h["Authorization"]) > 0 || len(h["X-Api-Key"]) > 0 || len(h["X-Api-Token"]) > 0
}

func (h *Handlers) revokeHeld(ctx context.Context, who models.Actor, token string) error {
	if text, ok := secret.Parse(token); ok {
		_, err := h.Store.RevokeHeld(ctx, who, text)
		return err
	}
	if !secret.LooksLikeJWT(token) {
		return nil
	}
	claims, ok, err := h.Keys.ParseNow(ctx, secret.Text(token))
	if err == nil && ok {
		_, err = h.Store.EndHeldSignIn(ctx, who, claims.Hash())
	}
	return err
}
