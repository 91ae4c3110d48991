package manage

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"

	"github.com/labstack/echo/v4"
	jsonschema "github.com/swaggest/jsonschema-go"
	"github.com/swaggest/openapi-go"
	"github.com/swaggest/openapi-go/openapi31"

	"tokendesk/handlers"
)

// problem is how every refusal and error is told (RFC 9457).
type problem struct {
	Type      string         `json:"type" required:"true"`
	Title     string         `json:"title" required:"true"`
	Status    int            `json:"status" required:"true"`
	Detail    string         `json:"detail,omitempty" description:"What happened, and what to do."`
	Code      string         `json:"code" required:"true" description:"Stable: programs may rely on it."`
	RequestID string         `json:"request_id" required:"true" description:"Tell it to an Admin, who finds out why."`
	Errors    []fieldProblem `json:"errors,omitempty" description:"Of a body that is wrong: the fields."`
}

type fieldProblem struct {
	Field   string `json:"field" required:"true"`
	Message string `json:"message" required:"true"`
}

const about = `Everything that the console does, for programs.

Send an API key in the field X-API-Key. It has the rights of its person at the time of each call. A bearer token opens the same; an automation token and a sign-in token open their own workspace.

Errors are problem documents (RFC 9457) with a stable code. Lists go on with meta.next_cursor. A person's API keys and bearer token may make 300 calls a minute together; RateLimit says where you stand.`

// schemes are the ways to show a credential, by name.
const (
	byKey       = "apiKey"
	byBearer    = "bearer"
	byParameter = "accessKey"
)

// document describes all calls with OpenAPI 3.1. It uses nothing that generators for 3.0 do not know: what is null elsewhere is left out.
func (a *API) document(address, programVersion string) (*openapi31.Spec, error) {
	r := openapi31.NewReflector()
	r.Spec.Info.WithTitle("Tokendesk management API").WithVersion(programVersion).WithDescription(about)
	r.Spec.WithServers(openapi31.Server{URL: address})
	r.Spec.SetAPIKeySecurity(byKey, "X-API-Key", openapi.InHeader, "An API key.")
	r.Spec.SetHTTPBearerTokenSecurity(byBearer, "", "An API key, a bearer token, an automation token or a sign-in token.")
	r.Spec.SetAPIKeySecurity(byParameter, handlers.AccessKeyParameter, openapi.InQuery, "A collection access key.")
	r.DefaultOptions = append(r.DefaultOptions,
		jsonschema.InterceptNullability(func(p jsonschema.InterceptNullabilityParams) { p.Schema.RemoveType(jsonschema.Null) }),
		jsonschema.InterceptDefName(func(_ reflect.Type, name string) string { return schemaName(name) }),
	)
	r.AddTypeMapping(handlers.Revealed{}, "")
	for _, o := range a.Operations() {
		if err := describe(r, o); err != nil {
			return nil, err
		}
	}
	return r.Spec, nil
}

// schemaName is a type as the document names it: Credential, and CredentialList for a list of them.
func schemaName(name string) string {
	name = strings.TrimPrefix(name, "Manage")
	if inner, ok := strings.CutPrefix(name, "List["); ok {
		name = strings.TrimSuffix(strings.TrimPrefix(inner, "TokendeskHandlersManage"), "]") + "List"
	}
	return name
}

func describe(r *openapi31.Reflector, o Operation) error {
	oc, err := r.NewOperationContext(o.Method, o.Path)
	if err != nil {
		return err
	}
	oc.SetID(o.ID)
	oc.SetTags(o.Tag)
	oc.SetSummary(o.Summary)
	oc.SetDescription(o.Detail)
	if o.Who != Anyone {
		oc.AddSecurity(byKey)
		oc.AddSecurity(byBearer)
	}
	if o.Who == Readers {
		oc.AddSecurity(byParameter)
	}
	switch {
	case o.In != nil:
		oc.AddReqStructure(reflect.New(o.In).Interface())
	case strings.Contains(o.Path, "{path}"):
		oc.AddReqStructure(new(onePath))
	case strings.Contains(o.Path, "{id}"):
		oc.AddReqStructure(new(byID))
	}
	switch {
	case o.File != "":
		oc.AddRespStructure("", openapi.WithHTTPStatus(o.Status), openapi.WithContentType(o.File), binary)
	case o.Out != nil:
		oc.AddRespStructure(reflect.New(o.Out).Interface(), openapi.WithHTTPStatus(o.Status))
	default:
		oc.AddRespStructure(nil, openapi.WithHTTPStatus(o.Status))
	}
	oc.AddRespStructure(new(problem), openapi.WithContentType("application/problem+json"), func(cu *openapi.ContentUnit) { cu.IsDefault = true; cu.Description = "Refused, or it failed." })
	return r.AddOperation(oc)
}

// onePath is what a call brings that reads one file.
type onePath struct {
	byID
	Path string `path:"path" json:"-" required:"true" description:"The file's path in the archive."`
}

func binary(cu *openapi.ContentUnit) { cu.Format = "binary" }

// nowhere stands in the document where this installation's address belongs.
const nowhere = "https://tokendesk.invalid"

// made is the document as JSON, which takes a moment to make, and what its readers read in it.
type made struct {
	text      []byte
	described described
	err       error
}

func (a *API) made() made {
	a.once.Do(func() {
		spec, err := a.document(nowhere, a.h.Version)
		if err == nil {
			a.kept.text, err = json.MarshalIndent(spec, "", "  ")
		}
		if err == nil {
			err = json.Unmarshal(a.kept.text, &a.kept.described)
		}
		a.kept.err = err
	})
	return a.kept
}

// Document answers with the document, with this installation's address.
func (a *API) Document(c echo.Context) error {
	d := a.made()
	if d.err != nil {
		return d.err
	}
	address, err := json.Marshal(a.h.Address(c))
	if err != nil {
		return err
	}
	return c.JSONBlob(http.StatusOK, bytes.Replace(d.text, []byte(`"`+nowhere+`"`), address, 1))
}
