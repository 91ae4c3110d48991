// Package sample is a small product behind Tokendesk's gateway: agents with executions, triggers, webhooks,
// integrations, a knowledge base with storage, and a chat that quotes it. A new workspace's product points to it,
// so that the first call with a token answers with something real.
//
// Everything belongs to the workspace that calls, its tenant, which the gateway names in a header. The sample
// knows nothing else of Tokendesk, and imports none of it: as any product behind the gateway would.
package sample

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// Options are how a sample is run. All but the clock may be left out.
type Options struct {
	Clock func() time.Time

	// Key checks each call's signature. Without one, the headers that say who calls are believed: that is for
	// a sample that only the gateway reaches. It has 16 bytes or more.
	Key []byte

	Limits Limits
	Pace   time.Duration // between two pieces of a chat's answer, as from a model that writes
	Log    *slog.Logger
}

// Limits keep the sample from filling the machine. Zero means what is said behind each.
type Limits struct {
	JSONBytes     int64 // of one body: 64 KiB
	FileBytes     int64 // of one upload: 2 GiB
	TenantBytes   int64 // of one workspace's files: 4 GiB
	TotalBytes    int64 // of all files: 8 GiB
	DatabaseBytes int64 // of the database, in which all else is: 1 GiB

	TextBytes       int64 // of a file that becomes a document: 1 MiB
	TenantTextBytes int64 // of one workspace's documents: 4 MiB, in which a search for common words takes half a second

	// Rows of one workspace. Who has as many as this deletes one before the next.
	Agents       int // 50
	Integrations int // 200
	Files        int // 5,000
	Messages     int // of one conversation: 100

	// Rows of one workspace, of which the oldest go.
	Conversations int // 500
	Executions    int // 2,000
	Events        int // 1,000
}

func (l Limits) orStandard() Limits {
	return Limits{
		JSONBytes:       cmp.Or(l.JSONBytes, 64<<10),
		FileBytes:       cmp.Or(l.FileBytes, 2<<30),
		TenantBytes:     cmp.Or(l.TenantBytes, 4<<30),
		TotalBytes:      cmp.Or(l.TotalBytes, 8<<30),
		DatabaseBytes:   cmp.Or(l.DatabaseBytes, 1<<30),
		TextBytes:       cmp.Or(l.TextBytes, 1<<20),
		TenantTextBytes: cmp.Or(l.TenantTextBytes, 4<<20),
		Agents:          cmp.Or(l.Agents, 50),
		Integrations:    cmp.Or(l.Integrations, 200),
		Files:           cmp.Or(l.Files, 5_000),
		Messages:        cmp.Or(l.Messages, 100),
		Conversations:   cmp.Or(l.Conversations, 500),
		Executions:      cmp.Or(l.Executions, 2_000),
		Events:          cmp.Or(l.Events, 1_000),
	}
}

// Sample answers the product's calls.
type Sample struct {
	clock       func() time.Time
	key         []byte
	limits      Limits
	log         *slog.Logger
	pause       func(ctx context.Context) error // between two pieces of a chat's answer
	ids         ids
	write, read *sql.DB
	files       folder
	room        *room
	mux         *http.ServeMux
}

// LeastKey is how many bytes a key has at least, so that nobody guesses it.
const LeastKey = 16

// Open opens the sample's database, or makes it, and beside it the folder for files, which is called like it with
// ".files" behind. The folder that both are in is there already.
func Open(ctx context.Context, path string, o Options) (*Sample, error) {
	if o.Key != nil && len(o.Key) < LeastKey {
		return nil, fmt.Errorf("the key has %d bytes: use one of %d or more, like the 32 that openssl rand -hex 32 writes", len(o.Key), LeastKey)
	}
	s := &Sample{clock: o.Clock, key: o.Key, limits: o.Limits.orStandard(), log: cmp.Or(o.Log, slog.New(slog.DiscardHandler)), pause: pace(o.Pace), mux: http.NewServeMux()}
	s.route()
	var err error
	if s.write, s.read, err = openDatabase(ctx, path, s.limits.DatabaseBytes); err != nil {
		return nil, err
	}
	if s.files, err = openFolder(path + ".files"); err == nil {
		err = s.files.sweep(ctx, s.read, s.clock())
	}
	if err == nil {
		s.room, err = measureRoom(ctx, s.read, s.limits)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close closes the files. It comes after the last call.
func (s *Sample) Close() error { return errors.Join(s.read.Close(), s.write.Close()) }

// call is one call of a workspace.
type call struct {
	Caller
	tenant int64 // the workspace's number here
	now    time.Time
}

// longestIdentity is how long a value may be of those that say who calls.
const longestIdentity = 200

// identify finds out who calls.
func (s *Sample) identify(r *http.Request) (c Caller, err error) {
	if s.key != nil {
		c, err = Verify(r, s.key, s.clock())
	} else {
		c, err = callerOf(r.Header)
	}
	for _, value := range []string{c.Workspace, c.Kind, c.Credential, c.Person, c.Scope, c.RequestID} {
		if len(value) > longestIdentity {
			return Caller{}, fmt.Errorf("one of the values in its identity is longer than %d bytes", longestIdentity)
		}
	}
	return c, err
}

// change runs one transaction.
func (s *Sample) change(ctx context.Context, fn func(tx *sql.Tx) error) error {
	return change(ctx, s.write, fn)
}

// now is the time as the database keeps it, so that an answer says the same before and after.
func (s *Sample) now() time.Time { return s.clock().UTC().Truncate(time.Microsecond) }
