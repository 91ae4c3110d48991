package main_test

import (
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// never is what no file of the program uses, and what could come of it. What only tests and developers'
// tools use is not in it. An exception is a decision, and has a line in allowed.
var never = map[string]string{
	"unsafe": "memory", "C": "memory", "plugin": "foreign code", "os/exec": "commands", "text/template": "templates", "html/template": "templates",
	"encoding/gob": "objects out of text", "encoding/xml": "entities", "net/rpc": "foreign calls", "net/smtp": "mail", "net/http/pprof": "the inside, shown", "expvar": "the inside, shown", "net/http/cgi": "commands",
	"net/http/httputil": "another server, called", "math/rand": "randomness that can be guessed", "math/rand/v2": "randomness that can be guessed",
	"crypto/md5": "a broken hash", "crypto/sha1": "a broken hash", "crypto/des": "a broken cipher", "crypto/rc4": "a broken cipher", "crypto/rsa": "keys nobody asked for", "crypto/dsa": "keys nobody asked for",

	"net/http.Get": "another server, called", "net/http.Post": "another server, called", "net/http.PostForm": "another server, called", "net/http.Head": "another server, called", "net/http.Client": "another server, called",
	"net/http.DefaultClient": "another server, called", "net/http.Transport": "another server, called", "net/http.DefaultTransport": "another server, called", "net/http.NewRequest": "another server, called",
	"net/http.NewRequestWithContext": "another server, called", "net.Dial": "another server, called", "net.DialTimeout": "another server, called", "net.Dialer": "another server, called",
	"net/http.FileServer": "folders, listed", "net/http.FileServerFS": "folders, listed", "net/http.ServeFile": "files by a caller's name", "net/http.Dir": "folders, listed",
	"github.com/a-h/templ.Raw": "markup out of text", "github.com/a-h/templ.SafeURL()": "addresses that run", "github.com/a-h/templ.SafeCSS": "style out of text", "github.com/a-h/templ.JSUnsafeFuncCall": "script out of text",
	"reflect.NewAt": "memory", ".AddInsecureBypassPattern": "a hole in W1",
}

var allowed = map[string]string{
	"models/secret/token.go unsafe": "wipes a secret that was shown, in place: a copy would not do",

	// A file of counts is mapped into memory: what lies there has the shape that it was written in.
	"models/access/tally_file.go unsafe":  "counts in a mapped file",
	"models/access/tally_drain.go unsafe": "reads what a dead server counted",

	// The gateway calls products: that is what it is for.
	"web/gateway/gateway.go net/http/httputil":            "sends calls on",
	"web/gateway/request.go net/http/httputil":            "sends calls on",
	"web/gateway/line.go net/http.Transport":              "sends calls on",
	"web/gateway/dial.go net.Dialer":                      "looks at each address before it is called",
	"web/gateway/probe.go net/http.NewRequestWithContext": "tries a product's address",

	// The command-line client of the management API calls the server that its user names.
	"cmd/tokendesk/api.go net/http.NewRequestWithContext": "calls the management API",
	"cmd/tokendesk/api.go net/http.Client":                "calls the management API",
	"cmd/tokendesk/api.go net/http.Transport":             "calls the management API",
	"cmd/tokendesk/api.go net.Dialer":                     "calls the management API",
}

// Security rule W7 (ASVS 1.2.5, 1.3.2, 1.3.6, 1.3.7, 1.4.1, 1.5.1, 1.5.2, 11.3.2, 11.4.1, 11.5.1, 13.2.4): the program
// runs no command, calls no other server but its database, makes no markup out of text, reads no
// objects, and uses no broken cryptography. Nothing of what would do so is in it.
func TestW7NothingDangerousIsUsed(t *testing.T) {
	used, imports := map[string][]string{}, map[string][]string{}
	sources(t, func(file string, source *ast.File) {
		used[file] = partsOf(source)
		for _, part := range used[file] {
			if ours, ok := strings.CutPrefix(part, "tokendesk/"); ok {
				imports[path.Dir(file)] = append(imports[path.Dir(file)], ours)
			}
		}
	})
	program := []string{command}
	for i := 0; i < len(program); i++ {
		for _, name := range imports[program[i]] {
			if !slices.Contains(program, name) && !strings.Contains(path.Base(name), ".") {
				program = append(program, name)
			}
		}
	}
	for file, parts := range used {
		for _, part := range parts {
			if reason, bad := never[part]; bad && slices.Contains(program, path.Dir(file)) && allowed[file+" "+part] == "" {
				t.Errorf("%s uses %s: %s", file, part, reason)
			}
		}
	}
	for line := range allowed {
		if file, part, _ := strings.Cut(line, " "); !slices.Contains(used[file], part) {
			t.Errorf("%q is allowed, and is not there", line)
		}
	}
	if len(program) < 10 || slices.Contains(program, "web/webtest") {
		t.Errorf("the program is %v", program)
	}
}

// partsOf are the packages that a file imports and the names that it uses of them, "net/http.Get", with
// "()" where they are called, or converted to; and the methods and fields of anything, ".Close".
func partsOf(source *ast.File) (found []string) {
	names := map[string]string{}
	for _, spec := range source.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(imported)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = imported
		found = append(found, imported)
	}
	ast.Inspect(source, func(node ast.Node) bool {
		called := ""
		if call, ok := node.(*ast.CallExpr); ok {
			node, called = call.Fun, "()"
		}
		if used, ok := node.(*ast.SelectorExpr); ok {
			found = append(found, "."+used.Sel.Name)
			if from, ok := used.X.(*ast.Ident); ok && names[from.Name] != "" {
				found = append(found, names[from.Name]+"."+used.Sel.Name+called)
			}
		}
		return true
	})
	return found
}

