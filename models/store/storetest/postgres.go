package storetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Template fills the database that the databases of all tests are copies of: it applies the
// migrations. It runs once in a test process and must close every connection that it opens.
type Template func(ctx context.Context, url string) error

// Run is for TestMain: it runs the tests, then ends the PostgreSQL server if one of them started it.
//
//	func TestMain(m *testing.M) { os.Exit(storetest.Run(m)) }
func Run(m *testing.M) int {
	defer shared.stop()
	return m.Run()
}

// Postgres makes a database for this test alone and returns its URL. The database is a copy of the
// one that fill has filled (the first fill of a test process counts), or empty where fill is nil,
// and is gone after the test, whoever may still be connected to it.
//
// The first call in a test process starts a PostgreSQL server for this process, on a unix socket.
// Where PostgreSQL is not installed the test is skipped, or fails: see Missing.
func Postgres(t testing.TB, fill Template) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	name, err := shared.create(ctx, fill)
	if errors.Is(err, errNotInstalled) {
		Missing(t, err.Error())
	}
	if err != nil {
		t.Fatalf("a PostgreSQL database for this test: %v", err)
	}
	t.Cleanup(func() {
		if err := shared.drop(name); err != nil {
			t.Errorf("drop the PostgreSQL database of this test: %v", err)
		}
	})
	return shared.server.url(name)
}

// Missing ends a test that lacks something of the machine: a program that is not installed. On a
// developer's machine that is a skip; in CI, and under .ci/test, it is a failure, because a run that
// tested less than it says is worse than a red one.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" || os.Getenv("TOKENDESK_TEST_REQUIRE") == "1" {
		t.Fatal(what)
	}
	t.Skip(what + " (./.ci/test installs what the tests need)")
}

// errNotInstalled says that no PostgreSQL server was found on this machine.
var errNotInstalled = errors.New("PostgreSQL is not installed")

// objectInUse is the SQLSTATE of "source database is being accessed by other users".
const objectInUse = "55006"

// shared is the one cluster of this test process.
var shared cluster

// cluster hands out databases of one server. The lock serialises them; two at a time would not be
// faster, since each is a copy that PostgreSQL makes in one process.
type cluster struct {
	mu     sync.Mutex
	server *server
	err    error // why the server did not start, or the template could not be filled: for good
	admin  *pgx.Conn
	filled bool
	made   int
}

func (c *cluster) create(ctx context.Context, fill Template) (name string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.prepare(ctx, fill); err != nil {
		return "", err
	}
	c.made++
	name = fmt.Sprintf("test_%d", c.made)
	if fill == nil {
		return name, c.exec(ctx, "CREATE DATABASE "+name)
	}
	return name, c.exec(ctx, "CREATE DATABASE "+name+" TEMPLATE filled")
}

func (c *cluster) drop(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
}

func (c *cluster) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server != nil {
		c.server.stop()
		c.server, c.err = nil, errors.New("the PostgreSQL server of the tests was stopped")
	}
}

// prepare starts the server and fills the template, once; a failure stays, so that a thousand tests
// do not each wait for the same thing to fail.
func (c *cluster) prepare(ctx context.Context, fill Template) error {
	if c.server == nil && c.err == nil {
		c.server, c.err = startServer(ctx)
	}
	if c.err == nil && fill != nil && !c.filled {
		c.err = c.fill(ctx, fill)
	}
	return c.err
}

// fill makes the template and then closes it to connections, because PostgreSQL refuses to copy a
// database while somebody is connected to it.
func (c *cluster) fill(ctx context.Context, fill Template) error {
	if err := c.exec(ctx, "CREATE DATABASE filled"); err != nil {
		return err
	}
	if err := fill(ctx, c.server.url("filled")); err != nil {
		return fmt.Errorf("fill the template database: %w", err)
	}
	c.filled = true
	return c.exec(ctx, "ALTER DATABASE filled ALLOW_CONNECTIONS false")
}

// exec runs one statement, again and again while a database in it is in use by others: a closed
// connection lingers on the server for a moment.
func (c *cluster) exec(ctx context.Context, sql string) error {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := c.execOnce(ctx, sql)
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != objectInUse {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-again.C:
		}
	}
}

func (c *cluster) execOnce(ctx context.Context, sql string) (err error) {
	if c.admin == nil || c.admin.IsClosed() {
		if c.admin, err = pgx.Connect(ctx, c.server.url("postgres")); err != nil {
			return err
		}
	}
	_, err = c.admin.Exec(ctx, sql)
	return err
}
