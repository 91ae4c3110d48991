package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// someEvents puts a few hundred events of all sorts behind what the log has, chained as they should be, over five
// days, often several at one moment, with some at the edges of days; and answers all of the log, newest first.
func someEvents(t *testing.T, w storetest.World, workspaces ...string) []models.Event {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	list, err := w.EventsAfter(t.Context(), 0, 1000)
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	last, at := list[len(list)-1], w.Clock.Now()
	var more []models.Event
	for i := range 400 {
		midnight := at.Truncate(24*time.Hour).AddDate(0, 0, 1)
		switch {
		case i%80 == 79:
			at = midnight
		case i%80 == 78:
			at = midnight.Add(-time.Microsecond)
		case random.IntN(3) > 0:
			at = at.Add(time.Duration(random.IntN(1000)) * time.Millisecond)
		}
		e := models.Event{
			Seq: last.Seq + 1, ID: models.NewID(), At: at, Action: models.Action(pick("person.changed", "session.started", "collection.installed")),
			ActorKind: models.ActorKind(pick("person", "command", "guest")), ActorID: pick("", ids[0], ids[1]), Address: pick("", "192.0.2.7", "2001:db8::1"),
			SubjectID: pick("", ids[0], ids[2]), PersonID: pick("", ids[0], ids[1]), WorkspaceID: pick(append(workspaces, "")...),
		}
		e.Hash = e.Sum(last.Hash)
		more, last = append(more, e), e
	}
	if err := w.DB().CreateInBatches(more, 50).Error; err != nil {
		t.Fatal(err)
	}
	exec(t, w, "UPDATE change_clock SET last_seq = ?, last_hash = ?, last_at = ?", last.Seq, last.Hash, last.At)
	all := append(list, more...)
	slices.Reverse(all)
	return all
}

var ids = []string{"01a20051-0000-7000-8000-000000000001", "01a20051-0000-7000-8000-000000000002", "01a20051-0000-7000-8000-000000000003"}

// matches is what a filter means, in plain words.
func matches(e models.Event, f models.EventFilter) bool {
	for _, c := range [][2]string{
		{f.ActorID, e.ActorID}, {string(f.ActorKind), string(e.ActorKind)}, {f.Address, e.Address}, {string(f.Action), string(e.Action)},
		{f.SubjectID, e.SubjectID}, {f.PersonID, e.PersonID}, {f.WorkspaceID, e.WorkspaceID},
	} {
		if c[0] != "" && c[0] != c[1] {
			return false
		}
	}
	return (f.From.IsZero() || !e.At.Before(f.From)) && (f.To.IsZero() || e.At.Before(f.To)) && (f.Before == 0 || e.Seq < f.Before)
}

