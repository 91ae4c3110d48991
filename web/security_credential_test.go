package web_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tokendesk/web/webtest"
)

// Security rule T8 (RFC 6750, sections 2.2, 2.3 and 5.3; ASVS 14.2.1): a good credential in any other place than
// the three fields that may carry one opens nothing: not in the address under any name, not in a form, a cookie,
// a file's name or another field. Where it stands in the address as access_token, the answer says so.
func TestT8OtherPlacesOpenNothing(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		_, token := s.Token(t, s.Admin, s.Admin.ID)
		text, good := token.Reveal(), part("collectionFile", "a.zip", zipOf(t, "a.txt", "a"))
		send := func(path string, body []byte, fields ...string) *webtest.Answer {
			return s.Browser(t).Send(t, "POST", path, bytes.NewReader(body), append(fields, "Content-Type", "multipart/form-data; boundary=edge")...)
		}
		before := s.Changes(t)
		for _, name := range []string{"access_token", "access_key", "token", "bearer", "Bearer", "authorization", "Authorization", "api_key", "apikey", "key", "X-API-Key", "x-api-token", "sid", "auth"} {
			want := 401
			if name == "access_token" {
				want = 400
			}
			send("/installCollection?"+url.Values{name: {text}}.Encode(), bodyOf(good)).Want(t, want).HasNot(t, text)
			send("/installCollection?"+url.Values{name: {"Bearer " + text}}.Encode(), bodyOf(good)).Want(t, want)
			send("/installCollection", bodyOf(part(name, "", []byte(text)), good)).Want(t, 401)
			send("/installCollection", bodyOf(good), "Cookie", (&http.Cookie{Name: name, Value: text}).String()).Want(t, 401)
			s.Browser(t).Post(t, "/installCollection", webtest.Form{name: text}).Want(t, 401)
		}
		send("/installCollection", bodyOf(part("collectionFile", text, zipOf(t, "a.txt", "a")))).Want(t, 401)
		send("/installCollection/"+text, bodyOf(good)).Want(t, 404)
		basic := base64.StdEncoding.EncodeToString([]byte(text + ":"))
		for field, value := range map[string]string{
			"Proxy-Authorization": "Bearer " + text, "X-Auth-Token": text, "X-Access-Token": text, "X-Authorization": "Bearer " + text, "Api-Key": text, "X-Token": text, "Token": text, "Bearer": text,
			"Sec-WebSocket-Protocol": text, "Authorization": "Basic " + basic, "X_API_Key": text, "X-API-Key2": text, "Referer": "http://x/?access_token=" + text, "X-Original-URL": "/?access_token=" + text,
		} {
			if a := send("/installCollection", bodyOf(good), field, value); a.Status != 401 || strings.Contains(a.Body, text[:20]) {
				t.Errorf("in %s: status %d", field, a.Status)
			}
		}
		for _, path := range []string{"/", "/people", "/account"} { // and no page is opened by a credential
			for field, scheme := range carriers {
				s.Browser(t).Get(t, path, field, scheme+text).Want(t, 303)
			}
		}
		if s.Changes(t) != before {
			t.Error("something was changed")
		}
		send("/installCollection", bodyOf(good), "X-API-Key", text).Want(t, 200) // it is a good one
	})
}
