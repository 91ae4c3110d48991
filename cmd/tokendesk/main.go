// Command tokendesk is the console and the server that checks credentials.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"os/user"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	_ "time/tzdata" // people's time zones, wherever this runs

	"tokendesk/models"
)

// version is set by the linker for releases.
var version = ""

// console is what a command reads and writes.
type console struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) (string, bool)
}

// command is one row of the table of commands.
type command struct {
	name  string   // as it is typed, "person add"
	words []string // what it takes besides its flags
	help  string
	ready func(flags *flag.FlagSet) work // names the command's own flags; the work reads them
	bare  bool                           // needs no settings
	logs  bool                           // keeps a log, of which the reason for a failure is the last line
}

// work is what a command does once its flags and settings are read.
type work func(ctx context.Context, io console, c config, words []string) error

// only is for a command without flags of its own.
func only(w work) func(*flag.FlagSet) work { return func(*flag.FlagSet) work { return w } }

func commands() []command {
	return []command{
		{name: "serve", help: "start the console (the default)", ready: only(serve), logs: true},
		{name: "migrate up", help: "bring the database to this version's schema", ready: only(migrateUp)},
		{name: "migrate status", help: "list the steps of the schema", ready: only(migrateStatus)},
		{name: "person add", help: "add a person: --name NAME --email ADDRESS [--admin] [--workspace NAME], password on standard input", ready: personAdd},
		{name: "person password", words: []string{"ADDRESS"}, help: "set a person's password: ADDRESS, password on standard input", ready: only(personPassword)},
		{name: "person list", help: "list the people", ready: only(personList)},
		{name: "token list", help: "list the newest credentials", ready: only(tokenList)},
		{name: "token revoke", words: []string{"ID"}, help: "revoke a credential: ID [--reason TEXT]", ready: tokenRevoke},
		{name: "audit tail", help: "print the newest events: [-n 20] [-f]", ready: auditTail},
		{name: "audit verify", help: "walk the audit log's hash chain", ready: only(auditVerify)},
		{name: "backup", words: []string{"FILE"}, help: "write the SQLite database to a new file, while the server runs: FILE", ready: only(backup)},
		{name: "restore", words: []string{"FILE"}, help: "make the database what a backup is, while the server runs: FILE [--exact]", ready: restore},
		{name: "api", words: []string{"METHOD", "PATH"}, help: "call the management API: METHOD PATH [-d JSON|@FILE|-] [--url ADDRESS], the API key in TOKENDESK_API_KEY", ready: apiCall, bare: true},
		{name: "doctor", help: "check data directory, key, database, schema and audit log", ready: only(doctor)},
		{name: "sample", help: "run the sample product alone: [--listen 127.0.0.1:8090] [--file FILE]", ready: sampleAlone, logs: true},
		{name: "version", help: "print the version", ready: only(printVersion), bare: true},
		{name: "help", help: "print this", ready: only(printHelp), bare: true},
	}
}

func main() {
	os.Exit(run(context.Background(), os.Args[1:], console{os.Stdin, os.Stdout, os.Stderr, os.LookupEnv}))
}

// untilSignal is for what runs until it is told to end: its context ends with SIGINT or SIGTERM. From
// then on signals do again what they always do, so that a second one ends the program at once,
// whatever hangs. All other commands end at the first.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancel(ctx)
	came := make(chan os.Signal, 1)
	signal.Notify(came, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		select {
		case <-came:
		case <-ctx.Done():
		}
		signal.Stop(came) // before anybody learns of the end, or a second one could come in between and be lost
		end()
	}()
	return ctx, end
}

