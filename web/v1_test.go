package web_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
	"tokendesk/web"
	"tokendesk/web/webtest"
)

// keyed is a program with a key.
type keyed struct {
	s   webtest.Site
	key string
}

// withKey is a program with a new API key of somebody.
func withKey(t testing.TB, s webtest.Site, who models.Actor) keyed {
	t.Helper()
	_, text := s.Key(t, who, models.NewAPIKey{Name: "a program"})
	return keyed{s, text.Reveal()}
}

// call makes a call with the key.
func (p keyed) call(t testing.TB, method, path, body string, headers ...string) *webtest.Answer {
	t.Helper()
	if body != "" {
		headers = append(headers, "Content-Type", "application/json")
	}
	return p.s.Browser(t).Send(t, method, path, strings.NewReader(body), append(headers, "X-API-Key", p.key)...)
}

// must makes a call that is let through, and reads its answer.
func (p keyed) must(t testing.TB, status int, method, path, body string, into any, headers ...string) {
	t.Helper()
	a := p.call(t, method, path, body, headers...).Want(t, status)
	if into == nil {
		return
	}
	if err := json.Unmarshal([]byte(a.Body), into); err != nil {
		t.Fatalf("%s %s: %.300s: %v", method, path, a.Body, err)
	}
}

// refused makes a call that is not let through, or is wrong.
func (p keyed) refused(t testing.TB, status int, code, method, path, body string, headers ...string) *webtest.Answer {
	t.Helper()
	a := p.call(t, method, path, body, headers...)
	if a.Status != status || codeIn(a.Body) != code {
		t.Errorf("%s %s with %.100s: %d %.300s, want %d %s", method, path, body, a.Status, a.Body, status, code)
	}
	return a
}

