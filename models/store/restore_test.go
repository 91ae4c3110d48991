package store_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// openCopy opens a private copy of a backup in a data directory.
func openCopy(ctx context.Context, w storetest.World, dir, file string) (*store.Copy, error) {
	return store.OpenCopy(ctx, store.Settings{
		DataDir: dir, Clock: w.Clock.Now, NewID: models.NewID, Hasher: secret.NewHasher(0, 0), Log: slog.New(slog.NewTextHandler(w.Log, nil)),
	}, file)
}

// copyOf is openCopy of a good backup; the copy is closed when the test ends.
func copyOf(t *testing.T, w storetest.World, dir, file string) *store.Copy {
	t.Helper()
	c, err := openCopy(t.Context(), w, dir, file)
	if err != nil {
		t.Fatalf("copy %s: %v", file, err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close the copy: %v", err)
		}
	})
	return c
}

// restore restores a backup into a world, a second after whatever happened last.
func restore(t *testing.T, w storetest.World, file string, exact bool) store.Restored {
	t.Helper()
	w.Clock.Advance(time.Second)
	c := copyOf(t, w, w.Dir, file)
	done, err := w.Restore(t.Context(), command, c, exact)
	if err != nil {
		t.Fatalf("restore %s: %v", file, err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if chain := verify(t, w); chain != (store.Chain{Events: done.Events}) {
		t.Fatalf("the restored log has %+v, of %d events", chain, done.Events)
	}
	return done
}

// What was restored is all that was backed up; what was there before is kept; and servers that run go on
// without noticing, with all that they had prepared.
func TestRestore(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	admin := w.SetUp(t)
	ann := w.Person(t, admin, models.Member)
	token, _ := w.Token(t, admin, ann.ID)
	install(t, w, admin, archive("tools.zip", "PK and more"))
	cookie := signIn(t, w, "ines@marlowe.example", storetest.Password)
	file := backup(t, w)
	before := events(t, w, "")

	other := w.Open(t) // another server
	bob := w.Person(t, admin, models.Member)
	w.Token(t, admin, bob.ID)
	install(t, w, admin, archive("other.zip", "PK and others"))
	if _, err := other.RenameWorkspace(t.Context(), admin, "marlowe-press", models.NewWorkspace{Name: "Later Press"}); err != nil {
		t.Fatal(err)
	}
	last := lastEvent(t, w)

	done := restore(t, w, file, false)
	if done.Events != before+1 || done.Before != last.Seq || len(done.StillTaken) != 0 || done.NoAdmin {
		t.Errorf("it says %+v", done)
	}
	said := fmt.Sprint(lastEvent(t, w).ChangeList())
	for _, part := range []string{"a backup %41?#.db", fmt.Sprint("events ", last.Seq, " ", done.Events), hex.EncodeToString(last.Hash), filepath.Base(done.Kept)} {
		if !strings.Contains(said, part) {
			t.Errorf("the event does not tell %q: %s", part, said)
		}
	}
	wantOver(t, w, cookie)
	for _, s := range []*store.Store{w.Store, other} {
		wantRestored(t, s, admin, ann, bob, token)
	}
	w.Person(t, admin, models.Member)
	install(t, w, admin, archive("tools.zip", "PK and more yet"))
	if got := string(content(t, w, sum("PK and more"))); got != "PK and more" {
		t.Errorf("the archive is %q", got)
	}
	if chain := verify(t, w); chain != (store.Chain{Events: before + 3}) {
		t.Errorf("the log goes on with %+v", chain)
	}
	if list := names(t, w.Dir); slices.ContainsFunc(list, func(name string) bool { return strings.Contains(name, ".part") }) {
		t.Errorf("left is %q", list)
	}

	// The database from before is a backup like any other, and leads back.
	back := restore(t, w, done.Kept, true)
	if back.Events != last.Seq+1 {
		t.Errorf("back are %d events, of %d", back.Events, last.Seq)
	}
	if found := search(t, w.Store, bob.Name); len(found) != 1 || found[0].ID != bob.ID {
		t.Errorf("back is %+v", found)
	}
}

// wantRestored looks at the restored world of TestRestore as a server does.
func wantRestored(t *testing.T, s *store.Store, admin models.Actor, ann, bob models.Person, token models.Credential) {
	t.Helper()
	if found := search(t, s, ann.Name); len(found) != 1 || found[0].ID != ann.ID || found[0].Bearer == nil || found[0].Bearer.ID != token.ID {
		t.Errorf("%s is %+v", ann.Name, found)
	}
	if found := search(t, s, bob.Name); len(found) != 0 {
		t.Errorf("%s was added after the backup, and is %+v", bob.Name, found)
	}
	if ws, err := s.Workspace(t.Context(), admin, "marlowe-press"); err != nil || ws.Name != "Marlowe Press" {
		t.Errorf("the workspace is %+v (%v)", ws, err)
	}
	if err := s.DB().Exec("UPDATE events SET actor_name = 'Eve'").Error; err == nil {
		t.Error("the events can be changed")
	}
}

func search(t *testing.T, s *store.Store, words string) []models.PersonSeen {
	t.Helper()
	found, _, err := s.People(t.Context(), command, models.PeopleFilter{Query: words})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Whoever reads while a backup is restored reads all of what was there before or all of what was restored;
// whoever writes waits. Neither of them fails, and no event is lost: it is in the file that is kept, or in
// the log that goes on.
func TestRestoreWhileOthersUseIt(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	admin := w.SetUp(t)
	crowd(t, w, make([]string, 3000)...)
	file := backup(t, w)
	exec(t, w, "DELETE FROM people WHERE name = ''")
	for range 5 {
		w.Person(t, admin, models.Member)
	}
	other := w.Open(t)
	c := copyOf(t, w, w.Dir, file)
	var over atomic.Bool
	var done store.Restored
	var written atomic.Int64
	was := events(t, w, "")
	failed := atOnce(5, func(i int) (err error) {
		if i == 0 {
			defer over.Store(true)
			done, err = w.Restore(t.Context(), command, c, false)
			return err
		}
		for !over.Load() && err == nil {
			switch i {
			case 1, 2:
				err = oldOrNew([]*store.Store{w.Store, other}[i-1])
			default:
				_, err = other.RenameWorkspace(t.Context(), models.Actor{Kind: models.Command}, "marlowe-press", models.NewWorkspace{Name: fmt.Sprint("Press ", i, written.Add(1))})
			}
		}
		return err
	})
	for i, err := range failed {
		if err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	after := verify(t, w)
	if lost := was + written.Load() - done.Before - (after.Events - done.Events); lost != 0 || after.Broken != "" {
		t.Errorf("%d events are in neither log: %+v, %+v", lost, done, after)
	}
}

// oldOrNew reads two things in one statement that belong together.
func oldOrNew(s *store.Store) error {
	var row struct{ People, Created int64 }
	err := s.DB().Raw("SELECT (SELECT count(*) FROM people) AS people, (SELECT count(*) FROM events WHERE action = 'person.created') AS created").Scan(&row).Error
	if err == nil && row != (struct{ People, Created int64 }{6, 5}) && row != (struct{ People, Created int64 }{3001, 0}) {
		err = fmt.Errorf("neither the old nor the new: %+v", row)
	}
	return err
}

// Into a data directory without a database a backup comes whole, or not at all.
func TestFound(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	total := history(t, w)
	file := backup(t, w)
	dir := t.TempDir()
	stray := filepath.Join(dir, "tokendesk.db-wal")
	if err := os.WriteFile(stray, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := copyOf(t, w, dir, file)
	_, err := c.Found(t.Context(), command, dir)
	wantKind(t, "beside a stray write-ahead log", err, models.Conflict)
	if err := os.Remove(stray); err != nil {
		t.Fatal(err)
	}
	_, err = c.Found(t.Context(), models.Actor{Kind: models.Human, Role: models.Admin}, dir)
	wantKind(t, "by an Admin", err, models.Forbidden)
	done, err := c.Found(t.Context(), command, dir)
	if err != nil || done.Events != total+1 || done.Before != 0 || done.Kept != "" {
		t.Fatalf("%+v (%v)", done, err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if list := names(t, dir); !slices.Equal(list, []string{"tokendesk.db"}) {
		t.Errorf("there is %q", list)
	}
	found := w
	found.Dir = dir
	found.Store = found.Open(t)
	if chain := verify(t, found); chain != (store.Chain{Events: total + 1}) {
		t.Errorf("the log has %+v", chain)
	}
	signIn(t, found, "ines@marlowe.example", storetest.Password)

	came := filepath.Join(t.TempDir(), "tokendesk.db")
	must(t, os.WriteFile(came, []byte("kept"), 0o600))
	_, err = copyOf(t, w, t.TempDir(), file).Found(t.Context(), command, filepath.Dir(came))
	wantKind(t, "over a database that came meanwhile", err, models.Conflict)
	if content, err := os.ReadFile(came); err != nil || string(content) != "kept" {
		t.Errorf("it is %.20q (%v)", content, err)
	}
}

// A restoration that fails, at whatever point, changes nothing and leaves nothing.
func TestRestoreThatFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		arrange func(t *testing.T, w storetest.World, c *store.Copy) (context.Context, models.Actor)
		kind    models.Kind
	}{
		"by an Admin": {func(t *testing.T, w storetest.World, _ *store.Copy) (context.Context, models.Actor) {
			return t.Context(), models.Actor{Kind: models.Human, Role: models.Admin}
		}, models.Forbidden},
		"the name of the kept file is taken": {func(t *testing.T, w storetest.World, _ *store.Copy) (context.Context, models.Actor) {
			if err := os.WriteFile(filepath.Join(w.Dir, "tokendesk-before-restore-"+w.Clock.Now().Format("20060102T150405.000Z")+".db"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return t.Context(), command
		}, models.Conflict},
		"the event cannot be written": {func(t *testing.T, w storetest.World, c *store.Copy) (context.Context, models.Actor) {
			if err := c.DB().Exec("CREATE TRIGGER no BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no'); END").Error; err != nil {
				t.Fatal(err)
			}
			return t.Context(), command
		}, models.Unavailable},
		"somebody gives up before the last page": {func(t *testing.T, w storetest.World, c *store.Copy) (context.Context, models.Actor) {
			ctx, cancel := context.WithCancel(t.Context())
			c.Listen(func(models.Event) { cancel() }) // the event is written, and the pages come next
			return ctx, command
		}, models.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := onSQLite(t)
			history(t, w)
			file := backup(t, w)
			last := lastEvent(t, w)
			copied := copyOf(t, w, w.Dir, file)
			ctx, who := c.arrange(t, w, copied)
			before := names(t, w.Dir)
			_, err := w.Restore(ctx, who, copied, false)
			wantKind(t, name, err, c.kind)
			if after := names(t, w.Dir); !slices.Equal(after, before) {
				t.Errorf("there was %q, and is %q", before, after)
			}
			if now := lastEvent(t, w); now.ID != last.ID {
				t.Errorf("the last event is %+v", now)
			}
			w.Person(t, models.Actor{Kind: models.Command}, models.Member) // the turn to write was given back
		})
	}
}