// Whatever is asked of the log, alone or together, both databases answer what a plain search of all events finds,
// newest first, and count as many.
func TestEventFilters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		home, err := w.HomeWorkspace(t.Context(), admin)
		must(t, err)
		second := oneMoreWorkspace(t, w, "Second", models.Person{ID: admin.ID})
		all := someEvents(t, w, home.ID, second.ID)
		moments := []time.Time{{}, all[0].At.Add(time.Hour), all[len(all)-1].At, all[len(all)-1].At.Add(-time.Hour)}
		for _, e := range all {
			moments = append(moments, e.At, e.At.Truncate(24*time.Hour), e.At.Add(time.Microsecond))
		}
		ctx := t.Context()
		check := func(t rapid.TB, f models.EventFilter) {
			var want []int64
			for _, e := range all {
				if matches(e, f) {
					want = append(want, e.Seq)
				}
			}
			count := f
			count.Before = 0
			counted := len(slices.DeleteFunc(slices.Clone(all), func(e models.Event) bool { return !matches(e, count) }))
			f.Limit = 1000
			list, err := w.Events(ctx, admin, f)
			if err != nil || !slices.Equal(numbers(list), want) {
				t.Fatalf("%+v: %d events, want %d (%v)", f, len(list), len(want), err)
			}
			if n, _, err := w.CountEvents(ctx, admin, f); err != nil || n != counted {
				t.Fatalf("%+v: counted %d, want %d (%v)", f, n, counted, err)
			}
		}
		oneOf := func(t *rapid.T, name string, values ...string) string {
			return rapid.SampledFrom(append(values, "", "", "")).Draw(t, name)
		}
		rapid.Check(t, func(t *rapid.T) {
			check(t, models.EventFilter{
				ActorID: oneOf(t, "actor", ids...), ActorKind: models.ActorKind(oneOf(t, "kind", "person", "command", "guest", "nobody")),
				Address: oneOf(t, "address", "192.0.2.7", "2001:db8::1", "192.0.2.8"), Action: models.Action(oneOf(t, "action", "person.changed", "session.started", "x")),
				SubjectID: oneOf(t, "subject", ids...), PersonID: oneOf(t, "person", ids...), WorkspaceID: oneOf(t, "workspace", home.ID, second.ID),
				From: rapid.SampledFrom(moments).Draw(t, "from"), To: rapid.SampledFrom(moments).Draw(t, "to"),
				Before: rapid.SampledFrom([]int64{0, 0, 1, 200, int64(len(all)), 1 << 60}).Draw(t, "before"),
			})
		})
		for _, f := range []models.EventFilter{
			{}, {ActorID: ids[0]}, {ActorKind: models.Command}, {Address: "2001:db8::1"}, {Action: models.PersonChanged}, {SubjectID: ids[2]}, {PersonID: ids[1]},
			{WorkspaceID: second.ID}, {From: all[200].At}, {To: all[200].At}, {From: all[200].At, To: all[200].At.Add(time.Microsecond)}, {From: all[0].At.AddDate(1, 0, 0)},
			{To: all[len(all)-1].At}, {ActorID: ids[0], Action: models.PersonChanged}, {WorkspaceID: home.ID, ActorID: ids[1]},
		} {
			check(t, f)
		}
	})
}

func numbers(list []models.Event) (seqs []int64) {
	for _, e := range list {
		seqs = append(seqs, e.Seq)
	}
	return seqs
}

// Days have their edges: the first microsecond of a day is in it, the first of the next is not; of events at one
// moment all are in it or none.
func TestDaysHaveEdges(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		day := w.Clock.Now().Truncate(24*time.Hour).AddDate(0, 0, 1)
		began := events(t, w, "")
		for _, at := range []time.Time{day.Add(-time.Microsecond), day, day, day.Add(time.Hour), day.AddDate(0, 0, 1).Add(-time.Microsecond), day.AddDate(0, 0, 1), day.AddDate(0, 0, 1)} {
			w.Clock.Advance(at.Sub(w.Clock.Now()))
			w.Person(t, admin, models.Member)
		}
		for _, c := range []struct {
			from, to time.Time
			first, n int64 // of the events made here
		}{
			{day, day.AddDate(0, 0, 1), 2, 4}, {day, time.Time{}, 2, 6}, {day.Add(time.Microsecond), day.Add(2 * time.Hour), 4, 1}, {time.Time{}, day, 1 - began, began + 1},
			{day.AddDate(0, 0, 1), day.AddDate(0, 0, 2), 6, 2}, {day.AddDate(0, 0, 2), day.AddDate(0, 0, 3), 0, 0}, {day.AddDate(0, 0, -9), day.AddDate(0, 0, -8), 0, 0},
			{day, day.Add(time.Nanosecond), 0, 0}, {day, day, 0, 0}, {day.AddDate(0, 0, 1), day, 0, 0},
		} {
			list, err := w.Events(t.Context(), admin, models.EventFilter{From: c.from, To: c.to, Limit: 100})
			if err != nil || int64(len(list)) != c.n || c.n > 0 && list[c.n-1].Seq != began+c.first {
				t.Errorf("from %v to %v: %v (%v)", c.from, c.to, numbers(list), err)
			}
		}
	})
}

