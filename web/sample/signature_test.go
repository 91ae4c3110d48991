package sample_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tokendesk/web/sample"
)

var signingKey = []byte("0123456789abcdef0123456789abcdef")

// sign signs a request as the gateway does.
func sign(r *http.Request, key []byte, at time.Time) {
	target := r.RequestURI
	if target == "" {
		target = r.URL.RequestURI() // of a client
	}
	t := fmt.Sprint(at.Unix())
	text := []string{"tokendesk-v1", t, r.Method, target}
	for _, name := range identity {
		text = append(text, r.Header.Get(name))
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(strings.Join(text, "\n")))
	r.Header.Set("X-Tokendesk-Signature", "t="+t+",v1="+hex.EncodeToString(mac.Sum(nil)))
}

var identity = []string{"X-Tokendesk-Workspace", "X-Tokendesk-Kind", "X-Tokendesk-Credential", "X-Tokendesk-Person", "X-Tokendesk-Scope", "X-Request-Id"}

var signedAt = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

// signed is a call as it comes in, signed.
func signed() *http.Request {
	r := httptest.NewRequest("GET", "/api/knowledge-base/search?q=a%20b", nil)
	for i, value := range []string{"ws_1", "api_token", "cred_1", "", "knowledge-base:search", "req_1"} {
		r.Header.Set(identity[i], value)
	}
	sign(r, signingKey, signedAt)
	return r
}

// The signature of one call, worked out with openssl (docs/sample.md shows how): what other languages compare with.
func TestSignatureOfTheDocuments(t *testing.T) {
	const want = "t=1795168800,v1=53f276d176036ebaad418d10b4de03e2048a2f409814101053464dfa310c6015"
	if got := signed().Header.Get("X-Tokendesk-Signature"); got != want {
		t.Errorf("the signature is %s, want %s", got, want)
	}
}

func TestVerify(t *testing.T) {
	caller, err := sample.Verify(signed(), signingKey, signedAt)
	want := sample.Caller{Workspace: "ws_1", Kind: "api_token", Credential: "cred_1", Scope: "knowledge-base:search", RequestID: "req_1"}
	if err != nil || caller != want {
		t.Errorf("it is %+v (%v)", caller, err)
	}
	for _, age := range []time.Duration{-5 * time.Minute, 0, 5 * time.Minute} {
		if _, err := sample.Verify(signed(), signingKey, signedAt.Add(age)); err != nil {
			t.Errorf("after %s: %v", age, err)
		}
	}
}

