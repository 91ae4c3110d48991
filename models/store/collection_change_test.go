package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// versions installs one content after the other under a name and answers the collection.
func versions(t *testing.T, w storetest.World, who models.Actor, name string, contents ...string) models.Installed {
	t.Helper()
	var done models.Installed
	for _, content := range contents {
		done = install(t, w, who, archive(name+".zip", content))
	}
	return done
}

// current is the number of the version that is installed.
func current(t *testing.T, w storetest.World, who models.Actor, id string) int {
	t.Helper()
	c, err := w.Collection(t.Context(), who, "marlowe-press", id)
	must(t, err)
	return c.Version.Number
}

// A version is made current by its number, back and forth, with one event each; the one that is stays so without
// one. What is told of the collection, as of the version, is who installed the version that is current.
func TestMakeCurrent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		who := program(t, w)
		n := archive("tools.zip", "PK one")
		n.Label = "v1"
		install(t, w, who, n)
		done := versions(t, w, who, "tools", "PK two", "PK three")
		other := storetest.As(w.Person(t, command, models.Admin))
		for i, step := range []struct{ from, to int }{{3, 1}, {1, 1}, {1, 3}, {3, 2}, {2, 2}, {2, 1}} {
			w.Clock.Advance(time.Minute)
			before := events(t, w, "")
			seen, err := w.MakeCurrent(t.Context(), other, "marlowe-press", done.Collection.ID, step.to)
			if err != nil || seen.Number != step.to || !seen.Current || seen.InstalledByName != who.Name || seen.Credential.ID != who.CredentialID {
				t.Fatalf("step %d: %+v (%v)", i, seen, err)
			}
			changed := step.from != step.to
			if n := events(t, w, "") - before; n != map[bool]int64{true: 1}[changed] || current(t, w, who, done.Collection.ID) != step.to {
				t.Errorf("step %d: %d events, current is %d", i, n, current(t, w, who, done.Collection.ID))
			}
			c, err := w.Collection(t.Context(), who, "marlowe-press", done.Collection.ID)
			if err != nil || c.InstalledByName != who.Name || c.Credential.ID != who.CredentialID || changed && c.InstalledAt != w.Clock.Now() {
				t.Errorf("step %d: the collection is %+v (%v)", i, c, err)
			}
		}
		e := lastEvent(t, w)
		want := []models.Change{{Field: "version", Before: "2", After: "1 (v1)"}, {Field: "sha256", Before: sum("PK two"), After: sum("PK one")}}
		if e.Action != models.CollectionRestored || e.ActorID != other.ID || e.SubjectID != done.Collection.ID || e.SubjectName != "tools" || e.WorkspaceID != done.Workspace.ID || !slices.Equal(e.ChangeList(), want) {
			t.Errorf("the event is %+v", e)
		}
	})
}

// A version, a collection and a workspace that are not there, or not in one another, are not found; who is no Admin
// may not; and nothing changes by any of it.
func TestChangesOfWhatIsNotThere(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		who := program(t, w)
		owner := w.Person(t, command, models.Member)
		second := oneMoreWorkspace(t, w, "Second", owner)
		tools := versions(t, w, who, "tools", "PK one", "PK two")
		versions(t, w, who, "other", "PK 1", "PK 2", "PK 3")
		makeCurrent := func(who models.Actor, workspace, id string, number int) error {
			_, err := w.MakeCurrent(t.Context(), who, workspace, id, number)
			return err
		}
		remove := func(who models.Actor, workspace, id string) error {
			_, err := w.DeleteCollection(t.Context(), who, workspace, id, "tools")
			return err
		}
		unchanged(t, w, "what is not there", func() {
			for _, number := range []int{3, 0, -1, 1<<31 - 1} {
				wantKind(t, fmt.Sprint("version ", number), makeCurrent(who, "marlowe-press", tools.Collection.ID, number), models.NotFound)
			}
			for workspace, id := range map[string]string{
				second.Slug: tools.Collection.ID, second.ID: tools.Collection.ID, "no-such": tools.Collection.ID, "": tools.Collection.ID, "marlowe-press": models.NewID(), tools.Workspace.ID: tools.Version.ID,
			} {
				wantKind(t, "make current "+workspace, makeCurrent(who, workspace, id, 1), models.NotFound)
				wantKind(t, "delete "+workspace, remove(who, workspace, id), models.NotFound)
			}
			wantKind(t, "an odd ID", remove(who, "marlowe-press", "x"), models.NotFound)
		})
		for _, who := range []models.Actor{{}, guest, storetest.As(owner), {Kind: models.Program, ID: owner.ID, Role: models.Member}} {
			for _, workspace := range []string{"marlowe-press", second.Slug} { // an Owner of a workspace is no Admin
				unchanged(t, w, "who may not", func() {
					wantKind(t, "make current", makeCurrent(who, workspace, tools.Collection.ID, 1), models.Forbidden)
					wantKind(t, "delete", remove(who, workspace, tools.Collection.ID), models.Forbidden)
				})
			}
		}
	})
}

