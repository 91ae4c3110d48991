package handlers

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/views"
)

// BearerPage asks before a bearer token is made: what it replaces, and whose rights it carries.
func (h *Handlers) BearerPage(c echo.Context) error {
	return h.showRecord(c, http.StatusOK, func(p views.Page, r views.Record) templ.Component {
		return views.PersonBearer(p, r, views.Form{})
	})
}

// CreateBearer makes the token and shows it, in this one answer and never again: no redirect, no
// cookie, no cache, no session keeps it (security.md 2.3).
func (h *Handlers) CreateBearer(c echo.Context) error {
	f, err := form(c, "form_id", "current_password")
	if err != nil {
		return err
	}
	ctx, id := c.Request().Context(), c.Param("id")
	record, err := h.Store.PersonRecord(ctx, actor(c), id)
	if err != nil {
		return err
	}
	err = h.confirmed(c, f["current_password"])
	if err != nil {
		back, status, err := refused(err, nil)
		if err != nil {
			return err
		}
		return h.showRecord(c, status, func(p views.Page, r views.Record) templ.Component { return views.PersonBearer(p, r, back) })
	}
	page, err := h.page(c) // before the token is made: what fails after that would lose it
	if err != nil {
		return err
	}
	made, text, before, err := h.Store.CreateBearerToken(ctx, actor(c), id, f["form_id"])
	var again *models.Error
	if errors.As(err, &again) && again.Kind == models.ShownAlready {
		return h.alreadyShown(c, page, record.Person, again.SubjectID)
	}
	if err != nil {
		return err
	}
	defer text.Wipe()
	return h.reveal(c, page, record, made, text, before)
}

// reveal is the one page that carries a secret.
func (h *Handlers) reveal(c echo.Context, page views.Page, record models.PersonRecord, made models.Credential, text secret.Text, before *models.Credential) error {
	ctx, now := c.Request().Context(), h.Clock()
	warn := func(what string, err error) {
		if err != nil {
			h.Log.LogAttrs(c.Request().Context(), slog.LevelWarn, what, slog.String("request_id", RequestID(c)), slog.Any("error", err))
		}
	}
	warn("the next page will not drop the one with the secret", h.Sessions.MarkRevealed(c.Request(), c.Response()))
	// The token is made: whatever fails from here on must not keep it from being shown.
	if after, err := h.Store.PersonRecord(ctx, actor(c), record.Person.ID); err == nil {
		record = after
	} else {
		warn("the record was read before the token was made", err)
	}
	r := h.record(c, record)
	v := views.Reveal{Prefix: made.Prefix, LastFour: made.Last4, Expires: moment(*made.ExpiresAt, now)}
	if before != nil {
		v.Replaced, v.Receipt = before.Prefix, Receipt(c).Said(models.RefusedBy)
	}
	return showSecret(c, text, func(place string) templ.Component {
		v.Secret = place
		return views.PersonReveal(page, r, v)
	})
}

// showSecret draws a page around a text that cannot be guessed, and sends the secret in its place. The one
// buffer that holds the secret is made here and wiped here. So that net/http does not copy it into its own,
// which nobody wipes, they are emptied first, and what is then sent in one piece is larger than they are
// (2 and 4 KiB) and needs no framing, since its length was told.
func showSecret(c echo.Context, text secret.Text, draw func(place string) templ.Component) error {
	var page bytes.Buffer
	place := secret.FormID()
	if err := draw(place).Render(c.Request().Context(), &page); err != nil {
		return err
	}
	before, after, found := bytes.Cut(page.Bytes(), []byte(place))
	if !found {
		return errors.New("the page that shows a secret has no place for it")
	}
	rest := make([]byte, len(text), len(text)+len(after)) // never grown: that would leave a copy behind
	defer clear(rest)
	copy(rest, text.Reveal())
	rest = append(rest, after...)
	header := c.Response().Header()
	header.Set("Referrer-Policy", "no-referrer")
	header.Set(echo.HeaderContentType, echo.MIMETextHTMLCharsetUTF8)
	header.Set(echo.HeaderContentLength, strconv.Itoa(len(before)+len(rest)))
	if _, err := c.Response().Write(before); err != nil {
		return err
	}
	_ = http.NewResponseController(c.Response().Writer).Flush() // where the connection is gone, the next line says so
	_, err := c.Response().Write(rest)
	return err
}

func (h *Handlers) alreadyShown(c echo.Context, page views.Page, person models.Person, made string) error {
	shown := views.Shown{RecordHref: "/people/" + person.ID, Name: person.Name}
	credential, err := h.Store.Credential(c.Request().Context(), actor(c), made)
	if err != nil {
		return err
	}
	shown.Made = moment(credential.CreatedAt, h.Clock())
	if person.Active() {
		shown.CreateHref = shown.RecordHref + "/bearer-token"
	}
	return show(c, http.StatusOK, views.AlreadyShown(page, shown))
}

// RevokePage asks before a bearer token is revoked.
func (h *Handlers) RevokePage(c echo.Context) error {
	return h.showRevoke(c, http.StatusOK, views.Form{})
}

// RevokeBearer ends a person's bearer token for good.
func (h *Handlers) RevokeBearer(c echo.Context) error {
	f, err := form(c, "reason")
	if err != nil {
		return err
	}
	id := c.Param("id")
	revoked, err := h.Store.RevokeBearerToken(c.Request().Context(), actor(c), id, models.Revocation{Reason: f["reason"]})
	switch models.KindOf(err) {
	case "":
		return h.ended(c, "/people/"+id, "", "The token "+revoked.Prefix+"... is revoked. Requests with it are now refused.")
	case models.NotFound:
		return h.showRevoke(c, http.StatusConflict, views.Form{}) // says whether the person or the token is missing
	}
	back, status, err := refused(err, f)
	if err != nil {
		return err
	}
	return h.showRevoke(c, status, back)
}

// showRevoke draws the question, where there is a token to ask about.
func (h *Handlers) showRevoke(c echo.Context, status int, f views.Form) error {
	record, err := h.Store.PersonRecord(c.Request().Context(), actor(c), c.Param("id"))
	if err != nil {
		return err
	}
	if record.Bearer == nil {
		return models.Fail(models.Conflict, "This person has no bearer token that could be revoked. It may have been revoked meanwhile.")
	}
	return h.drawRecord(c, status, record, func(p views.Page, r views.Record) templ.Component { return views.PersonRevoke(p, r, f) })
}