// One thing changed, and nobody is believed.
func TestVerifyRefuses(t *testing.T) {
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	signature := signed().Header.Get("X-Tokendesk-Signature")
	_, sum, _ := strings.Cut(signature, "v1=")
	cases := map[string]struct {
		change func(*http.Request)
		says   string
	}{
		"method":             {func(r *http.Request) { r.Method = "POST" }, "not of this call"},
		"path":               {func(r *http.Request) { r.RequestURI = "/api/knowledge-base/searcH?q=a%20b" }, "not of this call"},
		"other escape":       {func(r *http.Request) { r.RequestURI = "/api/knowledge-base/search?q=a+b" }, "not of this call"},
		"query":              {func(r *http.Request) { r.RequestURI += "&x" }, "not of this call"},
		"no signature":       {func(r *http.Request) { r.Header.Del("X-Tokendesk-Signature") }, "is missing"},
		"two signatures":     {func(r *http.Request) { r.Header.Add("X-Tokendesk-Signature", signature) }, "is there 2 times"},
		"empty":              {set("X-Tokendesk-Signature", ""), "is missing"},
		"no time":            {set("X-Tokendesk-Signature", "v1="+sum), "is missing, or is not"},
		"no t=":              {set("X-Tokendesk-Signature", strings.TrimPrefix(signature, "t=")), "is missing, or is not"},
		"no sum":             {set("X-Tokendesk-Signature", "t=1795168800,v1="), "not of this call"},
		"short sum":          {set("X-Tokendesk-Signature", signature[:len(signature)-2]), "not of this call"},
		"long sum":           {set("X-Tokendesk-Signature", signature+"00"), "not of this call"},
		"no hex":             {set("X-Tokendesk-Signature", signature[:len(signature)-1]+"g"), "is missing, or is not"},
		"another version":    {set("X-Tokendesk-Signature", strings.Replace(signature, "v1", "v2", 1)), "is missing, or is not"},
		"more fields":        {set("X-Tokendesk-Signature", signature+",v1="+sum), "is missing, or is not"},
		"another time":       {set("X-Tokendesk-Signature", strings.Replace(signature, "t=1", "t=2", 1)), "not of this call"},
		"time with a sign":   {set("X-Tokendesk-Signature", strings.Replace(signature, "t=", "t=+", 1)), "not of this call"},
		"time of no integer": {set("X-Tokendesk-Signature", strings.Replace(signature, "t=", "t=99999999999999999999", 1)), "is missing, or is not"},
	}
	for i, name := range identity {
		cases["another "+name] = struct {
			change func(*http.Request)
			says   string
		}{set(name, "x"), "not of this call"}
		cases["two of "+name] = struct {
			change func(*http.Request)
			says   string
		}{func(r *http.Request) { r.Header.Add(name, r.Header.Get(name)); r.Header.Add(name, "x") }, "is there"}
		if i > 0 {
			cases["moved to "+name] = struct {
				change func(*http.Request)
				says   string
			}{func(r *http.Request) {
				r.Header.Set(name, r.Header.Get(identity[i-1])+r.Header.Get(name))
				r.Header.Del(identity[i-1])
			}, "not of this call"}
		}
	}
	delete(cases, "moved to X-Tokendesk-Scope") // the person before it is empty
	for name, c := range cases {
		r := signed()
		c.change(r)
		if caller, err := sample.Verify(r, signingKey, signedAt); err == nil || caller != (sample.Caller{}) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %+v (%v)", name, caller, err)
		}
	}
	for _, age := range []time.Duration{-5*time.Minute - time.Second, 5*time.Minute + time.Second, -100 * 365 * 24 * time.Hour, 100 * 365 * 24 * time.Hour} {
		if _, err := sample.Verify(signed(), signingKey, signedAt.Add(age)); err == nil || !strings.Contains(err.Error(), "compare the clocks") {
			t.Errorf("after %s: %v", age, err)
		}
	}
	for _, key := range [][]byte{nil, {}, signingKey[:31], []byte(strings.ToUpper(string(signingKey)))} {
		if _, err := sample.Verify(signed(), key, signedAt); err == nil {
			t.Errorf("the key %q opens", key)
		}
	}
	nobody := signed()
	sign(nobody, nil, signedAt)
	if _, err := sample.Verify(nobody, nil, signedAt); err == nil {
		t.Error("without a key, a signature without a key opens")
	}
}

// With a key, every call carries a signature, or is answered with 401 and reaches nothing.
func TestSampleWithAKey(t *testing.T) {
	p := start(t, func(o *sample.Options) { o.Key = signingKey })
	c := p.as("w1")
	for _, path := range []string{"/api/agent-base", "/nope", "//"} {
		c.get(path).refused(401, "unauthorized", "not believed", "X-Tokendesk-Signature is missing")
	}
	ask := func(key []byte, age time.Duration) answer {
		r := c.request("GET", "/api/agent-base?limit=100", nil)
		sign(r, key, p.clock.Now().Add(age))
		return c.do(r)
	}
	ask([]byte("another key, as long as this one"), 0).refused(401, "unauthorized", "not made with this key")
	ask(signingKey, 6*time.Minute).refused(401, "unauthorized", "compare the clocks")
	if p.onDisk() != 0 {
		t.Error("a stranger made a workspace")
	}
	if got := items[agent](ask(signingKey, time.Minute)); len(got) != 2 {
		t.Errorf("the list is %+v", got)
	}
}

// Without a key, repeated headers and overlong ones are refused all the same.
func TestIdentityWithoutAKey(t *testing.T) {
	c := start(t).as("w1")
	r := c.request("GET", "/api/agent-base", nil)
	r.Header.Add("X-Tokendesk-Workspace", "w2")
	c.do(r).refused(401, "unauthorized", "X-Tokendesk-Workspace is there 2 times")
	c.get("/api/agent-base", "X-Tokendesk-Person", strings.Repeat("x", 201)).refused(401, "unauthorized", "longer than 200 bytes")
}