// A collection is deleted by whoever types its name, with its versions and files; archives that another collection
// has stay until that one goes too. What was done with it stays in the log, and the name is free again.
func TestDeleteCollection(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		who := program(t, w)
		big := strings.Repeat("PK", store.ChunkBytes) // two chunks
		n := archive("My Tools.zip", "PK one")
		n.Files = []models.CollectionFile{{Path: "a", SHA256: "x"}, {Path: "b", SHA256: "y"}}
		install(t, w, who, n)
		tools := versions(t, w, who, "My Tools", big, "PK only here")
		other := versions(t, w, who, "other", big, "PK one")
		for _, typed := range []string{"", "my tools", "My Tools.", "MyTools", "My Tools\x00", "other", "My Tools other"} {
			unchanged(t, w, typed, func() {
				_, err := w.DeleteCollection(t.Context(), who, "marlowe-press", tools.Collection.ID, typed)
				wantField(t, "typed "+typed, err, "typed", "Type the name as it is written: My Tools")
			})
		}
		gone, err := w.DeleteCollection(t.Context(), who, "marlowe-press", tools.Collection.ID, "  My   Tools ")
		if err != nil || gone.ID != tools.Collection.ID {
			t.Fatalf("%+v (%v)", gone, err)
		}
		e := lastEvent(t, w)
		if e.Action != models.CollectionDeleted || e.SubjectID != gone.ID || e.SubjectName != "My Tools" || e.WorkspaceID != tools.Workspace.ID || e.ChangeList()[0] != (models.Change{Field: "versions", Before: "3"}) {
			t.Errorf("the event is %+v", e)
		}
		if _, err := w.Collection(t.Context(), who, "marlowe-press", gone.ID); models.KindOf(err) != models.NotFound {
			t.Errorf("it is still there: %v", err)
		}
		for table, want := range map[string]int64{"collections": 1, "collection_versions": 2, "collection_files": 0, "blobs": 2, "blob_chunks": 3} {
			if n := number(t, w, "SELECT count(*) FROM "+table); n != want {
				t.Errorf("%d %s, want %d", n, table, want)
			}
		}
		if got := content(t, w, sum(big)); string(got) != big {
			t.Errorf("of what the other one has %d bytes are left", len(got))
		}
		_, err = w.DeleteCollection(t.Context(), who, "marlowe-press", gone.ID, "My Tools")
		wantKind(t, "once more", err, models.NotFound)
		_, err = w.DeleteCollection(t.Context(), command, "marlowe-press", other.Collection.ID, "other")
		must(t, err)
		isEmpty(t, w, collectionTables...)
		if again := versions(t, w, who, "my tools", "PK only here"); again.Version.Number != 1 || again.Collection.ID == gone.ID {
			t.Errorf("installed again as %+v", again)
		}
		if c := verify(t, w); c.Broken != "" {
			t.Errorf("the chain: %+v", c)
		}
	})
}

