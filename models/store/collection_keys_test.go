package store_test

import (
	"fmt"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

// shared is a collection of a workspace, and people in and out of it.
type shared struct {
	storetest.World
	admin, owner, member, outsider models.Actor
	workspace                      models.Workspace
	tools                          models.Collection
}

func newShared(t *testing.T, w storetest.World) shared {
	t.Helper()
	who := program(t, w)
	s := shared{World: w, admin: models.Actor{Kind: models.Human, ID: who.ID, Name: who.Name, Role: models.Admin}}
	owner := w.Person(t, s.admin, models.Member)
	s.workspace = oneMoreWorkspace(t, w, "Harbour", owner)
	member := w.Person(t, s.admin, models.Member)
	_, err := w.AddMember(t.Context(), s.admin, s.workspace.Slug, models.NewMember{Email: member.Email, Role: models.WorkspaceMember})
	must(t, err)
	s.owner, s.member, s.outsider = storetest.As(owner), storetest.As(member), storetest.As(w.Person(t, s.admin, models.Member))
	s.tools = s.install(t, "Tools")
	return s
}

func (s shared) install(t *testing.T, name string) models.Collection {
	t.Helper()
	n := archive(name+".zip", "PK "+name)
	n.Name, n.Workspace = name, s.workspace.Slug
	return install(t, s.World, s.admin, n).Collection
}

// Seed 002: sharing makes another key each time, for one collection, that is nobody's and the workspace's, and lives for sixty days. The event says
// what was shared, and not the secret (T4, T5).
func TestShare(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		s, now := newShared(t, w), w.Clock.Now()
		made, text, err := w.CreateCollectionKey(t.Context(), s.member, s.tools.ID, models.NewCollectionKey{}, secret.FormID())
		must(t, err)
		plain := text.Reveal()
		if _, ok := secret.Parse(plain); !ok || text.Kind() != "coll" || made.Prefix != plain[:8] || made.Last4 != plain[50:] {
			t.Errorf("made %s... ...%s", made.Prefix, made.Last4)
		}
		if made.Kind != models.CollectionKey || made.Name != "Access key" || made.PersonID != "" || made.WorkspaceID != s.workspace.ID || made.CollectionID != s.tools.ID ||
			made.CreatedBy != s.member.ID || !made.ExpiresAt.Equal(now.AddDate(0, 0, 60)) || made.LatestExpiresAt != nil || made.State(now) != models.Active {
			t.Errorf("made %+v", made)
		}
		e := lastEvent(t, w)
		if e.Action != models.CredentialCreated || e.SubjectID != made.ID || e.PersonID != "" || e.WorkspaceID != s.workspace.ID || e.CredentialKindSaid() != models.CollectionKey || len(e.ChangeList()) != 4 || e.ChangeList()[2].After != "Tools" {
			t.Errorf("the event is %+v", e)
		}
		grant, err := w.GrantOf(t.Context(), text.Hash())
		if err != nil || grant.Credential.ID != made.ID || grant.Credential.CollectionID != s.tools.ID || grant.Owner != (models.Person{}) || grant.Opens.WorkspaceID != s.workspace.ID {
			t.Errorf("granted %+v (%v)", grant, err)
		}
		second, other := w.Share(t, s.member, s.tools.ID, " Press   site ")
		if second.ID == made.ID || other.Reveal() == plain || second.Name != "Press site" {
			t.Errorf("shared again: %+v", second)
		}
		seen, err := w.CollectionKey(t.Context(), s.member, second.ID)
		if err != nil || seen.Collection != "Tools" || seen.Workspace.Slug != s.workspace.Slug || !seen.Mine || !seen.MayEnd || seen.CreatedByName != s.member.Name {
			t.Errorf("seen %+v (%v)", seen, err)
		}
	})
}

