// Command seed fills an empty database with as much as an installation gathers in years, to measure on and to try
// things out. It is a tool for developers and no part of the product.
//
//	go run ./cmd/seed --data-dir DIR | --database-url URL [--people 100000 ...]
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/seed"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "seed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	var set seed.Settings
	flags := flag.NewFlagSet("seed", flag.ExitOnError)
	flags.StringVar(&set.DataDir, "data-dir", "", "folder for an SQLite database; it is made when it is not there")
	flags.StringVar(&set.URL, "database-url", "", "postgres://… of an empty PostgreSQL database")
	flags.IntVar(&set.Size.People, "people", 100_000, "how many people")
	flags.IntVar(&set.Size.Workspaces, "workspaces", 1000, "how many workspaces")
	flags.IntVar(&set.Size.Credentials, "credentials", 1_000_000, "how many bearer tokens; nine in ten are one person's. There are a quarter as many API tokens")
	flags.IntVar(&set.Size.Events, "events", 5_000_000, "how many events")
	flags.Uint64Var(&set.Seed, "seed", 1, "a number; the same one makes the same rows")
	password := flags.String("password", "", "everybody's password; without it one is made up and printed")
	until := flags.String("until", time.Now().UTC().Format(time.DateOnly), "the day with which two years of history end, YYYY-MM-DD")
	_ = flags.Parse(args) // ends the program where it fails
	if (set.DataDir == "") == (set.URL == "") || flags.NArg() > 0 {
		return fmt.Errorf("say where: either --data-dir or --database-url. See --help")
	}
	var err error
	if set.Until, err = time.Parse(time.DateOnly, *until); err != nil || set.Until.After(time.Now()) {
		return fmt.Errorf("--until takes a day that has begun, like %s", time.Now().UTC().Format(time.DateOnly))
	}
	if set.DataDir != "" {
		if err := os.MkdirAll(set.DataDir, 0o700); err != nil {
			return err
		}
	}
	return fill(ctx, set, *password)
}

func fill(ctx context.Context, set seed.Settings, password string) (err error) {
	if password == "" {
		password = secret.FormID() // 128 random bits
	}
	hasher := secret.NewHasher(0, 0)
	if set.PasswordHash, err = hasher.Hash(ctx, password); err != nil {
		return err
	}
	set.Clock, set.NewID, set.Hasher, set.Log = models.SystemClock, models.NewID, hasher, slog.New(slog.DiscardHandler)
	start := time.Now()
	set.Say = func(what string) { fmt.Printf("%6.1fs  %s\n", time.Since(start).Seconds(), what) }
	if err := seed.Fill(ctx, set); err != nil {
		return err
	}
	set.Say("done")
	fmt.Printf("Sign in as ines@marlowe.example, or as anybody else, with the password: %s\n", password)
	return nil
}
