package sample_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tokendesk/web/sample"
)

// product is a running sample, on a file that stays when it is started again.
type product struct {
	t       testing.TB
	path    string
	options sample.Options
	clock   *clock
	log     *transcript
	sample  *sample.Sample
	server  *httptest.Server
}

// start starts a sample on a new file.
func start(t testing.TB, options ...func(*sample.Options)) *product {
	t.Helper()
	p := &product{t: t, path: filepath.Join(t.TempDir(), "my sample %41?#.db"), clock: &clock{now: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)}, log: &transcript{}}
	p.options = sample.Options{Clock: p.clock.Now, Log: slog.New(slog.NewTextHandler(p.log, nil))}
	for _, set := range options {
		set(&p.options)
	}
	p.open()
	t.Cleanup(func() {
		p.stop()
		if text := p.log.String(); text != "" {
			t.Errorf("the sample logged: %s", text)
		}
	})
	return p
}

func limited(l sample.Limits) func(*sample.Options) {
	return func(o *sample.Options) { o.Limits = l }
}

func (p *product) open() {
	p.t.Helper()
	s, err := sample.Open(p.t.Context(), p.path, p.options)
	if err != nil {
		p.t.Fatal(err)
	}
	p.sample, p.server = s, httptest.NewServer(s)
}

func (p *product) stop() {
	p.t.Helper()
	p.server.Close()
	if err := p.sample.Close(); err != nil {
		p.t.Error(err)
	}
}

func (p *product) restart() {
	p.t.Helper()
	p.stop()
	p.open()
}

// clock stands still until it is told to move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// transcript keeps what is logged.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *transcript) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *transcript) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// caller is a program of a workspace, behind the gateway.
type caller struct {
	*product
	workspace string
}

func (p *product) as(workspace string) caller { return caller{p, workspace} }

// caller is who calls, as the gateway tells of it.
func (c caller) caller() sample.Caller {
	return sample.Caller{Workspace: c.workspace, Credential: "cred_001", RequestID: "req_001"}
}

// request makes a request as the gateway does, with more headers in pairs.
func (c caller) request(method, path string, body io.Reader, headers ...string) *http.Request {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.server.URL+path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set(identityField, claimed(c.caller(), signedAt))
	if text, is := body.(*strings.Reader); is && strings.HasPrefix(firstByte(text), "{") {
		r.Header.Set("Content-Type", "application/json")
	}
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	return r
}

func firstByte(r *strings.Reader) string {
	b := make([]byte, 1)
	n, _ := r.ReadAt(b, 0)
	return string(b[:n])
}

func (c caller) do(r *http.Request) answer {
	c.t.Helper()
	response, err := c.server.Client().Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer{c.t, r.Method + " " + r.URL.RequestURI(), response.StatusCode, response.Header, string(body)}
}

func (c caller) call(method, path, body string, headers ...string) answer {
	c.t.Helper()
	return c.do(c.request(method, path, strings.NewReader(body), headers...))
}

func (c caller) get(path string, headers ...string) answer {
	c.t.Helper()
	return c.call(http.MethodGet, path, "", headers...)
}

func (c caller) post(path, body string, headers ...string) answer {
	c.t.Helper()
	return c.call(http.MethodPost, path, body, headers...)
}

// answer is a response, read to its end.
type answer struct {
	t      testing.TB
	to     string // the request
	status int
	header http.Header
	body   string
}

func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: status %d, want %d: %.500s", a.to, a.status, status, a.body)
	}
	return a
}

// refused insists on the envelope of a failure, whose message has these texts.
func (a answer) refused(status int, code string, texts ...string) {
	a.t.Helper()
	var said struct {
		Success *bool
		Error   string
		Message string
		Data    any
	}
	decoder := json.NewDecoder(strings.NewReader(a.body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&said); err != nil || said.Success == nil || *said.Success || said.Data != nil || a.status != status || said.Error != code {
		a.t.Fatalf("%s: status %d, want %d %s: %.500s (%v)", a.to, a.status, status, code, a.body, err)
	}
	if kind := a.header.Get("Content-Type"); kind != "application/json; charset=utf-8" || a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Cache-Control") != "no-store" {
		a.t.Errorf("%s: headers %v", a.to, a.header)
	}
	for _, text := range texts {
		if !strings.Contains(said.Message, text) {
			a.t.Errorf("%s: the message does not say %q: %s", a.to, text, said.Message)
		}
	}
}

// data reads what was answered, and insists on the envelope of a success.
func data[T any](a answer, status int) (value T) {
	a.t.Helper()
	a.want(status)
	var said struct {
		Success bool
		Message string
		Data    json.RawMessage
	}
	err := json.Unmarshal([]byte(a.body), &said)
	if err == nil {
		decoder := json.NewDecoder(strings.NewReader(string(said.Data)))
		decoder.DisallowUnknownFields()
		err = decoder.Decode(&value)
	}
	if err != nil || !said.Success || said.Message == "" {
		a.t.Fatalf("%s: %.500s (%v)", a.to, a.body, err)
	}
	return value
}

type page[T any] struct {
	Items []T
	Next  string
}

// items is a list that was answered, which must be whole.
func items[T any](a answer) []T {
	a.t.Helper()
	l := data[page[T]](a, http.StatusOK)
	if l.Next != "" || l.Items == nil {
		a.t.Fatalf("%s: the list is %.500s", a.to, a.body)
	}
	return l.Items
}

// install installs an agent.
func (c caller) install(name string) agent {
	c.t.Helper()
	return data[agent](c.post("/api/agent-base/install", `{"name":"`+name+`"}`), http.StatusCreated)
}

// keep uploads a file as the body of a request.
func (c caller) keep(name, content string) file {
	c.t.Helper()
	return data[file](c.post("/api/knowledge-base/storage?name="+name, content, "Content-Type", "application/octet-stream"), http.StatusCreated)
}

// ask asks the assistant for JSON.
func (c caller) ask(question, conversationID string) answer {
	c.t.Helper()
	body, err := json.Marshal(map[string]string{"message": question, "conversation_id": conversationID})
	if err != nil {
		c.t.Fatal(err)
	}
	return c.post("/api/assistant/chat", string(body), "Accept", "application/json")
}
