package main

import (
	"strings"
	"testing"
)

// Help goes where output goes, once, and names every command, and every setting with its flag and default.
func TestHelp(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"--help", "-h", "help", "serve --help", "person add -h", "--listen 1 --help", "token revoke --help", "audit --help"} {
		r := launch(t, nil, "", strings.Fields(args)...).wait(t)
		if r.code != 0 || r.err != "" || strings.Count(r.out, "Usage: ") != 1 {
			t.Errorf("%s: exit code %d, stderr %q, stdout %q", args, r.code, r.err, r.out)
		}
		for _, c := range commands() {
			if !strings.Contains(r.out, "\n  "+c.name+" ") {
				t.Errorf("%s does not name the command %s", args, c.name)
			}
		}
		for _, s := range settings {
			want := []string{s.variable(), "--" + s.flag(), s.standard + s.empty}
			if !hasLine(r.out, want...) || s.standard+s.empty == "" {
				t.Errorf("%s has no line with %q", args, want)
			}
		}
	}
}

// hasLine says whether one line of the text has all of the parts.
func hasLine(text string, parts ...string) bool {
lines:
	for line := range strings.Lines(text) {
		for _, part := range parts {
			if !strings.Contains(line, part) {
				continue lines
			}
		}
		return true
	}
	return false
}

func TestVersion(t *testing.T) {
	t.Parallel()
	r := launch(t, []string{"TOKENDESK_LISTEN=nonsense"}, "", "version").wait(t)
	if r.code != 0 || r.err != "" || r.out != "tokendesk "+programVersion()+"\n" {
		t.Errorf("exit code %d, stdout %q, stderr %q", r.code, r.out, r.err)
	}
}

// A mistake in typing is told in one line, which never quotes what may be a password.
func TestWrongCommands(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, want string }{
		{"frobnicate", `there is no command "frobnicate"`},
		{"frobnicate --database-url postgres://desk:hunter2@db/desk", `there is no command "frobnicate"`},
		{"postgres://desk:hunter2@db/desk", `there is no command "postgres://desk:xxxxx@db/desk"`},
		{"person", `there is no command "person"`},
		{"person frobnicate hunter2", `there is no command "person frobnicate"`},
		{"person --name hunter2", `there is no command "person"`},
		{"serve postgres://desk:hunter2@db/desk", "serve: there are more arguments than it takes"},
		{"--lisen 127.0.0.1:0", "serve: flag provided but not defined: -lisen"},
		{"doctor --database-ur=postgres://desk:hunter2@db/desk", "doctor: flag provided but not defined: -database-ur"},
		{"version hunter2", "version: there are more arguments than it takes"},
		{"serve --listen", "serve: flag needs an argument: -listen"},
		{"token revoke", "token revoke: ID is missing"},
		{"token revoke one two", "token revoke: there are more arguments than it takes"},
		{"token revoke --reason why", "token revoke: ID is missing"},
		{"token list --reason why", "token list: flag provided but not defined: -reason"},
		{"person password", "person password: ADDRESS is missing"},
		{"audit tail -n many", `audit tail: invalid value "many" for flag -n`},
		{"audit tail -n 0", "audit tail -n takes a number from 1 to 10000"},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			in := onSQLite(t)
			r := in.run(t, "", strings.Fields(c.args)...)
			r.wantOneLine(t, 2, c.want)
			in.wantUntouched(t)
		})
	}
}

// wantOneLine insists that the program printed one line, on standard error, with these texts in it.
func (r result) wantOneLine(t *testing.T, code int, want ...string) {
	t.Helper()
	if r.code != code || r.out != "" {
		t.Errorf("exit code %d, want %d; stdout %q", r.code, code, r.out)
	}
	if !strings.HasPrefix(r.err, "tokendesk: ") || strings.Count(r.err, "\n") != 1 || !strings.HasSuffix(r.err, "\n") {
		t.Errorf("stderr is not one line of the program: %q", r.err)
	}
	for _, text := range want {
		if !strings.Contains(r.err, text) {
			t.Errorf("stderr does not say %q: %q", text, r.err)
		}
	}
	if strings.Contains(r.err, "hunter2") {
		t.Errorf("stderr has the password: %q", r.err)
	}
}
