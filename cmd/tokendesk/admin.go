package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"text/tabwriter"
	"time"

	"tokendesk/models"
	"tokendesk/models/store"
)

// withStore opens the database for one command. What the store logs goes nowhere: the command says
// itself what failed.
func withStore(ctx context.Context, c config, work func(*store.Store) error) error {
	s, err := openStore(ctx, c, slog.New(slog.DiscardHandler), true)
	if err != nil {
		return err
	}
	defer s.Close()
	return work(s)
}

// parse reads a command's own flags, and insists on so many words besides. Flags may stand before
// and after the words.
func parse(name string, define func(*flag.FlagSet), args []string, words int) ([]string, error) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	if define != nil {
		define(flags)
	}
	var found []string
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			return nil, usage{fmt.Sprintf("%s: %s. See tokendesk --help.", name, err)}
		}
		if args = flags.Args(); len(args) > 0 {
			found, args = append(found, args[0]), args[1:]
		}
	}
	if len(found) != words {
		return nil, usage{fmt.Sprintf("%s takes %d arguments besides its flags, and here are %d. See tokendesk --help.", name, words, len(found))}
	}
	return found, nil
}

// readPassword takes the password from the first line of standard input, where it leaves no trace in a
// list of processes or a shell's history.
func readPassword(in io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(in, 4096)).ReadString('\n')
	if err != nil && line == "" {
		return "", usage{"write the password to standard input, in one line"}
	}
	return strings.TrimRight(line, "\r\n"), nil
}

func personAdd(ctx context.Context, io console, c config, args []string) error {
	var n models.NewPerson
	var workspace string
	var admin bool
	_, err := parse("person add", func(f *flag.FlagSet) {
		f.StringVar(&n.Name, "name", "", "")
		f.StringVar(&n.Email, "email", "", "")
		f.BoolVar(&admin, "admin", false, "")
		f.StringVar(&workspace, "workspace", "Main", "")
	}, args, 0)
	if err != nil {
		return err
	}
	if n.Password, err = readPassword(io.in); err != nil {
		return err
	}
	return withStore(ctx, c, func(s *store.Store) error {
		var person models.Person
		if admin {
			person, err = s.AddAdmin(ctx, operator(), n, models.NewWorkspace{Name: workspace})
		} else {
			n.Role = models.Member
			person, err = s.CreatePerson(ctx, operator(), n)
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(io.out, "Added %s <%s> as %s: %s\n", person.Name, person.Email, person.Role, person.ID)
		return nil
	})
}

func personPassword(ctx context.Context, io console, c config, args []string) error {
	words, err := parse("person password", nil, args, 1)
	if err != nil {
		return err
	}
	password, err := readPassword(io.in)
	if err != nil {
		return err
	}
	return withStore(ctx, c, func(s *store.Store) error {
		person, err := s.PersonByEmail(ctx, words[0])
		if models.KindOf(err) == models.NotFound {
			return fmt.Errorf("nobody here has the address %s", words[0])
		}
		if err != nil {
			return err
		}
		if err := s.SetPassword(ctx, operator(), person.ID, password); err != nil {
			return err
		}
		fmt.Fprintf(io.out, "The password of %s is set. They are signed out everywhere.\n", person.Name)
		return nil
	})
}

func personList(ctx context.Context, io console, c config, args []string) error {
	if _, err := parse("person list", nil, args, 0); err != nil {
		return err
	}
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

func tokenList(ctx context.Context, io console, c config, args []string) error {
	if _, err := parse("token list", nil, args, 0); err != nil {
		return err
	}
	return withStore(ctx, c, func(s *store.Store) error {
		list, owners, err := s.Credentials(ctx, operator(), 1000)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(io.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tKIND\tTOKEN\tOWNER\tSTATUS\tCREATED\tEXPIRES\tCALLS")
		for _, t := range list {
			expires := "never"
			if t.ExpiresAt != nil {
				expires = t.ExpiresAt.UTC().Format(time.DateOnly)
			}
			fmt.Fprintf(table, "%s\t%s\t%s...%s\t%s\t%s\t%s\t%s\t%d\n", t.ID, t.Kind, t.Prefix, t.Last4, owners[t.PersonID].Email,
				t.State(models.SystemClock()), t.CreatedAt.UTC().Format(time.DateOnly), expires, t.Usage.Calls)
		}
		return table.Flush()
	})
}

func tokenRevoke(ctx context.Context, io console, c config, args []string) error {
	var r models.Revocation
	words, err := parse("token revoke", func(f *flag.FlagSet) { f.StringVar(&r.Reason, "reason", "", "") }, args, 1)
	if err != nil {
		return err
	}
	return withStore(ctx, c, func(s *store.Store) error {
		token, err := s.RevokeCredential(ctx, operator(), words[0], r)
		if models.KindOf(err) == models.NotFound {
			return fmt.Errorf("there is no credential with the ID %s: tokendesk token list has them", words[0])
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(io.out, "%s... is revoked since %s. Requests with it are refused.\n", token.Prefix, token.RevokedAt.UTC().Format(time.RFC3339))
		return nil
	})
}
