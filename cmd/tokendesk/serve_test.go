package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
)

func untilTheEnd(ctx context.Context) error { <-ctx.Done(); return nil }

// What is finished last sees what every job has left behind, the slowest too, and may still work when the
// context is over.
func TestRunAllFinishesLast(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	var order []string
	slow := make(chan struct{})
	err := runAll(ctx, func(last context.Context) error {
		if last.Err() != nil {
			t.Errorf("no time is left for the last work: %v", last.Err())
		}
		if _, bounded := last.Deadline(); !bounded {
			t.Error("the last work may take for ever")
		}
		order = append(order, "finish")
		return nil
	}, func(ctx context.Context) error {
		end()
		<-ctx.Done()
		<-slow
		order = append(order, "slow")
		return nil
	}, func(ctx context.Context) error {
		<-ctx.Done()
		order = append(order, "quick")
		close(slow)
		return nil
	})
	if err != nil || !slices.Equal(order, []string{"quick", "slow", "finish"}) {
		t.Errorf("order %v, error %v", order, err)
	}
}

// One job that fails ends the others in order; its error is told, and the last work is done all the same.
func TestRunAllEndsWithTheFirstFailure(t *testing.T) {
	broken, unwritten := errors.New("the disk is full"), errors.New("the counts are lost")
	for name, c := range map[string]struct {
		job    job
		finish error
		want   string
	}{
		"error":      {func(context.Context) error { return broken }, nil, "the disk is full"},
		"panic":      {func(context.Context) error { panic("out of luck") }, nil, "panic: out of luck"},
		"both":       {func(context.Context) error { return broken }, unwritten, "the disk is full\nthe counts are lost"},
		"last alone": {func(context.Context) error { return nil }, unwritten, "the counts are lost"},
	} {
		finished := false
		err := runAll(t.Context(), func(context.Context) error { finished = true; return c.finish }, untilTheEnd, c.job, untilTheEnd)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || !finished {
			t.Errorf("%s: error %v, finished %v", name, err, finished)
		}
	}
	if err := runAll(t.Context(), func(context.Context) error { panic("at the very end") }, func(context.Context) error { return nil }); err == nil {
		t.Error("a panic of the last work is no error")
	}
}

// A panic keeps its stack, which is the only error of more than a line.
func TestGuarded(t *testing.T) {
	err := guarded(t.Context(), func(context.Context) error { panic(errors.New("out of luck")) })
	if text := plain(err); !strings.HasPrefix(text, "panic: out of luck\n") || !strings.Contains(text, "serve_test.go:") {
		t.Errorf("the panic became %q", text)
	}
	broken := errors.New("broken")
	if err := guarded(t.Context(), func(context.Context) error { return broken }); err != broken {
		t.Errorf("an error became %v", err)
	}
	if err := guarded(t.Context(), func(context.Context) error { return nil }); err != nil {
		t.Errorf("success became %v", err)
	}
}

// Repeated work that fails is logged and tried again, until the context ends.
func TestEvery(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	var log bytes.Buffer
	times := 0
	err := every(time.Microsecond, slog.New(slog.NewTextHandler(&log, nil)), func(context.Context) error {
		if times++; times == 3 {
			end()
			return context.Canceled // because it was told to end: nothing to speak of
		}
		return errors.New("the database is away")
	})(ctx)
	if err != nil || times != 3 || strings.Count(log.String(), "the database is away") != 2 || strings.Count(log.String(), "\n") != 2 {
		t.Errorf("%d times, error %v, log %s", times, err, log.String())
	}
}

// serving is answer on a free port, with a request that hangs until release is closed.
func serving(t *testing.T, patience time.Duration) (end func() error, got <-chan error, release chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	running := make(chan struct{})
	release = make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(running)
		<-release
		_, _ = io.WriteString(w, "done")
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended, answers := make(chan error, 1), make(chan error, 1)
	go func() {
		ended <- answer(&http.Server{Handler: handler}, l, patience, slog.New(slog.DiscardHandler))(ctx)
	}()
	go func() {
		response, err := http.Get("http://" + l.Addr().String())
		if err == nil {
			_, err = io.ReadAll(response.Body)
			response.Body.Close()
		}
		answers <- err
	}()
	<-running
	cancel()
	return func() error { return <-ended }, answers, release
}

// A request that runs is finished before the server ends.
func TestAnswerFinishesWhatRuns(t *testing.T) {
	end, got, release := serving(t, enough)
	close(release)
	if err := <-got; err != nil {
		t.Errorf("the request was cut off: %v", err)
	}
	if err := end(); err != nil {
		t.Errorf("the end: %v", err)
	}
}

// One that never ends is cut off, and the end is a failure that says so.
func TestAnswerLosesPatience(t *testing.T) {
	end, got, release := serving(t, time.Millisecond)
	if err := end(); err == nil || err.Error() != "requests that were still running after 1ms were cut off" {
		t.Errorf("the end: %v", err)
	}
	defer close(release)
	select {
	case err := <-got:
		if err == nil {
			t.Error("the request that hangs got an answer")
		}
	case <-time.After(enough):
		t.Error("the request that hangs was not cut off")
	}
}

// A listener that breaks ends the server with its error.
func TestAnswerFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := answer(&http.Server{}, l, enough, slog.New(slog.DiscardHandler))(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

// People on the machine are given an address that leads to this server.
func TestReachedAt(t *testing.T) {
	for _, c := range []struct{ base, listening, want string }{
		{"", "127.0.0.1:8080", "http://localhost:8080"},
		{"", "[::1]:8080", "http://localhost:8080"},
		{"", "0.0.0.0:8080", "http://localhost:8080"},
		{"", "[::]:8080", "http://localhost:8080"},
		{"", "127.0.0.2:8080", "http://127.0.0.2:8080"},
		{"", "192.0.2.7:80", "http://192.0.2.7:80"},
		{"", "[2001:db8::1]:8080", "http://[2001:db8::1]:8080"},
		{"", "[fe80::1%eth0]:8080", "http://[fe80::1%25eth0]:8080"}, // RFC 6874
		{"https://desk.example.com", "127.0.0.1:8080", "https://desk.example.com"},
	} {
		address, err := net.ResolveTCPAddr("tcp", c.listening)
		if err != nil {
			t.Fatal(err)
		}
		if got := reachedAt(config{baseURL: c.base}, address); got != c.want {
			t.Errorf("listening on %s, with base %q: %s, want %s", c.listening, c.base, got, c.want)
		}
	}
}

// An error is told in one line: the sentence for people, every problem of an input, and the cause where
// an operator can do something about it.
func TestPlain(t *testing.T) {
	cause := errors.New("failed to connect:\n\tdb: refused\n\tdb: refused\n")
	for _, c := range []struct {
		err  error
		want string
	}{
		{errors.New("one\ntwo\n\n one"), "one; two"},
		{models.Fail(models.Unavailable, "The database does not answer.").Because(cause), "The database does not answer. (failed to connect: db: refused)"},
		{models.Fail(models.Conflict, "That exists already.").Because(cause), "That exists already."},
		{errors.Join(models.Fail(models.NotFound, "That does not exist.").Because(cause), errors.New("close: broken")), "That does not exist.; close: broken"},
		{models.Problems{{Name: "name", Message: "Enter a name."}, {Name: "role", Message: "Choose a role."}}.Err(), "Enter a name. Choose a role."},
	} {
		if got := plain(c.err); got != c.want {
			t.Errorf("%v is told as %q, want %q", c.err, got, c.want)
		}
	}
}
