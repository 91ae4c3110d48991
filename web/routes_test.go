package web

import (
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"tokendesk/handlers"
	"tokendesk/models"
	"tokendesk/models/access"
)

// What anybody may ask for is this and nothing else (security rule T11): a row that somebody opens, or
// forgets to guard, fails here, and changing this list is what a reviewer sees.
func TestOpenRoutes(t *testing.T) {
	want := []string{"health", "jwks", "oauth.revoke", "patterns.gitleaks", "patterns.trufflehog", "postman", "preferences.theme", "ready", "setup", "setup.do", "signin", "signin.do", "signout", "static", "user.refresh", "user.signin", "v1.openapi", "v1.reportCredentials"}
	var open []string
	for _, r := range routes(&handlers.Handlers{}) {
		switch r.guard {
		case anyone, holders:
			open = append(open, r.name)
		case signed, admins, adminPrograms, signedInPrograms, endingPrograms, accountPrograms, programs, peoplePrograms, everywherePrograms, managingPrograms, readingPrograms, askingPrograms:
		default:
			t.Errorf("%s %s has the guard %q, which nobody passes", r.method, r.path, r.guard)
		}
	}
	slices.Sort(open)
	if !slices.Equal(open, want) {
		t.Errorf("open to anybody:\n%v\nwant\n%v", open, want)
	}
}

// Everything below /people, /workspaces, /audit, /settings/policies and /settings/replicas, whatever issues or ends a credential, and whatever changes a collection is
// for Admins, but sharing one, which its members do; every call of a program is guarded by its credential and by no cookie.
func TestGuardsByPath(t *testing.T) {
	for _, r := range routes(&handlers.Handlers{}) {
		first, _, _ := strings.Cut(strings.TrimPrefix(r.path, "/"), "/")
		forAdmins := first == "people" || first == "workspaces" || first == "audit" || strings.HasPrefix(first, "audit.") || strings.HasPrefix(first, "credentials") || strings.HasPrefix(r.path, "/settings/policies") || r.path == "/settings/replicas" || strings.Contains(r.path, "bearer-token") ||
			strings.Contains(r.path, "/upstream") || r.name == "product.test" || strings.HasSuffix(r.path, "/signing-key") ||
			strings.Contains(r.path, "/settings/collections") && (r.method == http.MethodPost || strings.HasSuffix(r.path, "/delete")) && r.name != "share.create"
		if forAdmins != (r.guard == admins) && first != "v1" {
			t.Errorf("%s %s has the guard %q", r.method, r.path, r.guard)
		}
		if account := first == "user" || first == "workspace" || first == ".well-known" || first == "postman_collection.json"; account != (r.voice == asStatus) ||
			(account && r.guard != anyone) != slices.Contains([]guard{signedInPrograms, endingPrograms, accountPrograms}, r.guard) {
			t.Errorf("%s %s, which is for %q, tells errors as %q", r.method, r.path, r.guard, r.voice)
		}
		if (r.voice == asEnvelope) != (r.guard == adminPrograms) || (r.voice == asProblem) != (r.guard == programs || first == "v1") {
			t.Errorf("%s %s, which is for %q, tells errors as %q", r.method, r.path, r.guard, r.voice)
		}
	}
}

// Nothing changes by GET (security rule W1): the table has GET and POST, each row once and by a name of
// its own.
func TestRowsAreOnes(t *testing.T) {
	names, rows := map[string]bool{}, map[string]bool{}
	for _, r := range routes(&handlers.Handlers{}) {
		if r.method != http.MethodGet && r.method != http.MethodPost && r.guard != programs && !strings.HasPrefix(r.path, "/v1/") {
			t.Errorf("%s %s: pages know no other methods than GET and POST", r.method, r.path)
		}
		if names[r.name] || rows[r.method+r.path] || r.name == "" || (r.handler == nil) != (r.guard == programs || r.guard == askingPrograms) {
			t.Errorf("%s %s (%s) is there twice or half", r.method, r.path, r.name)
		}
		names[r.name], rows[r.method+r.path] = true, true
	}
}

// A guard that nobody has written lets nobody in: the zero row is shut.
func TestARowWithoutAGuardIsShut(t *testing.T) {
	e := echo.New()
	s := &Server{handlers: &handlers.Handlers{Log: slog.New(slog.DiscardHandler)}, echo: e, log: slog.New(slog.DiscardHandler)}
	reached := false
	open := s.guarded(route{http.MethodGet, "/x", "x", "", asPage, func(echo.Context) error { reached = true; return nil }})
	err := open(e.NewContext(httptest.NewRequest(http.MethodGet, "/x", nil), httptest.NewRecorder()))
	if models.KindOf(err) != models.Forbidden || reached {
		t.Errorf("the guard says %v; handler reached: %v", err, reached)
	}
}

// Every kind of error, and every verdict of the gate, has its status: one that was forgotten would be
// status 0, which ends the connection.
func TestEveryKindHasAStatus(t *testing.T) {
	kinds := constants(t, "../models/errors.go", "Kind")
	for _, kind := range kinds {
		if s := statuses[models.Kind(kind)]; s < 400 || s > 599 {
			t.Errorf("%s has the status %d", kind, s)
		}
	}
	codes := slices.DeleteFunc(constants(t, "../models/access/code.go", "Code"), func(code string) bool { return code == string(access.Allowed) })
	for _, code := range codes {
		if s := verdicts[access.Code(code)]; s < 400 || s > 599 || access.Code(code).Title() == "" {
			t.Errorf("%s has the status %d and the title %q", code, s, access.Code(code).Title())
		}
	}
	if len(kinds) != len(statuses) || len(codes) != len(verdicts) || len(kinds) < 10 || len(codes) < 10 {
		t.Errorf("%d kinds with %d statuses, %d codes with %d verdicts", len(kinds), len(statuses), len(codes), len(verdicts))
	}
}

// constants lists the values of a type's string constants, read from the source that declares them.
func constants(t *testing.T, file, of string) (values []string) {
	t.Helper()
	source, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(source, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == of && len(spec.Values) == 1 {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, value)
		}
		return true
	})
	return values
}
