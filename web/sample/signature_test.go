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

const identityField = "X-Tokendesk-Identity"

// claimed is what the gateway says of a call at a time, unsigned.
func claimed(c sample.Caller, at time.Time) string {
	return fmt.Sprintf(`t=%d, request="%s", workspace="%s", kind="%s", credential="%s", person="%s", scope="%s"`, at.Unix(), c.RequestID, c.Workspace, c.Kind, c.Credential, c.Person, c.Scope)
}

// sign has a request say who calls, as the gateway does.
func sign(r *http.Request, c sample.Caller, key []byte, at time.Time) {
	signText(r, claimed(c, at), key)
}

func signText(r *http.Request, said string, key []byte) {
	target := r.RequestURI
	if target == "" {
		target = r.URL.RequestURI() // of a client
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(r.Method + "\n" + target + "\n" + said))
	r.Header.Set(identityField, said+`, v1="`+hex.EncodeToString(mac.Sum(nil))+`"`)
}

var signedAt = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

var searcher = sample.Caller{Workspace: "ws_1", Kind: "api", Credential: "cred_1", Scope: "knowledge-base:search", RequestID: "req_1"}

// signed is a call as it comes in, signed.
func signed() *http.Request {
	r := httptest.NewRequest("GET", "/api/knowledge-base/search?q=a%20b", nil)
	sign(r, searcher, signingKey, signedAt)
	return r
}

// The signature of one call, worked out with openssl (docs/sample.md shows how): what other languages compare with.
func TestSignatureOfTheDocuments(t *testing.T) {
	const want = `t=1795168800, request="req_1", workspace="ws_1", kind="api", credential="cred_1", person="", scope="knowledge-base:search", v1="40d14abe3858bf7f65cca809e0a750a54ac9917cc2a336ce5f9c1143bf0c1486"`
	if got := signed().Header.Get(identityField); got != want {
		t.Errorf("the field is %s, want %s", got, want)
	}
}

func TestVerify(t *testing.T) {
	caller, err := sample.Verify(signed(), signingKey, signedAt)
	if err != nil || caller != searcher {
		t.Errorf("it is %+v (%v)", caller, err)
	}
	for _, age := range []time.Duration{-5 * time.Minute, 0, 5 * time.Minute} {
		if _, err := sample.Verify(signed(), signingKey, signedAt.Add(age)); err != nil {
			t.Errorf("after %s: %v", age, err)
		}
	}
	later := signed()
	signText(later, claimed(searcher, signedAt)+", address=\"192.0.2.1\"", signingKey)
	if caller, err := sample.Verify(later, signingKey, signedAt); err != nil || caller != searcher {
		t.Errorf("with a member more: %+v (%v)", caller, err)
	}
}

// One thing changed, and nobody is believed.
func TestVerifyRefuses(t *testing.T) {
	set := func(value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(identityField, value) }
	}
	resigned := func(said string) func(*http.Request) {
		return func(r *http.Request) { signText(r, said, signingKey) }
	}
	field := signed().Header.Get(identityField)
	said, sum, _ := strings.Cut(field, `, v1="`)
	type change struct {
		change func(*http.Request)
		says   string
	}
	cases := map[string]change{
		"method":             {func(r *http.Request) { r.Method = "POST" }, "not of this call"},
		"path":               {func(r *http.Request) { r.RequestURI = "/api/knowledge-base/searcH?q=a%20b" }, "not of this call"},
		"other escape":       {func(r *http.Request) { r.RequestURI = "/api/knowledge-base/search?q=a+b" }, "not of this call"},
		"query":              {func(r *http.Request) { r.RequestURI += "&x" }, "not of this call"},
		"no field":           {func(r *http.Request) { r.Header.Del(identityField) }, "is missing"},
		"two fields":         {func(r *http.Request) { r.Header.Add(identityField, field) }, "is there 2 times"},
		"empty":              {set(""), "is missing"},
		"no signature":       {set(said), "is missing, or does not"},
		"only a signature":   {set(`v1="` + sum), "is missing, or does not"},
		"no sum":             {set(said + `, v1=""`), "not of this call"},
		"short sum":          {set(field[:len(field)-3] + `"`), "not of this call"},
		"long sum":           {set(field[:len(field)-1] + `00"`), "not of this call"},
		"no hex":             {set(field[:len(field)-2] + `g"`), "is missing, or does not"},
		"no end":             {set(field[:len(field)-1]), "is missing, or does not"},
		"another version":    {set(strings.Replace(field, "v1", "v2", 1)), "is missing, or does not"},
		"more behind":        {set(field + `, v1="` + sum), "is missing, or does not"},
		"another time":       {set(strings.Replace(field, "t=1", "t=2", 1)), "not of this call"},
		"a member more":      {set(strings.Replace(field, ", v1", `, workspace="ws_2", v1`, 1)), "not of this call"},
		"another order":      {set(strings.Replace(field, `kind="api", credential="cred_1"`, `credential="cred_1", kind="api"`, 1)), "not of this call"},
		"time of no integer": {resigned(strings.Replace(said, "t=", "t=99999999999999999999", 1)), "lacks t="},
		"no time":            {resigned(strings.TrimPrefix(said, "t=1795168800, ")), "lacks t="},
		"a bare value":       {resigned(strings.Replace(said, `"api"`, "api", 1)), `lacks kind="…"`},
		"an open value":      {resigned(strings.Replace(said, `"api"`, `"`, 1)), `lacks kind="…"`},
		"a quote in it":      {resigned(strings.Replace(said, `"api"`, `"a\"pi"`, 1)), `lacks kind="…"`},
	}
	for _, name := range []string{"request", "workspace", "kind", "credential", "person", "scope"} {
		cases["another "+name] = change{set(strings.Replace(field, name+`="`, name+`="x`, 1)), "not of this call"}
		cases["no "+name] = change{resigned(strings.Replace(said, name+`="`, `un`+name+`="`, 1)), "lacks " + name}
	}
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
	sign(nobody, searcher, nil, signedAt)
	if _, err := sample.Verify(nobody, nil, signedAt); err == nil {
		t.Error("without a key, a signature without a key opens")
	}
}

// With a key, every call carries a signature, or is answered with 401 and reaches nothing.
func TestSampleWithAKey(t *testing.T) {
	p := start(t, func(o *sample.Options) { o.Key = signingKey })
	c := p.as("w1")
	for _, path := range []string{"/api/agent-base", "/nope", "//"} {
		c.get(path).refused(401, "unauthorized", "not believed", "X-Tokendesk-Identity is missing")
	}
	ask := func(key []byte, age time.Duration) answer {
		r := c.request("GET", "/api/agent-base?limit=100", nil)
		sign(r, c.caller(), key, p.clock.Now().Add(age))
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

// Without a key, a repeated header, one that cannot be read and overlong values are refused all the same.
func TestIdentityWithoutAKey(t *testing.T) {
	c := start(t).as("w1")
	r := c.request("GET", "/api/agent-base", nil)
	r.Header.Add(identityField, claimed(sample.Caller{Workspace: "w2"}, signedAt))
	c.do(r).refused(401, "unauthorized", "X-Tokendesk-Identity is there 2 times")
	c.get("/api/agent-base", identityField, `t=1, workspace="w1"`).refused(401, "unauthorized", "X-Tokendesk-Identity lacks")
	c.get("/api/agent-base", identityField, claimed(sample.Caller{Workspace: "w1", Person: strings.Repeat("x", 201)}, signedAt)).refused(401, "unauthorized", "longer than 200 bytes")
}
