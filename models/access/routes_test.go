package access

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tokendesk/models"
)

func canonical(t *testing.T, text string) Path {
	t.Helper()
	p, ok := CanonicalPath(text)
	if !ok {
		t.Fatalf("%q is refused", text)
	}
	return p
}

// Calls of the default product, and the scope that each needs; "405 …" names what is allowed, "404" is nothing.
func TestMatch(t *testing.T) {
	routes := Compile(models.DefaultResources())
	for call, want := range map[string]string{
		"GET /api/agent-base":                         "agents:list",
		"HEAD /api/agent-base":                        "agents:list",
		"GET /api/agent-base/5":                       "agents:list",
		"GET /api/agent-base/%61%20b":                 "agents:list",
		"GET /api/agent-base/install":                 "agents:list",
		"POST /api/agent-base/install":                "agents:install",
		"PUT /api/agent-base/install":                 "agents:update",
		"GET /api/agent-base/triggers":                "triggers:list",
		"HEAD /api/agent-base/triggers":               "triggers:list",
		"GET /api/agent-base/%74riggers":              "triggers:list",
		"POST /api/agent-base/triggers":               "triggers:execute",
		"DELETE /api/agent-base/triggers":             "agents:delete",
		"GET /api/agent-base/triggers/5/details":      "triggers:details",
		"GET /api/agent-base/triggers/executions":     "agent-executions:list",
		"GET /api/agent-base/5/executions":            "agent-executions:list",
		"GET /api/integrations-base/product":          "integrations:list",
		"GET /api/integrations-base/product/7/active": "integrations:list",
		"POST /api/webhook":                           "webhooks:send-events",
		"POST /api/webhook/a":                         "webhooks:send-events",
		"POST /api/webhook/a/b/c":                     "webhooks:send-events",
		"GET /api/knowledge-base/search":              "knowledge-base:search",
		"GET /api/knowledge-base/storage":             "storage:list",
		"GET /api/knowledge-base/storage/search":      "storage:download",
		"POST /api/assistant/chat":                    "assistant-chat:chat",
		"GET /api/assistant/chat":                     "assistant-chat:history",
		"POST /api/agent-base":                        "405 GET, HEAD",
		"POST /api/agent-base/5":                      "405 GET, HEAD, PUT, DELETE",
		"get /api/agent-base":                         "405 GET, HEAD",
		"OPTIONS /api/agent-base":                     "405 GET, HEAD",
		"TRACE /api/assistant/chat":                   "405 GET, HEAD, POST",
		" /api/webhook":                               "405 POST",
		"DELETE /api/agent-base":                      "405 GET, HEAD",
		"GET /api/webhook/a":                          "405 POST",
		"GET /api":                                    "404",
		"GET /api/agent":                              "404",
		"GET /api/agent-bases":                        "404",
		"GET /api/Agent-Base":                         "404",
		"GET /API/agent-base":                         "404",
		"GET /agent-base":                             "404",
		"GET /api/agent-base/5/other":                 "404",
		"GET /api/agent-base/triggers/5":              "404",
		"GET /api/integrations-base/product/7":        "404",
		"GET /api/knowledge-base/other":               "404",
		"GET /api/api/agent-base":                     "404",
		"GET /api/agent-base/{id}/x":                  "404",
		"GET /x/api/agent-base":                       "404",
	} {
		method, path, _ := strings.Cut(call, " ")
		scope, allowed := routes.Match(method, canonical(t, path))
		got := scope
		switch {
		case scope == "" && allowed == nil:
			got = "404"
		case scope == "":
			got = "405 " + strings.Join(allowed, ", ")
		case allowed != nil:
			got += " and " + strings.Join(allowed, ", ")
		}
		if got != want {
			t.Errorf("%s: %s, want %s", call, got, want)
		}
	}
	if scope, allowed := routes.Match("GET", Path{}); scope != "" || allowed != nil {
		t.Errorf("no path at all: %q, %q", scope, allowed)
	}
	if scope, allowed := Compile(nil).Match("GET", canonical(t, "/api/a")); scope != "" || allowed != nil {
		t.Errorf("no resources: %q, %q", scope, allowed)
	}
}

