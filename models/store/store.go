// Package store keeps everything that Tokendesk knows, on SQLite or PostgreSQL. It is the only
// package that knows GORM.
//
// An exported method is one unit of work. Whatever changes something passes through write: one
// transaction, and in it exactly one event.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"tokendesk/migrations"
	"tokendesk/models"
)

// Passwords hashes and compares passwords; secret.Hasher is the real one.
type Passwords interface {
	Hash(ctx context.Context, password string) (phc string, err error)
	Verify(ctx context.Context, phc, password string) (ok, rehash bool, err error)
	VerifyNobody(ctx context.Context, password string) error
}

// FileName is the SQLite database's name in the data directory.
const FileName = "tokendesk.db"

// Settings is where the database is, and what the store needs from outside.
type Settings struct {
	URL     string // postgres://…; empty means SQLite in DataDir
	DataDir string
	Clock   models.Clock
	// DatabaseTime has PostgreSQL tell the time that credentials end by, and not Clock: of several servers none is late.
	DatabaseTime bool
	NewID        models.IDs
	Hasher       Passwords
	// Strangers is the Hasher for sign-ins in browsers that are not familiar; nil: the same.
	Strangers Passwords
	Log       *slog.Logger
	// Reach is how many rows are looked through for one page, where no index has all of what is asked for in the
	// order of the list; 0: DefaultReach.
	Reach int
	// Statement is told of each statement that goes through GORM, when it begins and when it ends: the operation and the table, and nothing of what
	// is in it. nil: nobody is.
	Statement func(ctx context.Context, operation, table string) (end func(failed bool))
}

// DefaultReach is what one page looks through in a few milliseconds.
const DefaultReach = 5000

// Store keeps everything. It is safe for concurrent use.
type Store struct {
	db        *gorm.DB
	pool      *sql.DB
	steady    *sql.DB                              // connections to PostgreSQL for what a lease hangs on, which must not stand in line behind callers; nil for SQLite
	onAsk     func(statement string, values []any) // told of what is asked without GORM; nil: nobody is
	dialect   migrations.Dialect
	now       models.Clock
	newID     models.IDs
	hasher    Passwords
	strangers Passwords
	log       *slog.Logger
	listeners []func(models.Event)
	onReceipt func(models.Receipt)
	reach     int
	address   *pgx.ConnConfig // of PostgreSQL; nil for SQLite
	// databaseTime has moments that verdicts depend on be told by the database's clock.
	databaseTime                           bool
	grantByHash, grantByID, replacedByHash string // see GrantOf
	one                                    turns  // of SQLite
}

// Open connects to the database. It does not change it: Migrate does.
func Open(ctx context.Context, set Settings) (*Store, error) {
	s := &Store{reach: set.Reach, now: set.Clock, newID: set.NewID, hasher: set.Hasher, strangers: set.Strangers, log: set.Log, dialect: migrations.SQLite, databaseTime: set.DatabaseTime}
	if s.reach == 0 {
		s.reach = DefaultReach
	}
	if set.URL != "" {
		s.dialect = migrations.Postgres
	}
	s.grantByHash, s.grantByID, s.replacedByHash = s.grantSQL("hash"), s.grantSQL("id"), s.replacedSQL()
	if s.strangers == nil {
		s.strangers = s.hasher
	}
	var dialector gorm.Dialector
	var err error
	if set.URL == "" {
		s.pool, err = openSQLite(ctx, filepath.Join(set.DataDir, FileName))
		dialector = sqliteDialect{s.pool}
	} else {
		if s.pool, s.address, err = openPostgres(set.URL); err == nil {
			s.steady = connections(s.address, 2)
		}
		dialector = postgres.New(postgres.Config{Conn: s.pool})
	}
	if err != nil {
		return nil, err
	}
	if err := s.Ping(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.db, err = gorm.Open(dialector, &gorm.Config{
		NowFunc:                s.now,
		TranslateError:         true,
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
		PrepareStmt:            s.dialect == migrations.SQLite, // pgx has a cache of its own
		PrepareStmtMaxSize:     200,
		Logger:                 sqlLog(set.Log),
	})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if set.Statement != nil {
		err = watch(s.db, set.Statement)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func openPostgres(url string) (*sql.DB, *pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, nil, unreadable(err)
	}
	if at := strings.Index(config.Host, "@"); at > 0 && config.Host[0] != '/' { // the rest of the password
		return nil, nil, errors.New(`the database address cannot be read: an "@" in a password is written %40`)
	}
	config.RuntimeParams["timezone"] = "UTC"
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	if config.ValidateConnect == nil && !mutantStandby { // what moves an address to a standby must not have anything read there
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary
	}
	return connections(config, 20), config, nil
}

// connections are so many to PostgreSQL at most. As many are kept, or many callers at once have one made and thrown away for each call.
func connections(config *pgx.ConnConfig, most int) *sql.DB {
	config = config.Copy()
	config.OnNotification = func(*pgconn.PgConn, *pgconn.Notification) {} // a pooler may bring what others listen for, and it would be kept for ever
	pool := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(readTimesInUTC))
	pool.SetMaxOpenConns(most)
	pool.SetMaxIdleConns(most)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return pool
}

// unreadable says why an address cannot be read. What the driver says quotes the address and parts of it,
// and its masking misses a password with an "@" in it, so only the reason is kept, and a file's name.
func unreadable(err error) error {
	text := err.Error()
	reason, _, _ := strings.Cut(text[strings.LastIndex(text, "`")+1:], " (")
	var file *fs.PathError
	if errors.As(err, &file) {
		reason += ": " + file.Error()
	}
	return fmt.Errorf("the database address cannot be read%s", reason)
}

// readTimesInUTC keeps the zone of the machine out of what is read.
func readTimesInUTC(_ context.Context, conn *pgx.Conn) error {
	conn.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
	return nil
}

// sqlLog tells of slow statements and failures, and never of the values in them. That something is there already,
// or that somebody hung up, is no failure of the database.
func sqlLog(log *slog.Logger) logger.Interface {
	return failures{logger.NewSlogLogger(log, logger.Config{
		SlowThreshold:             time.Second,
		LogLevel:                  logger.Warn,
		IgnoreRecordNotFoundError: true,
		ParameterizedQueries:      true,
	})}
}

type failures struct{ logger.Interface }

// ParamsFilter keeps the values out, as the logger inside would.
func (failures) ParamsFilter(_ context.Context, statement string, _ ...any) (string, []any) {
	return statement, nil
}

func (f failures) Trace(ctx context.Context, begin time.Time, statement func() (string, int64), err error) {
	if errors.Is(err, gorm.ErrDuplicatedKey) || errors.Is(err, context.Canceled) {
		err = nil
	}
	f.Interface.Trace(ctx, begin, statement, err)
}

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.pool.PingContext(ctx); err != nil {
		return models.Fail(models.Unavailable, "The database does not answer.").Because(err)
	}
	return nil
}

