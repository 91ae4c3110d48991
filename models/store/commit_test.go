package store_test

import (
	"bytes"
	"context"
	"net"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"testing"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// trap has every commit of a new event refused, as a full disk or a constraint that is checked last would,
// and answers how to take it away again.
func trap(t *testing.T, w storetest.World) (release func()) {
	t.Helper()
	if w.Database() == "SQLite" {
		exec(t, w, "CREATE TABLE trap (seq integer REFERENCES events (seq) DEFERRABLE INITIALLY DEFERRED)")
		exec(t, w, "CREATE TRIGGER trap AFTER INSERT ON events BEGIN INSERT INTO trap VALUES (-1); END")
	} else {
		exec(t, w, "CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'")
		exec(t, w, "CREATE CONSTRAINT TRIGGER trap AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION trap()")
	}
	return func() {
		t.Helper()
		exec(t, w, map[string]string{"SQLite": "DROP TRIGGER trap", "PostgreSQL": "DROP TRIGGER trap ON events"}[w.Database()])
	}
}

// A commit that fails is no success: the caller is told that it could not be found out, no secret is handed
// out, nobody is told of an event, nothing is kept, and the next change takes the number that was not used.
func TestCommitThatFails(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		var told int
		w.Listen(func(models.Event) { told++ })
		release := trap(t, w)
		unchanged(t, w, "a commit that fails", func() {
			seen, tokens, err := w.SignInProgram(t.Context(), guest, models.SignIn{Email: "ines@marlowe.example", Password: storetest.Password})
			wantKind(t, "a program", err, models.Unavailable)
			auto, minted, err := w.CreateAutomationToken(t.Context(), admin, home, models.NewAutomationToken{Period: "1h"}, secret.FormID())
			wantKind(t, "an automation token", err, models.Unavailable)
			if tokens != (store.ProgramTokens{}) || minted != "" || auto.ID != "" {
				t.Errorf("tokens were handed out: %+v, %+v", seen.Session, auto)
			}
			_, err = w.CreatePerson(t.Context(), admin, models.NewPerson{Name: "A", Email: "a@x.example", Role: models.Member, Password: storetest.Password})
			wantKind(t, "a person", err, models.Unavailable)
			made, text, _, err := w.CreateBearerToken(t.Context(), admin, admin.ID, secret.FormID())
			wantKind(t, "a token", err, models.Unavailable)
			if made.ID != "" || text != "" {
				t.Errorf("a token was handed out: %+v", made)
			}
			cookie, _, err := w.SignIn(t.Context(), guest, models.SignIn{Email: "ines@marlowe.example", Password: storetest.Password})
			wantKind(t, "a session", err, models.Unavailable)
			if cookie != "" {
				t.Error("a session was handed out")
			}
			_, err = w.InstallCollection(t.Context(), admin, archive("tools.zip", "PK"))
			wantKind(t, "a collection", err, models.Unavailable)
		})
		isEmpty(t, w, append(collectionTables, "credentials", "used_forms", "sessions", "refresh_tokens")...)
		if told != 0 {
			t.Errorf("told of %d events", told)
		}
		release()
		before := verify(t, w)
		w.Token(t, admin, admin.ID)
		if after := verify(t, w); told != 1 || after.Events != before.Events+1 || after.Broken != "" {
			t.Errorf("afterwards %+v, told of %d", after, told)
		}
	})
}

// line is a connection to PostgreSQL that can be cut at a commit: before it arrives, or after it was done
// and before the answer comes back.
type line struct {
	listener     net.Listener
	server       string
	cut          atomic.Pointer[string] // "before" or "after": the next commit is the last thing on its connection
	broken, dead atomic.Bool            // broken: a connection was cut; dead: no new one is let through
}

func (l *line) serve() {
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return
		}
		if l.dead.Load() {
			client.Close()
			continue
		}
		go l.carry(client)
	}
}

func (l *line) carry(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("unix", l.server)
	if err != nil {
		return
	}
	defer server.Close()
	var mute atomic.Bool // the answer is waited for, and kept back
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		buffer := make([]byte, 64<<10)
		for {
			n, err := server.Read(buffer)
			if err != nil || mute.Load() {
				return
			}
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		when := l.cut.Load()
		if when != nil && bytes.Contains(buffer[:n], []byte("commit")) {
			l.cut.Store(nil)
			l.broken.Store(true)
			if *when == "after" {
				mute.Store(true)
				_, _ = server.Write(buffer[:n])
				<-answered
			}
			return
		}
		if _, err := server.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// overALine opens a PostgreSQL world a second time, over a line that can be cut.
func overALine(t *testing.T) (storetest.World, *line) {
	t.Helper()
	w := storetest.New(t, storetest.Postgres(t, nil))
	at, err := url.Parse(w.URL)
	if err != nil {
		t.Fatal(err)
	}
	query, folder := at.Query(), t.TempDir()
	l := &line{server: filepath.Join(query.Get("host"), ".s.PGSQL.5432")}
	if l.listener, err = net.Listen("unix", filepath.Join(folder, ".s.PGSQL.5432")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.listener.Close() })
	go l.serve()
	query.Set("host", folder)
	at.RawQuery = query.Encode()
	w.Store = w.OpenWith(t, func(set *store.Settings) { set.URL = at.String() })
	return w, l
}

// A commit that was done and whose answer was lost is looked up: it is told as the success that it is.
// One that never arrived is no success, and one of which nothing can be found out is none either.
func TestCommitWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	w, l := overALine(t)
	admin := w.SetUp(t)
	var told int
	w.Listen(func(models.Event) { told++ })
	create := func(when string) (secret.Text, error) {
		l.broken.Store(false)
		l.cut.Store(&when)
		_, text, _, err := w.CreateBearerToken(t.Context(), admin, admin.ID, secret.FormID())
		if !l.broken.Load() {
			t.Fatalf("%s: the line was not cut", when)
		}
		return text, err
	}
	before := events(t, w, "")
	text, err := create("after")
	if err != nil || told != 1 || events(t, w, "") != before+1 {
		t.Fatalf("a commit that was done: %v, told of %d", err, told)
	}
	if grant, err := w.GrantOf(t.Context(), text.Hash()); err != nil || grant.Credential.State(w.Clock.Now()) != models.Active {
		t.Errorf("its token is %+v (%v)", grant.Credential, err)
	}
	text, err = create("before")
	wantKind(t, "a commit that never arrived", err, models.Unavailable)
	if text != "" || told != 1 || events(t, w, "") != before+1 {
		t.Errorf("it is kept, or told: %d events, told of %d", events(t, w, "")-before, told)
	}
	l.dead.Store(true)
	text, err = create("after")
	wantKind(t, "a commit of which nothing can be found out", err, models.Unavailable)
	if text != "" || told != 1 {
		t.Errorf("a secret was handed out, or told of %d", told)
	}
	l.dead.Store(false)
	if c := verify(t, w); c.Broken != "" || c.Events != before+2 {
		t.Errorf("afterwards %+v", c)
	}
}

// A caller who went away before the commit gets nothing done by half.
func TestCallerWhoWentAway(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		unchanged(t, w, "a caller who went away", func() {
			_, _, _, err := w.CreateBearerToken(ctx, admin, admin.ID, secret.FormID())
			if err == nil {
				t.Error("a token was made")
			}
		})
		isEmpty(t, w, "credentials", "used_forms")
		w.Token(t, admin, admin.ID)
	})
}