// What a careless product would take for a more exact path needs neither scope: it is no path of the product.
func TestMatchRefusesWhatIsAlike(t *testing.T) {
	routes := Compile(models.Resources{{Key: "r", Operations: []models.Operation{
		{Name: "any", Method: "GET", Pattern: "/api/a/{id}"},
		{Name: "triggers", Method: "GET", Pattern: "/api/a/triggers"},
		{Name: "all", Method: "GET", Pattern: "/api/*"},
		{Name: "deep", Method: "GET", Pattern: "/api/a/{id}/deep"},
		{Name: "change", Method: "PUT", Pattern: "/api/a/{id}"},
		{Name: "upper", Method: "GET", Pattern: "/api/UPPER"},
		{Name: "lower", Method: "GET", Pattern: "/api/upper"},
	}}})
	for call, want := range map[string]string{
		"GET /api/a/triggers":        "r:triggers",
		"GET /api/a/Triggers":        "",
		"GET /api/a/TRIGGERS":        "",
		"GET /api/a/%54riggers":      "",
		"GET /api/a/trigger%C5%BF":   "", // a long s, which some take for an s
		"GET /api/a/triggers.json":   "",
		"GET /api/a/Triggers.":       "",
		"GET /api/a/triggers%20":     "",
		"GET /api/A/triggers":        "",
		"GET /api/a.json/triggers":   "",
		"GET /api/A":                 "r:all", // there is no pattern that ends there
		"GET /api/a/triggersx":       "r:any",
		"GET /api/a/trigger":         "r:any",
		"GET /api/a/triggers-x.json": "r:any",
		"PUT /api/a/TRIGGERS":        "r:change", // for which there is nothing more exact
		"GET /api/a/TRIGGERS/other":  "r:all",
		"GET /api/a/x/DEEP":          "",
		"GET /api/UPPER":             "r:upper",
		"GET /api/upper":             "r:lower",
		"GET /api/Upper":             "",
	} {
		method, path, _ := strings.Cut(call, " ")
		if scope, _ := routes.Match(method, canonical(t, path)); scope != want {
			t.Errorf("%s: %q, want %q", call, scope, want)
		}
	}
}

// A pattern that never was clean opens nothing, and does not hide others.
func TestCompileSkipsWhatIsNoPattern(t *testing.T) {
	var operations []models.Operation
	for _, pattern := range []string{"", "/", "/api/", "/api//", "/api/a/", "/api/../a", "api/a", "/api/*/a", "/api/{}", "/api/{id", "/admin"} {
		operations = append(operations, models.Operation{Name: "bad", Method: "GET", Pattern: pattern})
	}
	operations = append(operations, models.Operation{Name: "first", Method: "GET", Pattern: "/api/a"}, models.Operation{Name: "second", Method: "GET", Pattern: "/api/a"},
		models.Operation{Name: "below", Method: "GET", Pattern: "/api/a/*"}, models.Operation{Name: "again", Method: "GET", Pattern: "/api/a/*"})
	routes := Compile(models.Resources{{Key: "r", Operations: operations}})
	for path, want := range map[string]string{"/api/a": "r:first", "/api/a/b": "r:below", "/admin": "", "/api/b": "", "/api/b/a": "", "/api/{}": ""} {
		if scope, _ := routes.Match("GET", canonical(t, path)); scope != want {
			t.Errorf("%s: %q, want %q", path, scope, want)
		}
	}
}

// A match costs no memory.
func TestMatchAllocatesNothing(t *testing.T) {
	routes := Compile(models.DefaultResources())
	for _, path := range []Path{canonical(t, "/api/agent-base/triggers/5/details"), canonical(t, "/api/agent-base/018f2f6e-7d4f-7a10-9d9c-0c0ffee15bad")} {
		if allocations := testing.AllocsPerRun(100, func() {
			if scope, _ := routes.Match("GET", path); scope == "" {
				t.Fatal("no scope")
			}
		}); allocations != 0 {
			t.Errorf("%s: %v allocations", path.Escaped(), allocations)
		}
	}
}

func BenchmarkCanonicalPath(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		CanonicalPath("/api/agent-base/018f2f6e-7d4f-7a10-9d9c-0c0ffee15bad/executions")
	}
}

func BenchmarkMatch(b *testing.B) {
	routes := Compile(models.DefaultResources())
	p, _ := CanonicalPath("/api/agent-base/018f2f6e-7d4f-7a10-9d9c-0c0ffee15bad/executions")
	b.ReportAllocs()
	for b.Loop() {
		routes.Match("GET", p)
	}
}