// Whoever pages through what a filter lets pass sees each event once, whatever is added meanwhile.
func TestPagesOfEvents(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		all := someEvents(t, w, "")
		f := models.EventFilter{Action: models.PersonChanged, From: all[380].At, To: all[5].At.Add(time.Microsecond), Limit: 7}
		var want, seen []int64
		for _, e := range all {
			if matches(e, f) {
				want = append(want, e.Seq)
			}
		}
		for page := 0; page < 100; page++ {
			list, err := w.Events(t.Context(), admin, f)
			must(t, err)
			seen = append(seen, numbers(list)...)
			if len(list) < f.Limit {
				break
			}
			f.Before = list[len(list)-1].Seq
			w.Person(t, admin, models.Member)
		}
		if !slices.Equal(seen, want) || len(want) < 50 {
			t.Errorf("seen %v,\nwant %v", seen, want)
		}
	})
}

// A count stops at a thousand and one; all events together are counted exactly, by their numbers.
func TestCountsAreCapped(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		seq := events(t, w, "")
		var more []models.Event
		for range models.CountCap + 200 {
			seq++
			more = append(more, models.Event{Seq: seq, ID: models.NewID(), At: w.Clock.Now(), Action: models.PersonChanged, Address: "192.0.2.1", Hash: []byte("x")})
		}
		more[0].Address = "192.0.2.2"
		if err := w.DB().CreateInBatches(more, 100).Error; err != nil {
			t.Fatal(err)
		}
		for f, want := range map[models.EventFilter]int{
			{}: int(seq), {Limit: 10, Before: 7}: int(seq), {Address: "192.0.2.1"}: models.CountCap + 1, {Address: "192.0.2.1", Before: 50}: models.CountCap + 1,
			{Address: "192.0.2.2"}: 1, {Address: "192.0.2.3"}: 0, {From: w.Clock.Now()}: models.CountCap + 1,
		} {
			if n, _, err := w.CountEvents(t.Context(), admin, f); err != nil || n != want {
				t.Errorf("%+v: %d, want %d (%v)", f, n, want, err)
			}
		}
	})
}

// The log is for Admins, in a browser, with a token or on the command line; the part of it that is about a workspace
// is also for its Owner and Admins, and for no other member; for everybody else the workspace is not there.
func TestWhoReadsTheLog(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		home, err := w.HomeWorkspace(t.Context(), admin)
		must(t, err)
		owner, leader, member := w.Person(t, admin, models.Member), w.Person(t, admin, models.Member), w.Person(t, admin, models.Member)
		second := oneMoreWorkspace(t, w, "Second", owner)
		join(t, w, second, leader, models.WorkspaceAdmin)
		join(t, w, second, member, models.WorkspaceMember)
		stranger := w.Person(t, admin, models.Member)
		if _, err := w.RenameWorkspace(t.Context(), admin, second.Slug, models.NewWorkspace{Name: "Two"}); err != nil {
			t.Fatal(err)
		}
		seq := lastEvent(t, w).Seq
		token, _ := w.Token(t, admin, admin.ID)
		program := models.Actor{Kind: models.Program, ID: admin.ID, Role: models.Admin, CredentialID: token.ID}
		for name, c := range map[string]struct {
			who              models.Actor
			all, home, other models.Kind
		}{
			"an Admin":         {admin, "", "", ""},
			"an Admin's token": {program, "", "", ""},
			"the command line": {command, "", "", ""},
			"an Owner":         {storetest.As(owner), models.Forbidden, models.Forbidden, ""},
			"a leader":         {storetest.As(leader), models.Forbidden, models.Forbidden, ""},
			"a member":         {storetest.As(member), models.Forbidden, models.Forbidden, models.Forbidden},
			"a stranger":       {storetest.As(stranger), models.Forbidden, models.NotFound, models.NotFound},
			"nobody":           {guest, models.Forbidden, models.NotFound, models.NotFound},
		} {
			for workspace, want := range map[string]models.Kind{"": c.all, home.ID: c.home, second.ID: c.other} {
				list, err := w.Events(t.Context(), c.who, models.EventFilter{WorkspaceID: workspace, Limit: 100})
				wantKind(t, name+" reads events of "+workspace, err, want)
				if slices.ContainsFunc(list, func(e models.Event) bool { return workspace != "" && e.WorkspaceID != workspace }) || (err == nil) != (len(list) > 0) && workspace != home.ID {
					t.Errorf("%s reads %d events of %q", name, len(list), workspace)
				}
				_, _, err = w.CountEvents(t.Context(), c.who, models.EventFilter{WorkspaceID: workspace, Limit: 100})
				wantKind(t, name+" counts events", err, want)
				_, err = w.FindPeople(t.Context(), c.who, workspace, "nobody is called this")
				wantKind(t, name+" finds people", err, want)
				_, err = w.FindCollections(t.Context(), c.who, workspace, "tools")
				wantKind(t, name+" finds collections", err, want)
			}
			_, err := w.Event(t.Context(), c.who, "", seq)
			wantKind(t, name+" reads an event", err, c.all)
			_, err = w.Event(t.Context(), c.who, second.ID, seq)
			wantKind(t, name+" reads an event of the workspace", err, c.other)
			_, err = w.FindCredentials(t.Context(), c.who, "user_")
			wantKind(t, name+" finds credentials", err, c.all)
		}
	})
}