// run is the program but for the process: 0 is success, 1 a failure, 2 a wrong command or setting.
func run(ctx context.Context, args []string, io console) int {
	helpAsked := slices.ContainsFunc(args, func(word string) bool { return word == "--help" || word == "-help" || word == "-h" })
	cmd, args := find(args)
	if cmd == nil && helpAsked {
		help(io.out)
		return 0
	}
	if cmd == nil {
		return fail(io, false, usage{fmt.Sprintf("there is no command %q. See tokendesk --help.", masked(strings.Join(args, " ")))})
	}
	flags := newFlags(cmd.name)
	given := addFlags(flags)
	todo := cmd.ready(flags)
	words, err := parse(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		if cmd.name != "serve" {
			fmt.Fprintf(io.out, "tokendesk %s: %s\n\n", cmd.name, cmd.help)
		}
		help(io.out)
		return 0
	}
	var c config
	if err == nil && !cmd.bare {
		c, err = readConfig(given, io.env)
	}
	if err == nil {
		err = cmd.count(words)
	}
	if err == nil {
		err = todo(ctx, io, c, words)
	}
	if err != nil {
		return fail(io, cmd.logs && c.logFormat == "json", err)
	}
	return 0
}

// find takes the command from the front of the arguments; serve when they begin with a flag. Where
// there is none of that name, it answers the words that were taken for one: no flags, because these
// may have a password in them.
func find(args []string) (*command, []string) {
	list := commands()
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return &list[0], args
	}
	begun := 1
	for i := range list {
		words := strings.Fields(list[i].name)
		if len(args) >= len(words) && strings.Join(args[:len(words)], " ") == list[i].name {
			return &list[i], args[len(words):]
		}
		if words[0] == args[0] && len(args) > 1 && !strings.HasPrefix(args[1], "-") {
			begun = 2
		}
	}
	return nil, args[:begun]
}

// newFlags makes flags that print nothing: what is wrong with them is told in one line, without the
// whole help behind it.
func newFlags(name string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}

// parse reads a command's flags, which may stand before, between and after its words.
func parse(flags *flag.FlagSet, args []string) (words []string, err error) {
	for len(args) > 0 {
		if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
			return nil, err
		} else if err != nil {
			return nil, usage{fmt.Sprintf("%s: %s. See tokendesk --help.", flags.Name(), err)}
		}
		if args = flags.Args(); len(args) > 0 {
			words, args = append(words, args[0]), args[1:]
		}
	}
	return words, nil
}

// count insists on as many words as the command takes. It quotes none: a stray one may be a password.
func (c *command) count(words []string) error {
	switch {
	case len(words) < len(c.words):
		return usage{fmt.Sprintf("%s: %s is missing. See tokendesk --help.", c.name, c.words[len(words)])}
	case len(words) > len(c.words):
		return usage{fmt.Sprintf("%s: there are more arguments than it takes. See tokendesk --help.", c.name)}
	}
	return nil
}

func help(w io.Writer) {
	fmt.Fprintln(w, "Tokendesk issues, shows once, manages, checks and revokes the credentials of an API.")
	fmt.Fprintln(w, "\nUsage: tokendesk [COMMAND] [SETTINGS]")
	fmt.Fprintln(w, "\nCommands:")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-16s %s\n", c.name, c.help)
	}
	fmt.Fprintln(w)
	printSettings(w)
	fmt.Fprintln(w, "\nA flag wins over its variable. Exit codes: 0 done, 1 failed, 2 wrong command or setting.")
}

func printHelp(_ context.Context, io console, _ config, _ []string) error {
	help(io.out)
	return nil
}

// operator is whoever types at the server's command line.
func operator() models.Actor {
	name := fmt.Sprintf("user %d", os.Getuid()) // in a container, users often have no name
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return models.Actor{Kind: models.Command, Name: name, RequestID: models.NewID()}
}

func printVersion(_ context.Context, io console, _ config, _ []string) error {
	_, err := fmt.Fprintln(io.out, "tokendesk", programVersion())
	return err
}

// programVersion is the release, or the commit that the program was built from.
func programVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "development"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" && !strings.HasPrefix(v, "v0.0.0-") {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "development " + s.Value[:12]
		}
	}
	return "development"
}
