package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

// as is a person with one of their credentials.
func as(p models.Person, c models.Credential) models.Actor {
	return models.Actor{Kind: models.Program, ID: p.ID, Name: p.Name, Role: p.Role, CredentialID: c.ID, Until: c.ExpiresAt, RequestID: "r8"}
}

// Seed 002: anybody generates an API key for themself, with a name. It is theirs and for everywhere, is found by its hash, and ends as the settings
// say. The event says what it is, and not the secret (T4, T5).
func TestCreateAPIKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		tom := w.Person(t, admin, models.Member)
		now := w.Clock.Now()
		made, text, err := w.CreateAPIKey(t.Context(), storetest.As(tom), models.NewAPIKey{Name: "  Nightly   report "}, secret.FormID())
		must(t, err)
		plain := text.Reveal()
		if _, ok := secret.Parse(plain); !ok || text.Kind() != "pkey" || made.Prefix != plain[:8] || made.Last4 != plain[50:] {
			t.Errorf("made %s... ...%s", made.Prefix, made.Last4)
		}
		if made.Kind != models.APIKey || made.Name != "Nightly report" || made.PersonID != tom.ID || made.WorkspaceID != "" || made.ProductID != "" || made.CreatedBy != tom.ID ||
			made.CreatedAt != now || !made.ExpiresAt.Equal(now.AddDate(0, 0, models.DefaultKeyDays)) || made.LatestExpiresAt != nil || made.State(now) != models.Active {
			t.Errorf("made %+v", made)
		}
		e := lastEvent(t, w)
		if e.Action != models.CredentialCreated || e.SubjectID != made.ID || e.SubjectName != made.Name || e.PersonID != tom.ID || e.WorkspaceID != "" || e.CredentialKindSaid() != models.APIKey || len(e.ChangeList()) != 3 {
			t.Errorf("the event is %+v", e)
		}
		grant, err := w.GrantOf(t.Context(), text.Hash())
		if err != nil || grant.Credential.ID != made.ID || grant.Owner.ID != tom.ID || grant.Opens != (models.Opens{}) {
			t.Errorf("granted %+v (%v)", grant, err)
		}
		seen, err := w.APIKey(t.Context(), storetest.As(tom), made.ID)
		if err != nil || seen.ID != made.ID || seen.PersonName != tom.Name || seen.CreatedByName != tom.Name {
			t.Errorf("seen %+v (%v)", seen, err)
		}
	})
}

// When a key ends that nobody gave an end: the person's setting, or an Admin's for everybody, shortened to what the policy allows.
func TestWhenKeysEnd(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		tom := w.Person(t, w.SetUp(t), models.Member)
		who, now := storetest.As(tom), w.Clock.Now()
		in := func(days int) time.Time { return now.AddDate(0, 0, days) }
		for what, c := range map[string]struct {
			person  int
			policy  string
			given   bool
			at      time.Time // given, or zero for never
			want    time.Time // zero: never
			refused bool
		}{
			"as the person chose":                      {person: 30, want: in(30)},
			"never, as the person chose":               {person: 0},
			"as an Admin fixed it":                     {person: 30, policy: "key_days = 60", want: in(60)},
			"never, as an Admin fixed it":              {person: 30, policy: "key_days = 0"},
			"longer than the policy allows":            {person: 90, policy: "longest_key_days = 7", want: in(7)},
			"never, where the policy has a limit":      {person: 0, policy: "longest_key_days = 7", want: in(7)},
			"fixed, longer than the policy allows":     {person: 1, policy: "key_days = 60, longest_key_days = 7", want: in(7)},
			"never, where everything expires":          {person: 0, policy: "expiry_required = true", want: in(models.DefaultKeyDays)},
			"an end that was given":                    {person: 30, given: true, at: in(3), want: in(3)},
			"never, given":                             {person: 30, given: true},
			"given, as late as the policy allows":      {person: 30, policy: "longest_key_days = 7", given: true, at: in(7), want: in(7)},
			"given, later than the policy allows":      {person: 30, policy: "longest_key_days = 7", given: true, at: in(7).Add(time.Second), refused: true},
			"never, given, where everything expires":   {person: 30, policy: "expiry_required = true", given: true, refused: true},
			"never, given, where there is a limit":     {person: 30, policy: "longest_key_days = 7", given: true, refused: true},
			"given, in the past":                       {person: 30, given: true, at: now, refused: true},
			"given, in more than a hundred years":      {person: 30, given: true, at: now.AddDate(101, 0, 0), refused: true},
			"a limit for other kinds is none for keys": {person: 0, policy: "longest_bearer_days = 1, longest_api_days = 1, longest_automation_days = 1, longest_collection_days = 1"},
		} {
			exec(t, w, "UPDATE policies SET key_days = NULL, longest_bearer_days = 0, longest_api_days = 0, longest_automation_days = 0, longest_key_days = 0, longest_collection_days = 0, expiry_required = false")
			exec(t, w, "UPDATE people SET key_days = ? WHERE id = ?", c.person, tom.ID)
			if c.policy != "" {
				exec(t, w, "UPDATE policies SET "+c.policy)
			}
			n := models.NewAPIKey{Name: "a", Given: c.given}
			if !c.at.IsZero() {
				n.ExpiresAt = &c.at
			}
			made, _, err := w.CreateAPIKey(t.Context(), who, n, secret.FormID())
			if c.refused {
				wantField(t, what, err, "expires_at", "")
				continue
			}
			must(t, err)
			if (made.ExpiresAt == nil) != c.want.IsZero() || made.ExpiresAt != nil && !made.ExpiresAt.Equal(c.want) {
				t.Errorf("%s: it ends %v, want %v", what, made.ExpiresAt, c.want)
			}
		}
	})
}

