package manage

import (
	"net/http"
	"reflect"
	"time"
)

// verifyRequests is what is asked about credentials.
type verifyRequests struct {
	Workspace string          `json:"workspace,omitempty" maxLength:"100" description:"The slug or ID of the workspace that all of the calls are for, where a credential is for several."`
	Requests  []verifyRequest `json:"requests" required:"true" minItems:"1" maxItems:"100"`
}

// verifyRequest is one call that came to somebody.
type verifyRequest struct {
	Credential string `json:"credential" required:"true" description:"The whole credential."`
	Method     string `json:"method" required:"true" maxLength:"16"`
	Path       string `json:"path" required:"true" maxLength:"8192" description:"The path as it came, without what follows a question mark."`
	Workspace  string `json:"workspace,omitempty" maxLength:"100" description:"The workspace of this call, where it is another."`
}

type verdicts struct {
	Data []verdict `json:"data" required:"true" description:"In the order of the requests."`
}

// verdict is what the gateway would answer to a call.
type verdict struct {
	Allowed      bool          `json:"allowed" required:"true"`
	Status       int           `json:"status" required:"true" description:"The status that the gateway would answer with; 200 where it would let the call through."`
	Code         string        `json:"code" required:"true" description:"allowed, or the stable name of the refusal."`
	Title        string        `json:"title" required:"true"`
	Detail       string        `json:"detail,omitempty" description:"What happened and what to do, for whoever made the call."`
	CredentialID string        `json:"credential_id,omitempty"`
	Kind         string        `json:"kind,omitempty" enum:"bearer,api,automation,key,collection,user"`
	PersonID     string        `json:"person_id,omitempty" description:"Whose rights it carries; not there for what is nobody's."`
	WorkspaceID  string        `json:"workspace_id,omitempty"`
	Scope        string        `json:"scope,omitempty" description:"The operation that the call needs."`
	ExpiresAt    *time.Time    `json:"expires_at,omitempty" description:"Not there where it never expires."`
	Limit        *verdictLimit `json:"limit,omitempty" description:"Where the caller stands; not there where the call was not counted."`
}

type verdictLimit struct {
	Quota         int `json:"quota" required:"true" description:"Calls in the window."`
	WindowSeconds int `json:"window_seconds" required:"true"`
	Remaining     int `json:"remaining" required:"true"`
	NextSeconds   int `json:"next_seconds" required:"true" description:"Until there is room for another call than these."`
}

// verifies is a call that the server answers before any of the others, by web.verify: it may come very often.
func (a *API) verifies() []Operation {
	return []Operation{{
		Method: "POST", Path: "/v1/credentials:verify", ID: "verifyCredentials", Tag: "Checking credentials", Who: Askers, Status: http.StatusOK, Summary: "Ask whether calls with up to 100 credentials may pass",
		Detail: "The answers are those of the gateway, in the order of the requests. Each counts as a call of its credential, and against its limit. A credential of a workspace that the caller does not run is credential_unknown. It takes an API key or a bearer token.",
		In:     reflect.TypeFor[verifyRequests](), Out: reflect.TypeFor[verdicts](),
	}}
}
