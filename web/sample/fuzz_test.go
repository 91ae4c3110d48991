package sample_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"tokendesk/web/sample"
)

// serve answers a request without a connection.
func (p *product) serve(method, target, kind, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Accept", "application/json")
	w := httptest.NewRecorder()
	p.sample.ServeHTTP(w, r)
	return w
}

// wantEnvelope insists that an answer is one of the two envelopes, as its status says, and none of a fault.
func wantEnvelope(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	var said struct {
		Success        *bool
		Error, Message string
		Data           json.RawMessage
	}
	err := json.Unmarshal(w.Body.Bytes(), &said)
	if err != nil || said.Success == nil || *said.Success != (w.Code < 400) || (said.Error == "") != *said.Success || said.Message == "" || w.Code >= 500 || !utf8.Valid(w.Body.Bytes()) {
		t.Fatalf("status %d: %.500s (%v)", w.Code, w.Body, err)
	}
}

// Whatever body arrives, it is done or refused with a reason; nothing fails.
func FuzzBody(f *testing.F) {
	targets := []string{
		"POST /api/agent-base/install", "POST /api/agent-base/triggers", "POST /api/webhook", "POST /api/webhook/token-guide", "POST /api/integrations-base", "POST /api/assistant/chat",
		"PUT /api/agent-base/x", "PUT /api/integrations-base/x", "POST /api/knowledge-base/storage?name=a.txt", "POST /api/knowledge-base/storage",
	}
	for i, body := range []string{
		`{"name":"a","event":"a/b","instructions":"x"}`, `{"trigger_id":"x","input":"y"}`, `{"event":"token-guide","input":"x"}`, `{"a":[{"b":null}]}`,
		`{"type":"a","scope":"local","product_id":"p","active":false,"config":{"k":"0123456789abcdef"}}`, `{"message":"How? \u0000 \ud800","conversation_id":""}`,
	} {
		f.Add(i, "application/json", body)
	}
	f.Add(0, "application/json", `{"name":"a"}{"name":"b"}`)
	f.Add(0, "text/plain", `{}`)
	f.Add(8, "", "kettle\n\n\x00\xff")
	form, kind := form(f, "file", "# kettle")
	f.Add(9, kind, form)
	f.Add(9, "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=file; filename=a.txt\r\n\r\nx\r\n--x--")
	p := start(f, limited(sample.Limits{Agents: 8, Integrations: 8, Files: 16, Executions: 20, Events: 20, Conversations: 5}))
	f.Fuzz(func(t *testing.T, at int, kind, body string) {
		method, target, _ := strings.Cut(targets[uint(at)%uint(len(targets))], " ")
		wantEnvelope(t, p.serve(method, target, kind, body))
	})
}

// Whatever is searched for is found or not; no text is an operator, and nothing of another workspace comes back.
func FuzzSearch(f *testing.F) {
	for _, q := range []string{"revoke a token", `"`, `NEAR(a b, 2)`, "home : t2", "a OR b", "-x ^y z*", "\x00", "\xff", "é̂ ａ 🙂", "{title} : a", "'; DROP TABLE passages; --", "(((((", "marmalade"} {
		f.Add(q)
	}
	p := start(f)
	p.as("w2").keep("a.txt", "marmalade")
	f.Fuzz(func(t *testing.T, q string) {
		w := p.serve(http.MethodGet, "/api/knowledge-base/search?q="+url.QueryEscape(q), "", "")
		wantEnvelope(t, w)
		if strings.Contains(w.Body.String(), "**marmalade") {
			t.Fatalf("%q finds another workspace's document", q)
		}
		for _, word := range sample.Words(q) {
			if word == "" || len(word) > 64 || strings.ContainsAny(word, "\"'*():^-+ \x00") {
				t.Fatalf("%q has the word %q", q, word)
			}
		}
	})
}

// Whatever claims to be an identity, only the one that the key makes is believed.
func FuzzVerify(f *testing.F) {
	good := signed().Header.Get(identityField)
	said, sum, _ := strings.Cut(good, ", v1=")
	for _, field := range []string{good, "", `t=, v1=""`, said, strings.ToUpper(good), good + " ", `t=-1, v1="00"`, strings.Replace(good, "t=", "t=0", 1), good + ", " + good, said + ", v1=" + strings.ToUpper(sum)} {
		f.Add(field)
	}
	f.Fuzz(func(t *testing.T, field string) {
		r := signed()
		r.Header.Set(identityField, field)
		caller, err := sample.Verify(r, signingKey, signedAt)
		same := strings.HasPrefix(field, said+", v1=") && strings.EqualFold(field, good)
		if (err == nil) != same || err != nil && caller != (sample.Caller{}) {
			t.Fatalf("%q: %+v, %v", field, caller, err)
		}
	})
}

// Whatever an identity says that the key has signed, it is read or refused, and is a value that could have been written.
func FuzzIdentity(f *testing.F) {
	for _, said := range []string{claimed(searcher, signedAt), "", "t=1795168800", `t=1795168800, person="", request="", workspace="", kind="", credential="", scope=""`, `t=1795168800, , =, x`, claimed(searcher, signedAt) + `, scope="all"`} {
		f.Add(said)
	}
	f.Fuzz(func(t *testing.T, said string) {
		r := signed()
		signText(r, said, signingKey)
		caller, err := sample.Verify(r, signingKey, signedAt)
		if err != nil {
			return
		}
		signText(r, claimed(caller, signedAt), signingKey)
		if again, err := sample.Verify(r, signingKey, signedAt); err != nil || again != caller {
			t.Fatalf("%q: %+v, and then %+v, %v", said, caller, again, err)
		}
	})
}

// Whatever the text is, its passages are not too long, not too many, and text.
func FuzzPassages(f *testing.F) {
	for _, text := range []string{"", "a\n\nb", strings.Repeat("word ", 400), strings.Repeat("é", 1000), strings.Repeat("\n\n", 1000), "a. " + strings.Repeat("x", 2000)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return // that becomes no document
		}
		all := sample.Passages(text)
		for _, passage := range all {
			if len(passage) > 900 || passage == "" || !utf8.ValidString(passage) {
				t.Fatalf("%q", passage)
			}
		}
		if len(all) > 1+len(text)/100 {
			t.Fatalf("%d bytes make %d passages", len(text), len(all))
		}
	})
}
