package storetest

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// OwnPostgres is a PostgreSQL server that one test has for itself, to kill and to start again. Unlike the
// server that the others share it is on a disk and keeps what it has committed, as an installation's does.
type OwnPostgres struct {
	URL    string // of an empty database; the same after every start
	server *server
}

// NewOwnPostgres starts a server, which ends with the test. Where PostgreSQL is not installed the test is
// skipped, or fails: see Missing.
func NewOwnPostgres(t testing.TB) *OwnPostgres {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := startLastingServer(ctx)
	if errors.Is(err, errNotInstalled) {
		Missing(t, err.Error())
	}
	if err != nil {
		t.Fatalf("a PostgreSQL server for this test: %v", err)
	}
	t.Cleanup(s.stop)
	admin, err := pgx.Connect(ctx, s.url("postgres"))
	if err == nil {
		_, err = admin.Exec(ctx, "CREATE DATABASE desk")
		err = errors.Join(err, admin.Close(ctx))
	}
	if err != nil {
		t.Fatalf("a database for this test: %v", err)
	}
	return &OwnPostgres{URL: s.url("desk"), server: s}
}

// Kill ends every process of the server at one moment, as a power cut does: none of them can finish anything.
func (o *OwnPostgres) Kill(t testing.TB) {
	t.Helper()
	if err := o.server.killAll(); err != nil {
		t.Fatalf("kill PostgreSQL: %v", err)
	}
}

// KillFirst ends the server's first process alone. The others end as soon as they notice, and what they are
// doing at that moment they may finish: a commit, and its answer.
func (o *OwnPostgres) KillFirst(t testing.TB) {
	t.Helper()
	if err := o.server.killFirst(); err != nil {
		t.Fatalf("kill PostgreSQL: %v", err)
	}
}

// Start starts a killed server on the data that it has, and returns when it answers.
func (o *OwnPostgres) Start(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := o.server.startAgain(ctx); err != nil {
		t.Fatalf("start PostgreSQL again: %v", err)
	}
}

// Stop ends the server as an operator does: SIGINT is PostgreSQL's "fast", SIGQUIT its "immediate" shutdown.
func (o *OwnPostgres) Stop(t testing.TB, by os.Signal) {
	t.Helper()
	if err := o.server.endBy(by); err != nil {
		t.Fatalf("stop PostgreSQL: %v", err)
	}
}