// statements are the methods whose first argument is SQL.
var statements = []string{"Exec", "Raw", "Where", "Or", "Not", "Order", "Select", "Joins", "Group", "Having", "ExecContext", "QueryContext", "QueryRowContext"}

// sqlArguments are our own functions that hand SQL on to those, and which argument it is.
var sqlArguments = map[string]int{"part": 0, "where": 1, "index": 2, "indexByEnd": 2, "used": 2, "ask": 1}

// ASVS 1.2.4: every piece of SQL is written in the source, with a place for each value. One that is put
// together has a line here, and what it is put together from is a column's name of ours.
func TestSQLIsWrittenAndNotMade(t *testing.T) {
	known := []string{
		`column + " = ?"`, `column + " = ? AND deleted_at IS NULL"`, `asListed(f)`, `expiryOrder(at.Part)`, `strings.Join(parts, " UNION ALL ")`,
		// Of the list of every credential: columns and signs that stand in credential_order.go, and conditions that were checked where they were handed on.
		`sql`, `p.sql`, `from.order`, `"(" + from.end + ", " + from.id + ") " + from.sign + " (?, ?)"`, `from.id + " " + from.sign + " ?"`, `sql + " AND credentials.expires_at " + begin + " ?"`,
		// Of days that turn: how each database has a list of credentials, as it stands in usage_days.go.
		`intoDays + "SELECT credential_id, day, day_calls, day_refused FROM usages WHERE" + among + " AND day < $2 AND day_calls + day_refused > 0 ORDER BY credential_id" + addUsageDay`,
		`"UPDATE usages SET day = $2, day_calls = 0, day_refused = 0 WHERE" + among + " AND day < $2"`,
		// Of replicas: what each database calls its clock and its history, as it stands in replicas.go; and of what is read at every call (grants.go).
		`statement`, `s.snapshotSQL()`, `s.togetherSQL()`, `"SELECT " + s.renewed()`, `s.replacedByHash`,
		`"SELECT here.standby, r.id, r.name, r.acked_seq, r.lease_no FROM (SELECT " + s.moment() + ") AS here LEFT JOIN replicas r ON 1 = 1 ORDER BY r.name, r.id"`,
		// The values of statements that were prepared.
		`u.CredentialID`, `d.CredentialID`,
	}
	constants := constantsOf(t, "models/store")
	checked := 0
	sources(t, func(file string, source *ast.File) {
		if path.Dir(file) != "models/store" {
			return
		}
		ast.Inspect(source, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			name := calledName(call)
			argument, ours := sqlArguments[name]
			if !ours && !slices.Contains(statements, name) {
				return true
			}
			if _, is := call.Args[0].(*ast.FuncLit); is || rendered(t, call.Fun) == "cmp.Or" { // (*sql.Conn).Raw, and what only has the name
				return true
			}
			if strings.HasSuffix(name, "Context") || name == "Exec" && rendered(t, call.Args[0]) == "ctx" { // as database/sql has it, and pgx
				argument = 1
			}
			text := call.Args[min(argument, len(call.Args)-1)]
			checked++
			if made := rendered(t, text); !written(text, constants) && !slices.Contains(known, made) {
				t.Errorf("%s: %s(%s) is SQL that is made and not written", file, name, made)
			}
			return true
		})
	})
	if checked < 30 {
		t.Errorf("only %d statements were found", checked)
	}
}

// calledName is the name of what is called, a method or a function that was made on the spot.
func calledName(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		return f.Sel.Name
	case *ast.Ident:
		return f.Name
	}
	return ""
}

// written says whether an expression is a text that stands in the source, in one piece or several, or a
// constant of the package.
func written(e ast.Expr, constants map[string]bool) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Kind == token.STRING
	case *ast.Ident:
		return constants[e.Name]
	case *ast.BinaryExpr:
		return e.Op == token.ADD && written(e.X, constants) && written(e.Y, constants)
	case *ast.ParenExpr:
		return written(e.X, constants)
	}
	return false
}

// constantsOf are the names of a package's constants that are texts: whatever they are made of, it stands in the source.
func constantsOf(t *testing.T, folder string) map[string]bool {
	names := map[string]bool{}
	sources(t, func(file string, source *ast.File) {
		if path.Dir(file) != folder {
			return
		}
		for _, d := range source.Decls {
			group, ok := d.(*ast.GenDecl)
			if !ok || group.Tok != token.CONST {
				continue
			}
			for _, spec := range group.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					names[name.Name] = true
				}
			}
		}
	})
	return names
}

func rendered(t *testing.T, e ast.Expr) string {
	t.Helper()
	var b strings.Builder
	if err := printer.Fprint(&b, token.NewFileSet(), e); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The two searches find what they are for.
func TestTheSearchesBite(t *testing.T) {
	source, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\nimport (h \"net/http\"; \"unsafe\")\nvar _ = h.Get(``)\nvar _ unsafe.Pointer", parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"net/http", "net/http.Get", "net/http.Get()", "unsafe", ".Pointer"} {
		if !slices.Contains(partsOf(source), part) {
			t.Errorf("%s is not found", part)
		}
	}
	for text, good := range map[string]bool{`"a = ?"`: true, `"a" + "b"`: true, "(`a`)": true, `"a = " + x`: false, `fmt.Sprintf("a")`: false, `x`: false, `1`: false, "`a` + c": true} {
		e, err := parser.ParseExpr(text)
		if err != nil || written(e, map[string]bool{"c": true}) != good {
			t.Errorf("%s is written: %v, %v", text, !good, err)
		}
	}
}
