package store_test

import (
	"slices"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
)

// What was refused is an event like any other: in the chain, with who tried, from where and at what; once, or many
// times together with when it began and ended and from how many addresses.
func TestRecordRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		member := w.Person(t, admin, models.Member)
		first, last := w.Clock.Now().Add(-time.Hour), w.Clock.Now().Add(-time.Minute)
		for _, c := range []struct {
			r       models.Refused
			changes []models.Change
		}{
			{models.Refused{
				Action: models.SignInRefused, Reason: "wrong_password", Who: guest, SubjectKind: models.OfPerson, SubjectID: member.ID, SubjectName: member.Name, PersonID: member.ID,
				Count: 1, First: first, Last: first, Addresses: 1,
			}, []models.Change{{Field: "reason", After: "wrong_password"}, {Field: "times", After: "1"}}},
			{models.Refused{Action: models.AccessDenied, Reason: "forbidden", Asked: "GET /people", Who: storetest.As(member), Count: 12_345, First: first, Last: last, Addresses: 7}, []models.Change{
				{Field: "reason", After: "forbidden"}, {Field: "times", After: "12345"}, {Field: "asked for", After: "GET /people"}, {Field: "first", After: "2026-11-21T08:30:15Z"},
				{Field: "last", After: "2026-11-21T09:29:15Z"}, {Field: "addresses", After: "7"},
			}},
			{models.Refused{Action: models.InstallRefused, Reason: "several kinds", Who: guest, Count: 1 << 40, First: first, Last: last, Addresses: models.RefusedAddresses}, []models.Change{
				{Field: "reason", After: "several kinds"}, {Field: "times", After: "1099511627776"}, {Field: "first", After: "2026-11-21T08:30:15Z"},
				{Field: "last", After: "2026-11-21T09:29:15Z"}, {Field: "addresses", After: "100 or more"},
			}},
		} {
			must(t, w.RecordRefused(t.Context(), c.r))
			e := lastEvent(t, w)
			if e.Action != c.r.Action || e.ActorKind != c.r.Who.Kind || e.ActorID != c.r.Who.ID || e.ActorName != c.r.Who.Name || e.Address != c.r.Who.Address || e.RequestID != c.r.Who.RequestID ||
				e.SubjectKind != c.r.SubjectKind || e.SubjectID != c.r.SubjectID || e.SubjectName != c.r.SubjectName || e.PersonID != c.r.PersonID || e.WorkspaceID != "" || e.At != w.Clock.Now() {
				t.Errorf("%+v is told as %+v", c.r, e)
			}
			if !slices.Equal(e.ChangeList(), c.changes) {
				t.Errorf("it says %+v, want %+v", e.ChangeList(), c.changes)
			}
		}
		// Whoever was refused may be gone by the time that it is written down, and what was aimed at too.
		ghost := models.Actor{Kind: models.Human, ID: models.NewID(), Name: "Ghost", SessionID: models.NewID(), Role: models.Admin}
		must(t, w.RecordRefused(t.Context(), models.Refused{Action: models.AccessDenied, Reason: "forbidden", Who: ghost, Count: 1}))
		if c := verify(t, w); c.Broken != "" || c.Events != events(t, w, "") {
			t.Errorf("the chain: %+v", c)
		}
	})
}
