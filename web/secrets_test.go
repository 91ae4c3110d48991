package web_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// After all sorts of things have happened, no secret is anywhere: not in a column, a file, a line of the
// log or a page fetched afterwards, neither whole nor in halves nor encoded (security rule T6, R3, R6).
func TestNoSecretIsAnywhere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		s := webtest.Start(t, w)
		l := life{Site: s, admin: setUpByPage(t, s)}
		l.tokens(t)
		l.mistakes(t)
		l.passwords(t)
		l.outage(t)
		s.Secrets.Add(storetest.Password)
		secrets := s.Secrets.All()
		if len(secrets) < 10 {
			t.Fatalf("only %d secrets were made", len(secrets))
		}
		kept := everything(t, s)
		for place, text := range kept {
			for _, told := range found(text, secrets) {
				t.Errorf("%s has %s", place, told)
			}
		}
		for path, page := range crawl(t, l.admin, "/signin", "/setup", "/people/new", "/healthz") {
			for _, told := range found([]byte(page.Body), secrets) {
				t.Errorf("the page %s has %s", path, told)
			}
		}
		// The search would find something: what may be shown of the last token is kept, and calls are logged.
		all := bytes.Join([][]byte{kept["the table credentials"], kept["the file tokendesk.db"], kept["the file tokendesk.db-wal"]}, nil)
		if !bytes.Contains(all, []byte(l.last[:8])) || !strings.Contains(s.Log.String(), "path=/installCollection") {
			t.Error("this test looked at nothing")
		}
	})
}

// life is what happens in an installation.
type life struct {
	webtest.Site
	admin *webtest.Agent
	last  string // the token that is good at the end
}

// tokens are made, replaced, revoked, shown twice and used in every way.
func (l *life) tokens(t *testing.T) {
	record := linkTo(t, l.admin.Get(t, "/people").Want(t, 200), "Ines Moreau")
	for range 3 {
		form := webtest.Form{"form_id": secret.FormID()}
		l.last = l.admin.Post(t, record+"/bearer-token", form).Want(t, 200).Text(t, "#token")
		l.Secrets.Add(secret.Text(l.last))
		l.admin.Post(t, record+"/bearer-token", form).Want(t, 200)
		for field, scheme := range carriers {
			l.Browser(t).Send(t, "POST", "/installCollection", bytes.NewReader(smallZip(t)), field, scheme+l.last, "Content-Type", "multipart/form-data; boundary=edge").Want(t, 200)
		}
	}
	l.admin.Post(t, record+"/bearer-token/revoke", webtest.Form{"reason": "found in a chat"}).Want(t, 303)
	l.Browser(t).Send(t, "POST", "/installCollection", nil, "X-API-Key", l.last).Want(t, 401)
	l.last = press(t, l.admin, record).Text(t, "#token")
	l.Secrets.Add(secret.Text(l.last))
	l.Flush(t)
}

// mistakes put secrets where they do not belong; the server cannot help that, but it need not keep them.
func (l *life) mistakes(t *testing.T) {
	token, out := l.last, l.Browser(t)
	for _, path := range []string{
		"/" + token, "/people/" + token, "/w/" + token + "/settings", "/static/" + token, "/x?token=" + token, "/people?after=" + token, "/people?q=" + token,
		"/audit?after=" + token, "/signin?next=/" + token, "/setup?code=" + token, "/installCollection/" + token, "/" + token[5:35], "/x/" + token[:27], "/%75ser" + token[4:],
	} {
		for _, who := range []*webtest.Agent{l.admin, out} {
			who.Get(t, path, "Referer", l.URL+"/"+token, "X-Request-Id", token)
			who.Post(t, path, webtest.Form{"token": token}, "Referer", l.URL+"/"+token)
		}
	}
	for _, value := range []string{"Bearer  " + token, "Basic " + base64.StdEncoding.EncodeToString([]byte("x:"+token)), "Bearer " + garbled(token), token} {
		out.Send(t, "POST", "/installCollection", nil, "Authorization", value).Want(t, 401)
	}
	out.Send(t, "POST", "/installCollection?access_token="+token, nil).Want(t, 400)
	out.Send(t, "POST", "/installCollection", nil, "Authorization", "Bearer "+token, "X-Workspace-Id", token).Want(t, 400)
	out.Upload(t, "/installCollection", token, "x.zip", strings.NewReader(token), "Authorization", "Bearer "+token).Want(t, 400)
	out.Post(t, "/signin", webtest.Form{"email": storetest.Password, "password": token})
	out.Post(t, "/signin", webtest.Form{"email": "ines@marlowe.example", "password": token}).Want(t, 422)
	out.With(t, "sid", token).Get(t, "/").Want(t, 303)
	l.admin.Post(t, "/people", webtest.Form{"name": "", "email": "no", "role": "Owner", "password": storetest.Password}).Want(t, 422)
}