// T10: what a program makes ends no later than what it came with, also by regenerating; and nothing that is for one workspace makes a key for everywhere.
func TestKeysOfPrograms(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		tom := w.Person(t, admin, models.Member)
		soon := w.Clock.Now().AddDate(0, 0, 5)
		short, _ := w.Key(t, storetest.As(tom), models.NewAPIKey{Name: "short", Given: true, ExpiresAt: &soon})
		long, _ := w.Key(t, storetest.As(tom), models.NewAPIKey{Name: "long", Given: true})
		for what, c := range map[string]struct {
			who   models.Actor
			n     models.NewAPIKey
			wants *time.Time
			kind  models.Kind
		}{
			"as the settings say, but no later":      {as(tom, short), models.NewAPIKey{Name: "a"}, &soon, ""},
			"as late as itself":                      {as(tom, short), models.NewAPIKey{Name: "a", Given: true, ExpiresAt: &soon}, &soon, ""},
			"later than itself":                      {as(tom, short), models.NewAPIKey{Name: "a", Given: true, ExpiresAt: new(soon.Add(time.Second))}, nil, models.Invalid},
			"never, of one that ends":                {as(tom, short), models.NewAPIKey{Name: "a", Given: true}, nil, models.Invalid},
			"never, of one that does not":            {as(tom, long), models.NewAPIKey{Name: "a", Given: true}, nil, ""},
			"with what is for one workspace":         {models.Actor{Kind: models.Program, ID: tom.ID, CredentialID: long.ID, Within: models.NewID()}, models.NewAPIKey{Name: "a"}, nil, models.Forbidden},
			"with somebody else's credential's name": {models.Actor{Kind: models.Program, ID: tom.ID, CredentialID: models.NewID()}, models.NewAPIKey{Name: "a"}, nil, models.Unauthorized},
			"nobody":                                 {guest, models.NewAPIKey{Name: "a"}, nil, models.Forbidden},
			"the command line":                       {command, models.NewAPIKey{Name: "a"}, nil, models.Forbidden},
		} {
			made, text, err := w.CreateAPIKey(t.Context(), c.who, c.n, "")
			if c.kind == models.Invalid {
				wantField(t, what, err, "expires_at", "no later than its own")
			}
			wantKind(t, what, err, c.kind)
			if (err == nil) != (text != "") || (c.wants == nil) != (made.ExpiresAt == nil) || c.wants != nil && !made.ExpiresAt.Equal(*c.wants) {
				t.Errorf("%s: made %+v", what, made)
			}
		}
		made, _, err := w.RegenerateAPIKey(t.Context(), as(tom, short), long.ID, models.KeyRegeneration{}, "")
		if err != nil || made.ExpiresAt == nil || !made.ExpiresAt.Equal(soon) {
			t.Errorf("regenerated by a program until %v (%v)", made.ExpiresAt, err)
		}
		// A form's number is used up for a program, too.
		form := secret.FormID()
		first, _, err := w.CreateAPIKey(t.Context(), as(tom, short), models.NewAPIKey{Name: "b"}, form)
		must(t, err)
		_, text, err := w.CreateAPIKey(t.Context(), as(tom, short), models.NewAPIKey{Name: "b"}, form)
		wantKind(t, "again", err, models.ShownAlready)
		if e := (*models.Error)(nil); text != "" || !errors.As(err, &e) || e.SubjectID != first.ID {
			t.Errorf("again: %v", err)
		}
		for _, who := range []models.Actor{as(tom, short), storetest.As(tom)} {
			_, _, err = w.CreateAPIKey(t.Context(), who, models.NewAPIKey{Name: "b"}, "no number")
			wantKind(t, "what is no form's number", err, models.Invalid)
		}
		_, _, err = w.CreateAPIKey(t.Context(), storetest.As(tom), models.NewAPIKey{Name: "b"}, "")
		wantKind(t, "a form without its number", err, models.Invalid)
	})
}

