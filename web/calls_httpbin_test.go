package web_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/web/sample"
	"tokendesk/web/webtest"
)

// startHTTPBin starts go-httpbin, a server that nobody here wrote, and answers where it is. What it logs comes line by line, one
// for each call that has ended.
func startHTTPBin(t *testing.T, args ...string) (address string, log <-chan string) {
	t.Helper()
	program := os.Getenv("TOKENDESK_TEST_HTTPBIN")
	if program == "" {
		if os.Getenv("TOKENDESK_TEST_REQUIRE") != "" {
			t.Fatal("TOKENDESK_TEST_HTTPBIN does not name go-httpbin")
		}
		t.Skip("TOKENDESK_TEST_HTTPBIN does not name go-httpbin: ./.ci/test builds it")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	cmd := exec.Command(program, append(args, "-host", "127.0.0.1", "-port", port)...)
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 1000)
	go func() {
		defer close(lines)
		for scan := bufio.NewScanner(said); scan.Scan(); {
			lines <- scan.Text()
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		for range lines {
		}
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
			conn.Close()
			return "http://127.0.0.1:" + port, lines
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// echo is what go-httpbin says that it got.
type echo struct {
	Method, URL, Data, Origin string
	Headers                   http.Header
	Files                     map[string][]string
	Received                  int64 `json:"bytes_received"`
}

func echoed(t testing.TB, a *webtest.Answer) (e echo) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.Want(t, 200).Body), &e); err != nil {
		t.Fatalf("%v: %.300s", err, a.Body)
	}
	return e
}

// request is what must have come to go-httpbin for it to say so.
func (e echo) request(address string) *http.Request {
	return &http.Request{Method: e.Method, RequestURI: strings.TrimPrefix(e.URL, address), Header: e.Headers}
}

// body is what came; go-httpbin shows what is neither text nor JSON in base64.
func (e echo) body() string {
	if _, encoded, ok := strings.Cut(e.Data, ";base64,"); ok {
		plain, _ := base64.URLEncoding.DecodeString(encoded)
		return string(plain)
	}
	return e.Data
}

// Each operation of the eight resources arrives at a server that nobody here wrote as it was sent, with who called, signed, and
// without the token: as an Admin points the product there, in the console, under a path of that server.
func TestHttpbinGetsEveryOperation(t *testing.T) {
	t.Parallel()
	address, _ := startHTTPBin(t)
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin, product := s.SignedIn(t, ines), "/w/marlowe-press/settings/products/"+productsOf(t, s)[0].ID
		p, made := holder(t, s, models.NewAPIToken{})
		admin.Post(t, product+"/test", pointing(address+"/anything")).Want(t, 200).Has(t, " answered 200 OK in ")
		point(t, admin, product, pointing(address+"/anything")).To(t, product+"/upstream")
		key := signingKey(t, s, admin, product)
		for _, o := range operations {
			path, body := bracketed.ReplaceAllString(o.path, "x%20y"), o.body
			a := p.call(t, o.method, path, body, "Accept-Language", "en", "X-Tokendesk-Identity", "mallory")
			got := echoed(t, a)
			if strings.Contains(a.Body, p.token) || strings.Contains(a.Body, "mallory") {
				t.Errorf("%s %s: the product got %s", o.method, path, a.Body)
			}
			who, err := sample.Verify(got.request(address), key, s.Clock.Now())
			want := sample.Caller{Workspace: made.WorkspaceID, Kind: "api", Credential: made.ID, Scope: o.scope, RequestID: a.Header.Get("X-Request-Id")}
			if err != nil || who != want {
				t.Errorf("%s %s came from %+v: %v", o.method, path, who, err)
			}
			if got.Method != o.method || got.URL != address+"/anything"+path || got.body() != body || got.Headers.Get("Accept-Language") != "en" || got.Origin != "127.0.0.1" {
				t.Errorf("%s %s with %q arrived as %+v", o.method, path, body, got)
			}
		}
	}, webtest.Sampled())
}