// The document has the calls that there are, neither more nor less, and says of each who may make it.
func TestTheDocumentIsTheTable(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	var document struct {
		OpenAPI string                                `json:"openapi"`
		Servers []struct{ URL string }                `json:"servers"`
		Paths   map[string]map[string]json.RawMessage `json:"paths"`
	}
	a := s.Browser(t).Get(t, "/v1/openapi.json").Want(t, 200)
	if err := json.Unmarshal([]byte(a.Body), &document); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(document.OpenAPI, "3.1.") || document.Servers[0].URL != s.URL || strings.Contains(a.Body, `"null"`) {
		t.Errorf("%s at %s", document.OpenAPI, document.Servers[0].URL)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/v1/openapi.json", nil)
	must(t, err)
	r.Host = "tokens.marlowe.example"
	s.Browser(t).Do(t, r).Want(t, 200).Has(t, `"url": "http://tokens.marlowe.example"`)
	var described, served []string
	for path, methods := range document.Paths {
		for method, text := range methods {
			var o struct {
				OperationID, Summary string
				Security             []map[string]any
				Responses            map[string]any
			}
			if err := json.Unmarshal(text, &o); err != nil {
				t.Fatal(err)
			}
			described = append(described, strings.ToUpper(method)+" "+strings.NewReplacer("{path}", "*", "{", ":", "}", "").Replace(path)+" v1."+o.OperationID)
			if o.Summary == "" || (len(o.Security) == 0) != (path == "/v1/credentials:report") || o.Responses["default"] == nil {
				t.Errorf("%s %s is described by halves: %s", method, path, text)
			}
		}
	}
	for _, row := range web.Managed() {
		if row.Name != "v1.openapi" {
			served = append(served, row.Method+" "+row.Path+" "+row.Name)
		}
	}
	slices.Sort(described)
	slices.Sort(served)
	if !slices.Equal(described, served) {
		t.Errorf("described\n%s\nserved\n%s", strings.Join(described, "\n"), strings.Join(served, "\n"))
	}
}

// What is not meant is refused, and nothing comes of it: a field that there is not, one that comes twice, a type that is another; a body where none
// belongs; a parameter that there is not, one that comes twice, a number out of its range.
func TestManagedInput(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	p := withKey(t, s, s.Admin)
	before := s.Changes(t)
	for body, says := range map[string]string{
		`{"name":"x","nmae":"y"}`:            "There is no field nmae",
		`{"name":"x","name":"y"}`:            "The field name was sent more than once",
		`{"NAME":"x"}`:                       "There is no field NAME",
		`{"name":7}`:                         "The field name is not of the type",
		`{"name":"x","expires_at":"soon"}`:   "The field expires_at is not of the type",
		`["name"]`:                           "The body is no JSON object",
		`{"name":"x"} {}`:                    "The body is no JSON object",
		`{"name":"x"`:                        "The body is no JSON object",
		` `:                                  "The body is no JSON object",
		"{\"name\":\"a\\u0000b\"}":           "has a NUL character",
		"{\"name\":\"a\xffb\"}":              "The body is no JSON object",
		`{"name":"x","Key":"y"}`:             "There is no field Key",
		`{"name":"x","Idempotency-Key":"y"}`: "There is no field Idempotency-Key",
	} {
		p.refused(t, 400, "request_ambiguous", "POST", "/v1/api-keys", body).Has(t, says)
	}
	p.call(t, "POST", "/v1/api-keys", `{"name":"`+strings.Repeat("x", 300<<10)+`"}`).Want(t, 413)
	p.s.Browser(t).Send(t, "POST", "/v1/api-keys", strings.NewReader(`{"name":"x"}`), "X-API-Key", p.key, "Content-Type", "text/plain").Want(t, 400)
	p.refused(t, 422, "invalid", "POST", "/v1/api-keys", `{"name":" "}`).Has(t, `"errors":[{"field":"name"`)
	p.refused(t, 400, "request_ambiguous", "GET", "/v1/me", `{"x":1}`).Has(t, "takes no body")
	for query, says := range map[string]string{
		"limit=0": "limit is a whole number from 1 to 100", "limit=101": "limit is a whole", "limit=1e1": "limit is a whole", "limit=07": "limit is a whole", "limit=": "limit is empty",
		"limit=1&limit=1": "limit was sent more than once", "lmit=1": "There is no parameter", "role=Owner": "role is one of Admin, Member", "cursor=x": "This cursor is not one of this list",
		"q=a%00b": "q is not text", "q=%ff": "q is not text", "access_key=x": "There is no parameter",
	} {
		p.refused(t, 400, "request_ambiguous", "GET", "/v1/people?"+query, "").Has(t, says)
	}
	p.refused(t, 404, "not_found", "GET", "/v1/nothing", "").Has(t, "/v1/openapi.json")
	p.refused(t, 404, "not_found", "POST", "/v1/tokens/"+models.NewID()+":explode", "")
	p.refused(t, 404, "not_found", "POST", "/v1/tokens/"+models.NewID(), "")
	if a := p.refused(t, 405, "method_not_allowed", "PATCH", "/v1/people", ""); a.Header.Get("Allow") == "" {
		t.Error("a 405 that names no methods")
	}
	for _, id := range []string{"x", "%00", "..", "a%2fb", strings.Repeat("a", 3000), "'", "%ff"} {
		if a := p.call(t, "GET", "/v1/people/"+id, ""); a.Status != 404 {
			t.Errorf("%q: %d", id, a.Status)
		}
	}
	if s.Changes(t) != before {
		t.Error("something was changed")
	}
}

// A list goes on where the answer before says, is of the length that is asked for, and ends; a cursor is good for its own list, unchanged.
func TestManagedLists(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		p := withKey(t, s, s.Admin)
		for range 7 {
			s.Person(t, s.Admin, models.Member)
			s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "one of many"})
			s.Key(t, s.Admin, models.NewAPIKey{Name: "one of many"})
		}
		collection := installed(t, s, s.Admin, "marlowe-press", "many", zipOf(t, "a", "1", "b", "2", "c", "3", "d", "4", "e", "5", "f", "6", "g", "7", "h", "8"))
		id := collection.Collection.ID
		for range 7 {
			s.Share(t, s.Admin, id, "")
		}
		for path, most := range map[string]int{
			"/v1/people": 8, "/v1/workspaces/marlowe-press/tokens": 7, "/v1/workspaces/marlowe-press/tokens?sort=expiring": 7, "/v1/api-keys": 8, "/v1/collections/" + id + "/files": 8,
			"/v1/collections/" + id + "/access-keys": 7, "/v1/collection-access-keys": 7, "/v1/audit-events": int(s.Changes(t)), "/v1/workspaces/marlowe-press/members": 8, "/v1/workspaces": 1,
		} {
			seen, cursor, pages := map[string]bool{}, "", 0
			join := "?"
			if strings.Contains(path, "?") {
				join = "&"
			}
			for {
				var got struct {
					Data []struct {
						ID, Path string
						Person   struct{ ID string }
					}
					Meta struct {
						NextCursor string `json:"next_cursor"`
					}
				}
				next := ""
				if cursor != "" {
					next = "&cursor=" + cursor
				}
				p.must(t, 200, "GET", path+join+"limit=3"+next, "", &got)
				for _, row := range got.Data {
					key := row.ID + row.Path + row.Person.ID
					if seen[key] {
						t.Errorf("%s: %s is there twice", path, key)
					}
					seen[key] = true
				}
				if len(got.Data) > 3 || pages > most {
					t.Fatalf("%s: a page has %d rows", path, len(got.Data))
				}
				pages++
				if cursor = got.Meta.NextCursor; cursor == "" {
					break
				}
				p.refused(t, 400, "request_ambiguous", "GET", "/v1/collections/"+id+"/versions?cursor="+cursor, "")
				p.refused(t, 400, "request_ambiguous", "GET", path+join+"cursor=A"+cursor, "")
			}
			if len(seen) != most || pages != (most+2)/3 {
				t.Errorf("%s: %d rows on %d pages, want %d", path, len(seen), pages, most)
			}
		}
	})
}