// Who may generate keys is for Admins to decide, and counts at the moment, for regenerating too. What there is keeps working.
func TestWhoGeneratesKeys(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		people := map[string]models.Actor{"an Admin": admin, "a Member": storetest.As(w.Person(t, admin, models.Member))}
		keys := map[string]models.Credential{}
		for name, who := range people {
			keys[name], _ = w.Key(t, who, models.NewAPIKey{Name: "first"})
		}
		for makers, may := range map[models.KeyMakers]map[string]bool{
			models.EveryoneMakesKeys: {"an Admin": true, "a Member": true}, models.AdminsMakeKeys: {"an Admin": true}, models.NobodyMakesKeys: {},
		} {
			exec(t, w, "UPDATE policies SET key_makers = ?", makers)
			for name, who := range people {
				want := models.Forbidden
				if may[name] {
					want = ""
				}
				_, _, err := w.CreateAPIKey(t.Context(), who, models.NewAPIKey{Name: "a"}, secret.FormID())
				wantKind(t, fmt.Sprint(makers, ": ", name), err, want)
				_, _, err = w.RegenerateAPIKey(t.Context(), who, keys[name].ID, models.KeyRegeneration{}, secret.FormID())
				wantKind(t, fmt.Sprint(makers, ": ", name, " regenerates"), err, want)
				_, err = w.RenameAPIKey(t.Context(), who, keys[name].ID, models.TokenNaming{Name: string(makers)})
				wantKind(t, fmt.Sprint(makers, ": ", name, " renames"), err, "")
			}
		}
	})
}

// Nobody has more than so many keys that have not ended, whoever else asks at the same time; those that have expired or were deleted leave room.
func TestMostKeys(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		tom := storetest.As(w.Person(t, w.SetUp(t), models.Member))
		var ids []string
		for range models.MostKeys - 1 {
			made, _ := w.Key(t, tom, models.NewAPIKey{Name: "a"})
			ids = append(ids, made.ID)
		}
		var both sync.WaitGroup
		kinds := make([]models.Kind, 2)
		for i := range kinds {
			both.Go(func() {
				_, _, err := w.CreateAPIKey(t.Context(), tom, models.NewAPIKey{Name: "last"}, secret.FormID())
				kinds[i] = models.KindOf(err)
			})
		}
		both.Wait()
		if kinds[0]+kinds[1] != models.Conflict {
			t.Errorf("two at once: %q and %q", kinds[0], kinds[1])
		}
		n, err := w.CountAPIKeys(t.Context(), tom)
		if err != nil || n != models.MostKeys {
			t.Errorf("%d keys (%v)", n, err)
		}
		_, err = w.RevokeAPIKey(t.Context(), tom, ids[0], models.Revocation{})
		must(t, err)
		w.Key(t, tom, models.NewAPIKey{Name: "instead"})
		w.Clock.Advance((models.DefaultKeyDays + 1) * 24 * time.Hour)
		for range models.MostKeys {
			w.Key(t, tom, models.NewAPIKey{Name: "after they expired"})
		}
		_, _, err = w.RegenerateAPIKey(t.Context(), tom, ids[1], models.KeyRegeneration{}, secret.FormID())
		wantKind(t, "regenerating an expired one beyond the most", err, models.Conflict)
	})
}

