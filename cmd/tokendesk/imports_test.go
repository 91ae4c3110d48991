package main_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rooms is the house from the bottom up: each package and those of ours that it may import. A line may
// name only lines above it, so that a cycle cannot even be written down. The packages that only tests
// use come last, where no other line can name them. Tests themselves may import what they like.
var rooms = []struct{ name, mayImport string }{
	{"static", ""},
	{"migrations", ""},
	{"models", ""},
	{"models/secret", ""},
	{"models/archive", "models"},
	{"models/access", "models models/secret"},
	{"models/limits", ""},
	{"models/store", "models models/secret models/archive migrations"},
	{"models/store/seed", "models models/secret models/store"},
	{"views", "models static"},
	{"web/session", "models models/secret"},
	{"web/sample", ""},
	{"web/gateway", "models models/secret models/access"},
	{"web/metrics", "models models/access"},
	{"web/deadline", "models"},
	{"web/tracing", "models"},
	{"handlers", "models models/secret models/archive models/access models/store views static web/session web/gateway"},
	{"handlers/manage", "models models/secret models/store handlers views"},
	{"web", "models models/secret models/archive models/access handlers handlers/manage views static web/session web/gateway web/tracing"},
	{"cmd/tokendesk", "models models/secret models/archive models/access models/limits models/store migrations handlers views static web web/session web/gateway web/metrics web/tracing web/sample web/deadline"},
	{"cmd/seed", "models models/secret models/store/seed"},

	{"models/store/storetest", "models models/secret models/archive models/store migrations"},
	{"web/webtest", "models models/secret models/archive models/access models/store models/store/storetest handlers web web/session web/gateway web/tracing web/sample web/deadline"},
	{"web/scale", ""},
	{"web/e2e", "models/store/storetest"},
}

const (
	command  = "cmd/tokendesk"
	tools    = "cmd/seed" // of developers
	forTests = "models/store/storetest web/webtest web/e2e"
)

// keepers says where a module that is not ours may be imported. One without a line fails: a new
// dependency is a decision.
var keepers = map[string]string{
	"gorm.io":                        "models/store",
	"modernc.org/sqlite":             "models/store models/store/seed web/sample",
	"github.com/jackc/pgx":           "models/store models/store/seed models/store/storetest",
	"github.com/pressly/goose":       "migrations",
	"github.com/labstack/echo":       "handlers handlers/manage web",
	"github.com/swaggest":            "handlers/manage",
	"github.com/go-json-experiment":  "handlers/manage web",
	"github.com/gorilla/sessions":    "web/session",
	"github.com/a-h/templ":           "views handlers web",
	"github.com/dustin/go-humanize":  "handlers views cmd/tokendesk",
	"github.com/google/uuid":         "models models/access",
	"golang.org/x/crypto":            "models/secret",
	"github.com/golang-jwt/jwt":      "models/secret",
	"golang.org/x/sync":              "models/access", // many calls with one secret ask once
	"golang.org/x/sys":               "models/access", // the file that calls are counted in
	"golang.org/x/text":              "models/secret models/archive",
	"go.opentelemetry.io":            "web/tracing web/webtest",
	"google.golang.org/protobuf":     "web/webtest",
	"github.com/prometheus":          "web/metrics",
	"github.com/redis/go-redis":      "models/limits",
	"github.com/PuerkitoBio/goquery": "web/webtest",
	"github.com/chromedp":            "web/e2e",
}

// parts says where parts of the standard library may be used: packages, and names of packages. What
// knows HTTP knows no SQL, and the other way round; only the command meets the machine.
var parts = map[string]string{
	"net/http":     "handlers handlers/manage web web/session web/gateway web/metrics web/tracing web/sample web/webtest " + command,
	"database/sql": "models/store models/store/seed migrations web/sample",
	"flag":         command + " " + tools,
	"os/signal":    command + " " + tools,
	"os/exec":      forTests,
	"syscall":      "models/limits web/gateway " + command + " " + tools + " " + forTests, // of the gateway: the signature of net.Dialer's Control, and why a connection fails
	"os.Args":      command + " " + tools,
	"os.Exit":      command + " " + tools,
	"os.Stdin":     command,
	"os.Stdout":    command,
	"os.Stderr":    command + " " + tools,
	"os.Environ":   command + " " + forTests,
	"os.Getenv":    command + " " + forTests,
	"os.LookupEnv": command + " " + forTests,

	// The time is models.Clock's to tell, which tests can move. Since and Until ask the machine as well.
	"time.Now":   command + " " + tools + " " + forTests + " models/clock.go",
	"time.Since": command + " " + tools + " " + forTests,
	"time.Until": command + " " + forTests,
}

// A line names only lines above it.
func TestTheHouseIsBuiltFromTheBottomUp(t *testing.T) {
	var below []string
	for _, room := range rooms {
		for _, name := range strings.Fields(room.mayImport) {
			if !slices.Contains(below, name) {
				t.Errorf("%s may import %s, which is not on a line above it", room.name, name)
			}
		}
		below = append(below, room.name)
	}
}