// The same Idempotency-Key makes a thing once, whatever it is sent with; what was refused does not use it up, and it is its caller's alone.
func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		tom := s.Person(t, s.Admin, models.Member)
		p, other := withKey(t, s, s.Admin), withKey(t, s, storetest.As(tom))
		once := []string{"Idempotency-Key", "deploy-7"}
		p.refused(t, 422, "invalid", "POST", "/v1/api-keys", `{"name":""}`, once...)
		var made struct{ ID, Token string }
		p.must(t, 201, "POST", "/v1/api-keys", `{"name":"x"}`, &made, once...)
		s.Secrets.Add(secret.Text(made.Token))
		again := p.refused(t, 409, "idempotency_key_used", "POST", "/v1/api-keys", `{"name":"x"}`, once...).Has(t, made.ID)
		if strings.Contains(again.Body, made.Token) {
			t.Error("the secret came twice")
		}
		before := s.Changes(t)
		p.refused(t, 409, "idempotency_key_used", "POST", "/v1/workspaces", `{"name":"Another"}`, once...)
		if s.Changes(t) != before {
			t.Error("something was made")
		}
		other.must(t, 201, "POST", "/v1/api-keys", `{"name":"x"}`, &made, once...)
		s.Secrets.Add(secret.Text(made.Token))
		for _, call := range [][2]string{
			{"/v1/people", `{"name":"New","email":"new@marlowe.example","role":"Member","password":"` + storetest.Password + `"}`}, {"/v1/workspaces", `{"name":"Once"}`},
			{"/v1/workspaces/marlowe-press/tokens", `{"name":"once"}`}, {"/v1/workspaces/marlowe-press/products", `{"name":"Once","prefix":"once"}`},
		} {
			once[1] = call[0]
			p.must(t, 201, "POST", call[0], call[1], &made, once...)
			s.Secrets.Add(secret.Text(made.Token))
			p.refused(t, 409, "idempotency_key_used", "POST", call[0], strings.NewReplacer("Once", "Other", "once", "two2", "new@", "newer@").Replace(call[1]), once...)
		}
	})
}

