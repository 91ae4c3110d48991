package web_test

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// holdings are a few credentials of several kinds and states.
type holdings struct {
	tom                    models.Person
	bearer, build, mail    models.Credential
	toms, builds, mailsNow secret.Text
	mailsBefore            secret.Text
}

func hold(t *testing.T, s webtest.Site) (h holdings) {
	t.Helper()
	var err error
	if h.tom, err = s.CreatePerson(t.Context(), s.Admin, models.NewPerson{Name: "Tom Okafor", Email: "tom@marlowe.example", Role: models.Member, Password: storetest.Password}); err != nil {
		t.Fatal(err)
	}
	h.bearer, h.toms = s.Token(t, s.Admin, h.tom.ID)
	h.build, h.builds = s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "Build server", Expiration: models.ForAWeek})
	h.mail, h.mailsBefore = s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "=Mail"})
	if h.mail, h.mailsNow, err = s.RegenerateAPIToken(t.Context(), s.Admin, "marlowe-press", h.mail.ID, models.Regeneration{}, secret.FormID()); err != nil {
		t.Fatal(err)
	}
	s.Secrets.Add(h.mailsNow)
	return h
}

func (h holdings) secrets() []secret.Text {
	return []secret.Text{h.toms, h.builds, h.mailsNow, h.mailsBefore}
}

// shownCredentials are the IDs on a page of the list.
func shownCredentials(t *testing.T, a *webtest.Answer) (ids []string) {
	t.Helper()
	a.Page(t).Find("tr[data-token-id]").Each(func(_ int, row *goquery.Selection) { ids = append(ids, row.AttrOr("data-token-id", "")) })
	return ids
}

// The list has the credentials of everybody, the newest first, and each filter narrows it; what was asked for stays in the form.
func TestCredentialsOfEverybody(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		h := hold(t, s)
		admin := s.SignedIn(t, "ines@marlowe.example")
		b, m, p := h.build.ID, h.mail.ID, h.bearer.ID
		for query, want := range map[string][]string{
			"": {m, b, p}, "kind=api": {m, b}, "kind=bearer": {p}, "kind=key": {}, "status=active": {m, b, p}, "status=revoked": {}, "owner=workspace": {m, b}, "owner=okafor": {p},
			"owner=" + h.tom.ID: {p}, "workspace=marlowe-press": {m, b}, "created_by=ines": {m, b, p}, "created_by=tom%40marlowe.example": {}, "expires=7d": {b}, "expires=never": {m}, "unused=never": {m, b, p},
			"unused=30d": {}, "q=BUILD": {b}, "q=" + h.mail.Prefix: {m}, "q=" + h.bearer.Last4: {p}, "q=bearer&kind=bearer": {p}, "kind=api&q=mail&owner=workspace&workspace=marlowe-press&status=active": {m},
		} {
			page := admin.Get(t, "/credentials?"+query).Want(t, 200)
			if got := shownCredentials(t, page); !slices.Equal(got, want) && len(got)+len(want) > 0 {
				t.Errorf("%q shows %v, want %v", query, got, want)
			}
			values, _ := url.ParseQuery(query)
			for name, value := range values {
				if field := page.Page(t).Find(`form[role=search] [name="` + name + `"]`); field.AttrOr("value", field.Find("option[selected]").AttrOr("value", "")) != value[0] {
					t.Errorf("%q: the field %s is %q", query, name, field.AttrOr("value", ""))
				}
			}
		}
		for query, problem := range map[string]string{"kind=spare": "kind", "status=dead": "status", "expires=1y": "expires", "unused=soon": "unused", "workspace=nowhere": "workspace"} {
			if page := admin.Get(t, "/credentials?"+query).Want(t, 422).Has(t, "There is a problem"); len(shownCredentials(t, page)) > 0 {
				t.Errorf("%q shows something, whatever is wrong with %s", query, problem)
			}
		}
		admin.Get(t, "/credentials?owner=nobody+at+all").Want(t, 200).Has(t, "Nobody here is called")
		admin.Get(t, "/credentials?after=made-up").Want(t, 400)
		s.SignedIn(t, "tom@marlowe.example").Get(t, "/credentials").Want(t, 403)
	})
}

// Pages follow each other, each credential on one of them; and a count that is the list's.
func TestPagesOfCredentials(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		var want []string
		for i := range 120 {
			made, _ := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "Token " + strconv.Itoa(i)})
			want = append([]string{made.ID}, want...)
		}
		admin, got, path := s.SignedIn(t, "ines@marlowe.example"), []string{}, "/credentials?kind=api"
		for path != "" {
			page := admin.Get(t, path).Want(t, 200).Has(t, "120 credentials")
			got = append(got, shownCredentials(t, page)...)
			path = page.Page(t).Find("nav[aria-label=Pages] a").FilterFunction(named("Show more")).AttrOr("href", "")
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d credentials on all pages, want %d", len(got), len(want))
		}
		if rows := table(t, admin.Get(t, "/credentials.csv?kind=api").Want(t, 200)); len(rows) != 120 || rows[0]["id"] != want[0] {
			t.Errorf("%d rows in the file", len(rows))
		}
	})
}