// Whoever may open the workspace shares; to everybody else there is no such collection. The policy bounds the keys, and so does what a program came with (T10).
func TestWhoShares(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		s, now := newShared(t, w), w.Clock.Now()
		member, err := w.PersonByEmail(t.Context(), s.name(t, s.member.ID))
		must(t, err)
		soon := now.AddDate(0, 0, 5)
		short, _ := w.Key(t, s.member, models.NewAPIKey{Name: "short", Given: true, ExpiresAt: &soon})
		lasting, _ := w.Key(t, s.member, models.NewAPIKey{Name: "lasting", Given: true})
		elsewhere := as(member, lasting)
		elsewhere.Within = models.NewID()
		within := as(member, lasting)
		within.Within, within.Role = s.workspace.ID, models.Member
		for what, c := range map[string]struct {
			who          models.Actor
			collection   string
			policy       int // longest days
			ends, latest int // days; latest 0: there is none
			want         models.Kind
		}{
			"a Member of the workspace":         {who: s.member, collection: s.tools.ID, ends: 60},
			"its Owner":                         {who: s.owner, collection: s.tools.ID, ends: 60},
			"an Admin who is no member":         {who: s.admin, collection: s.tools.ID, ends: 60},
			"somebody else":                     {who: s.outsider, collection: s.tools.ID, want: models.NotFound},
			"a collection that is not there":    {who: s.member, collection: models.NewID(), want: models.NotFound},
			"what is no ID":                     {who: s.member, collection: "tools", want: models.NotFound},
			"nobody":                            {who: guest, collection: s.tools.ID, want: models.NotFound},
			"the command line":                  {who: command, collection: s.tools.ID, want: models.Forbidden},
			"with what is for it":               {who: within, collection: s.tools.ID, ends: 60},
			"with what is for another one":      {who: elsewhere, collection: s.tools.ID, want: models.Forbidden},
			"under a policy":                    {who: s.member, collection: s.tools.ID, policy: 7, ends: 7, latest: 7},
			"under a policy of more than sixty": {who: s.member, collection: s.tools.ID, policy: 90, ends: 60, latest: 90},
			"with what ends earlier":            {who: as(member, short), collection: s.tools.ID, ends: 5, latest: 5},
			"with both":                         {who: as(member, short), collection: s.tools.ID, policy: 3, ends: 3, latest: 3},
		} {
			exec(t, w, "UPDATE policies SET longest_collection_days = ?", c.policy)
			form := ""
			if c.who.Kind != models.Program {
				form = secret.FormID()
			}
			made, text, err := w.CreateCollectionKey(t.Context(), c.who, c.collection, models.NewCollectionKey{Name: "a"}, form)
			wantKind(t, what, err, c.want)
			if (err == nil) != (text != "") {
				t.Errorf("%s: made %+v", what, made)
			}
			if err == nil && (!made.ExpiresAt.Equal(now.AddDate(0, 0, c.ends)) || (made.LatestExpiresAt == nil) != (c.latest == 0) || c.latest > 0 && !made.LatestExpiresAt.Equal(now.AddDate(0, 0, c.latest))) {
				t.Errorf("%s: it ends %s, %v at the latest", what, made.ExpiresAt, made.LatestExpiresAt)
			}
		}
		form := secret.FormID()
		first, _, err := w.CreateCollectionKey(t.Context(), s.member, s.tools.ID, models.NewCollectionKey{}, form)
		must(t, err)
		_, text, err := w.CreateCollectionKey(t.Context(), s.member, s.tools.ID, models.NewCollectionKey{}, form)
		wantKind(t, "the same form", err, models.ShownAlready)
		if text != "" || first.ID == "" {
			t.Errorf("the same form: %v", err)
		}
		_, _, err = w.CreateCollectionKey(t.Context(), s.member, s.tools.ID, models.NewCollectionKey{}, "")
		wantKind(t, "a form without its number", err, models.Invalid)
		_, _, err = w.CreateCollectionKey(t.Context(), s.member, s.tools.ID, models.NewCollectionKey{Name: "a\u202eb"}, secret.FormID())
		wantField(t, "a name that cannot be shown", err, "name", "can't be shown")
	})
}

// name is a person's email address.
func (s shared) name(t *testing.T, id string) string {
	t.Helper()
	r, err := s.PersonRecord(t.Context(), s.admin, id)
	must(t, err)
	return r.Person.Email
}

// A collection has no more than so many keys that have not ended.
func TestMostCollectionKeys(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		s, now := newShared(t, w), w.Clock.Now()
		ends := now.AddDate(0, 0, 60)
		var many []models.Credential
		for i := range models.MostCollectionKeys {
			many = append(many, models.Credential{ID: models.NewID(), Kind: models.CollectionKey, Name: "a", Hash: []byte(sum(fmt.Sprint(i)))[:32], Prefix: "coll_abc", Last4: "abcd",
				WorkspaceID: s.workspace.ID, CollectionID: s.tools.ID, Enabled: true, CreatedAt: now, CreatedBy: s.member.ID, ExpiresAt: &ends})
		}
		must(t, w.DB().CreateInBatches(many, 100).Error)
		_, _, err := w.CreateCollectionKey(t.Context(), s.member, s.tools.ID, models.NewCollectionKey{}, secret.FormID())
		wantKind(t, "one more", err, models.Conflict)
		other := s.install(t, "Other")
		w.Share(t, s.member, other.ID, "of another one")
		_, err = w.RevokeCollectionKey(t.Context(), s.member, many[0].ID, models.Revocation{})
		must(t, err)
		w.Share(t, s.member, s.tools.ID, "instead")
		w.Clock.Advance(61 * 24 * time.Hour)
		w.Share(t, s.member, s.tools.ID, "after they expired")
	})
}

