package web_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// The three cases of the guide's troubleshooting, each told apart and each with what to do; and what else can be wrong with a call.
func TestAccountRefusals(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		nobody, p := &apiUser{s: s}, signInAs(t, s, "ines@marlowe.example")
		const automation = "/workspace/automation_token"

		nobody.refused(t, "GET", automation, "", 401, "credential_missing", "Incorrect JWT token. Send the token of the last POST /user/signin as")
		(&apiUser{s: s, token: "nonsense"}).refused(t, "GET", automation, "", 401, "credential_malformed", "Incorrect JWT token. Send the token of the last POST /user/signin as")
		(&apiUser{s: s, token: p.token[:len(p.token)-4] + "AAAA"}).refused(t, "GET", automation, "", 401, "credential_unknown", "Incorrect JWT token. A sign-in token lives for 30 minutes, or until the next one. Sign in again with POST /user/signin.")
		for _, period := range []string{"720h", "30d", "1H", "2mo", "0", "%201h", "no_exp%20"} {
			p.refused(t, "GET", automation+"?expiration_period="+period, "", 400, "incorrect_expiration_period",
				"Incorrect expiration period. The valid ones are 1h, 3h, 5h, 16h, 24h, 48h, 1w, 2w, 3w, 1mo, no_exp.")
		}
		p.refused(t, "POST", automation, "", 400, "incorrect_expiration_period", "Incorrect expiration period", "X-Strict-Mode", "true")
		p.refused(t, "GET", automation+"?expiration_period=1h&expiration_period=3h", "", 400, "ambiguous", "The parameter expiration_period stands in the address more than once")
		p.refused(t, "GET", automation+"?workspace_id=a&workspace_id=a", "", 400, "ambiguous", "The parameter workspace_id stands in the address more than once")
		if a := s.Browser(t).Send(t, "HEAD", automation, nil, "Authorization", "Bearer "+p.token); a.Status != 405 || a.Header.Get("Allow") != "GET, POST" {
			t.Errorf("HEAD is answered with %d, %v", a.Status, a.Header)
		}

		renew := func(refresh string) string { return jsonOf("email", p.email, "refresh_token", refresh) }
		const bad = "Invalid refresh token. Each is for one use"
		for _, refresh := range []string{"nonsense", p.token, p.refresh[:len(p.refresh)-1], garbled(p.refresh)} {
			nobody.refused(t, "POST", "/user/refresh_token", renew(refresh), 400, "invalid_refresh_token", bad)
		}
		nobody.refused(t, "POST", "/user/refresh_token", jsonOf("email", "m@marlowe.example", "refresh_token", p.refresh), 400, "invalid_refresh_token", bad)
		nobody.refused(t, "POST", "/user/refresh_token", renew(p.refresh), 400, "ambiguous", "With X-Strict-Mode, workspace_id must be there too", "X-Strict-Mode", "true")
		used := p.refresh
		p.renew(t, "")
		nobody.refused(t, "POST", "/user/refresh_token", renew(used), 400, "invalid_refresh_token", "Invalid refresh token. It was used before, so that two may have it: the sign-in has ended.")
		p.refused(t, "GET", "/user/workspaces", "", 401, "credential_revoked", "Incorrect JWT token") // two had it: all of it is over
		nobody.refused(t, "POST", "/user/refresh_token", renew(p.refresh), 400, "invalid_refresh_token", bad)

		signIn := func(password string) string { return jsonOf("email", p.email, "password", password) }
		nobody.refused(t, "POST", "/user/signin", signIn("wrong"), 401, "invalid_email_or_password", "Invalid email or password")
		nobody.refused(t, "POST", "/user/signin", jsonOf("email", "nobody@marlowe.example", "password", "wrong"), 401, "invalid_email_or_password", "Invalid email or password")
		nobody.refused(t, "POST", "/user/signin", signIn("5f4dcc3b5aa765d61d8327deb882cf99"), 401, "invalid_email_or_password", "Invalid email or password. What was sent looks like an MD5 digest: send the password itself")
		nobody.refused(t, "POST", "/user/signin", jsonOf("email", p.email), 400, "ambiguous", "Send the fields email and password")
		p = signInAs(t, s, p.email)
		change := func(old, next string) string { return jsonOf("password", old, "new_password", next) }
		p.refused(t, "POST", "/user/change_password", change("wrong", "seven green bicycles under a bridge"), 422, "invalid", "That is not your current password")
		p.refused(t, "POST", "/user/change_password", change(storetest.Password, "5f4dcc3b5aa765d61d8327deb882cf99"), 422, "invalid", "The new password looks like an MD5 digest")
		p.refused(t, "POST", "/user/change_password", change(storetest.Password, "short"), 422, "invalid", "")
		p.refused(t, "POST", "/user/change_password", "", 400, "ambiguous", "Send the fields password")
		p.must(t, "GET", "/user/workspaces", "", "", nil)
		s.Clock.Advance(models.SignInTokenLife)
		p.refused(t, "GET", "/user/workspaces", "", 401, "credential_unknown", "Incorrect JWT token. A sign-in token lives for 30 minutes")
		p.renew(t, "")
	})
}