// What a program makes ends with its own credential at the latest (security rule T10).
func TestNothingOutlivesWhatMadeIt(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		ends := s.Clock.Now().Add(30 * 24 * time.Hour)
		_, text := s.Key(t, s.Admin, models.NewAPIKey{Name: "mine", ExpiresAt: &ends, Given: true})
		p := keyed{s, text.Reveal()}
		id := installed(t, s, s.Admin, "marlowe-press", "shared", zipOf(t, "a", "1")).Collection.ID
		later, sooner := ends.Add(time.Second).Format(time.RFC3339), ends.Add(-time.Hour).Format(time.RFC3339)
		for _, path := range []string{"/v1/api-keys", "/v1/workspaces/marlowe-press/tokens", "/v1/collections/" + id + "/access-keys"} {
			var made struct {
				ID, Token string
				ExpiresAt time.Time `json:"expires_at"`
			}
			p.must(t, 201, "POST", path, `{"name":"x"}`, &made)
			s.Secrets.Add(secret.Text(made.Token))
			if made.ExpiresAt.IsZero() || made.ExpiresAt.After(ends) {
				t.Errorf("%s: what it made ends %s, after %s", path, made.ExpiresAt, ends)
			}
			if strings.Contains(path, "collections") {
				continue
			}
			p.refused(t, 422, "invalid", "POST", path, `{"name":"x","expires_at":"`+later+`"}`).Has(t, `"field":"expires_at"`)
			p.must(t, 201, "POST", path, `{"name":"x","expires_at":"`+sooner+`"}`, &made)
			s.Secrets.Add(secret.Text(made.Token))
			one := strings.Replace(path, "/workspaces/marlowe-press", "", 1) + "/" + made.ID + ":regenerate"
			p.must(t, 200, "POST", one, "", &made)
			s.Secrets.Add(secret.Text(made.Token))
			if made.ExpiresAt.IsZero() || made.ExpiresAt.After(ends) {
				t.Errorf("%s: it ends %s", one, made.ExpiresAt)
			}
		}
	})
}

// A key in the address reads its collection, and stands in no log, no event and no Referer. Nothing else may stand there.
func TestAccessKeyInTheAddress(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		id := installed(t, s, s.Admin, "marlowe-press", "shared", zipOf(t, "docs/a b.txt", fox)).Collection.ID
		made, text := s.Share(t, s.Admin, id, "for Tom")
		_, key := s.Key(t, s.Admin, models.NewAPIKey{Name: "mine"})
		nobody := s.Browser(t)
		of := func(path string, text secret.Text) string {
			return "/v1/collections/" + id + path + "?access_key=" + text.Reveal()
		}
		for path, has := range map[string]string{"": `"name":"shared"`, "/files": `"path":"docs/a b.txt"`, "/files/docs/a%20b.txt": fox, "/files/docs%2Fa%20b.txt": fox, "/archive": "PK"} {
			a := nobody.Get(t, of(path, text)).Want(t, 200).Has(t, has)
			if a.Header.Get("Referrer-Policy") != "no-referrer" || a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%q: fields %v", path, a.Header)
			}
			nobody.Get(t, of(path, key)).Want(t, 401).Has(t, "Only a collection access key may stand in the address")
			nobody.Get(t, of(path, text)+"&access_key="+text.Reveal()).Want(t, 400)
			nobody.Get(t, of(path, text), "X-API-Key", key.Reveal()).Want(t, 400)
			nobody.Get(t, "/v1/collections/"+id+path, "X-API-Key", text.Reveal()).Want(t, 200)
			nobody.Get(t, "/v1/collections/"+id+path, "Authorization", "Bearer "+text.Reveal()).Want(t, 200)
		}
		nobody.Get(t, of("/files", text)+"&limit=1").Want(t, 200)
		nobody.Get(t, of("/files/nothing.txt", text)).Want(t, 404)
		nobody.Get(t, of("/versions", text)).Want(t, 401) // which reads no parameter
		for _, path := range []string{"/v1/me", "/v1/collections/" + id + "/versions", "/v1/collections/" + id + "/access-keys", "/v1/workspaces/marlowe-press/collections", "/api/agents", "/forward-auth"} {
			a := nobody.Get(t, path, "X-API-Key", text.Reveal(), "X-Original-Method", "GET", "X-Original-URI", "/api/agents")
			if a.Status != http.StatusForbidden && path != "/forward-auth" || path != "/forward-auth" && codeIn(a.Body) != "scope_missing" {
				t.Errorf("%s: %d %.200s", path, a.Status, a.Body)
			}
		}
		s.Refused(t)
		s.Flush(t)
		if strings.Contains(s.Log.String(), text.Reveal()[9:]) {
			t.Error("the log has the key in it")
		}
		seen, err := s.CollectionKey(t.Context(), s.Admin, made.ID)
		if err != nil || seen.Usage.Calls < 10 || !seen.ExpiresAt.Equal(seen.Usage.LastUsedAt.Add(models.CollectionKeyLife)) {
			t.Errorf("%+v (%v)", seen.Usage, err)
		}
	})
}

