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
	"strings"
	"syscall"

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
	name string // as it is typed, "person add"
	help string
	run  func(ctx context.Context, io console, c config, args []string) error
	bare bool // needs no settings
}

func commands() []command {
	return []command{
		{name: "serve", help: "start the console (the default)", run: serve},
		{name: "migrate up", help: "bring the database to this version's schema", run: migrateUp},
		{name: "migrate status", help: "list the steps of the schema", run: migrateStatus},
		{name: "person add", help: "add a person: --name NAME --email ADDRESS [--admin] [--workspace NAME], password on standard input", run: personAdd},
		{name: "person password", help: "set a person's password: ADDRESS, password on standard input", run: personPassword},
		{name: "person list", help: "list the people", run: personList},
		{name: "token list", help: "list the newest credentials", run: tokenList},
		{name: "token revoke", help: "revoke a credential: ID [--reason TEXT]", run: tokenRevoke},
		{name: "audit tail", help: "print the newest events: [-n 20] [-f]", run: auditTail},
		{name: "audit verify", help: "walk the audit log's hash chain", run: auditVerify},
		{name: "doctor", help: "check settings, data directory, key, database and schema", run: doctor},
		{name: "version", help: "print the version", run: printVersion, bare: true},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	code := run(ctx, os.Args[1:], console{os.Stdin, os.Stdout, os.Stderr, os.LookupEnv})
	stop()
	os.Exit(code)
}

// usage is a mistake in how the command was typed.
type usage struct{ text string }

func (u usage) Error() string { return u.text }

// run is the program but for the process: 0 is success, 1 a failure, 2 a wrong command or setting.
func run(ctx context.Context, args []string, io console) int {
	cmd, rest := find(args)
	if cmd == nil {
		fmt.Fprintf(io.err, "tokendesk: there is no command %q. See tokendesk --help.\n", strings.Join(args, " "))
		return 2
	}
	flags := flag.NewFlagSet("tokendesk "+cmd.name, flag.ContinueOnError)
	flags.SetOutput(io.err)
	flags.Usage = func() { help(io.err) }
	values := addFlags(flags)
	settingArgs, own := split(rest)
	if err := flags.Parse(settingArgs); errors.Is(err, flag.ErrHelp) {
		help(io.out)
		return 0
	} else if err != nil {
		return 2
	}
	var c config
	if !cmd.bare {
		var err error
		if c, err = readConfig(flags, values, io.env); err != nil {
			fmt.Fprintln(io.err, "tokendesk:", err)
			return 2
		}
	}
	if err := cmd.run(ctx, io, c, own); err != nil {
		fmt.Fprintln(io.err, "tokendesk:", plain(err))
		if errors.As(err, &usage{}) {
			return 2
		}
		return 1
	}
	return 0
}

// find takes the command from the front of the arguments; serve when they begin with a flag.
func find(args []string) (*command, []string) {
	list := commands()
	for i := range list {
		words := strings.Fields(list[i].name)
		if len(args) >= len(words) && strings.Join(args[:len(words)], " ") == list[i].name {
			return &list[i], args[len(words):]
		}
	}
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return &list[0], args
	}
	return nil, nil
}

// split tells the flags of settings, which every command has, from a command's own.
func split(args []string) (setting, own []string) {
	known := map[string]bool{"help": true, "h": true}
	for _, s := range settings {
		known[s.flag()] = true
	}
	for i := 0; i < len(args); i++ {
		name, _, joined := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		if !strings.HasPrefix(args[i], "-") || !known[name] {
			own = append(own, args[i])
			continue
		}
		setting = append(setting, args[i])
		if !joined && name != "help" && name != "h" && i+1 < len(args) {
			i++
			setting = append(setting, args[i])
		}
	}
	return setting, own
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
}

// plain is an error as a person at a terminal reads it: the sentence, and the cause behind it.
func plain(err error) string {
	var e *models.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	text := e.Message
	for _, f := range e.Fields {
		text = f.Message
	}
	if cause := errors.Unwrap(e); cause != nil && models.KindOf(err) != models.NotFound {
		text += " (" + strings.ReplaceAll(cause.Error(), "\n", "; ") + ")"
	}
	return text
}

// operator is whoever types at the server's command line.
func operator() models.Actor {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return models.Actor{Kind: models.Command, Name: name, RequestID: models.NewID()}
}

func printVersion(_ context.Context, io console, _ config, _ []string) error {
	fmt.Fprintln(io.out, "tokendesk", programVersion())
	return nil
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
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "development " + s.Value[:12]
		}
	}
	return "development"
}
