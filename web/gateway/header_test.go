package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// spoofs are spellings by which somebody could try to tell the product who they are.
var spoofs = []string{
	"X-Tokendesk-Workspace", "x-tokendesk-workspace", "X-TOKENDESK-WORKSPACE", "X-Tokendesk-Person", "X_Tokendesk_Person", "x_tokendesk_person", "X-Tokendesk_Person", "X-Tokendesk-Signature", "X-Tokendesk-New",
	"X-Request-Id", "X-REQUEST-ID", "X-Forwarded-For", "x-forwarded-for", "X-Forwarded", "X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Uri", "X-Forwarded-Prefix", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Method", "X_Forwarded_For",
	"Forwarded", "FORWARDED", "X-Real-IP", "X_Real_IP", "True-Client-IP", "CF-Connecting-IP", "Cf-Connecting-Ipv6", "Fastly-Client-Ip", "X-Client-Ip", "X-Cluster-Client-Ip",
	"X-Auth-User", "X_Auth_User", "x-auth-user", "X-AUTH_USER", "X-Auth-Request-Email", "X-Authenticated-User", "X-Authenticated-Userid", "X-Remote-User", "Remote-User", "REMOTE_USER", "Remote-Groups", "X-WebAuth-User",
	"X-Original-URL", "X_Original_Url", "X-Original-Method", "X-Rewrite-URL", "X-HTTP-Method", "X-HTTP-Method-Override", "x-http-method-override", "X-Method-Override",
	"Proxy", "Proxy-Authorization", "Proxy-Connection", "X-Amzn-Oidc-Identity", "X-Goog-IAP-JWT-Assertion", "X-Goog-Authenticated-User-Email", "X-MS-Client-Principal-Id", "X-Ms-Token-Aad-Id-Token", "X-Envoy-Original-Path",
	"Client-Cert", "X-Client-Cert", "Ssl-Client-Verify", "X-SSL-Client-CN", "Cookie", "HTTP2-Settings", "Keep-Alive", "Trailer",
}

// However a field is written by which a product could be told who calls, the product does not get it: the call is refused, or it gets there without it. The fields
// that we send are there once each, with our values (security rule G2).
func TestNobodyElseSaysWhoCalls(t *testing.T) {
	t.Parallel()
	for _, name := range spoofs {
		product := &seen{}
		d := toProduct(t, product.ServeHTTP, nil)
		status, body := d.ask(t, "GET /api/a\n"+name+": mallory\n"+name+": mallory again\nX-Other: mine\n")
		if status == 400 {
			if !strings.Contains(name, "_") && name != "Proxy" || product.count() > 0 {
				t.Errorf("%s: %d %s", name, status, body)
			}
			continue
		}
		r := product.only(t)
		if got := fmt.Sprint(r.Header, r.Host, r.Trailer); name != "Proxy" && strings.Contains(got, "mallory") || !strings.Contains(got, "mine") {
			t.Errorf("%s: %s", name, got)
		}
		for _, name := range identity {
			if len(r.Header[name]) != 1 {
				t.Errorf("%s: %q", name, r.Header[name])
			}
		}
	}
}

// A caller cannot have our fields taken for those of the connection, which a proxy removes; what the caller says of their own is
// done (security rule G2).
func TestConnectionRemovesNothingOfOurs(t *testing.T) {
	t.Parallel()
	for _, list := range []string{
		"X-Tokendesk-Identity", "close, X-Request-Id, X-Tokendesk-Identity", "x-tokendesk-identity", "X-TOKENDESK-IDENTITY,X-REQUEST-ID", "keep-alive,\tX-Tokendesk-Identity ,,", "X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto",
		strings.Join(identity[:], ", "), "X-Api-Version", "te, upgrade", "x_tokendesk_identity", ",", "X-Own",
	} {
		product := &seen{}
		d := toProduct(t, product.ServeHTTP, func(d *door) { d.up.Header = http.Header{"X-Api-Version": {"3"}} })
		if status, body := d.ask(t, "GET /api/a\nConnection: "+list+"\nX-Own: 1\nX-Kept: 2\n"); status != 200 {
			t.Errorf("%s: %d %s", list, status, body)
			continue
		}
		r := product.only(t)
		for _, name := range append(identity[:], "X-Api-Version", "X-Kept") {
			if len(r.Header[name]) != 1 {
				t.Errorf("%s: %s is %q", list, name, r.Header[name])
			}
		}
		if !strings.Contains(r.Header.Get("X-Tokendesk-Identity"), `workspace="w-1"`) || len(r.Header["X-Own"]) != 1 && list != "X-Own" || len(r.Header["X-Own"]) != 0 && list == "X-Own" || r.Header["Connection"] != nil {
			t.Errorf("%s: %v", list, r.Header)
		}
	}
}