// join makes a person a member of a workspace, in a role, past the store, which has no way to do that yet.
func join(t *testing.T, w storetest.World, ws models.Workspace, p models.Person, role models.WorkspaceRole) {
	t.Helper()
	exec(t, w, "DELETE FROM memberships WHERE workspace_id = ? AND person_id = ?", ws.ID, p.ID)
	m := models.Membership{WorkspaceID: ws.ID, PersonID: p.ID, Role: role, CreatedAt: w.Clock.Now()}
	if err := w.DB().Create(&m).Error; err != nil {
		t.Fatal(err)
	}
}

// An event is shown with its neighbours, of the log or of the workspace, and with whether its hash holds; one that
// is not there, or not of the workspace, is not found.
func TestOneEvent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		home, err := w.HomeWorkspace(t.Context(), admin)
		must(t, err)
		rename := func(to string) int64 {
			_, err := w.RenameWorkspace(t.Context(), admin, home.Slug, models.NewWorkspace{Name: to})
			must(t, err)
			return lastEvent(t, w).Seq
		}
		one := rename("One")
		w.Person(t, admin, models.Member)
		two := rename("Two")
		w.Person(t, admin, models.Member)
		last := lastEvent(t, w).Seq
		see := func(workspace string, seq int64) models.EventSeen {
			t.Helper()
			seen, err := w.Event(t.Context(), admin, workspace, seq)
			if err != nil || seen.Seq != seq {
				t.Fatalf("event %d of %q: %+v (%v)", seq, workspace, seen, err)
			}
			return seen
		}
		for seq := int64(1); seq <= last; seq++ {
			newer := seq + 1
			if seq == last {
				newer = 0
			}
			if e := see("", seq); !e.Holds || e.Older != seq-1 || e.Newer != newer || seq == 1 && len(e.HashBefore) != 0 {
				t.Errorf("event %d: %+v", seq, e)
			}
		}
		if e := see(home.ID, two); !e.Holds || e.Older != one || e.Newer != 0 || string(e.HashBefore) != string(see("", two-1).Hash) || e.ChangeList()[0] != (models.Change{Field: "name", Before: "One", After: "Two"}) {
			t.Errorf("in the workspace: %+v", e)
		}
		if e := see(home.ID, one); e.Newer != two {
			t.Errorf("in the workspace: %+v", e)
		}
		for _, seq := range []int64{0, -1, last + 1, 1 << 62} {
			_, err := w.Event(t.Context(), admin, "", seq)
			wantKind(t, fmt.Sprint("event ", seq), err, models.NotFound)
		}
		_, err = w.Event(t.Context(), admin, home.ID, one+1)
		wantKind(t, "an event of no workspace", err, models.NotFound)
	})
}