// Versions are paged, newest first, each with who installed it; files are paged in the order of their paths, byte by
// byte.
func TestPagesOfACollection(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		who := program(t, w)
		var done models.Installed
		const many = 2*models.PageSize + 3
		for i := range many {
			n := archive("tools.zip", fmt.Sprint("PK ", i))
			if i == many-1 {
				for f := range many {
					n.Files = append(n.Files, models.CollectionFile{Path: []string{"a/%d", "Z %d", "ä_%d", "b%%%d", "a-%d"}[f%5], Size: int64(f), SHA256: "x"})
					n.Files[f].Path = fmt.Sprintf(n.Files[f].Path, f)
				}
			}
			done = install(t, w, who, n)
		}
		var seen []int
		for below := 0; ; {
			list, err := w.Versions(t.Context(), done.Collection, below, models.PageSize)
			must(t, err)
			more := len(list) > models.PageSize
			for _, v := range list[:min(len(list), models.PageSize)] {
				if v.Current != (v.Number == many) || v.InstalledByName != who.Name || v.Credential.ID != who.CredentialID {
					t.Errorf("version %d is %+v", v.Number, v)
				}
				seen = append(seen, v.Number)
				below = v.Number
			}
			if !more {
				break
			}
		}
		slices.Reverse(seen)
		for i, n := range seen {
			if n != i+1 || len(seen) != many {
				t.Fatalf("the versions are %v", seen)
			}
		}
		var paths []string
		for after := ""; ; after = paths[len(paths)-1] {
			list, err := w.Files(t.Context(), done.Version, after, models.PageSize)
			must(t, err)
			for _, f := range list[:min(len(list), models.PageSize)] {
				paths = append(paths, f.Path)
			}
			if len(list) <= models.PageSize {
				break
			}
		}
		if !slices.IsSorted(paths) || len(slices.Compact(paths)) != many {
			t.Errorf("the files are %q", paths)
		}
		if f, err := w.File(t.Context(), done.Version, "b%3"); err != nil || f.Size != 3 {
			t.Errorf("%+v (%v)", f, err)
		}
		for _, path := range []string{"", "b%", "B%3", "b%3 ", "../b%3", strings.Repeat("a", 5000)} {
			_, err := w.File(t.Context(), done.Version, path)
			wantKind(t, path, err, models.NotFound)
		}
		if n, bytes, err := w.SizeOf(t.Context(), done.Collection); err != nil || n != many || bytes != 10*4+(many-10)*5-0+(many-100) {
			t.Errorf("%d versions of %d bytes (%v)", n, bytes, err)
		}
	})
}

// A member of the workspace sees its collections; for everybody else they are not there.
func TestWhoSeesACollection(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		who := program(t, w)
		done := versions(t, w, who, "tools", "PK one")
		member := w.Person(t, command, models.Member)
		second := oneMoreWorkspace(t, w, "Second", models.Person{ID: who.ID})
		stranger := w.Person(t, command, models.Member)
		for _, c := range []struct {
			who       models.Actor
			workspace string
			want      models.Kind
		}{
			{who, "marlowe-press", ""}, {storetest.As(member), "marlowe-press", ""}, {storetest.As(member), done.Workspace.ID, ""}, {command, "marlowe-press", ""},
			{storetest.As(stranger), "marlowe-press", models.NotFound}, {guest, "marlowe-press", models.NotFound}, {models.Actor{}, "marlowe-press", models.NotFound},
			{who, second.Slug, models.NotFound}, {storetest.As(member), second.Slug, models.NotFound},
		} {
			seen, err := w.Collection(t.Context(), c.who, c.workspace, done.Collection.ID)
			wantKind(t, c.who.Name+" in "+c.workspace, err, c.want)
			if err == nil && (seen.Version != done.Version || seen.Workspace.Slug != "marlowe-press") {
				t.Errorf("%s sees %+v", c.who.Name, seen)
			}
		}
	})
}