// A whole key finds its credential, in whatever state, also one that it had before. It is in no answer, address or log, wherever it is pasted.
func TestPastedKeys(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		h := hold(t, s)
		admin := s.SignedIn(t, "ines@marlowe.example")
		for text, c := range map[secret.Text]struct{ id, says string }{
			h.toms: {h.bearer.ID, "It works: whoever has the key can use it."}, h.builds: {h.build.ID, "It works: whoever has the key can use it."}, h.mailsNow: {h.mail.ID, "It works: whoever has the key can use it."}, h.mailsBefore: {h.mail.ID, "replaced since"},
		} {
			answer := admin.Post(t, "/credentials/find", webtest.Form{"secret": " " + text.Reveal() + "\n"}).To(t, "/credentials/"+c.id)
			answer.HasNot(t, text.Reveal())
			admin.Get(t, "/credentials/"+c.id).Want(t, 200).Has(t, c.says).HasNot(t, text.Reveal())
			for _, field := range []string{"q", "owner", "created_by", "workspace", "kind", "status", "expires", "unused"} {
				for _, path := range []string{"/credentials", "/credentials.csv"} {
					answer := admin.Get(t, path+"?"+field+"=x+"+text.Reveal())
					if answer.HasNot(t, text.Reveal()); answer.Status != 422 && answer.Status != 400 || strings.Contains(answer.Header.Get("Location"), text.Reveal()) {
						t.Errorf("%s in %s: status %d", field, path, answer.Status)
					}
				}
			}
			answer = admin.Post(t, "/credentials/revoke", webtest.Form{"id": c.id, "confirm": "1", "reason": "found " + text.Reveal()})
			if answer.HasNot(t, text.Reveal()); answer.Status != 422 {
				t.Errorf("as a reason: status %d", answer.Status)
			}
			admin.Post(t, "/credentials/revoke", webtest.Form{"id": c.id, "back": "/credentials?q=" + text.Reveal()}).HasNot(t, text.Reveal())
		}
		stranger, err := secret.Mint("user", nil)
		if err != nil {
			t.Fatal(err)
		}
		s.Secrets.Add(stranger)
		admin.Post(t, "/credentials/find", webtest.Form{"secret": stranger.Reveal()}).Want(t, 422).Has(t, "No credential of this installation").HasNot(t, stranger.Reveal())
		for _, other := range []string{"", "x", garbled(h.toms.Reveal()), h.toms.Reveal()[:53]} {
			if answer := admin.Post(t, "/credentials/find", webtest.Form{"secret": other}).Want(t, 422).Has(t, "not a whole key"); len(other) > 10 {
				answer.HasNot(t, other)
			}
		}
		for _, text := range append(h.secrets(), stranger) {
			if strings.Contains(s.Log.String(), text.Reveal()) {
				t.Error("a key is in the log")
			}
		}
	})
}

// Many are revoked with one reason, after a page that says what will stop; each says afterwards why and when.
func TestRevokeManyCredentials(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		h := hold(t, s)
		admin, now := s.SignedIn(t, "ines@marlowe.example"), s.Clock.Now()
		if err := s.RecordUsage(t.Context(), storetest.Flush(), []models.Usage{{CredentialID: h.bearer.ID, Calls: 1204, LastUsedAt: &now, LastAddress: "192.0.2.3"}},
			[]models.UsageDay{{CredentialID: h.bearer.ID, Day: now.Format(time.DateOnly), Calls: 1204}}); err != nil {
			t.Fatal(err)
		}
		back := "/credentials?status=active"
		sel := url.Values{"id": {h.bearer.ID, h.build.ID}, "back": {back}}
		send := func(values url.Values) *webtest.Answer {
			return admin.Send(t, "POST", "/credentials/revoke", strings.NewReader(values.Encode()), "Content-Type", "application/x-www-form-urlencoded")
		}
		ask := send(sel).Want(t, 200).Has(t, "Revoke 2 credentials?").Has(t, "1 person and 1 workspace").Has(t, "1,204 calls").Has(t, "Build server").Has(t, "Bearer token of Tom Okafor")
		if s.Changes(t); ask.Page(t).Find("input[name=id]").Length() != 2 || ask.Value(t, "back") != back {
			t.Error("the question does not say what it is about")
		}
		if c, err := s.CredentialByID(t.Context(), s.Admin, h.bearer.ID); err != nil || c.RevokedAt != nil {
			t.Errorf("asking revoked it (%v)", err)
		}
		sel.Set("confirm", "1")
		sel.Set("reason", strings.Repeat("x", 201))
		send(sel).Want(t, 422).Has(t, "Reason must be 200 characters or fewer")
		sel.Set("reason", "audit of tools")
		send(sel).To(t, back)
		admin.Get(t, back).Want(t, 200).Has(t, "2 credentials are revoked.")
		for _, id := range []string{h.bearer.ID, h.build.ID} {
			admin.Get(t, "/credentials/"+id).Want(t, 200).Has(t, "It was revoked by Ines Moreau").Has(t, "audit of tools")
		}
		send(sel).To(t, back)
		admin.Get(t, back).Has(t, "They were revoked already")
		sel.Del("confirm")
		send(sel).Want(t, 409)
		send(url.Values{}).Want(t, 422).Has(t, "Select at least one credential")
		send(url.Values{"id": {models.NewID()}}).Want(t, 404)
		send(url.Values{"id": {h.mail.ID}, "confirm": {"1"}, "back": {"//evil.example/"}}).To(t, "/credentials")
		admin.Get(t, "/credentials/"+models.NewID()).Want(t, 404)
	})
}

