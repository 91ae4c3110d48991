package handlers

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Whatever the form is, it is read as net/url reads it, or refused in a sentence that an error_description may be and that holds nothing of it.
func FuzzTokenForm(f *testing.F) {
	for _, body := range []string{
		"", "token=a", "token=a&token=b", "token=&token_type_hint=x", "&&token=a%20b+c&", "%74oken=a", "token=a;b", "token=%zz", "token", "=a", "a=b=c&token=d=e", "client_secret=&token=a", "client_secret=x&token=a",
		strings.Repeat("a&", 40) + "token=a", "token=\x00\xff",
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		token, problem := TokenOf(body)
		plain, err := url.ParseQuery(body)
		if problem != "" {
			if token != "" || strings.ContainsFunc(problem, func(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }) {
				t.Fatalf("%q is refused as %q with %q", body, problem, token)
			}
			return
		}
		if err != nil || len(plain["token"]) != 1 || plain.Get("token") != token || token == "" || plain.Get("client_secret") != "" {
			t.Fatalf("%q was read as %q, and by net/url as %q (%v)", body, token, plain["token"], err)
		}
		for name, values := range plain {
			if len(values) > 1 {
				t.Fatalf("%q has %q %d times", body, name, len(values))
			}
		}
	})
}

// Whatever the field Authorization is, a client is read from it as net/http reads one, its parts as those of a form; or there is none.
func FuzzClient(f *testing.F) {
	encoded := base64.StdEncoding.EncodeToString
	for _, field := range []string{"", "Basic ", "Bearer x", "Basic " + encoded([]byte("a:b")), "bAsIc " + encoded([]byte("a%20b:c+d:e")), "Basic " + encoded([]byte(":b")), "Basic " + encoded([]byte("a")), "Basic YQ", "Basic !", "Basic " + encoded([]byte("a:%"))} {
		f.Add(field)
	}
	f.Fuzz(func(t *testing.T, field string) {
		id, password, basic := clientOf(field)
		if !basic {
			if id != "" || password != "" || len(field) >= 6 && strings.EqualFold(field[:6], "Basic ") {
				t.Fatalf("%q is no client, and %q", field, id)
			}
			return
		}
		if id == "" {
			if password != "" {
				t.Fatalf("%q is nobody with a password", field)
			}
			return
		}
		r := http.Request{Header: http.Header{"Authorization": {field}}}
		user, word, ok := r.BasicAuth()
		user, bad := url.QueryUnescape(user)
		word, worse := url.QueryUnescape(word)
		if bad != nil || worse != nil || ok && (user != id || word != password) {
			t.Fatalf("%q was read as %q, and by net/http as %q", field, id, user)
		}
	})
}
