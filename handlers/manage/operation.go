// Package manage is the management API: what the console does, for programs. Each call is an Operation, and the table of routes, the document
// that describes the API and the page for its readers are all made of the same list of them.
package manage

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"sync"

	"github.com/labstack/echo/v4"

	"tokendesk/handlers"
	"tokendesk/models"
)

// Who says who may make a call.
type Who string

const (
	Anyone  Who = "anyone"
	People  Who = "people's programs"                   // a credential that acts as a person
	Admins  Who = "Admins' programs"                    // that of an Admin of the installation
	Readers Who = "people's programs, or a key"         // and the access key of the collection that is read
	Askers  Who = "programs that ask about credentials" // an API key or a bearer token; of each credential they hear as far as their person runs its workspace
	Mine    Who = "people's programs everywhere"        // a credential that acts as a person, and is not for one workspace
)

// Operation is one call.
type Operation struct {
	Method  string
	Path    string // as the document writes it: /v1/people/{id}
	ID      string // unique: listPeople
	Tag     string
	Who     Who
	Summary string
	Detail  string // what else there is to know; may be empty
	Status  int    // of success
	File    string // the type of the answer, where it is no JSON

	In, Out reflect.Type // the shapes of what is sent and of the answer; nil: nothing is
	Run     echo.HandlerFunc
}

// API has the calls.
type API struct {
	h    *handlers.Handlers
	once sync.Once
	kept made // once it is made
}

// New makes the management API.
func New(h *handlers.Handlers) *API { return &API{h: h} }

// Operations are all calls, in the order in which people read about them.
func (a *API) Operations() []Operation {
	var all []Operation
	for _, part := range [][]Operation{a.own(), a.apiKeys(), a.people(), a.workspaces(), a.members(), a.products(), a.tokens(), a.collections(), a.accessKeys(), a.credentials(), a.verifies(), a.leaks(), a.policies(), a.audit()} {
		all = append(all, part...)
	}
	return all
}

// request is one call under way.
type request struct {
	echo.Context
	ctx context.Context
	who models.Actor
}

// nothing is what a call has that brings nothing, or answers nothing.
type nothing struct{}

// op fills in an operation from what it does: the shapes of its types, and a handler that reads the one and writes the other.
func op[In, Out any](o Operation, do func(r request, in In) (Out, error)) Operation {
	in, out := reflect.TypeFor[In](), reflect.TypeFor[Out]()
	if in != reflect.TypeFor[nothing]() {
		o.In = in
	}
	if out != reflect.TypeFor[nothing]() {
		o.Out = out
	}
	switch {
	case o.Status != 0:
	case o.Out == nil:
		o.Status = http.StatusNoContent
	default:
		o.Status = http.StatusOK
	}
	o.Run = func(c echo.Context) error {
		var input In
		if err := read(c, &input); err != nil {
			return err
		}
		r := request{c, c.Request().Context(), handlers.Actor(c)}
		if o.Who == Mine && !r.who.MayHaveKeys() {
			return onlyEverywhere
		}
		if key := c.Request().Header.Get(idempotencyKey); key != "" && o.once() {
			r.who.Once = onceFor(r.who.ID, key)
		}
		answer, err := do(r, input)
		if err != nil {
			return oneUse(err)
		}
		if waited := receiptOf(c); waited != nil {
			c.Response().Header().Set(receiptField, waited.field())
			if to, ok := any(&answer).(receiver); ok {
				to.receive(waited)
			}
		}
		if o.Out == nil {
			return c.NoContent(o.Status)
		}
		return c.JSON(o.Status, answer)
	}
	return o
}

var onlyEverywhere = models.Fail(models.Forbidden, "This takes an API key or a bearer token. What was sent is for one workspace only.").Named("scope_missing")

// once says whether the call makes something, and may be sent again with the same Idempotency-Key without making it twice.
func (o Operation) once() bool { return o.Status == http.StatusCreated }

// oneUse tells that what was asked for with an Idempotency-Key was done before.
func oneUse(err error) error {
	var ours *models.Error
	if !errors.As(err, &ours) || ours.Kind != models.ShownAlready {
		return err
	}
	return models.Fail(models.Conflict, "This Idempotency-Key was used before, and made %s. Nothing was made now; a secret is shown once.", ours.SubjectID).Named("idempotency_key_used")
}