// passwords are checked, confirmed and changed, and sessions renewed.
func (l *life) passwords(t *testing.T) {
	const next = "seven green bicycles under a bridge"
	l.Secrets.Add(next)
	l.admin.Post(t, "/account/password", webtest.Form{"current_password": "not " + storetest.Password, "new_password": next}).Want(t, 422)
	l.admin.Post(t, "/account/password", webtest.Form{"current_password": storetest.Password, "new_password": next}).Want(t, 303)
	l.SignedInWith(t, "ines@marlowe.example", next)
	l.Clock.Advance(models.RecentSignIn + time.Second)
	l.admin.Post(t, "/people", webtest.Form{"name": "Tom", "email": "tom@marlowe.example", "role": "Member", "password": next + " too"}).Want(t, 303)
	l.Secrets.Add(next + " too")
	record := linkTo(t, l.admin.Get(t, "/people"), "Tom")
	edit := webtest.Form{"name": "Tom", "email": "tom2@marlowe.example", "role": "Member", "current_password": next}
	l.admin.Post(t, record, edit).Want(t, 303)
}

// outage has every call fail while it carries a secret: what is logged then is about the failure.
func (l *life) outage(t *testing.T) {
	away := webtest.Start(t, l.World, webtest.Over(closed(t, l.Site)))
	away.Browser(t).Send(t, "POST", "/installCollection", nil, "Authorization", "Bearer "+l.last).Want(t, 503)
	away.Browser(t).With(t, "sid", l.admin.Cookie(t, "sid")).Get(t, "/").Want(t, 503)
	away.Browser(t).Post(t, "/signin", webtest.Form{"email": "ines@marlowe.example", "password": storetest.Password}).Want(t, 503)
	away.Browser(t).Get(t, "/setup?code="+l.last).Want(t, 503)
}

// T6: a whole token is taken for no name and no reason, and for nothing to search people by: others would see it, or the
// address would have it.
func TestATokenIsNoName(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		typed, err := secret.Mint("user", nil)
		if err != nil {
			t.Fatal(err)
		}
		token := typed.Reveal()
		_, text := s.Token(t, s.Admin, s.Admin.ID)
		admin, before := s.SignedIn(t, "ines@marlowe.example"), s.Changes(t)
		record := "/people/" + s.Admin.ID
		for name, a := range map[string]*webtest.Answer{
			"a person added":    admin.Post(t, "/people", webtest.Form{"name": "Tom " + token, "email": "tom@x.example", "role": "Member", "password": storetest.Password}),
			"a person renamed":  admin.Post(t, record, webtest.Form{"name": token, "email": "ines@marlowe.example", "role": "Admin"}),
			"a workspace":       admin.Post(t, "/w/marlowe-press/settings", webtest.Form{"name": token}),
			"a reason":          admin.Post(t, record+"/bearer-token/revoke", webtest.Form{"reason": "lost " + token}),
			"a search":          admin.Get(t, "/people?q="+token),
			"a file's name":     upload(t, admin, token+".zip", zipOf(t, "a", "b")),
			"a manifest's name": upload(t, admin, "a.zip", zipOf(t, "collection.json", `{"name":"`+token+`"}`)),
			"a program's file": s.Browser(t).Send(t, "POST", "/installCollection", bytes.NewReader(bodyOf(part("collectionFile", token+".zip", zipOf(t, "a", "b")))),
				"Content-Type", "multipart/form-data; boundary=edge", "Authorization", "Bearer "+text.Reveal()),
		} {
			if a.Status != 422 || !strings.Contains(a.Body, "whole token") {
				t.Errorf("%s: status %d: %.300s", name, a.Status, a.Body)
			}
		}
		if n := s.Changes(t); n != before {
			t.Errorf("%d changes", n-before)
		}
	})
}