// spellings are what attackers write for a path.
func spellings(path string) []string {
	forms := []string{
		path + "/", path + "//", path + "/.", path + "/..", path + ";", path + ";a=b", path + "%3b", path + "?", path + "%3f", path + "#", path + "%23", path + "%00", path + "%00.json", path + "%0a", path + "%0d%0a",
		path + "%09", path + "\\", path + "%5c", path + "%2f", path + "%2e", path + "/%2e", path + "/%2e%2e", path + "/x/..", path + "/x/%2e%2e", path + "%25", path + "%", path + "%2", path + "%c0%80", path + "\x7f", path + "%ff",
		path + ".", path + "..", path + "%20", path + "%20%20", path + ".json", path + "*", path + "~", path + "%ef%bc%8f", path + "\u2028",
		"/" + path, "//" + path, "/." + path, "/.." + path, "/x/.." + path, "/%2e%2e" + path, "/%2f" + path, "%2f" + path[1:], "\\" + path[1:], path[1:], "/api" + path, "http://x" + path, "/;" + path, "/%5c" + path,
		strings.ToUpper(path), strings.ReplaceAll(path, "/", "//"), strings.ReplaceAll(path, "/", "\\"), strings.ReplaceAll(path, "/", "%5c"), strings.ReplaceAll(path, "/", "/./"), strings.ReplaceAll(path, "/", "%2f"),
		strings.ReplaceAll(path, "/", "/;/"), strings.ReplaceAll(path, "/", "/%2e/"), strings.ReplaceAll(path, "/", "/x/../"), strings.ReplaceAll(path, "/", "/x/%2e%2e/"), strings.ReplaceAll(path, "/", "\u2215"), strings.ReplaceAll(path, "/", "\uff0f"),
	}
	for i := 1; i < len(path); i++ {
		before, at, after := path[:i], path[i], path[i+1:]
		for _, form := range []string{"%%%02x", "%%%02X", "%%25%02x", "%%2525%02x", "%%u00%02x", "%%c0%%%02x", "%%e0%%80%%%02x", "\\x%02x"} {
			forms = append(forms, before+fmt.Sprintf(form, at)+after)
		}
		forms = append(forms, before+"%c0"+fmt.Sprintf("%%%02x", at|0x80)+after, before+"%e0%80"+fmt.Sprintf("%%%02x", at|0x80)+after)
		for _, between := range []string{"/", "//", "/./", "/../", "/x/../", "%2f", "%5c", "\\", ";", ";x", "%3b", "%00", "\x00", "%0a", "%09", " ", "%20", ".", "%2e", "%c0%af", "%c0%ae", "%e2%80%8b", "\u00ad"} {
			forms = append(forms, before+between+path[i:])
		}
		if at >= 'a' && at <= 'z' {
			forms = append(forms, before+string(at-'a'+'A')+after)
		}
	}
	return forms
}

// However the path of an operation is spelled, it gets in with the operation's own scope as the very same path, or it does not get
// in: not with another scope, and not as another path with this one. What a pattern leaves open may be anything, so there a
// spelling can be another call of the same operation, or of one whose pattern leaves as much open.
func TestSpellings(t *testing.T) {
	resources := models.DefaultResources()
	routes := Compile(resources)
	tried, same := 0, 0
	for _, resource := range resources {
		for _, o := range resource.Operations {
			want := resource.Scope(o.Name)
			path := strings.NewReplacer("{id}", "42", "{productId}", "7", "*", "in").Replace(o.Pattern)
			for _, form := range spellings(path) {
				tried++
				p, ok := CanonicalPath(form)
				if !ok {
					continue
				}
				scope, _ := routes.Match(o.Method, p)
				if p.Decoded() == path {
					same++
					if scope != want || p.Escaped() != path {
						t.Errorf("%q: %q as %q", form, scope, p.Escaped())
					}
					continue
				}
				if scope != "" && scope != slowMatch(resources, o.Method, p) {
					t.Errorf("%s %q gets in with %q", o.Method, form, scope)
				}
				if scope != "" && !strings.ContainsAny(o.Pattern, "{*") && literalLike(path, p.Decoded()) {
					t.Errorf("%s %q gets in with %q, and is like %s", o.Method, form, scope, path)
				}
			}
		}
	}
	if tried < 20_000 || same < 500 {
		t.Errorf("%d spellings, %d of them the same path", tried, same)
	}
}

// literalLike says whether a path is another one to a reader who minds neither case nor endings.
func literalLike(path, other string) bool {
	return strings.EqualFold(path, strings.TrimRight(strings.TrimSuffix(other, ".json"), ". "))
}

// slowMatch finds by the words of the rule what a call needs: of all patterns that fit, loosely or not, the one that is more exact in the
// first segment in which they differ; nothing, when that one fits loosely only.
func slowMatch(resources models.Resources, method string, p Path) string {
	have := strings.Split(p.Decoded(), "/")
	best, scope := []int{9}, ""
	for _, resource := range resources {
		for _, o := range resource.Operations {
			if o.Method != method {
				continue
			}
			if rank, fits := slowFit(strings.Split(o.Pattern, "/"), have); fits && slices.Compare(rank, best) < 0 {
				best, scope = rank, resource.Scope(o.Name)
			}
		}
	}
	if slices.Contains(best, loosely) {
		return ""
	}
	return scope
}

