package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Run(m)) }

// policy is as strict as the console's.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

const style = `
	body { margin: 0; color: #111; background: #fff; font: 16px/1.5 sans-serif }
	@media (prefers-color-scheme: dark) { body { color: #eee; background: #000 } a { color: #9cf } }
	.wide { width: 3000px } .faint { color: #ccc }
	.gone { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
	#cover { position: fixed; inset: 0; background: #fff }
	@media (scripting: none) { #scripted { display: none } }`

const script = `
	document.body.dataset.ran = "yes";
	addEventListener("pageshow", e => { document.body.dataset.persisted = e.persisted });
	document.getElementById("copy")?.addEventListener("click", e =>
		navigator.clipboard.writeText(document.getElementById("secret").textContent).then(() => { e.target.textContent = "Copied" }));
	document.getElementById("open")?.addEventListener("click", () => document.getElementById("ask").showModal());`

// site is a small site of pages that are wrong or right in one way each.
func site(t *testing.T, pages map[string]string) (base string, posts *atomic.Int64) {
	t.Helper()
	posts = new(atomic.Int64)
	mux := http.NewServeMux()
	for path, kind := range map[string]struct{ media, body string }{
		"/style.css": {"text/css", style}, "/script.js": {"text/javascript", script},
		"/icon.svg": {"image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"/>`},
	} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind.media)
			fmt.Fprint(w, kind.body)
		})
	}
	mux.HandleFunc("POST /post", func(w http.ResponseWriter, r *http.Request) {
		posts.Add(1)
		answer(w, http.StatusOK, "Posted", fmt.Sprintf(`<p>You sent %s</p><a href="/next">Next</a>`, r.FormValue("name")))
	})
	mux.HandleFunc("POST /redirect", func(w http.ResponseWriter, r *http.Request) {
		posts.Add(1)
		http.Redirect(w, r, "/next", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /next", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "Next", "<p>The next page</p>") })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusNotFound, "Not found", "<p>There is no such page</p>")
	})
	for path, body := range pages {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "Page "+path, body) })
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL, posts
}

func answer(w http.ResponseWriter, status int, title, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<!doctype html><html lang="en"><head><title>%[1]s</title><link rel="icon" href="/icon.svg"><link rel="stylesheet" href="/style.css">
		<meta name="viewport" content="width=device-width"></head><body><main><h1>%[1]s</h1>%[2]s</main><script src="/script.js"></script></body></html>`, title, body)
}

// fake is a test that is expected to fail: it keeps what it was told, and runs its cleanups when told.
type fake struct {
	testing.TB
	said     []string
	failed   bool
	cleanups []func()
}

func (f *fake) Helper()             {}
func (f *fake) Failed() bool        { return f.failed }
func (f *fake) Cleanup(do func())   { f.cleanups = append(f.cleanups, do) }
func (f *fake) Logf(string, ...any) {}
func (f *fake) Name() string        { return "TestFake" }
func (f *fake) Errorf(text string, args ...any) {
	f.failed = true
	f.said = append(f.said, fmt.Sprintf(text, args...))
}
func (f *fake) Fatalf(text string, args ...any) {
	f.Errorf(text, args...)
	panic(f)
}

// failing runs a test that is expected to fail, to its end, and returns what it said.
func failing(t *testing.T, with Options, run func(*Tab)) (said []string) {
	t.Helper()
	f := &fake{TB: t}
	func() {
		defer func() {
			if stopped := recover(); stopped != nil && stopped != any(f) {
				panic(stopped)
			}
		}()
		run(Open(f, with))
	}()
	for i := len(f.cleanups) - 1; i >= 0; i-- {
		f.cleanups[i]()
	}
	return f.said
}
