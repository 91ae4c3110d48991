// Package webtest runs the whole server over each database and talks to it as a browser or a program
// does, over a real connection.
package webtest

import (
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"tokendesk/handlers"
	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/archive"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
	"tokendesk/web"
	"tokendesk/web/session"
)

// Site is a running server.
type Site struct {
	storetest.World
	URL      string
	Tally    *access.Tally
	Admin    models.Actor // the first Admin, ines@marlowe.example
	Handlers *handlers.Handlers
	Listener *httptest.Server
}

// Each runs a test against a server that was set up, on SQLite and on PostgreSQL.
func Each(t *testing.T, test func(t *testing.T, s Site)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		s := Start(t, w)
		s.Admin = w.SetUp(t)
		test(t, s)
	})
}

// Start runs a server on a world. It ends with the test.
func Start(t testing.TB, w storetest.World) Site {
	t.Helper()
	key, err := secret.OpenKey(w.Dir + "/key")
	if err != nil {
		t.Fatal(err)
	}
	tally := access.NewTally()
	h := &handlers.Handlers{
		Store: w.Store, Gate: access.NewGate(w.Store, tally, w.Clock.Now), Throttle: access.NewThrottle(w.Clock.Now),
		Sessions: session.NewStore(w.Store, false), Key: key, Clock: w.Clock.Now,
		Log:    slog.New(slog.NewTextHandler(w.Log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Limits: archive.DefaultLimits, SpoolDir: t.TempDir(), Version: "test",
	}
	server := httptest.NewUnstartedServer(nil)
	server.Config = web.New(h, nil).HTTP()
	server.Start()
	t.Cleanup(server.Close)
	return Site{World: w, URL: server.URL, Tally: tally, Handlers: h, Listener: server}
}

// Flush writes down what the gate has counted.
func (s Site) Flush(t testing.TB) {
	t.Helper()
	if err := s.Tally.Flush(t.Context(), s.Store); err != nil {
		t.Fatal(err)
	}
}

// Agent is a caller with a cookie jar: one browser.
type Agent struct {
	site   Site
	client *http.Client
}

// Browser is a browser that nobody has signed in.
func (s Site) Browser(t testing.TB) *Agent {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Agent{s, &http.Client{Jar: jar, CheckRedirect: stay}}
}

// SignedIn is a browser in which a person has signed in, through the page.
func (s Site) SignedIn(t testing.TB, email string) *Agent {
	t.Helper()
	a := s.Browser(t)
	a.Post(t, "/signin", Form{"email": email, "password": storetest.Password}).Want(t, 303)
	for _, cookie := range a.client.Jar.Cookies(must(t, s.URL)) {
		s.Secrets.Add(secret.Text(cookie.Value))
	}
	return a
}

// Form is the fields of a form.
type Form map[string]string

// Answer is a response, read to its end.
type Answer struct {
	Status int
	Header http.Header
	Body   string
	doc    *goquery.Document
}

// Get fetches a page. Headers come in pairs of name and value.
func (a *Agent) Get(t testing.TB, path string, headers ...string) *Answer {
	t.Helper()
	return a.Do(t, request(t, http.MethodGet, a.site.URL+path, nil, headers))
}

// Post sends a form, as a browser does.
func (a *Agent) Post(t testing.TB, path string, form Form, headers ...string) *Answer {
	t.Helper()
	values := url.Values{}
	for name, value := range form {
		values.Set(name, value)
	}
	r := request(t, http.MethodPost, a.site.URL+path, strings.NewReader(values.Encode()), headers)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return a.Do(t, r)
}

// Upload sends a file in a multipart form, as curl -F does.
func (a *Agent) Upload(t testing.TB, path, field, name string, content io.Reader, headers ...string) *Answer {
	t.Helper()
	body, send := io.Pipe()
	form := multipart.NewWriter(send)
	go func() {
		part, err := form.CreateFormFile(field, name)
		if err == nil {
			_, err = io.Copy(part, content)
		}
		if err == nil {
			err = form.Close()
		}
		send.CloseWithError(err)
	}()
	r := request(t, http.MethodPost, a.site.URL+path, body, headers)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return a.Do(t, r)
}

// Do sends any request.
func (a *Agent) Do(t testing.TB, r *http.Request) *Answer {
	t.Helper()
	response, err := a.client.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: read the answer: %v", r.Method, r.URL.Path, err)
	}
	return &Answer{Status: response.StatusCode, Header: response.Header, Body: string(body)}
}

// Cookies are what the browser holds for the site.
func (a *Agent) Cookies(t testing.TB) []*http.Cookie {
	t.Helper()
	return a.client.Jar.Cookies(must(t, a.site.URL))
}

// Want insists on a status.
func (a *Answer) Want(t testing.TB, status int) *Answer {
	t.Helper()
	if a.Status != status {
		t.Fatalf("status %d, want %d: %.600s", a.Status, status, a.Body)
	}
	return a
}

// Page is the answer as a document.
func (a *Answer) Page(t testing.TB) *goquery.Document {
	t.Helper()
	if a.doc == nil {
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(a.Body))
		if err != nil {
			t.Fatal(err)
		}
		a.doc = doc
	}
	return a.doc
}

// Text is what the one element that matches says, with its white space folded.
func (a *Answer) Text(t testing.TB, selector string) string {
	t.Helper()
	found := a.Page(t).Find(selector)
	if found.Length() != 1 {
		t.Fatalf("%d elements match %s, want one", found.Length(), selector)
	}
	return strings.Join(strings.Fields(found.Text()), " ")
}

// Has insists that the page says something.
func (a *Answer) Has(t testing.TB, text string) *Answer {
	t.Helper()
	if !strings.Contains(a.said(t), text) {
		t.Fatalf("the page does not say %q:\n%.1500s", text, a.said(t))
	}
	return a
}

// HasNot insists that nothing of the answer, shown or not, is this text.
func (a *Answer) HasNot(t testing.TB, text string) *Answer {
	t.Helper()
	if strings.Contains(a.Body, text) || strings.Contains(a.said(t), text) {
		t.Fatalf("the page says %q", text)
	}
	return a
}

func (a *Answer) said(t testing.TB) string {
	if !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
		return a.Body
	}
	return strings.Join(strings.Fields(a.Page(t).Text()), " ")
}

// Value is what a form's field on the page holds.
func (a *Answer) Value(t testing.TB, name string) string {
	t.Helper()
	value, ok := a.Page(t).Find(`[name="` + name + `"]`).First().Attr("value")
	if !ok {
		t.Fatalf("no field %s with a value", name)
	}
	return value
}

func request(t testing.TB, method, address string, body io.Reader, headers []string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func must(t testing.TB, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
