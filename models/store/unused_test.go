package store_test

import (
	"fmt"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

// aKey puts an API key into the database that was made some days ago.
func aKey(t *testing.T, w storetest.World, personID, name string, days int) (models.Credential, secret.Text) {
	t.Helper()
	text, err := secret.Mint(models.APIKey.Prefix(), nil)
	must(t, err)
	hash, hint := text.Hash(), text.Hint()
	c := models.Credential{
		ID: models.NewID(), Kind: models.APIKey, Name: name, NameKey: models.Fold(name), Prefix: hint.Prefix, Last4: hint.Last4, Hash: hash[:], PersonID: personID,
		Enabled: true, CreatedAt: w.Clock.Now().AddDate(0, 0, -days), CreatedBy: personID,
	}
	must(t, w.DB().Create(&c).Error)
	w.Secrets.Add(text)
	return c, text
}

// An API key that was neither made, used nor regenerated for so many days is what the preview shows and what the server revokes: no
// other, and nothing while no policy says so.
func TestRevokeUnused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		used := func(id string, days int) {
			at := w.Clock.Now().AddDate(0, 0, -days)
			must(t, w.RecordUsage(t.Context(), storetest.Flush(), []models.Usage{{CredentialID: id, Calls: 1, LastUsedAt: &at}}, nil))
		}
		late := func(days int) time.Time { return w.Clock.Now().AddDate(0, 0, -days) }
		alive := map[string]secret.Text{}
		key := func(name string, days int) models.Credential {
			c, text := aKey(t, w, admin.ID, name, days)
			alive[name] = text
			return c
		}
		never, long := key("never used", 90), key("used long ago", 200)
		used(long.ID, 90)
		key("new", 89)
		used(key("in use", 200).ID, 89)
		renewed := key("regenerated", 200)
		must(t, w.DB().Create(&models.Secret{Hash: []byte("before"), CredentialID: renewed.ID, ReplacedAt: late(3)}).Error)
		ended := key("expired", 200)
		must(t, w.DB().Model(&models.Credential{}).Where("id = ?", ended.ID).Updates(map[string]any{"expires_at": late(1)}).Error)
		w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "an API token"})
		must(t, w.DB().Exec("UPDATE credentials SET created_at = ? WHERE kind = 'api'", late(300)).Error)

		list, total, next, err := w.UnusedKeys(t.Context(), admin, 90, models.Place{})
		if err != nil || total != 2 || len(list) != 2 || next.ID != "" || list[0].ID != never.ID || list[1].ID != long.ID || list[0].PersonName != "Ines Moreau" || list[1].Usage.LastUsedAt == nil {
			t.Errorf("the preview: %+v, %d, %+v (%v)", list, total, next, err)
		}
		if list, total, _, err := w.UnusedKeys(t.Context(), admin, 0, models.Place{}); err != nil || total != 0 || len(list) != 0 {
			t.Errorf("of no days: %+v, %d (%v)", list, total, err)
		}
		revoke := func(want int) {
			t.Helper()
			if n, err := w.RevokeUnused(t.Context()); err != nil || n != want {
				t.Errorf("revoked %d, want %d (%v)", n, want, err)
			}
		}
		unchanged(t, w, "no policy", func() { revoke(0) })
		decide(t, w, admin, models.Policy{KeyMakers: models.EveryoneMakesKeys, UnusedDays: 90})
		revoke(2)
		unchanged(t, w, "again", func() { revoke(0) })
		if n := events(t, w, models.CredentialRevoked); n != 2 {
			t.Errorf("%d events", n)
		}
		if e := lastEvent(t, w); e.ActorKind != models.System || e.SubjectID != long.ID || e.PersonID != admin.ID || e.RequestID == "" {
			t.Errorf("the event is %+v", e)
		}
		for name, text := range alive {
			want := models.Active
			switch name {
			case "never used", "used long ago":
				want = models.Revoked
			case "expired":
				want = models.Expired
			}
			if got := stateOf(t, w, text); got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
		grant, err := w.GrantOf(t.Context(), alive["never used"].Hash())
		if must(t, err); grant.Credential.RevokeReason != "not used for 90 days (policy)" || grant.Credential.RevokedBy != "" {
			t.Errorf("revoked as %+v", grant.Credential)
		}
		w.Clock.Advance(24 * time.Hour)
		revoke(2) // each of these was used or made 89 days before
	})
}

// More keys than are looked at together, and more than a page: all of them and no other, and a count that is bounded.
func TestRevokeManyUnused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		var all []models.Credential
		for i := range 2100 {
			all = append(all, models.Credential{
				ID: models.NewID(), Kind: models.APIKey, Name: "k", NameKey: "k", Prefix: "pkey_abc", Last4: "wxyz", Hash: []byte(fmt.Sprintf("%032d", i)), PersonID: admin.ID,
				Enabled: true, CreatedAt: w.Clock.Now().AddDate(0, 0, -(i%2)*90), CreatedBy: admin.ID,
			})
		}
		must(t, w.DB().CreateInBatches(all, 300).Error)
		seen := map[string]bool{}
		for after, pages := (models.Place{}), 0; pages == 0 || after.ID != ""; pages++ {
			list, total, next, err := w.UnusedKeys(t.Context(), admin, 30, after)
			must(t, err)
			if total != models.CountCap+1 {
				t.Fatalf("counted %d", total)
			}
			for _, c := range list {
				if seen[c.ID] {
					t.Fatalf("%s twice", c.ID)
				}
				seen[c.ID] = true
			}
			after = next
		}
		if len(seen) != 1050 {
			t.Errorf("the preview shows %d", len(seen))
		}
		decide(t, w, admin, models.Policy{KeyMakers: models.EveryoneMakesKeys, UnusedDays: 30})
		if n, err := w.RevokeUnused(t.Context()); err != nil || n != 1050 {
			t.Errorf("revoked %d (%v)", n, err)
		}
		if n := number(t, w, "SELECT count(*) FROM credentials WHERE revoked_at IS NULL"); n != 1050 {
			t.Errorf("%d are left", n)
		}
	})
}