// Pool tells how the connections are used.
func (s *Store) Pool() models.Pool {
	now := s.pool.Stats()
	return models.Pool{Most: now.MaxOpenConnections, Busy: now.InUse, Idle: now.Idle, Waits: now.WaitCount, WaitedInAll: now.WaitDuration}
}

// Migrate brings the database to the schema of this program and tells what it applied.
func (s *Store) Migrate(ctx context.Context) ([]migrations.Step, error) {
	steps, err := migrations.Up(ctx, s.dialect, s.pool)
	if err != nil {
		return steps, err
	}
	return steps, s.giveProducts(ctx)
}

// Schema lists the migrations and when each was applied.
func (s *Store) Schema(ctx context.Context) ([]migrations.Step, error) {
	return migrations.Status(ctx, s.dialect, s.pool)
}

// Database names the database for people: "SQLite" or "PostgreSQL".
func (s *Store) Database() string {
	if s.dialect == migrations.SQLite {
		return "SQLite"
	}
	return "PostgreSQL"
}

// Listen has f told of every event after its commit. Call it before the store is used.
func (s *Store) Listen(f func(models.Event)) { s.listeners = append(s.listeners, f) }

// OnReceipt has f told of every receipt. Call it before the store is used.
func (s *Store) OnReceipt(f func(models.Receipt)) { s.onReceipt = f }

// Close ends the connections.
func (s *Store) Close() error {
	if s.steady == nil {
		return s.pool.Close()
	}
	return errors.Join(s.pool.Close(), s.steady.Close())
}

// take reads the one row that a query means. Nothing there is models.NotFound; a database that
// did not answer is not.
func take[T any](query *gorm.DB) (T, error) {
	var row T
	err := query.Take(&row).Error
	return row, translate(err)
}

// notThere is what translate makes of a row that was not found.
var notThere = models.Fail(models.NotFound, "That does not exist.")

// withID takes the row with an ID. What cannot be an ID is not there, before a database is asked.
func withID[T any](query *gorm.DB, id string) (T, error) {
	if !models.ValidID(id) {
		var none T
		return none, notThere
	}
	return take[T](query.Where("id = ?", id))
}

// one insists that a statement hit its row: GORM calls "nothing changed" a success.
func one(result *gorm.DB) error {
	if result.Error == nil && result.RowsAffected == 0 {
		return gorm.ErrRecordNotFound
	}
	return result.Error
}

// lock keeps the rows of a query from being changed by others to the end of the transaction. Others may
// still store rows that refer to them: with a stronger lock, two Admins who each make a token for the
// other would wait for one another.
func lock(query *gorm.DB) *gorm.DB {
	return query.Clauses(clause.Locking{Strength: "NO KEY UPDATE"})
}

// translate turns what the database said into our kinds.
func translate(err error) error {
	var ours *models.Error
	switch {
	case err == nil, errors.As(err, &ours), errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, gorm.ErrRecordNotFound):
		return notThere.Because(err)
	case errors.Is(err, gorm.ErrDuplicatedKey):
		return models.Fail(models.Conflict, "That exists already.").Because(err)
	}
	return models.Fail(models.Unavailable, "The database did not answer as it should. Nothing was changed. Try again in a moment.").Because(hinted(err))
}

// hinted tells whoever reads the log what to do where that is known: behind a pooler that gives each transaction another connection, statements that
// were prepared by a name are not there, or are there already.
func hinted(err error) error {
	var said *pgconn.PgError
	if errors.As(err, &said) && (said.Code == "26000" || said.Code == "42P05") {
		return fmt.Errorf("%w: there seems to be a pooler in transaction mode; add default_query_exec_mode=cache_describe to TOKENDESK_DATABASE_URL", err)
	}
	return err
}

// allow refuses what the actor may not do.
func allow(may bool, message string) error {
	if !may {
		return models.Fail(models.Forbidden, "%s", message)
	}
	return nil
}