// Somebody else's key is not there, for an Admin neither; one's own is renamed, regenerated and deleted, once. What was regenerated says that it was
// replaced, an expired one lives again, and a deleted one stays deleted.
func TestManageAPIKeys(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		tom := storetest.As(w.Person(t, admin, models.Member))
		made, old := w.Key(t, tom, models.NewAPIKey{Name: "a"})
		unchanged(t, w, "not theirs", func() {
			for what, id := range map[string]string{"somebody else's": made.ID, "none": models.NewID(), "no ID": "x"} {
				_, err := w.APIKey(t.Context(), admin, id)
				wantKind(t, what+" seen", err, models.NotFound)
				_, err = w.RenameAPIKey(t.Context(), admin, id, models.TokenNaming{Name: "b"})
				wantKind(t, what+" renamed", err, models.NotFound)
				_, _, err = w.RegenerateAPIKey(t.Context(), admin, id, models.KeyRegeneration{}, secret.FormID())
				wantKind(t, what+" regenerated", err, models.NotFound)
				_, err = w.RevokeAPIKey(t.Context(), admin, id, models.Revocation{})
				wantKind(t, what+" revoked", err, models.NotFound)
				_, err = w.APIKeyDays(t.Context(), admin, id, w.Clock.Now())
				wantKind(t, what+"'s days", err, models.NotFound)
			}
		})
		_, err := w.RenameAPIKey(t.Context(), tom, made.ID, models.TokenNaming{Name: "b"})
		must(t, err)
		if e := lastEvent(t, w); e.Action != models.CredentialRenamed || e.CredentialKindSaid() != models.APIKey {
			t.Errorf("the event is %+v", e)
		}
		w.Clock.Advance((models.DefaultKeyDays + 1) * 24 * time.Hour)
		form := secret.FormID()
		again, text, err := w.RegenerateAPIKey(t.Context(), tom, made.ID, models.KeyRegeneration{}, form)
		if err != nil || again.ID != made.ID || again.Name != "b" || !again.ExpiresAt.Equal(w.Clock.Now().AddDate(0, 0, models.DefaultKeyDays)) {
			t.Errorf("regenerated %+v (%v)", again, err)
		}
		if was, is := stateOf(t, w, old), stateOf(t, w, text); was != models.Replaced || is != models.Active {
			t.Errorf("the old secret is %s, the new one %s", was, is)
		}
		if e := lastEvent(t, w); e.Action != models.CredentialRegenerated || e.CredentialKindSaid() != models.APIKey {
			t.Errorf("the event is %+v", e)
		}
		_, _, err = w.RegenerateAPIKey(t.Context(), tom, made.ID, models.KeyRegeneration{}, form)
		wantKind(t, "the same form", err, models.ShownAlready)
		_, err = w.RevokeAPIKey(t.Context(), tom, made.ID, models.Revocation{Reason: "moved on"})
		must(t, err)
		e := lastEvent(t, w)
		if e.Action != models.CredentialRevoked || e.CredentialKindSaid() != models.APIKey || stateOf(t, w, text) != models.Revoked {
			t.Errorf("the event is %+v", e)
		}
		unchanged(t, w, "it stays deleted", func() {
			_, err = w.RevokeAPIKey(t.Context(), tom, made.ID, models.Revocation{})
			must(t, err)
			_, err = w.RenameAPIKey(t.Context(), tom, made.ID, models.TokenNaming{Name: "c"})
			wantKind(t, "renaming what was deleted", err, models.Conflict)
			_, _, err = w.RegenerateAPIKey(t.Context(), tom, made.ID, models.KeyRegeneration{}, secret.FormID())
			wantKind(t, "regenerating what was deleted", err, models.Conflict)
		})
		list, _, err := w.APIKeys(t.Context(), tom, models.Place{})
		gone, err2 := w.EndedAPIKeys(t.Context(), tom)
		if err != nil || err2 != nil || len(list) != 0 || len(gone) != 1 || gone[0].RevokeReason != "moved on" || gone[0].RevokedByName != tom.Name {
			t.Errorf("listed %+v and %+v (%v, %v)", list, gone, err, err2)
		}
	})
}