// A body is one JSON object with the fields that the call has, each once and of its type. Whatever else is sent changes nothing.
func TestAccountBodiesAreStrict(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	p := signInAs(t, s, "ines@marlowe.example")
	for what, c := range map[string]struct {
		kind, body string
		status     int
		says       string
	}{
		"no object":          {"application/json", `["a"]`, 400, "The body is no JSON object"},
		"half of one":        {"application/json", `{"email":"a"`, 400, "The body is no JSON object"},
		"two":                {"application/json", `{} {}`, 400, "The body is no JSON object"},
		"a field twice":      {"application/json", `{"email":"a","email":"b"}`, 400, "The field email was sent more than once"},
		"a field in capital": {"application/json", `{"Email":"a"}`, 400, "There is no field"},
		"an unknown field":   {"application/json", `{"role":"Admin"}`, 400, "There is no field"},
		"another type":       {"application/json", `{"email":["a"]}`, 400, "The field email cannot be an array."},
		"a number":           {"application/json", `{"email":1}`, 400, "The field email cannot be a number"},
		"no text":            {"application/json", `{"email":"a\u0000"}`, 400, "The field email is not text"},
		"a form":             {"application/x-www-form-urlencoded", `email=a&password=b`, 400, "Send a JSON object"},
		"no type":            {"", `{}`, 400, "Send a JSON object"},
		"too much":           {"application/json", `{"email":"` + strings.Repeat("a", 16<<10) + `"}`, 413, "The body is larger than 16 KiB"},
		"deep":               {"application/json", `{"email":` + strings.Repeat("[", 8000), 400, "The body is no JSON object"},
	} {
		t.Run(what, func(t *testing.T) {
			before := s.Changes(t)
			a := s.Browser(t).Send(t, "POST", "/user/signin", strings.NewReader(c.body), "Content-Type", c.kind)
			if a.Status != c.status || !strings.Contains(a.Body, c.says) || s.Changes(t) != before {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		})
	}
	p.must(t, "GET", "/user/workspaces", "", "", nil)
}

// What a person revokes by API is what they said: one token, those of one kind, or all in the workspace that the program is in.
func TestRevokeTokensByAPI(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		other := s.Person(t, s.Admin, models.Member)
		theirs := signInAs(t, s, other.Email)
		theirsToo := theirs.mint(t, "no_exp", "")
		p, second := signInAs(t, s, "ines@marlowe.example"), signInAs(t, s, "ines@marlowe.example")
		one, two := p.mint(t, "1h", ""), p.mint(t, "1h", "")
		const done = "Tokens successfully revoked"

		p.must(t, "POST", "/user/revoke_tokens", jsonOf("token", one.Token), done, nil)
		p.works(t, one.Token, 401)
		p.works(t, two.Token, 200)
		p.must(t, "POST", "/user/revoke_tokens", jsonOf("token", second.token), done, nil)
		p.works(t, second.token, 401)
		p.refused(t, "POST", "/user/revoke_tokens", jsonOf("token", theirsToo.Token), 404, "not_found", "")
		p.refused(t, "POST", "/user/revoke_tokens", jsonOf("token", "nonsense"), 400, "ambiguous", "The field token holds no token")
		p.refused(t, "POST", "/user/revoke_tokens", jsonOf("token", theirs.token), 404, "not_found", "Nothing was revoked") // which says nothing of somebody else's
		p.works(t, theirs.token, 200)

		p.must(t, "POST", "/user/revoke_tokens", `{"is_automation":true}`, done, nil)
		p.works(t, two.Token, 401).Has(t, "its person revoked all of theirs")
		p.works(t, p.token, 200)
		three := p.mint(t, "1h", "")
		p.must(t, "POST", "/user/revoke_tokens", `{"is_automation":false}`, done, nil)
		p.works(t, p.token, 401)
		p.works(t, three.Token, 200)
		p = signInAs(t, s, "ines@marlowe.example")
		p.must(t, "POST", "/user/revoke_tokens", "", done, nil)
		p.works(t, p.token, 401)
		p.works(t, three.Token, 401)
		theirs.works(t, theirs.token, 200)
		theirs.works(t, theirsToo.Token, 200)
	}, webtest.Sampled())
}