// One sees the keys of the workspaces that one is a member of, the others' too, and ends one's own; who runs the workspace ends anybody's, and an Admin of the
// installation too, who sees them where they look at one collection. To everybody else they are not there.
func TestWhoSeesAndEndsShares(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		s := newShared(t, w)
		mine, _ := w.Share(t, s.member, s.tools.ID, "the Member's")
		theirs, _ := w.Share(t, s.owner, s.tools.ID, "the Owner's")
		for what, c := range map[string]struct {
			who           models.Actor
			all, of       int
			kind          models.Kind // of looking at the collection's
			mine, endable int
		}{
			"a Member":                  {s.member, 2, 2, "", 1, 1},
			"the Owner":                 {s.owner, 2, 2, "", 1, 2},
			"an Admin who is no member": {s.admin, 0, 2, "", 0, 2},
			"somebody else":             {s.outsider, 0, 0, models.NotFound, 0, 0},
			"nobody":                    {guest, 0, 0, models.NotFound, 0, 0},
		} {
			all, _, err := w.CollectionKeys(t.Context(), c.who, "", models.Place{})
			if err != nil || len(all) != c.all {
				t.Errorf("%s sees %d of all (%v)", what, len(all), err)
			}
			of, _, err := w.CollectionKeys(t.Context(), c.who, s.tools.ID, models.Place{})
			wantKind(t, what, err, c.kind)
			own, endable := 0, 0
			for _, k := range of {
				own += map[bool]int{true: 1}[k.Mine]
				endable += map[bool]int{true: 1}[k.MayEnd]
			}
			if len(of) != c.of || own != c.mine || endable != c.endable {
				t.Errorf("%s sees %d, %d of them their own, and ends %d", what, len(of), own, endable)
			}
		}
		end := func(who models.Actor, id string) error {
			_, err := w.RevokeCollectionKey(t.Context(), who, id, models.Revocation{Reason: "done"})
			return err
		}
		key, _ := w.Key(t, s.member, models.NewAPIKey{Name: "a"})
		unchanged(t, w, "who may not", func() {
			wantKind(t, "a Member ends the Owner's", end(s.member, theirs.ID), models.Forbidden)
			wantKind(t, "somebody else", end(s.outsider, theirs.ID), models.NotFound)
			wantKind(t, "none", end(s.owner, models.NewID()), models.NotFound)
			wantKind(t, "no ID", end(s.owner, "x"), models.NotFound)
			wantKind(t, "a key of another kind", end(s.member, key.ID), models.NotFound)
			_, err := w.CollectionKey(t.Context(), s.outsider, mine.ID)
			wantKind(t, "somebody else looks", err, models.NotFound)
		})
		must(t, end(s.owner, mine.ID))
		e := lastEvent(t, w)
		if e.Action != models.CredentialRevoked || e.SubjectID != mine.ID || e.CredentialKindSaid() != models.CollectionKey || e.WorkspaceID != s.workspace.ID {
			t.Errorf("the event is %+v", e)
		}
		unchanged(t, w, "twice", func() { must(t, end(s.owner, mine.ID)) })
		seen, err := w.CollectionKey(t.Context(), s.member, mine.ID)
		if err != nil || seen.RevokeReason != "done" || seen.MayEnd || seen.RevokedByName != s.owner.Name {
			t.Errorf("seen %+v (%v)", seen, err)
		}
	})
}

// Keys outlive their maker's leaving, and even their deactivation; the maker sees and ends them no more.
func TestSharesOutliveTheirMaker(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		s := newShared(t, w)
		made, text := w.Share(t, s.member, s.tools.ID, "a")
		_, err := w.RemoveMember(t.Context(), s.owner, s.workspace.Slug, s.member.ID)
		must(t, err)
		_, err = w.RevokeCollectionKey(t.Context(), s.member, made.ID, models.Revocation{})
		wantKind(t, "who left ends it", err, models.NotFound)
		list, _, err := w.CollectionKeys(t.Context(), s.member, "", models.Place{})
		if err != nil || len(list) != 0 {
			t.Errorf("who left sees %+v (%v)", list, err)
		}
		_, err = w.DeactivatePerson(t.Context(), s.admin, s.member.ID)
		must(t, err)
		if state := stateOf(t, w, text); state != models.Active {
			t.Errorf("it is %s", state)
		}
		list, _, err = w.CollectionKeys(t.Context(), s.owner, "", models.Place{})
		if err != nil || len(list) != 1 || list[0].CreatedByName != s.member.Name || list[0].Mine {
			t.Errorf("the Owner sees %+v (%v)", list, err)
		}
	})
}

