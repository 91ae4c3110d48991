package store_test

import (
	"maps"
	"testing"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// One person has one live token, however many are made at once, on two servers: each press makes one, each
// but the last is replaced by another, and following them leads to the one that is live.
func TestBearerTokensAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		stores, made := []*store.Store{w.Store, w.Open(t)}, make([]models.Credential, 20)
		failed := atOnce(len(made), func(i int) (err error) {
			made[i], _, _, err = stores[i%2].CreateBearerToken(t.Context(), admin, admin.ID, secret.FormID())
			return err
		})
		if got := kinds(failed); got[""] != len(made) {
			t.Fatalf("got %v: %v", got, failed)
		}
		if n := number(t, w, "SELECT count(*) FROM credentials WHERE revoked_at IS NULL"); n != 1 {
			t.Errorf("%d are live", n)
		}
		var all []models.Credential
		if err := w.DB().Find(&all).Error; err != nil || len(all) != len(made) {
			t.Fatalf("%d were made (%v)", len(all), err)
		}
		after, successors := map[string]string{}, map[string]bool{}
		for _, c := range all {
			after[c.ID] = c.ReplacedBy
			if c.ReplacedBy != "" && successors[c.ReplacedBy] {
				t.Errorf("%s replaced two", c.ReplacedBy)
			}
			successors[c.ReplacedBy] = true
		}
		for _, c := range all {
			at, steps := c.ID, 0
			for ; after[at] != "" && steps <= len(all); steps++ {
				at = after[at]
			}
			if steps > len(all) || after[at] != "" {
				t.Errorf("from %s nothing live is reached", c.ID)
			}
		}
		if n := events(t, w, models.CredentialCreated); n != int64(len(made)) {
			t.Errorf("%d events", n)
		}
		record, err := w.PersonRecord(t.Context(), admin, admin.ID)
		if err != nil || record.Bearer == nil || len(record.Earlier) != len(made)-1 {
			t.Errorf("the record shows %+v and %d earlier ones (%v)", record.Bearer, len(record.Earlier), err)
		}
	})
}

// R1: one form makes one token and shows one secret, sent by a double click, a reload or two tabs, to two
// servers; whoever comes second is told what it made, and gets no secret.
func TestOneFormMakesOneToken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		other := w.Person(t, admin, models.Member)
		stores, form := []*store.Store{w.Store, w.Open(t)}, secret.FormID()
		texts := make([]secret.Text, 20)
		failed := atOnce(len(texts), func(i int) (err error) {
			_, texts[i], _, err = stores[i%2].CreateBearerToken(t.Context(), admin, admin.ID, form)
			return err
		})
		if got, want := kinds(failed), map[models.Kind]int{"": 1, models.ShownAlready: 19}; !maps.Equal(got, want) {
			t.Fatalf("got %v, want %v: %v", got, want, failed)
		}
		record, err := w.PersonRecord(t.Context(), admin, admin.ID)
		if err != nil || record.Bearer == nil || len(record.Earlier) != 0 {
			t.Fatalf("the record shows %+v (%v)", record, err)
		}
		for i, err := range failed {
			if (texts[i] != "") != (err == nil) || err != nil && subject(err) != record.Bearer.ID {
				t.Errorf("number %d: a secret of %d characters, %v of %s", i, len(texts[i].Reveal()), err, subject(err))
			}
		}
		unchanged(t, w, "the form on another record", func() {
			_, text, _, err := w.CreateBearerToken(t.Context(), admin, other.ID, form)
			if models.KindOf(err) != models.ShownAlready || subject(err) != record.Bearer.ID || text != "" {
				t.Errorf("got %v", err)
			}
		})
	})
}

// Two Admins who make each other's token at the same moment both get one, at once.
func TestAdminsMakeEachOthersTokens(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		first := w.SetUp(t)
		second := storetest.As(w.Person(t, first, models.Admin))
		both, stores := []models.Actor{first, second}, []*store.Store{w.Store, w.Open(t)}
		for round := range 20 {
			failed := atOnce(4, func(i int) error {
				_, _, _, err := stores[i%2].CreateBearerToken(t.Context(), both[i%2], both[1-i%2].ID, secret.FormID())
				return err
			})
			if got := kinds(failed); got[""] != 4 {
				t.Fatalf("round %d: %v", round, failed)
			}
		}
	})
}

// A token that is revoked while another takes its place: both are done, whichever comes first, and nobody is
// told that the person does not exist.
func TestRevokeWhileReplacing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		stores := []*store.Store{w.Store, w.Open(t)}
		for round := range 20 {
			old, _ := w.Token(t, admin, admin.ID)
			failed := atOnce(2, func(i int) error {
				if i == 0 {
					_, err := stores[0].RevokeCredential(t.Context(), admin, old.ID, models.Revocation{})
					return err
				}
				_, _, _, err := stores[1].CreateBearerToken(t.Context(), admin, admin.ID, secret.FormID())
				return err
			})
			if got := kinds(failed); got[""] != 2 {
				t.Fatalf("round %d: %v", round, failed)
			}
			if n := number(t, w, "SELECT count(*) FROM credentials WHERE revoked_at IS NULL"); n != 1 {
				t.Fatalf("round %d: %d are live", round, n)
			}
		}
	})
}