// Both kinds of tokens have limits of their own, which restrictions tells and every answer counts; the sign-ins of a person share one.
func TestAccountLimits(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		p, twin := signInAs(t, s, "ines@marlowe.example"), signInAs(t, s, "ines@marlowe.example")
		type restrictions struct {
			WorkspaceID string `json:"workspace_id"`
			RateLimit   []struct {
				LimitSize  int    `json:"limit_size"`
				Operation  string `json:"operation"`
				WindowSize string `json:"window_size"`
			} `json:"ratelimit"`
		}
		made := p.mint(t, "1h", "")
		auto := &apiUser{s: s, token: made.Token}
		for user, limit := range map[*apiUser]int{p: 50, auto: 300} {
			var told restrictions
			user.must(t, "GET", "/workspace/restrictions", "", "", &told)
			if l := told.RateLimit; len(l) != 1 || l[0].LimitSize != limit || l[0].Operation != "all" || l[0].WindowSize != "60s" {
				t.Errorf("told %+v, want %d", told, limit)
			}
		}
		a, _ := auto.send(t, "GET", "/workspace/restrictions", "")
		if a.Header.Get("RateLimit-Policy") != `"automation";q=300;w=60` || !strings.HasPrefix(a.Header.Get("RateLimit"), `"automation";r=298;t=`) {
			t.Errorf("fields %v", a.Header)
		}
		var passed, refused int
		var mu sync.Mutex
		var wait sync.WaitGroup
		for i := range 60 {
			wait.Go(func() {
				user := []*apiUser{p, twin}[i%2]
				a := s.Browser(t).Get(t, []string{"/user/workspaces", "/api/agent-base"}[i/2%2], "Authorization", "Bearer "+user.token)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case a.Status == 200:
					passed++
				case a.Status == 429 && a.Header.Get("Retry-After") == "2" && a.Header.Get("RateLimit-Policy") == `"user";q=50;w=60`:
					refused++
				default:
					t.Errorf("%d %v", a.Status, a.Header)
				}
			})
		}
		wait.Wait()
		if passed != 48 || refused != 12 { // two calls were made above
			t.Errorf("%d passed, %d were refused", passed, refused)
		}
		p.refused(t, "GET", "/user/workspaces", "", 429, "rate_limited", "Too many requests. All sign-in tokens of a person in a workspace together may make 50 calls a minute.")
		s.Clock.Advance(time.Minute)
		p.must(t, "GET", "/user/workspaces", "", "", nil)
	}, webtest.Sampled())
}

// Sign-ins by API are throttled as those in browsers are, and both are counted together.
func TestSignInByAPIIsThrottled(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	nobody, wrong := &apiUser{s: s}, jsonOf("email", "ines@marlowe.example", "password", "wrong")
	for range 30 {
		a, said := nobody.send(t, "POST", "/user/signin", wrong)
		if a.Status == 429 {
			if a.Header.Get("Retry-After") == "" || !strings.HasPrefix(said.Status.Message, "Too many attempts. Wait ") {
				t.Errorf("%v %s", a.Header, a.Body)
			}
			s.Browser(t).Post(t, "/signin", webtest.Form{"email": "ines@marlowe.example", "password": storetest.Password}).Want(t, 429)
			return
		}
	}
	t.Error("thirty wrong passwords were looked at")
}
