package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"tokendesk/handlers"
	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/archive"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/web"
	"tokendesk/web/session"
)

// openLog makes the log that the settings ask for.
func openLog(io console, c config) *slog.Logger {
	if c.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(io.err, nil))
	}
	return slog.New(slog.NewTextHandler(io.err, nil))
}

// openData makes the data directory and what is in it, and says what is wrong where it cannot.
func openData(c config) (secret.Key, error) {
	if err := os.MkdirAll(c.dataDir, 0o700); err != nil {
		return secret.Key{}, fmt.Errorf("the data directory %s cannot be made: %w", c.dataDir, bare(err))
	}
	probe, err := os.CreateTemp(c.dataDir, ".probe-*")
	if err != nil {
		return secret.Key{}, fmt.Errorf("the data directory %s cannot be written to: %w", c.dataDir, bare(err))
	}
	_ = probe.Close()
	_ = os.Remove(probe.Name())
	if err := os.MkdirAll(spoolDir(c), 0o700); err != nil {
		return secret.Key{}, fmt.Errorf("the folder %s cannot be made: %w", spoolDir(c), bare(err))
	}
	return secret.OpenKey(c.keyFile)
}

func spoolDir(c config) string { return filepath.Join(c.dataDir, "spool") }

// bare is a file error without the path, which the sentence around it has already.
func bare(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// openStore connects to the database and, unless it is only looked at, brings it to this schema.
func openStore(ctx context.Context, c config, log *slog.Logger, migrate bool) (*store.Store, error) {
	if c.databaseURL == "" {
		if err := os.MkdirAll(c.dataDir, 0o700); err != nil {
			return nil, fmt.Errorf("the data directory %s cannot be made: %w", c.dataDir, bare(err))
		}
	}
	s, err := store.Open(ctx, store.Settings{
		URL: c.databaseURL, DataDir: c.dataDir, Clock: models.SystemClock, NewID: models.NewID, Hasher: secret.NewHasher(0, 0), Log: log,
	})
	if err != nil {
		return nil, err
	}
	if !migrate {
		return s, nil
	}
	steps, err := s.Migrate(ctx)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	for _, step := range steps {
		log.Info("schema step applied", slog.String("step", step.Name))
	}
	return s, nil
}

// app is the server's parts, put together.
type app struct {
	store  *store.Store
	tally  *access.Tally
	server *web.Server
}

func wire(c config, key secret.Key, s *store.Store, log *slog.Logger) app {
	tally := access.NewTally()
	h := &handlers.Handlers{
		Store: s, Gate: access.NewGate(s, tally, models.SystemClock), Throttle: access.NewThrottle(models.SystemClock),
		Sessions: session.NewStore(s, secure(c)), Key: key, Clock: models.SystemClock, Log: log, Limits: archive.DefaultLimits,
		SpoolDir: spoolDir(c), BaseURL: c.baseURL, Version: programVersion(),
	}
	return app{store: s, tally: tally, server: web.New(h, c.trustedProxies)}
}

func secure(c config) bool { return len(c.baseURL) > 8 && c.baseURL[:8] == "https://" }
