package web_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/web/webtest"
)

// disguises are ways to write a path so that one reader takes it for another than the next one does.
var disguises = map[string]func(plain string) string{
	"plain":              func(p string) string { return p },
	"a letter encoded":   func(p string) string { return encoded(p, "%%%02x", 1) },
	"a capital encoded":  func(p string) string { return encoded(p, "%%%02X", len(p)-1) },
	"encoded twice":      func(p string) string { return encoded(p, "%%25%02x", len(p)-1) },
	"encoded thrice":     func(p string) string { return encoded(p, "%%2525%02x", len(p)-1) },
	"as %u":              func(p string) string { return encoded(p, "%%u%04x", len(p)-1) },
	"overlong":           func(p string) string { return replaced(p, "%c0%af") },
	"overlong in three":  func(p string) string { return replaced(p, "%e0%80%af") },
	"overlong dots":      func(p string) string { return "/api/x/%c0%ae%c0%ae" + p[4:] },
	"wide":               func(p string) string { return encoded(p, "%%ef%%bc%%%02x", len(p)-1) },
	"first slash twice":  func(p string) string { return "/" + p },
	"last slash twice":   func(p string) string { return replaced(p, "//") },
	"a slash encoded":    func(p string) string { return replaced(p, "%2f") },
	"a slash twice":      func(p string) string { return replaced(p, "%252F") },
	"a backslash":        func(p string) string { return replaced(p, `\`) },
	"an encoded one":     func(p string) string { return replaced(p, "%5c") },
	"a dot":              func(p string) string { return replaced(p, "/./") },
	"an encoded dot":     func(p string) string { return replaced(p, "/%2e/") },
	"up and down":        func(p string) string { return "/api/webhook/x/../.." + p[4:] },
	"encoded up":         func(p string) string { return "/api/webhook/%2e%2e" + p[4:] },
	"encoded up twice":   func(p string) string { return "/api/webhook/%252e%252e" + p[4:] },
	"half encoded up":    func(p string) string { return "/api/knowledge-base/search/.%2e/.." + p[4:] },
	"up with semicolon":  func(p string) string { return "/api/knowledge-base/search/..;/.." + p[4:] },
	"backslash up":       func(p string) string { return `/api/webhook/..\..` + p[4:] },
	"encoded slash up":   func(p string) string { return "/api/webhook/x%2f..%2f.." + p[4:] },
	"up from outside":    func(p string) string { return "/x/.." + p },
	"up from a file":     func(p string) string { return "/static/.." + p },
	"a parameter":        func(p string) string { return p + ";x=1" },
	"an empty one":       func(p string) string { return p + ";" },
	"one inside":         func(p string) string { return replaced(p, ";x/") },
	"encoded semicolon":  func(p string) string { return p + "%3bx" },
	"NUL":                func(p string) string { return p + "%00" },
	"NUL and more":       func(p string) string { return p + "%00.txt" },
	"a raw NUL":          func(p string) string { return p + "\x00" },
	"a line break":       func(p string) string { return p + "%0d%0aX-Tokendesk-Identity:%20all" },
	"a tab":              func(p string) string { return p + "%09" },
	"a space":            func(p string) string { return p + "%20" },
	"a question mark":    func(p string) string { return p + "%3fx" },
	"a hash":             func(p string) string { return p + "%23" },
	"a raw hash":         func(p string) string { return p + "#x" },
	"upper case":         strings.ToUpper,
	"one capital":        func(p string) string { return p[:5] + strings.ToUpper(p[5:6]) + p[6:] },
	"the long s":         func(p string) string { return strings.ReplaceAll(p, "s", "%c5%bf") },
	"the kelvin sign":    func(p string) string { return strings.ReplaceAll(p, "k", "%e2%84%aa") },
	"a slash behind":     func(p string) string { return p + "/" },
	"an encoded one too": func(p string) string { return p + "%2f" },
	"a dot behind":       func(p string) string { return p + "/." },
	"a dot at the end":   func(p string) string { return p + "." },
	"half an escape":     func(p string) string { return p + "%" },
	"no escape":          func(p string) string { return p + "%zz" },
	"a whole address":    func(p string) string { return "http://x" + p },
	"another's address":  func(p string) string { return "http://evil.example" + p },
	"soft hyphen":        func(p string) string { return p + "%c2%ad" },
	"byte order mark":    func(p string) string { return p + "%ef%bb%bf" },
	"not UTF-8":          func(p string) string { return p + "%ff" },
}

// encoded writes one character of a path in another way.
func encoded(p, format string, at int) string {
	at = max(at, len("/api/")) // not the slash, and not what leads here at all
	return p[:at] + fmt.Sprintf(format, p[at]) + p[at+1:]
}

// replaced writes the last slash of a path in another way.
func replaced(p, slash string) string {
	at := strings.LastIndexByte(p, '/')
	return p[:at] + slash + p[at+1:]
}

// careless is what the most careless product could take a request's target for: it resolves escapes as long as there are any, takes
// backslashes for slashes, drops parameters and what follows a NUL, and cleans the rest.
func careless(target string) string {
	target, _, _ = strings.Cut(target, "?")
	for range 4 {
		if plain, err := url.PathUnescape(target); err == nil {
			target = plain
		}
	}
	target, _, _ = strings.Cut(strings.ReplaceAll(target, `\`, "/"), "\x00")
	segments := strings.Split(target, "/")
	for i, segment := range segments {
		segments[i], _, _ = strings.Cut(segment, ";")
	}
	return path.Clean(strings.Join(segments, "/"))
}

// scopeOf is the operation that a path is, found by looking at them all: the one whose pattern has the most text in common.
func scopeOf(method, path string) string {
	scope, most := "", -1
	for _, resource := range models.DefaultResources() {
		for _, o := range resource.Operations {
			if n := likeness(strings.Split(o.Pattern, "/"), strings.Split(path, "/")); o.Method == method && n > most {
				scope, most = resource.Scope(o.Name), n
			}
		}
	}
	return scope
}

// likeness counts the segments of a path that are a pattern's own text; -1 where it does not fit.
func likeness(pattern, path []string) (same int) {
	for i, segment := range pattern {
		switch {
		case i == len(path):
			return -1
		case segment == "*":
			return same
		case segment == path[i]:
			same++
		case segment[0] != '{':
			return -1
		}
	}
	if len(pattern) != len(path) {
		return -1
	}
	return same
}

// However a path is written, nothing arrives at the product that the token's scope does not open, also when the product reads paths as
// carelessly as any does; and what arrives is in its one form, with no escape that is not needed (security rule G1).
func TestDisguisedPaths(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	api, admin := newOwnAPI(t), s.SignedIn(t, ines)
	admin.Post(t, "/w/marlowe-press/settings/limits", webtest.Form{"calls_a_minute": "1000000"}).Want(t, 303)
	point(t, admin, "/w/marlowe-press/settings/products/"+productsOf(t, s)[0].ID, pointing(api.URL)).Want(t, 303)
	for _, scope := range []string{"knowledge-base:search", "agents:list", "webhooks:send-events", "storage:download"} {
		t.Run(scope, func(t *testing.T) {
			p, _ := holder(t, s, models.NewAPIToken{Chosen: true, Scopes: models.Scopes{scope}})
			wire := &rawWire{site: s, token: p.token}
			defer wire.close()
			sent, plain := 0, 0
			for _, o := range operations {
				way := strings.NewReplacer("<", "", ">", "").Replace(o.path)
				way, _, _ = strings.Cut(way, "?")
				for _, name := range slices.Sorted(maps.Keys(disguises)) {
					status := wire.ask(t, o.method, disguises[name](way))
					sent++
					if status >= 500 {
						t.Errorf("%s, %s %s: status %d", name, o.method, way, status)
					}
					if opened := o.scope == scope; name == "plain" && (status == http.StatusNoContent) != opened {
						t.Errorf("%s %s: status %d", o.method, way, status)
					} else if name == "plain" && opened {
						plain++
					}
				}
			}
			arrived := api.take()
			for _, r := range arrived {
				if opens := scopeOf(r.Method, careless(r.RequestURI)); opens != scope {
					t.Errorf("%s %s arrives, which a product may take for %q", r.Method, r.RequestURI, opens)
				}
				if told := r.Header.Get("X-Tokendesk-Identity"); !strings.Contains(told, `scope="`+scope+`"`) || r.Host != strings.TrimPrefix(api.URL, "http://") {
					t.Errorf("%s %s arrives as %q at %q", r.Method, r.RequestURI, told, r.Host)
				}
			}
			if plain == 0 || len(arrived) < 2*plain || len(arrived) > sent/5 {
				t.Errorf("%d of %d requests arrive, %d of them plain", len(arrived), sent, plain)
			}
		})
	}
}

// rawWire sends requests as they are written, on one connection as long as it lasts.
type rawWire struct {
	site   webtest.Site
	token  string
	conn   net.Conn
	reader *bufio.Reader
}

func (w *rawWire) close() {
	if w.conn != nil {
		_ = w.conn.Close()
		w.conn = nil
	}
}

// ask sends a request for a target and answers the status.
func (w *rawWire) ask(t *testing.T, method, target string) int {
	t.Helper()
	if w.conn == nil {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", w.site.Listener.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		w.conn, w.reader = conn, bufio.NewReader(conn)
	}
	if err := w.conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil { // so that a test that hangs fails
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(w.conn, "%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 0\r\n\r\n", method, target, w.token); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(w.reader, &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s %q: %v", method, target, err)
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.Close {
		w.close()
	}
	return answer.StatusCode
}

// A program with a slip in a path is answered as programs are, and not with a page of the console.
func TestNearlyACall(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	p, _ := holder(t, s, models.NewAPIToken{})
	wire := &rawWire{site: s, token: p.token}
	defer wire.close()
	for path, want := range map[string]int{"/api": 404, "/api/": 400, "//api": 400, "//api/agent-base": 400, "///api/agent-base": 400, "/api//agent-base": 400, "/apis": 404, "/api-docs": 404} {
		if status := wire.ask(t, http.MethodGet, path); status != want {
			t.Errorf("%s: status %d, want %d", path, status, want)
		}
	}
	if a := s.Browser(t).Get(t, "/api"); a.Status != 401 || a.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("status %d, %s", a.Status, a.Header.Get("Content-Type"))
	}
}

// The log tells of a refused call which operation it asked for, and leads to the API token that it came with.
func TestARefusedCallIsTold(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		p, made := holder(t, s, models.NewAPIToken{Name: "Search box", Chosen: true, Scopes: models.Scopes{"knowledge-base:search"}})
		wire := &rawWire{site: s, token: p.token}
		defer wire.close()
		if status := wire.ask(t, http.MethodGet, "/api/knowledge-base/storage"); status != 403 {
			t.Fatalf("status %d", status)
		}
		if err := s.Handlers.Refusals.Finish(t.Context(), s.Store); err != nil {
			t.Fatal(err)
		}
		told, admin := strconv.FormatInt(s.Changes(t), 10), s.SignedIn(t, ines)
		admin.Get(t, tokensTab+"/"+made.ID).Want(t, 200).Has(t, "was refused a call to storage:list")
		event := admin.Get(t, "/audit/"+told).Want(t, 200).Has(t, "the API token Search box")
		for _, link := range event.Page(t).Find("dl a").EachIter() {
			admin.Get(t, link.AttrOr("href", "")).Want(t, 200)
		}
	})
}