// The list has one's own that were not deleted, the newest first, page after page, each once.
func TestAPIKeysPageByPage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		tom := storetest.As(w.Person(t, admin, models.Member))
		var want []string
		for i := range 2*models.PageSize + 3 {
			w.Key(t, admin, models.NewAPIKey{Name: "not Tom's"})
			made, _ := w.Key(t, tom, models.NewAPIKey{Name: fmt.Sprint(i)})
			if i == 20 || i == 70 {
				_, err := w.RevokeAPIKey(t.Context(), tom, made.ID, models.Revocation{})
				must(t, err)
				continue
			}
			want = append([]string{made.ID}, want...)
			if i == 60 { // the first are many, and expire
				w.Clock.Advance((models.DefaultKeyDays + 1) * 24 * time.Hour)
			}
		}
		var got []string
		for after := (models.Place{}); ; {
			list, next, err := w.APIKeys(t.Context(), tom, after)
			must(t, err)
			for _, c := range list {
				got = append(got, c.ID)
			}
			if after = next; next.ID == "" {
				break
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("listed %d in another order, want %d", len(got), len(want))
		}
		if n, err := w.CountAPIKeys(t.Context(), tom); err != nil || n != len(want) {
			t.Errorf("counted %d (%v)", n, err)
		}
		live, err := w.CountKeysOf(t.Context(), admin, tom.ID)
		if err != nil || live != 2*models.PageSize+3-61-1 {
			t.Errorf("%d are live (%v)", live, err)
		}
		_, err = w.CountKeysOf(t.Context(), tom, admin.ID)
		wantKind(t, "somebody else's", err, models.Forbidden)
	})
}

// One chooses how long one's next keys live, unless an Admin has, and as far as the policy allows.
func TestKeySettings(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		tom := storetest.As(w.Person(t, w.SetUp(t), models.Member))
		set := func(days int) error { return w.SetKeySettings(t.Context(), tom, models.KeySettings{Days: days}) }
		must(t, set(30))
		e := lastEvent(t, w)
		want := models.Change{Field: "new API keys expire after", Before: "90 days", After: "30 days"}
		if e.Action != models.PersonChanged || e.SubjectID != tom.ID || len(e.ChangeList()) != 1 || e.ChangeList()[0] != want {
			t.Errorf("the event is %+v", e)
		}
		if made, _ := w.Key(t, tom, models.NewAPIKey{Name: "a"}); !made.ExpiresAt.Equal(w.Clock.Now().AddDate(0, 0, 30)) {
			t.Errorf("it ends %s", made.ExpiresAt)
		}
		unchanged(t, w, "what cannot be chosen", func() {
			must(t, set(30))
			for _, days := range []int{-1, 36501} {
				wantField(t, fmt.Sprint(days), set(days), "expiration_days", "36,500")
			}
			exec(t, w, "UPDATE policies SET longest_key_days = 60")
			wantField(t, "longer than the policy", set(61), "expiration_days", "60 days at most")
			wantField(t, "never, with a limit", set(0), "expiration_days", "60 days at most")
			exec(t, w, "UPDATE policies SET longest_key_days = 0, expiry_required = true")
			wantField(t, "never, where everything expires", set(0), "expiration_days", "everything expires")
			exec(t, w, "UPDATE policies SET key_days = 7, expiry_required = false")
			wantKind(t, "fixed for everybody", set(60), models.Conflict)
			wantKind(t, "nobody", w.SetKeySettings(t.Context(), guest, models.KeySettings{Days: 1}), models.Forbidden)
		})
		exec(t, w, "UPDATE policies SET key_days = NULL")
		must(t, set(0))
		must(t, set(36500))
	})
}
