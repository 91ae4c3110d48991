package store

import (
	"context"
	"database/sql"
	"net/url"
	"os"

	"gorm.io/gorm"

	"tokendesk/migrations"
	"tokendesk/models"
)

// Backup writes the database, as it is at one moment, to a new file that this user alone may read, and
// checks what it wrote. Others read and write meanwhile. The file is written anew from the rows, so what
// was removed from the database is not in it. A name that is taken is models.Conflict. On failure
// nothing is left. SQLite only.
func (s *Store) Backup(ctx context.Context, who models.Actor, file string) (Contents, error) {
	if err := s.mayCopy(who); err != nil {
		return Contents{}, err
	}
	if err := s.ours(ctx, "The database"); err != nil {
		return Contents{}, translate(err)
	}
	part, err := newPart(file)
	if err != nil {
		return Contents{}, err
	}
	defer os.Remove(part)
	if _, err := s.pool.ExecContext(ctx, "VACUUM INTO ?", part); err != nil {
		return Contents{}, translate(err)
	}
	holds, err := s.checkFile(ctx, part)
	if err != nil {
		return Contents{}, err
	}
	return holds, publish(part, file)
}

// mayCopy lets the command line pass: whoever has it has the database anyway.
func (s *Store) mayCopy(who models.Actor) error {
	if s.dialect != migrations.SQLite {
		return models.Fail(models.Conflict, "Only a SQLite database is backed up and restored by this program.")
	}
	return allow(who.Kind == models.Command, "Only the command line makes and restores backups.")
}

// checkFile checks a database file that nobody writes to. It leaves nothing beside the file.
func (s *Store) checkFile(ctx context.Context, path string) (Contents, error) {
	pool, err := sql.Open("sqlite", fileURI(path, url.Values{"mode": {"ro"}, "immutable": {"1"}, "_time_format": {"sqlite"}, "_timezone": {"UTC"}}))
	if err != nil {
		return Contents{}, err
	}
	defer pool.Close()
	db, err := gorm.Open(sqliteDialect{pool}, &gorm.Config{TranslateError: true, DisableAutomaticPing: true, Logger: sqlLog(s.log)})
	if err != nil {
		return Contents{}, err
	}
	file := &Store{db: db, pool: pool, dialect: s.dialect, now: s.now, newID: s.newID, log: s.log}
	return file.check(ctx, "The copy that was written")
}

// fileURI is how the driver takes the name of a file, whatever characters are in it.
func fileURI(path string, settings url.Values) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + settings.Encode()
}