// A2: the page of an event says when its hash does not hold: the event was changed, the one before it was, is
// missing, or was put before the first.
func TestATamperedEventDoesNotHold(t *testing.T) {
	holds := func(t *testing.T, w storetest.World, seq int64) bool {
		t.Helper()
		seen, err := w.Event(t.Context(), command, "", seq)
		must(t, err)
		return seen.Holds
	}
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		history(t, w)
		unguard(t, w)
		for _, column := range []string{"action", "actor_name", "subject_id", "address", "changes", "request_id"} {
			exec(t, w, "UPDATE events SET "+column+" = "+column+" || 'x' WHERE seq = 4")
			if holds(t, w, 4) || !holds(t, w, 5) {
				t.Errorf("with another %s event 4 holds: %v, and the next: %v", column, holds(t, w, 4), holds(t, w, 5))
			}
			exec(t, w, "UPDATE events SET "+column+" = substr("+column+", 1, length("+column+") - 1) WHERE seq = 4")
		}
		rehash(t, w, 4, 4)
		if !holds(t, w, 4) || holds(t, w, 5) {
			t.Error("after one with a hash of its own the next one holds")
		}
		exec(t, w, "DELETE FROM events WHERE seq = 6")
		if holds(t, w, 7) {
			t.Error("after a gap an event holds")
		}
		putIn(t, w, 0)
		if holds(t, w, 1) {
			t.Error("the first holds though there is one before it")
		}
		exec(t, w, "DELETE FROM events WHERE seq < 2")
		if holds(t, w, 2) {
			t.Error("the second holds without the first")
		}
	})
}

// What takes long is asked in between whether it may go on: a session that ended, a role that was lost, a person
// who was deactivated and a token that was revoked end it. The command line goes on.
func TestStillMay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		begin := func() (models.Person, models.Actor) {
			p := w.Person(t, admin, models.Admin)
			_, who := find(t, w, signIn(t, w, p.Email, storetest.Password))
			wantKind(t, "at first", w.StillMay(t.Context(), who), "")
			return p, who
		}
		_, who := begin()
		must(t, w.EndSession(t.Context(), admin, who.SessionID))
		wantKind(t, "after the session", w.StillMay(t.Context(), who), models.Unauthorized)
		p, who := begin()
		_, err := w.DeactivatePerson(t.Context(), admin, p.ID)
		must(t, err)
		wantKind(t, "deactivated", w.StillMay(t.Context(), who), models.Unauthorized)
		p, who = begin()
		who.SessionID = ""
		_, err = w.EditPerson(t.Context(), admin, p.ID, models.PersonEdit{Name: p.Name, Email: p.Email, Role: models.Member})
		must(t, err)
		wantKind(t, "demoted", w.StillMay(t.Context(), who), models.Forbidden)
		token, _ := w.Token(t, admin, admin.ID)
		program := models.Actor{Kind: models.Program, ID: admin.ID, Role: models.Admin, CredentialID: token.ID}
		wantKind(t, "a program", w.StillMay(t.Context(), program), "")
		_, err = w.RevokeCredential(t.Context(), admin, token.ID, models.Revocation{})
		must(t, err)
		wantKind(t, "a program without its token", w.StillMay(t.Context(), program), models.Unauthorized)
		wantKind(t, "the command line", w.StillMay(t.Context(), command), "")
		away := w.OpenWith(t, func(*store.Settings) {})
		must(t, away.Close())
		wantKind(t, "without a database", away.StillMay(t.Context(), admin), models.Unavailable)
	})
}