// The file has what the filter lets through, without a secret, and nothing that a spreadsheet takes for a formula.
func TestExportOfCredentials(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		h := hold(t, s)
		admin := s.SignedIn(t, "ines@marlowe.example")
		a := admin.Get(t, "/credentials.csv?kind=api").Want(t, 200)
		if name := downloaded(t, a, "text/csv; charset=utf-8; header=present"); !strings.HasPrefix(name, "credentials-20") {
			t.Errorf("it is called %q", name)
		}
		rows := table(t, a)
		if len(rows) != 2 || rows[0]["id"] != h.mail.ID || rows[0]["name"] != "'=Mail" || rows[1]["status"] != "active" || rows[1]["workspace"] != "Marlowe Press" || rows[1]["created_by"] != "Ines Moreau" {
			t.Errorf("the file has %v", rows)
		}
		for _, text := range h.secrets() {
			a.HasNot(t, text.Reveal())
		}
		admin.Get(t, "/credentials.csv?owner=nobody+at+all").Want(t, 400)
	})
}

// Each number of the overview leads to a list that has as many.
func TestTheNumbersOfTheOverview(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		h := hold(t, s)
		if _, err := s.SwitchAPIToken(t.Context(), s.Admin, "marlowe-press", h.mail.ID, false); err != nil {
			t.Fatal(err)
		}
		s.Token(t, s.Admin, h.tom.ID) // in place of the one before
		s.Clock.Advance(100 * 24 * time.Hour)
		ending, _ := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "Ending", Expiration: models.ForAWeek})
		today := s.Clock.Now().Format(time.DateOnly)
		at := s.Clock.Now()
		if err := s.RecordUsage(t.Context(), storetest.Flush(), []models.Usage{{CredentialID: ending.ID, Calls: 7, LastUsedAt: &at}}, []models.UsageDay{{CredentialID: ending.ID, Day: today, Calls: 7, Refused: 2}}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := s.RecordRefused(t.Context(), models.Refused{Action: models.CallDenied, Reason: "scope_missing", Count: 3, Who: models.Actor{Kind: models.Guest, RequestID: models.NewID()}}); err != nil {
				t.Fatal(err)
			}
		}
		admin := s.SignedIn(t, "ines@marlowe.example")
		page := admin.Get(t, "/").Want(t, 200).Has(t, "7 calls were accepted and 2 refused in the last 30 days.")
		want := map[string]string{"Active credentials": "2", "Inactive": "1", "Expired": "1", "Revoked or replaced": "1", "Expire within 14 days": "1", "Unused for 90 days": "2", "Reports of refused calls": "2"}
		found := page.Page(t).Find(".stats > a")
		if found.Length() != len(want) {
			t.Errorf("%d numbers", found.Length())
		}
		found.Each(func(_ int, figure *goquery.Selection) {
			label, number := strings.TrimSpace(figure.Find(".lbl").Text()), figure.Find("b").Text()
			if number != want[label] {
				t.Errorf("%s: %s, want %s", label, number, want[label])
			}
			list := admin.Get(t, figure.AttrOr("href", "")).Want(t, 200)
			if n := list.Page(t).Find("tr[data-token-id], ol.log > li").Length(); strconv.Itoa(n) != number {
				t.Errorf("%s is %s, and its list has %d", label, number, n)
			}
		})
		if rows := page.Page(t).Find("table tbody tr"); rows.Length() != models.FigureDays {
			t.Errorf("%d days beside the chart", rows.Length())
		}
		if s.SignedIn(t, "tom@marlowe.example").Get(t, "/").Want(t, 200).Page(t).Find(".stats").Length() > 0 {
			t.Error("a Member sees the numbers of everybody")
		}
	})
}