// Whatever is in a header: what passes has plain names, and what is carried on of it is none of what only we say.
func FuzzCheckHeaders(f *testing.F) {
	for _, name := range append(spoofs, "", " ", "X Auth", "X-Auth\x00", "É", "x-\u017fsl-client", "X\u2010Auth-User", "Accept", "a", "-", "1") {
		f.Add(name, "close", true)
		f.Add("X-Other", name, false)
	}
	f.Fuzz(func(t *testing.T, name, connection string, pass bool) {
		h := http.Header{name: {"x"}, "Connection": {connection}}
		plain := name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
		if err := CheckHeaders(h); (err == nil) != plain {
			t.Fatalf("%q: %v", name, err)
		}
		if !plain {
			return
		}
		l := &line{passCredential: pass}
		for name := range h {
			got, ok := l.carries(name, h["Connection"])
			if !ok {
				continue
			}
			low := strings.ToLower(got)
			for _, start := range []string{"x-tokendesk-", "x-auth-", "x-forwarded", "forwarded\x00", "x-real-ip\x00", "x-original-", "x-rewrite-", "x-http-method", "x-method-override\x00", "proxy-", "true-client-ip\x00", "cf-connecting-", "x-request-id\x00", "cookie\x00", "connection\x00", "upgrade\x00", "transfer-encoding\x00", "content-length\x00"} {
				if strings.HasPrefix(low+"\x00", start) {
					t.Fatalf("%q is carried on", got)
				}
			}
			if !pass && slices.Contains([]string{"authorization", "x-api-key", "x-api-token"}, low) {
				t.Fatalf("%q is carried on", got)
			}
			if http.CanonicalHeaderKey(got) != got || listed([]string{connection}, got) {
				t.Fatalf("%q is carried on with Connection: %s", got, connection)
			}
		}
	})
}

// A query is let through unless it holds a token, by any spelling of the name that a product could read.
func FuzzCheckQuery(f *testing.F) {
	for _, seed := range []string{"", "a=1", "access_token=x", "a&access%5Ftoken", "%61ccess_token=", "ACCESS_TOKEN=1", "a;b", "a#b", "access_token", "my_access_token=1", "a=access_token", "+access_token=1", "%zz=1", "access%zz_token"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		if CheckQuery(query) != nil {
			return
		}
		r := &http.Request{Method: "GET", Header: http.Header{}, Body: http.NoBody}
		r.URL = mustURL(t, "http://x/")
		r.URL.RawQuery = query
		for name := range r.URL.Query() {
			if strings.EqualFold(strings.TrimSpace(name), "access_token") {
				t.Fatalf("%q holds a token", query)
			}
		}
		if strings.ContainsAny(query, ";#") {
			t.Fatalf("%q is let through", query)
		}
	})
}

// Which fields a product can have set on its calls.
func TestHeaderProblem(t *testing.T) {
	for name, good := range map[string]bool{
		"X-Api-Version": true, "Authorization": true, "X-API-Key": true, "accept": true, "Host": true, "User-Agent": true,
		"": false, "X Api": false, "X_Api": false, "X:": false, "Connection": false, "Transfer-Encoding": false, "content-length": false, "Upgrade": false, "TE": false, "Trailer": false, "Expect": false, "Cookie": false,
		"X-Tokendesk-Person": false, "x-request-id": false, "X-Forwarded-For": false, "Forwarded": false, "X-Auth-User": false, strings.Repeat("a", 101): false,
	} {
		if problem := HeaderProblem(name, "value"); (problem == "") != good {
			t.Errorf("%q: %q", name, problem)
		}
	}
	for value, good := range map[string]bool{
		"": true, "Bearer abc": true, `a "quoted" one; q=1`: true, strings.Repeat("a", 4096): true,
		"a\r\nX-Evil: 1": false, "a\n": false, "a\x00": false, " a": false, "a ": false, "é": false, "a\tb": false, strings.Repeat("a", 4097): false,
	} {
		if problem := HeaderProblem("X-Api-Version", value); (problem == "") != good {
			t.Errorf("%.20q: %q", value, problem)
		}
	}
}
