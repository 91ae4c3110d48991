package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"tokendesk/models"
	"tokendesk/models/store"
)

// withStore opens the database of an installation for one command, at this program's schema. In a
// folder without one it says so, instead of making an empty one in a place that nobody meant.
func withStore(ctx context.Context, c config, do func(*store.Store) error) error {
	if c.databaseURL == "" {
		if _, err := os.Stat(filepath.Join(c.dataDir, store.FileName)); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there is no database in %s: set TOKENDESK_DATA_DIR to the server's, or start the server once", c.dataDir)
		}
	}
	return withNewStore(ctx, c, do)
}

// withNewStore is withStore for the command that may be an installation's first.
func withNewStore(ctx context.Context, c config, do func(*store.Store) error) error {
	return withAnySchema(ctx, c, func(s *store.Store) error {
		if _, err := s.Migrate(ctx); err != nil {
			return err
		}
		return do(s)
	})
}

// longestLine is more than any password may have, so that none is cut off unnoticed.
const longestLine = 4096

// readPassword takes the password from the first line of standard input, where it leaves no trace in a
// list of processes or a shell's history.
func readPassword(in io.Reader) (string, error) {
	line, err := bufio.NewReaderSize(in, longestLine).ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", usage{"the line on standard input is longer than any password may be"}
	case err != nil && !errors.Is(err, io.EOF):
		return "", fmt.Errorf("the password cannot be read from standard input: %w", err)
	case len(line) == 0:
		return "", usage{"write the password to standard input, in one line"}
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r"), nil
}

func personAdd(flags *flag.FlagSet) work {
	name, email := flags.String("name", "", ""), flags.String("email", "", "")
	admin, workspace := flags.Bool("admin", false, ""), flags.String("workspace", "", "")
	return func(ctx context.Context, io console, c config, _ []string) error {
		if *workspace != "" && !*admin {
			return usage{"person add: --workspace names the first Admin's workspace, and goes with --admin"}
		}
		password, err := readPassword(io.in)
		if err != nil {
			return err
		}
		n := models.NewPerson{Name: *name, Email: *email, Role: models.Member, Password: password}
		return withNewStore(ctx, c, func(s *store.Store) error {
			var person models.Person
			if *admin {
				person, err = s.AddAdmin(ctx, operator(), n, models.NewWorkspace{Name: *workspace})
			} else {
				person, err = s.CreatePerson(ctx, operator(), n)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(io.out, "Added %s <%s> as %s: %s\n", person.Name, person.Email, person.Role, person.ID)
			return err
		})
	}
}

func personPassword(ctx context.Context, io console, c config, words []string) error {
	password, err := readPassword(io.in)
	if err != nil {
		return err
	}
	return withStore(ctx, c, func(s *store.Store) error {
		person, err := s.PersonByEmail(ctx, words[0])
		if models.KindOf(err) == models.NotFound {
			return fmt.Errorf("nobody here has the address %q", words[0])
		}
		if err != nil {
			return err
		}
		ctx, receipt := store.WithReceipt(ctx)
		if err := s.SetPassword(ctx, operator(), person.ID, password); err != nil {
			return err
		}
		_, err = fmt.Fprintf(io.out, "The password of %s is set. They are signed out everywhere.%s\n", person.Name, after(receipt.Said(models.InEffectOn)))
		return err
	})
}

func personList(ctx context.Context, io console, c config, _ []string) error {
	return withStore(ctx, c, func(s *store.Store) error {
		table := tabwriter.NewWriter(io.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tNAME\tEMAIL\tROLE\tSTATUS")
		var after models.Place
		for {
			people, next, err := s.People(ctx, operator(), models.PeopleFilter{After: after})
			if err != nil {
				return err
			}
			for _, p := range people {
				status := "active"
				if !p.Active() {
					status = "deactivated"
				}
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", p.ID, p.Name, p.Email, p.Role, status)
			}
			if after = next; next.ID == "" {
				return table.Flush()
			}
		}
	})
}

func tokenList(ctx context.Context, io console, c config, _ []string) error {
	return withStore(ctx, c, func(s *store.Store) error {
		list, owners, err := s.Credentials(ctx, operator(), 1000)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(io.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tKIND\tTOKEN\tOWNER OR NAME\tSTATUS\tCREATED\tEXPIRES\tCALLS")
		for _, t := range list {
			expires := "never"
			if t.ExpiresAt != nil {
				expires = t.ExpiresAt.UTC().Format(time.DateOnly)
			}
			fmt.Fprintf(table, "%s\t%s\t%s...%s\t%s\t%s\t%s\t%s\t%d\n", t.ID, t.Kind, t.Prefix, t.Last4, cmp.Or(owners[t.PersonID].Email, t.Name),
				t.State(models.SystemClock()), t.CreatedAt.UTC().Format(time.DateOnly), expires, t.Usage.Calls)
		}
		return table.Flush()
	})
}

func tokenRevoke(flags *flag.FlagSet) work {
	reason := flags.String("reason", "", "")
	return func(ctx context.Context, io console, c config, words []string) error {
		return withStore(ctx, c, func(s *store.Store) error {
			ctx, receipt := store.WithReceipt(ctx)
			token, err := s.RevokeCredential(ctx, operator(), words[0], models.Revocation{Reason: *reason})
			if models.KindOf(err) == models.NotFound {
				return errors.New("there is no credential with this ID: tokendesk token list has them")
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(io.out, "%s... is revoked since %s. Requests with it are refused.%s\n", token.Prefix, token.RevokedAt.UTC().Format(time.RFC3339), after(receipt.Said(models.RefusedBy)))
			return err
		})
	}
}

// after puts a sentence behind another one.
func after(sentence string) string {
	if sentence == "" {
		return ""
	}
	return " " + sentence
}
