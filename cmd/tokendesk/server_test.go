package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
)

// server is a running "tokendesk serve".
type server struct {
	*process
	base string
}

// serve starts a server on a free port, and waits until it listens.
func (in place) serve(t *testing.T, env ...string) server {
	t.Helper()
	p := launch(t, in.env(env...), "", "serve")
	return server{p, p.await(t, p.err, listening)[1]}
}

// listening finds a server's address in its log, in either format.
const listening = `"?address"?[=:]"?(http://[^"\s]+)`

// stop ends a server as an operator does, and answers everything that it printed.
func (s server) stop(t *testing.T) result {
	t.Helper()
	return s.end(t, syscall.SIGTERM)
}

func (s server) end(t *testing.T, by os.Signal) result {
	t.Helper()
	s.signal(t, by)
	r := s.wait(t)
	if r.code != 0 {
		t.Fatalf("exit code %d after %v: %s", r.code, by, r.err)
	}
	return r
}

// setUpLine is the one line that a server prints while there is no Admin.
const setUpLine = `^Set this console up within 15 minutes: (http://\S+)(/setup\?code=(\S+))\n$`

// setUp uses the address that the server printed, and answers the first Admin's browser.
func (s server) setUp(t *testing.T) browser {
	t.Helper()
	line := s.await(t, s.out, setUpLine)
	b := s.browser(t)
	b.get(t, line[2]).want(t, http.StatusOK)
	b.post(t, "/setup", url.Values{
		"code": {line[3]}, "name": {"Ines Moreau"}, "email": {"ines@marlowe.example"}, "password": {storetest.Password}, "workspace": {"Marlowe Press"},
	}).want(t, http.StatusSeeOther)
	return b
}

// refuses waits until nobody can connect any more.
func (s server) refuses(t *testing.T) {
	t.Helper()
	again, late := time.NewTicker(5*time.Millisecond), time.After(enough)
	defer again.Stop()
	for {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://"))
		if err != nil {
			return
		}
		conn.Close()
		select {
		case <-again.C:
		case <-late:
			t.Fatal("the server still accepts connections")
		}
	}
}

// browser is a client with cookies, which follows no redirect.
type browser struct {
	base   string
	client *http.Client
}

func (s server) browser(t *testing.T) browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ExpectContinueTimeout = enough
	t.Cleanup(transport.CloseIdleConnections)
	return browser{s.base, &http.Client{Jar: jar, Transport: transport, Timeout: enough,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// answered is a response, read to its end.
type answered struct {
	status int
	to     string // Location
	body   string
}

// want insists on a status. The body is not shown: there may be a secret in it.
func (a answered) want(t *testing.T, status int) answered {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d (%s), want %d", a.status, a.to, status)
	}
	return a
}

func (b browser) do(t *testing.T, r *http.Request) answered {
	t.Helper()
	response, err := b.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answered{response.StatusCode, response.Header.Get("Location"), string(body)}
}

func (b browser) get(t *testing.T, path string) answered {
	t.Helper()
	return b.do(t, b.request(t, http.MethodGet, path, nil))
}

func (b browser) post(t *testing.T, path string, form url.Values) answered {
	t.Helper()
	r := b.request(t, http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(t, r)
}

func (b browser) request(t *testing.T, method, path string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.base+path, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// signIn answers the status: 303 when the password was right.
func (b browser) signIn(t *testing.T, email, password string) int {
	t.Helper()
	return b.post(t, "/signin", url.Values{"email": {email}, "password": {password}}).status
}

// pick answers the one text on a page that a pattern's group matches.
func pick(t *testing.T, page, pattern string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("nothing on the page matches %s", pattern)
	}
	return found[1]
}

// bearerToken creates the bearer token of the first person in the list, as an Admin does.
func (b browser) bearerToken(t *testing.T) string {
	t.Helper()
	record := pick(t, b.get(t, "/people").want(t, 200).body, `"(/people/[0-9a-f-]{36})"`)
	formID := pick(t, b.get(t, record).want(t, 200).body, `name="form_id" value="([^"]+)"`)
	shown := b.post(t, record+"/bearer-token", url.Values{"form_id": {formID}}).want(t, 200)
	return pick(t, shown.body, `<output[^>]* id="token"[^>]*>([^<]+)<`)
}

// install sends a collection, as curl -F does.
func (b browser) install(t *testing.T, token string) answered {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("collectionFile", "tools.zip")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write(collection(t))
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	r := b.request(t, http.MethodPost, "/installCollection", &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Authorization", "Bearer "+token)
	return b.do(t, r)
}

// collection is a small collection file.
func collection(t *testing.T) []byte {
	t.Helper()
	var file bytes.Buffer
	w := zip.NewWriter(&file)
	entry, err := w.Create("requests/list.json")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(entry, `{"method":"GET","path":"/api/agents"}`)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// product points the first product at an upstream, whose tokens may make as many calls as any.
func (b browser) product(t *testing.T, upstream string) {
	t.Helper()
	const settings = "/w/marlowe-press/settings"
	b.post(t, settings+"/limits", url.Values{"calls_a_minute": {fmt.Sprint(models.MostCallsAMinute)}}).want(t, http.StatusSeeOther)
	product := pick(t, b.get(t, settings+"/resources").want(t, 200).body, `"(`+settings+`/products/[0-9a-f-]{36})/`)
	revision := pick(t, b.get(t, product+"/upstream").want(t, 200).body, `name="revision" value="([0-9]+)"`)
	b.post(t, product+"/upstream", url.Values{
		"to": {"own"}, "upstream": {upstream}, "connect_timeout": {"3"}, "answer_timeout": {"30"}, "max_body": {"1024"}, "revision": {revision},
	}).want(t, http.StatusSeeOther)
}