// Every package has a line, every line a package, and no file breaks a rule.
func TestImports(t *testing.T) {
	lived := map[string]bool{}
	sources(t, func(file string, source *ast.File) {
		lived[path.Dir(file)] = true
		for _, broken := range judge(file, source) {
			t.Errorf("%s %s", file, broken)
		}
	})
	for _, room := range rooms {
		if !lived[room.name] {
			t.Errorf("there is a line for %s, and no such package", room.name)
		}
	}
}

// The rules find what they are for.
func TestTheRulesBite(t *testing.T) {
	for _, c := range []struct{ file, source, want string }{
		{"models/x.go", `import _ "tokendesk/models/secret"`, "may not import tokendesk/models/secret"},
		{"models/access/x.go", `import _ "tokendesk/models/store"`, "may not import tokendesk/models/store"},
		{"handlers/x.go", `import _ "tokendesk/models/store/storetest"`, "may not import tokendesk/models/store/storetest"},
		{"attic/x.go", ``, "is in a package without a line"},
		{"handlers/x.go", `import _ "gorm.io/gorm"`, "may not import gorm.io/gorm"},
		{"models/store/x.go", `import _ "gorm.io/driver/postgres"`, ""},
		{"web/x.go", `import _ "example.com/new"`, "imports example.com/new, which has no line"},
		{"models/access/x.go", `import _ "net/http"`, "may not import net/http"},
		{"models/x.go", `import . "time"`, "imports time with a dot"},
		{"models/x.go", "import \"time\"\nvar _ = time.Now()", "may not use time.Now"},
		{"models/clock.go", "import \"time\"\nvar _ = time.Now()", ""},
		{"web/x.go", "import clock \"time\"\nvar ask = clock.Now", "may not use time.Now"},
		{"web/x.go", "import \"os\"\nvar _ = os.Getenv(`HOME`)", "may not use os.Getenv"},
		{"cmd/tokendesk/x.go", "import \"os\"\nvar _ = os.Getenv(`HOME`)", ""},
	} {
		source, err := parser.ParseFile(token.NewFileSet(), c.file, "package x\n"+c.source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(judge(c.file, source), "; "); got != c.want {
			t.Errorf("%s with %q: got %q, want %q", c.file, c.source, got, c.want)
		}
	}
}

// judge returns the rules that a file of the module breaks; file is its path in the module.
func judge(file string, source *ast.File) (broken []string) {
	here := path.Dir(file)
	line := slices.IndexFunc(rooms, func(room struct{ name, mayImport string }) bool { return room.name == here })
	if line < 0 {
		return []string{"is in a package without a line"}
	}
	names := map[string]string{} // what the file calls a package: its path
	for _, spec := range source.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(imported)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = imported
		ours, isOurs := strings.CutPrefix(imported, "tokendesk/")
		keeper, known := keeperOf(imported)
		switch {
		case name == ".":
			broken = append(broken, fmt.Sprintf("imports %s with a dot", imported))
		case isOurs && !among(ours, rooms[line].mayImport),
			known && !among(here, keeper):
			broken = append(broken, "may not import "+imported)
		case !isOurs && !known && strings.Contains(strings.Split(imported, "/")[0], "."):
			broken = append(broken, fmt.Sprintf("imports %s, which has no line", imported))
		}
	}
	ast.Inspect(source, func(node ast.Node) bool {
		if used, ok := node.(*ast.SelectorExpr); ok {
			if from, ok := used.X.(*ast.Ident); ok {
				part := names[from.Name] + "." + used.Sel.Name
				if keeper, known := parts[part]; known && !among(here, keeper) && !among(file, keeper) {
					broken = append(broken, "may not use "+part)
				}
			}
		}
		return true
	})
	return broken
}

// keeperOf returns who may import a package, where a rule says so.
func keeperOf(imported string) (keeper string, known bool) {
	for module, keeper := range keepers {
		if imported == module || strings.HasPrefix(imported, module+"/") {
			return keeper, true
		}
	}
	keeper, known = parts[imported]
	return keeper, known
}

func among(name, list string) bool { return slices.Contains(strings.Fields(list), name) }

// sources calls a function with every file of the module that is not a test, for whatever system it is.
func sources(t *testing.T, each func(file string, source *ast.File)) {
	t.Helper()
	root := filepath.Join("..", "..")
	err := fs.WalkDir(os.DirFS(root), ".", func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && file != "." && strings.ContainsAny(entry.Name()[:1], "._"), entry.Name() == "testdata", entry.Name() == "node_modules":
			return fs.SkipDir
		case entry.IsDir(), path.Ext(file) != ".go", strings.HasSuffix(file, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil || strings.Contains(string(text), "\n//go:build ignore\n") || strings.HasPrefix(string(text), "//go:build ignore\n") {
			return err // a program that is run by hand
		}
		source, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		each(file, source)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
