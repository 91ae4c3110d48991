// Package storetest gives tests a store on each database: SQLite in a folder of its own, and a
// PostgreSQL that the test process starts. Nothing in it is a stand-in.
package storetest

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
)

// Password is everybody's in tests.
const Password = "copper lantern over the quiet harbour"

// World is a store, a clock that tests move, and builders for what tests need in it.
type World struct {
	*store.Store
	Clock   *Clock
	Dir     string // the data directory
	URL     string // of the database; empty for SQLite
	Log     *Log   // everything that the store logged
	people  *atomic.Int64
	Secrets *Secrets // every secret that was made in this world
}

// Each runs a test on SQLite and on PostgreSQL, in a fresh world each.
func Each(t *testing.T, test func(t *testing.T, w World)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, New(t, ""))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, New(t, Postgres(t, migrated)))
	})
}

// New opens a store on a database; an empty URL means SQLite in a new folder.
func New(t testing.TB, url string) World {
	t.Helper()
	w := World{Clock: NewClock(), Dir: t.TempDir(), URL: url, Log: &Log{}, people: new(atomic.Int64), Secrets: &Secrets{}}
	w.Store = w.Open(t)
	if _, err := w.Migrate(t.Context()); err != nil {
		t.Fatalf("migrate: %v", err)
	}
	return w
}

// Open opens another store on the same database, as a second server would.
func (w World) Open(t testing.TB) *store.Store {
	t.Helper()
	return w.OpenWith(t, func(*store.Settings) {})
}

func (w World) settings() store.Settings {
	return store.Settings{
		URL: w.URL, DataDir: w.Dir, Clock: w.Clock.Now, NewID: models.NewID, Hasher: remembering,
		Log: slog.New(slog.NewTextHandler(w.Log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

// DatabaseFile is where SQLite keeps the world.
func (w World) DatabaseFile() string { return filepath.Join(w.Dir, "tokendesk.db") }

// migrated fills the template that every PostgreSQL database of a test process is a copy of.
func migrated(ctx context.Context, url string) error {
	s, err := store.Open(ctx, store.Settings{
		URL: url, Clock: models.SystemClock, NewID: models.NewID, Hasher: remembering, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	if _, err := s.Migrate(ctx); err != nil {
		return err
	}
	return s.Close()
}

// Clock is a clock that stands still until a test moves it.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock begins at a fixed moment with microseconds, so that rounding shows.
func NewClock() *Clock {
	return &Clock{now: time.Date(2026, 11, 21, 9, 30, 15, 123456000, time.UTC)}
}

// Now is a models.Clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock on.
func (c *Clock) Advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

// Log keeps what was logged, for tests to search.
type Log struct {
	mu   sync.Mutex
	text []byte
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	return len(p), nil
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

// SetUp makes the first Admin and the workspace "Marlowe Press", as the set-up page does.
func (w World) SetUp(t testing.TB) models.Actor {
	t.Helper()
	code, err := w.OfferSetup(t.Context(), models.Actor{Kind: models.System, RequestID: models.NewID()})
	if err != nil {
		t.Fatalf("offer set-up: %v", err)
	}
	n := models.NewPerson{Name: "Ines Moreau", Email: "ines@marlowe.example", Password: Password}
	person, _, err := w.Store.SetUp(t.Context(), models.Actor{Kind: models.Guest, RequestID: models.NewID()}, code.Reveal(), n, models.NewWorkspace{Name: "Marlowe Press"})
	if err != nil {
		t.Fatalf("set up: %v", err)
	}
	w.Secrets.Add(code)
	return As(person)
}

// Person adds a person with a role.
func (w World) Person(t testing.TB, admin models.Actor, role models.Role) models.Person {
	t.Helper()
	n := w.people.Add(1)
	person, err := w.CreatePerson(t.Context(), admin, models.NewPerson{
		Name: fmt.Sprintf("%s %02d", role, n), Email: fmt.Sprintf("%s%d@marlowe.example", role, n), Role: role, Password: Password,
	})
	if err != nil {
		t.Fatalf("add a person: %v", err)
	}
	return person
}

// Token makes a person's bearer token.
func (w World) Token(t testing.TB, admin models.Actor, personID string) (models.Credential, secret.Text) {
	t.Helper()
	made, text, _, err := w.CreateBearerToken(t.Context(), admin, personID, secret.FormID())
	if err != nil {
		t.Fatalf("create a bearer token: %v", err)
	}
	w.Secrets.Add(text)
	return made, text
}

// As is a person acting in a browser.
func As(p models.Person) models.Actor {
	return models.Actor{Kind: models.Human, ID: p.ID, Name: p.Name, Role: p.Role, Address: "192.0.2.7", RequestID: models.NewID()}
}

// Secrets remembers every secret of a test, for a search of what must not hold them.
type Secrets struct {
	mu   sync.Mutex
	list []string
}

// Add remembers a secret.
func (s *Secrets) Add(text secret.Text) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, text.Reveal())
}

// All lists them.
func (s *Secrets) All() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.list...)
}
