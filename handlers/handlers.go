// Package handlers translates: a request into input for a model, what came of it into a page or
// JSON. It decides nothing; what is allowed is in models and store, and who may come in is in web.
package handlers

import (
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/archive"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/web/gateway"
	"tokendesk/web/session"
)

// Handlers has what the pages and calls need. All fields but BaseURL must be set.
type Handlers struct {
	Store     *store.Store
	Gate      *access.Gate
	Replica   *access.Replica // this server among those that answer from memory
	Keys      *access.KeyRing // that sign sign-in tokens
	Throttle  *access.Throttle
	Refusals  *access.Refusals
	Reports   *access.Reports // of leaked credentials
	Sessions  *session.Store
	Downloads *Downloads
	Gateway   *gateway.Gateway
	Sample    gateway.Upstream // the sample product
	Key       secret.Key
	Clock     models.Clock
	Log       *slog.Logger
	Limits    archive.Limits
	SpoolDir  string // where an archive waits while it is checked
	BaseURL   string // scheme and host of this installation; empty: as the request has it
	Version   string
}

// Visit is who a request comes from, as its route's guard found out.
type Visit struct {
	Actor models.Actor
	Seen  models.SessionSeen // of a signed-in browser

	Grant models.Grant // of a program of the account API: what its token opens
}

const visitKey = "visit"

const receiptKey = "receipt"

// Admit hands the guard's findings to the handlers. What they change leaves a receipt.
func Admit(c echo.Context, v Visit) {
	c.Set(visitKey, v)
	if c.Get(receiptKey) == nil {
		ctx, receipt := store.WithReceipt(c.Request().Context())
		c.SetRequest(c.Request().WithContext(ctx))
		c.Set(receiptKey, receipt)
	}
}

// Receipt is what became of the last change that the request made: which replicas have put it into effect.
func Receipt(c echo.Context) models.Receipt {
	if r, ok := c.Get(receiptKey).(*models.Receipt); ok {
		return *r
	}
	return models.Receipt{}
}

// visit is never missing behind a guard; in front of one everybody is a guest.
func visit(c echo.Context) Visit {
	if v, ok := c.Get(visitKey).(Visit); ok {
		return v
	}
	return Visit{Actor: Guest(c)}
}

func actor(c echo.Context) models.Actor { return visit(c).Actor }

// Actor is who a request comes from, as its route's guard found out.
func Actor(c echo.Context) models.Actor { return actor(c) }

// AccessKeyParameter may carry a collection access key in the address of what reads that collection.
const AccessKeyParameter = "access_key"

// ReadsWithKey says whether a request came with a collection access key.
func ReadsWithKey(c echo.Context) bool {
	return visit(c).Grant.Credential.Kind == models.CollectionKey
}

// Opens is what a program's credential opens.
func Opens(c echo.Context) models.Grant { return visit(c).Grant }

// Guest is somebody who is not signed in.
func Guest(c echo.Context) models.Actor {
	return models.Actor{Kind: models.Guest, Address: c.RealIP(), RequestID: RequestID(c)}
}

// RequestID is the number of this attempt, which every answer carries.
func RequestID(c echo.Context) string { return c.Response().Header().Get(echo.HeaderXRequestID) }

// seeOther sends the browser on after a change.
func seeOther(c echo.Context, path string) error { return c.Redirect(http.StatusSeeOther, path) }

// done sends the browser on, to a page that says what happened, and since when that holds.
func (h *Handlers) done(c echo.Context, path, lead, text string) error {
	return h.doneWith(c, path, lead, text, models.InEffectOn)
}

// ended is done, for what is refused from now on.
func (h *Handlers) ended(c echo.Context, path, lead, text string) error {
	return h.doneWith(c, path, lead, text, models.RefusedBy)
}

func (h *Handlers) doneWith(c echo.Context, path, lead, text, verb string) error {
	if said := Receipt(c).Said(verb); said != "" {
		text += " " + said
	}
	h.say(c, lead, text)
	return seeOther(c, path)
}

// say has the next page say what happened.
func (h *Handlers) say(c echo.Context, lead, text string) {
	note := session.Note{Kind: "ok", Lead: lead, Text: text}
	if err := h.Sessions.Leave(c.Request(), c.Response(), note); err != nil {
		h.Log.LogAttrs(c.Request().Context(), slog.LevelWarn, "the note for the next page could not be kept", slog.String("request_id", RequestID(c)), slog.Any("error", err))
	}
}