const (
	exactly = iota // the segment is the literal
	loosely        // it is like it
	asOne
	asRest
)

func slowFit(want, have []string) (rank []int, fits bool) {
	for i, segment := range want {
		if i == len(have) {
			return nil, false
		}
		switch {
		case segment == "*":
			return append(rank, asRest), true
		case strings.HasPrefix(segment, "{"):
			rank = append(rank, asOne)
		case segment == have[i]:
			rank = append(rank, exactly)
		case like(segment, have[i]):
			rank = append(rank, loosely)
		default:
			return nil, false
		}
	}
	return rank, len(want) == len(have)
}

func like(literal, segment string) bool {
	for i, c := range segment + "." {
		if (c == '.' || c == ' ') && strings.EqualFold(literal, segment[:i]) {
			return true
		}
	}
	return false
}

// muxMatch asks net/http.ServeMux, which has the same rules but for what fits loosely, and for a path that fits another pattern once it has a
// slash at its end: there it redirects.
func muxMatch(resources models.Resources, method string, p Path) (scope string, redirects bool) {
	mux := http.NewServeMux()
	for _, resource := range resources {
		for _, o := range resource.Operations {
			pattern := o.Pattern
			if below, ok := strings.CutSuffix(pattern, "*"); ok {
				pattern = below + "{rest...}"
			}
			mux.HandleFunc(o.Method+" "+pattern, func(http.ResponseWriter, *http.Request) { scope = resource.Scope(o.Name) })
		}
	}
	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, &http.Request{Method: method, Host: "x", URL: &url.URL{Path: p.Decoded(), RawPath: p.Escaped()}})
	return scope, answer.Code/100 == 3
}

// matching draws resources and a call, and compares three answers.
func matching(t *rapid.T) {
	segment := rapid.SampledFrom([]string{"a", "b", "c", "triggers", "A", "x.y", "{id}", "{id}"})
	var resources models.Resources
	for i, n := 0, rapid.IntRange(1, 25).Draw(t, "patterns"); i < n; i++ {
		segments := rapid.SliceOfN(segment, 1, 4).Draw(t, "pattern")
		for j, s := range segments {
			if s == "{id}" {
				segments[j] = fmt.Sprintf("{id%d}", j)
			}
		}
		if rapid.IntRange(0, 3).Draw(t, "and below") == 0 {
			segments = append(segments, "*")
		}
		method := rapid.SampledFrom([]string{"GET", "GET", "POST", "DELETE"}).Draw(t, "method")
		more := append(slices.Clone(resources), models.Resource{Key: fmt.Sprintf("r%d", i), Name: fmt.Sprintf("R%d", i),
			Operations: []models.Operation{{Name: "do", Method: method, Pattern: "/api/" + strings.Join(segments, "/")}}})
		if len(more.Clean()) == 0 {
			resources = more
		}
	}
	have := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom([]string{"a", "b", "c", "triggers", "A", "x.y", "B", "Triggers", "triggers.json", "a%20", "X.Y", "x.Y.json", "%61", "1"}), rapid.StringN(1, 3, 9)), 1, 5).Draw(t, "path")
	p, ok := CanonicalPath("/api/" + strings.Join(have, "/"))
	if !ok {
		return
	}
	method := rapid.SampledFrom([]string{"GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "get"}).Draw(t, "asked")
	scope, allowed := Compile(resources).Match(method, p)
	asked := method
	if asked == "HEAD" {
		asked = "GET"
	}
	if want := slowMatch(resources, asked, p); scope != want {
		t.Fatalf("%s %s: %q, want %q, of %v", method, p.Decoded(), scope, want, resources)
	}
	if mux, redirects := muxMatch(resources, method, p); scope != "" && scope != mux && !redirects {
		t.Fatalf("%s %s: %q, and ServeMux takes %q, of %v", method, p.Decoded(), scope, mux, resources)
	}
	var want []string
	for _, other := range models.Methods {
		if scope == "" && slowMatch(resources, other, p) != "" {
			if want = append(want, other); other == "GET" {
				want = append(want, "HEAD")
			}
		}
	}
	if !slices.Equal(allowed, want) {
		t.Fatalf("%s %s: allowed %v, want %v, of %v", method, p.Decoded(), allowed, want, resources)
	}
}

func TestMatchAgainstTheSlowOne(t *testing.T) { rapid.Check(t, matching) }

func FuzzMatch(f *testing.F) { f.Fuzz(rapid.MakeFuzz(matching)) }
