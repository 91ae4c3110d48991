package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"tokendesk/handlers"
	"tokendesk/models"
	"tokendesk/models/access"
)

// manages says whether a request is one to the management API, also where it has no such call.
func manages(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/v1/") }

// fieldProblem is what is wrong with one field of a body.
type fieldProblem struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// codes are the kinds of errors as the problem documents name them, where the name is another.
var codes = map[models.Kind]string{models.Ambiguous: "request_ambiguous", models.Forbidden: string(access.ScopeMissing), models.TooMany: string(access.RateLimited)}

// titles are those of codes that are no verdicts.
var titles = map[string]string{
	"request_ambiguous": "The request can be read in two ways, or not at all", "scope_missing": "Token is not allowed to do this", "wrong_workspace": "Token belongs to another workspace",
	"cross_site": "Sent from another site", "idempotency_key_used": "That Idempotency-Key was used before", "http_404": "There is no such call", "not_found": "Not found", "invalid": "Something is wrong with the input",
	"conflict": "It can't be done now", "rate_limited": "Too many requests", "unavailable": "The server couldn't find out", "too_large": "Too large", "method_not_allowed": "The method is not allowed",
}

// tellProblem tells a program of an error (RFC 9457), with the fields that are wrong as a member of its own.
func tellProblem(c echo.Context, f failure, err error) error {
	p := problem{Type: "about:blank", Title: titles[f.code], Status: f.status, Detail: f.message, Code: f.code, RequestID: handlers.RequestID(c)}
	var refused *refusal
	var ours *models.Error
	switch {
	case errors.As(err, &refused):
		p.Title, p.Detail = refused.Code.Title(), refused.Detail
	case errors.As(err, &ours):
		if code := codes[ours.Kind]; code != "" && ours.Code == "" {
			p.Code, p.Title = code, titles[code]
		}
		for _, field := range ours.Fields {
			p.Errors = append(p.Errors, fieldProblem{field.Name, field.Message})
		}
	case f.code == "http_404":
		p.Code, p.Detail = "not_found", "There is no such call. /v1/openapi.json lists all there are."
	}
	if p.Title == "" {
		p.Title = http.StatusText(f.status)
	}
	body, err := json.Marshal(p)
	if err != nil { // text always encodes
		panic(err)
	}
	return c.Blob(f.status, "application/problem+json", append(body, '\n'))
}
