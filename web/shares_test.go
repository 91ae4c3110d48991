package web_test

import (
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// sharesOn are the rows of access keys on a page.
func sharesOn(t testing.TB, page *webtest.Answer) *goquery.Selection {
	t.Helper()
	return page.Want(t, 200).Page(t).Find("tr[data-share-id]")
}

// Seed 002: Share makes a key of a collection, another one each time, which is shown once; it stands on the collection's page and under everybody's API keys
// who is in the workspace, with who made it; its maker deletes it.
func TestShareACollection(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		done := installed(t, s, s.Admin, "marlowe-press", "Spring list", zipOf(t, "a.txt", "a"))
		path := "/w/marlowe-press/settings/collections/" + done.Collection.ID
		member := s.Person(t, s.Admin, models.Member)
		in, admin := s.SignedIn(t, member.Email), s.SignedIn(t, ines)
		in.Get(t, path).Want(t, 200).Has(t, "Access keys")
		made := fill(t, in, path+"/access-keys", "name", "Print shop")
		first, _ := shownToken(t, s, made)
		if title, ends := made.Text(t, "#reveal-title"), made.Text(t, "#token-expires"); title != "Collection shared" || ends != "20 Jan 2027, 09:30 UTC" || first[:5] != "coll_" || strings.Count(made.Body, first) != 1 {
			t.Errorf("the reveal says %q, %q", title, ends)
		}
		made.Has(t, s.URL+"/v1/collections/"+done.Collection.ID).Has(t, "X-API-Key: $KEY")
		second, _ := shownToken(t, s, fill(t, in, path+"/access-keys", "name", ""))
		if second == first {
			t.Error("sharing twice makes one key")
		}
		for _, page := range []string{path, keysTab} {
			for _, who := range []*webtest.Agent{in, admin} {
				rows := sharesOn(t, who.Get(t, page).HasNot(t, first))
				if told := words(rows); rows.Length() != 2 || !strings.Contains(told, "Print shop") || !strings.Contains(told, "Access key") || !strings.Contains(told, "not used yet") {
					t.Errorf("%s says %s", page, told)
				}
			}
		}
		if told := words(sharesOn(t, admin.Get(t, keysTab))); !strings.Contains(told, "by "+member.Name) || !strings.Contains(told, "Spring list") {
			t.Errorf("the Owner is told %s", told)
		}
		end := sharesOn(t, in.Get(t, path)).Last().Find("a").Last().AttrOr("href", "")
		form := in.Get(t, end).Want(t, 200).Has(t, "Print shop").Has(t, "cannot read Spring list with it any more")
		action, _, _ := strings.Cut(end, "?")
		in.Post(t, action, webtest.Form{"reason": "done", "next": form.Value(t, "next")}).To(t, path)
		if rows := sharesOn(t, in.Get(t, path).Has(t, "is deleted")); rows.Length() != 1 {
			t.Errorf("%d are left", rows.Length())
		}
		if code := presented(t, s, first); code != "credential_revoked" {
			t.Errorf("what was deleted is answered with %q", code)
		}
		in.Get(t, action).Want(t, 409)
		id := in.Get(t, path+"/access-keys/new").Value(t, "form_id")
		in.Post(t, path+"/access-keys", webtest.Form{"name": strings.Repeat("x", 81), "form_id": id}).Want(t, 422).Has(t, "80 characters or fewer")
		third, _ := shownToken(t, s, in.Post(t, path+"/access-keys", webtest.Form{"name": "x", "form_id": id}))
		in.Post(t, path+"/access-keys", webtest.Form{"name": "x", "form_id": id}).Want(t, 200).HasNot(t, third).Has(t, "already shown")
	})
}

// Whose a key is, and who runs the workspace, decides who deletes it; somebody from elsewhere is told that there is none. A key outlives its maker's leaving, and
// ends with its collection.
func TestWhoDeletesShares(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		done := installed(t, s, s.Admin, "marlowe-press", "Spring list", zipOf(t, "a.txt", "a"))
		path := "/w/marlowe-press/settings/collections/" + done.Collection.ID
		member, maker := s.Person(t, s.Admin, models.Member), s.Person(t, s.Admin, models.Member)
		made, text := s.Share(t, storetest.As(maker), done.Collection.ID, "Theirs")
		end := "/account/collection-access-keys/" + made.ID + "/delete"
		in, admin := s.SignedIn(t, member.Email), s.SignedIn(t, ines)
		if row := sharesOn(t, in.Get(t, keysTab)); row.Length() != 1 || row.Find(`a[href*="/delete"]`).Length() != 0 {
			t.Errorf("another Member is shown %s", words(row))
		}
		in.Get(t, end).Want(t, 403)
		in.Post(t, end, webtest.Form{}).Want(t, 403)
		if _, err := s.RemoveMember(t.Context(), s.Admin, "marlowe-press", maker.ID); err != nil {
			t.Fatal(err)
		}
		left := s.SignedIn(t, maker.Email)
		left.Get(t, keysTab).Want(t, 200).HasNot(t, "Theirs")
		left.Get(t, end).Want(t, 404)
		left.Post(t, end, webtest.Form{}).Want(t, 404)
		left.Get(t, path+"/access-keys/new").Want(t, 404)
		left.Post(t, path+"/access-keys", webtest.Form{"form_id": strings.Repeat("a", 22)}).Want(t, 404)
		if code := presented(t, s, text.Reveal()); code != "scope_missing" { // it lives, and opens no product
			t.Errorf("it is answered with %q", code)
		}
		if asked := admin.Get(t, end+"?next=//evil.example").Want(t, 200).Page(t); asked.Find(`a[href*="evil"]`).Length() != 0 {
			t.Error("the question leads elsewhere")
		}
		admin.Post(t, path+"/delete", webtest.Form{"typed": "Spring list"}).To(t, "/w/marlowe-press/settings/collections")
		admin.Get(t, "/audit").Want(t, 200).Has(t, "which ended 1 access key").Has(t, "shared the collection Spring list with the access key ")
		if code := presented(t, s, text.Reveal()); code != "credential_revoked" {
			t.Errorf("after its collection's end it is answered with %q", code)
		}
	})
}