// Two people, a shared collection, one leaves: what each key still opens is what the product promises.
func TestWhoLeavesTakesNothingAlong(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		id := installed(t, s, s.Admin, "marlowe-press", "shared", zipOf(t, "a.txt", fox)).Collection.ID
		tom, ann := s.Person(t, s.Admin, models.Member), s.Person(t, s.Admin, models.Member)
		toms, anns := withKey(t, s, storetest.As(tom)), withKey(t, s, storetest.As(ann))
		var shared, mine struct{ ID, Token string }
		toms.must(t, 201, "POST", "/v1/collections/"+id+"/access-keys", `{"name":"for Ann"}`, &shared)
		anns.must(t, 201, "POST", "/v1/collections/"+id+"/access-keys", ``, &mine)
		s.Secrets.Add(secret.Text(shared.Token))
		s.Secrets.Add(secret.Text(mine.Token))
		reads := func(key string, status int) {
			t.Helper()
			s.Browser(t).Get(t, "/v1/collections/"+id+"/files/a.txt", "X-API-Key", key).Want(t, status)
		}
		reads(shared.Token, 200)
		reads(toms.key, 200)
		_, err := s.RemoveMember(t.Context(), s.Admin, "marlowe-press", tom.ID)
		must(t, err)
		reads(toms.key, 404) // his key is good, and he is a member no more
		reads(shared.Token, 200)
		toms.must(t, 200, "GET", "/v1/me", "", nil)
		var list struct {
			Data []struct {
				ID        string
				MayDelete bool `json:"may_delete"`
			}
		}
		toms.must(t, 200, "GET", "/v1/collection-access-keys", "", &list)
		if len(list.Data) != 0 {
			t.Errorf("who has left still sees %+v", list.Data)
		}
		anns.must(t, 200, "GET", "/v1/collection-access-keys?collection_id="+id, "", &list)
		if len(list.Data) != 2 || !list.Data[0].MayDelete || list.Data[1].MayDelete {
			t.Errorf("Ann sees %+v", list.Data)
		}
		anns.refused(t, 403, "scope_missing", "DELETE", "/v1/collection-access-keys/"+shared.ID, "")
		toms.refused(t, 404, "not_found", "DELETE", "/v1/collection-access-keys/"+shared.ID, "")
		_, err = s.DeactivatePerson(t.Context(), s.Admin, tom.ID)
		must(t, err)
		reads(toms.key, 401)
		reads(shared.Token, 200)
		withKey(t, s, s.Admin).must(t, 204, "DELETE", "/v1/collection-access-keys/"+shared.ID, "", nil)
		reads(shared.Token, 401)
		reads(mine.Token, 200)
		_, err = s.DeleteCollection(t.Context(), s.Admin, "marlowe-press", id, "shared")
		must(t, err)
		a := s.Browser(t).Get(t, "/v1/collections/"+id, "X-API-Key", mine.Token).Want(t, 401)
		a.Has(t, "the collection was deleted")
	})
}