// The lists have all that were not revoked, the newest first, page after page, each once: of one collection, and of many workspaces together.
func TestCollectionKeysPageByPage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		s := newShared(t, w)
		places := []models.Collection{s.tools, s.install(t, "Other")}
		owner, err := w.PersonByEmail(t.Context(), s.name(t, s.owner.ID))
		must(t, err)
		for i := range 101 { // more than fit into one question
			s.workspace = oneMoreWorkspace(t, w, fmt.Sprint("W", i), owner)
			if i%40 == 0 {
				places = append(places, s.install(t, "In another"))
			}
		}
		want := map[string][]string{}
		for i := range 3*models.PageSize + 1 {
			c := places[i*i%len(places)]
			made, _ := w.Share(t, s.owner, c.ID, "a")
			if i%10 == 3 {
				_, err := w.RevokeCollectionKey(t.Context(), s.owner, made.ID, models.Revocation{})
				must(t, err)
				continue
			}
			want[c.ID], want[""] = append([]string{made.ID}, want[c.ID]...), append([]string{made.ID}, want[""]...)
		}
		for id, want := range want {
			var got []string
			for after := (models.Place{}); ; {
				list, next, err := w.CollectionKeys(t.Context(), s.owner, id, after)
				must(t, err)
				for _, c := range list {
					got = append(got, c.ID)
				}
				if after = next; next.ID == "" {
					break
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("of %q listed %d in another order, want %d", id, len(got), len(want))
			}
		}
	})
}

// A collection's keys end with it, in its event, those that have expired too: nothing revives what it opened. Keys of others stay.
func TestDeletingACollectionEndsItsKeys(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		s := newShared(t, w)
		old, _ := w.Share(t, s.member, s.tools.ID, "expired")
		w.Clock.Advance(61 * 24 * time.Hour)
		var texts []secret.Text
		var last models.Credential
		for range 2 {
			made, text := w.Share(t, s.member, s.tools.ID, "a")
			last, texts = made, append(texts, text)
		}
		gone, _ := w.Share(t, s.member, s.tools.ID, "revoked")
		_, err := w.RevokeCollectionKey(t.Context(), s.member, gone.ID, models.Revocation{Reason: "before"})
		must(t, err)
		other := s.install(t, "Other")
		_, stays := w.Share(t, s.member, other.ID, "of another one")
		_, err = w.DeleteCollection(t.Context(), s.admin, s.workspace.Slug, s.tools.ID, "Tools")
		must(t, err)
		e := lastEvent(t, w)
		if e.Action != models.CollectionDeleted || len(e.ChangeList()) != 2 || e.ChangeList()[1] != (models.Change{Field: models.SharesEnded, After: "2"}) {
			t.Errorf("the event is %+v", e)
		}
		for _, text := range texts {
			if state := stateOf(t, w, text); state != models.Revoked {
				t.Errorf("one is %s", state)
			}
		}
		if state := stateOf(t, w, stays); state != models.Active {
			t.Errorf("the other's is %s", state)
		}
		late := w.Clock.Now().AddDate(0, 0, -2) // it was alive then
		must(t, w.RecordUsage(t.Context(), storetest.Flush(), []models.Usage{{CredentialID: old.ID, Calls: 1, LastUsedAt: &late, KeptBy: &late}}, nil))
		for id, reason := range map[string]string{old.ID: models.CollectionWasDeleted, last.ID: models.CollectionWasDeleted, gone.ID: "before"} {
			seen, err := w.CollectionKey(t.Context(), s.member, id)
			if err != nil || seen.State(w.Clock.Now()) != models.Revoked || seen.RevokeReason != reason || seen.Collection != "" {
				t.Errorf("seen %+v (%v)", seen, err)
			}
		}
		_, _, err = w.CreateCollectionKey(t.Context(), s.member, s.tools.ID, models.NewCollectionKey{}, secret.FormID())
		wantKind(t, "sharing what was deleted", err, models.NotFound)
	})
}
