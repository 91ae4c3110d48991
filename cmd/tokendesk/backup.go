package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
)

// backup writes the SQLite database to a file while others use it. It brings no database to this
// program's schema: a backup is what one makes before that.
func backup(ctx context.Context, io console, c config, words []string) error {
	file := words[0]
	if c.databaseURL != "" {
		return fmt.Errorf("on PostgreSQL a backup is made with: %s", dumpCommand(c.databaseURL, file))
	}
	if isNew(c) {
		return fmt.Errorf("there is no database in %s: set TOKENDESK_DATA_DIR to the server's", c.dataDir)
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	return withAnySchema(ctx, c, func(s *store.Store) error {
		made, err := s.Backup(ctx, operator(), file)
		if err != nil {
			return interrupted(ctx, err)
		}
		fmt.Fprintf(io.out, "Backed up to %s: %.1f MB, schema %d. Its audit log is whole, up to event %d.\n", file, float64(made.Bytes)/1e6, made.Schema, made.Events)
		fmt.Fprintf(io.out, "The key file %s is not in it, so that a stolen backup opens nothing: keep a copy of the key somewhere else.\n", c.keyFile)
		restorable(ctx, io, c, s)
		return nil
	})
}

// restorable warns of a backup that restore would refuse, because of what somebody did to the database. The backup is
// made by then: nothing here makes it fail.
func restorable(ctx context.Context, io console, c config, s *store.Store) {
	if isCurrent(ctx, s) != nil { // nothing to compare with, until it is
		return
	}
	err := s.AsMade(ctx, "The database", c.dataDir)
	switch {
	case models.KindOf(err) == models.Invalid:
		fmt.Fprintf(io.err, "warning: %s Undo that and back up again, for tokendesk restore takes no such database.\n", plain(err))
	case err != nil:
		fmt.Fprintf(io.err, "warning: whether the schema is as Tokendesk makes it could not be found out: %s\n", plain(err))
	}
}

// restore makes the SQLite database what a backup is, while others use it, or a new one of it.
func restore(flags *flag.FlagSet) work {
	exact := flags.Bool("exact", false, "")
	return func(ctx context.Context, io console, c config, words []string) error {
		file := words[0]
		if c.databaseURL != "" {
			return fmt.Errorf("on PostgreSQL a backup is restored into a new database, with: %s", restoreCommand(c.databaseURL, file))
		}
		ctx, stop := untilSignal(ctx)
		defer stop()
		holds, done, err := restoreFile(ctx, c, file, *exact)
		if done.Events == 0 {
			return interrupted(ctx, err)
		}
		return errors.Join(tellRestored(io.out, c, file, holds, done), err)
	}
}

func restoreFile(ctx context.Context, c config, file string, exact bool) (holds store.Contents, done store.Restored, err error) {
	_, missing := os.Stat(c.dataDir)
	if err := makeDataDir(c); err != nil {
		return holds, done, err
	}
	defer func() {
		if err != nil && missing != nil {
			_ = os.Remove(c.dataDir) // it was made for nothing, and is empty
		}
	}()
	copied, err := store.OpenCopy(ctx, store.Settings{
		DataDir: c.dataDir, Clock: models.SystemClock, NewID: models.NewID, Hasher: secret.NewHasher(0, 0), Log: slog.New(slog.DiscardHandler),
	}, file)
	if err != nil {
		return holds, done, err
	}
	defer func() { err = errors.Join(err, copied.Close()) }()
	if isNew(c) {
		done, err = copied.Found(ctx, operator(), c.dataDir)
		return copied.Holds, done, err
	}
	err = withStore(ctx, c, func(s *store.Store) error {
		done, err = s.Restore(ctx, operator(), copied, exact)
		return err
	})
	return copied.Holds, done, hintAtDamage(c, err)
}

// isNew says whether the data directory has no database.
func isNew(c config) bool {
	_, err := os.Stat(filepath.Join(c.dataDir, store.FileName))
	return errors.Is(err, fs.ErrNotExist)
}

// hintAtDamage says what to do about a database that is too broken to be restored into.
func hintAtDamage(c config, err error) error {
	var said interface{ Code() int }
	if !errors.As(err, &said) {
		return err
	}
	switch said.Code() & 0xff {
	case 11, 26: // SQLITE_CORRUPT, SQLITE_NOTADB
		return fmt.Errorf("%w; if this database is damaged, end the server, move %s and the files beside it that begin with its name away, and restore again",
			err, filepath.Join(c.dataDir, store.FileName))
	}
	return err
}

func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("interrupted, and nothing was changed")
	}
	return err
}

func tellRestored(out io.Writer, c config, file string, holds store.Contents, done store.Restored) error {
	fmt.Fprintf(out, "Restored %s, up to event %d of %s. The restoration is event %d.\n", file, holds.Events, holds.Last.UTC().Format(time.RFC3339), done.Events)
	if done.Kept != "" {
		fmt.Fprintf(out, "The database from before, up to event %d, is kept in %s.\n", done.Before, done.Kept)
	}
	if len(done.StillTaken) > 0 {
		var said []string
		for _, t := range done.StillTaken {
			said = append(said, fmt.Sprintf("%s: %d", t.What, t.Count))
		}
		fmt.Fprintf(out, "What was taken away since the backup stays so (%s).\n", strings.Join(said, "; "))
	}
	if done.NoAdmin {
		fmt.Fprintln(out, "Nobody is an active Admin now: add one with tokendesk person add --admin.")
	}
	if _, err := os.Stat(c.keyFile); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(out, "The key file %s is not there: put the copy that you kept in its place before the server starts, or it makes a new one.\n", c.keyFile)
	}
	_, err := fmt.Fprintln(out, "Everybody is signed out.")
	return err
}

// dumpCommand is the shell command that backs a PostgreSQL database up. Signed-in browsers, set-up
// codes and the list of servers stay out of it, because none may come back.
func dumpCommand(address, file string) string {
	return "pg_dump --format=custom --exclude-table-data=sessions --exclude-table-data=setup_codes --exclude-table-data=replicas --file=" + quoted(file) + " --dbname=" + passwordless(address, "")
}

func restoreCommand(address, file string) string {
	return "createdb --maintenance-db=" + passwordless(address, "") + " tokendesk_restored && " +
		"pg_restore --no-owner --single-transaction --dbname=" + passwordless(address, "tokendesk_restored") + " " + quoted(file)
}

// passwordless is an address for a shell, without its password, and of another database where one is
// named. Nothing is shown of one in which the password may be anywhere.
func passwordless(address, database string) string {
	u, err := url.Parse(address)
	if err != nil || u.Fragment != "" || strings.Contains(u.Path+u.RawQuery, "@") {
		u = &url.URL{Scheme: "postgres", User: url.User("USER"), Host: "HOST", Path: "/DATABASE"}
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	query := u.Query()
	for name := range query {
		if strings.Contains(strings.ToLower(name), "pass") || (name == "dbname" && database != "") {
			query.Del(name)
		}
	}
	u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20") // PostgreSQL knows no plus
	if database != "" {
		u.Path = "/" + database
	}
	return quoted(u.String())
}

// quoted is a word for a shell.
func quoted(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }
