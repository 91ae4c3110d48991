package webtest

import (
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

// Agent is a caller with a cookie jar: one browser. A program is one that gets no cookie.
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
	return &Agent{s, &http.Client{Jar: jar, CheckRedirect: stay, Transport: s.Listener.Client().Transport}}
}

// SignedIn is a browser in which a person has signed in, through the page.
func (s Site) SignedIn(t testing.TB, email string) *Agent {
	t.Helper()
	return s.SignedInWith(t, email, storetest.Password)
}

// SignedInWith is SignedIn for somebody with a password of their own.
func (s Site) SignedInWith(t testing.TB, email, password string) *Agent {
	t.Helper()
	a := s.Browser(t)
	a.Post(t, "/signin", Form{"email": email, "password": password}).Want(t, 303)
	return a
}

// With gives the browser a cookie for the site.
func (a *Agent) With(t testing.TB, name, value string) *Agent {
	t.Helper()
	a.client.Jar.SetCookies(must(t, a.site.URL), []*http.Cookie{{Name: name, Value: value, Path: "/"}})
	return a
}

// Get fetches a page. Headers come in pairs of name and value.
func (a *Agent) Get(t testing.TB, path string, headers ...string) *Answer {
	t.Helper()
	return a.Do(t, request(t, http.MethodGet, a.site.URL+path, nil, headers))
}

// Post sends a form, as a browser does.
func (a *Agent) Post(t testing.TB, path string, form Form, headers ...string) *Answer {
	t.Helper()
	return a.Send(t, http.MethodPost, path, strings.NewReader(form.Encode()), append(headers, "Content-Type", "application/x-www-form-urlencoded")...)
}

// Send makes any request.
func (a *Agent) Send(t testing.TB, method, path string, body io.Reader, headers ...string) *Answer {
	t.Helper()
	return a.Do(t, request(t, method, a.site.URL+path, body, headers))
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
	return a.Send(t, http.MethodPost, path, body, append(headers, "Content-Type", form.FormDataContentType())...)
}

// Do sends a request and reads the answer to its end. The session that it may start is a secret of the world.
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
	for _, cookie := range response.Cookies() {
		if strings.HasSuffix(cookie.Name, "sid") && cookie.Value != "" {
			a.site.Secrets.Add(secret.Text(cookie.Value))
		}
	}
	return &Answer{Status: response.StatusCode, Header: response.Header, Body: string(body)}
}

// Cookies are what the browser holds for the site.
func (a *Agent) Cookies(t testing.TB) []*http.Cookie {
	t.Helper()
	return a.client.Jar.Cookies(must(t, a.site.URL))
}

// Cookie is the value of one of them; empty when the browser does not hold it.
func (a *Agent) Cookie(t testing.TB, name string) string {
	t.Helper()
	for _, c := range a.Cookies(t) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
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