// Installing, making current and deleting, of one collection and of several that share archives, all at once and
// from two servers: each happens or is told why not, nobody waits for ever, and nothing is left half.
func TestCollectionChangesAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		who := program(t, w)
		stores := []*store.Store{w.Store, w.Open(t)}
		rounds := map[string]int{"SQLite": 10, "PostgreSQL": 50}[w.Database()]
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for round := range rounds {
			tools := versions(t, w, who, "tools", "PK a", "PK b", "PK c")
			other := versions(t, w, who, "other", "PK c", "PK b", "PK a")
			failed := atOnce(10, func(i int) (err error) {
				s := stores[i%2]
				switch i {
				case 0, 1:
					_, err = s.InstallCollection(ctx, who, archive("tools.zip", fmt.Sprint("PK ", i)))
				case 2, 3:
					_, err = s.MakeCurrent(ctx, who, "marlowe-press", tools.Collection.ID, i-1)
				case 4:
					_, err = s.DeleteCollection(ctx, who, "marlowe-press", tools.Collection.ID, "tools")
				case 5:
					_, err = s.DeleteCollection(ctx, who, "marlowe-press", other.Collection.ID, "other")
				case 6, 7:
					_, err = s.InstallCollection(ctx, who, archive([]string{"third.zip", "fourth.zip"}[i-6], []string{"PK a", "PK b"}[(i+round)%2]))
				case 8:
					_, err = s.MakeCurrent(ctx, who, "marlowe-press", other.Collection.ID, 1)
				case 9:
					_, err = s.InstallCollection(ctx, who, archive("other.zip", "PK a"))
				}
				return err
			})
			for i, err := range failed {
				if kind := models.KindOf(err); kind != "" && (kind != models.NotFound || i != 2 && i != 3 && i != 8) {
					t.Fatalf("round %d: %d failed: %v", round, i, err)
				}
			}
			whole(t, w)
		}
		if c := verify(t, w); c.Broken != "" {
			t.Errorf("the chain: %+v", c)
		}
	})
}

// whole insists that every collection has its current version, every version its archive, every archive its bytes and
// a version, and that nothing else is kept.
func whole(t *testing.T, w storetest.World) {
	t.Helper()
	for what, sql := range map[string]string{
		"collections without their current version": "SELECT count(*) FROM collections c WHERE NOT EXISTS (SELECT 1 FROM collection_versions v WHERE v.id = c.current_version_id AND v.collection_id = c.id)",
		"versions without their bytes":              "SELECT count(*) FROM collection_versions v WHERE v.size > COALESCE((SELECT sum(length(bytes)) FROM blob_chunks b WHERE b.sha256 = v.sha256), -1)",
		"archives without a version":                "SELECT count(*) FROM blobs b WHERE NOT EXISTS (SELECT 1 FROM collection_versions v WHERE v.sha256 = b.sha256)",
		"versions without a collection":             "SELECT count(*) FROM collection_versions v WHERE NOT EXISTS (SELECT 1 FROM collections c WHERE v.collection_id = c.id)",
	} {
		if n := number(t, w, sql); n != 0 {
			t.Fatalf("%d %s", n, what)
		}
	}
}

// An install of bytes whose last collection is being deleted at that moment keeps them, whichever comes first.
func TestBytesOutliveARace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		who := program(t, w)
		stores := []*store.Store{w.Store, w.Open(t)}
		shared := strings.Repeat("PK", store.ChunkBytes)
		for round := range 20 {
			last := versions(t, w, who, "last", shared)
			failed := atOnce(2, func(i int) (err error) {
				if i == round%2 {
					_, err = stores[0].DeleteCollection(t.Context(), who, "marlowe-press", last.Collection.ID, "last")
				} else {
					_, err = stores[1].InstallCollection(t.Context(), who, archive("next.zip", shared))
				}
				return err
			})
			must(t, errors.Join(failed...))
			if got := content(t, w, sum(shared)); string(got) != shared {
				t.Fatalf("round %d: %d bytes are left", round, len(got))
			}
			whole(t, w)
			if _, err := w.DeleteCollection(t.Context(), who, "marlowe-press", versions(t, w, who, "next", shared).Collection.ID, "next"); err != nil {
				t.Fatal(err)
			}
			isEmpty(t, w, collectionTables...)
		}
	})
}
