package web_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/web/webtest"
)

const (
	gitleaksRules = "/.well-known/tokendesk-secret-patterns.toml"
	truffleRules  = "/.well-known/tokendesk-secret-patterns.yaml"
)

// gitleaks is the program that the tests need, of the version that .ci/test builds.
func gitleaks(t *testing.T) string {
	t.Helper()
	program := os.Getenv("TOKENDESK_TEST_GITLEAKS")
	if program == "" {
		if os.Getenv("TOKENDESK_TEST_REQUIRE") != "" {
			t.Fatal("TOKENDESK_TEST_GITLEAKS names no gitleaks: .ci/test builds one")
		}
		t.Skip("TOKENDESK_TEST_GITLEAKS names no gitleaks")
	}
	return program
}

// leak is what gitleaks says that it found.
type leak struct{ RuleID, Secret, File string }

// leaksIn has gitleaks look through a folder with the rules of a site.
func leaksIn(t *testing.T, s webtest.Site, folder string) []leak {
	t.Helper()
	program, work := gitleaks(t), t.TempDir()
	rules, report := filepath.Join(work, "rules.toml"), filepath.Join(work, "report.json")
	write(t, rules, s.Browser(t).Get(t, gitleaksRules).Want(t, http.StatusOK).Body)
	command := exec.CommandContext(t.Context(), program, "dir", "--config", rules, "--report-format", "json", "--report-path", report, "--exit-code", "9", "--no-banner", "--no-color", folder)
	command.Dir = work
	told, err := command.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 9) {
		t.Fatalf("gitleaks: %v\n%s", err, told)
	}
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var found []leak
	if err := json.Unmarshal(text, &found); err != nil {
		t.Fatal(err)
	}
	return found
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// around is how a secret stands in text: in each of them something else is before it and after it.
var around = []string{
	`export TOKENDESK_TOKEN=%s`, `  "Authorization": "Bearer %s",`, `curl -H 'X-API-Key: %s' "$URL"`, "token := `%s`", `{"text":"line one\n%s\nline three"}`, `https://desk.example/v1/collections/1?access_key=%s&page=2`,
	`%s`, `# was %s.`, `<td>%s</td>`, `redirect=%%3Ftoken%%3D%s%%26a`, `psql "postgres://u:%s@db/x"`, `%s_old_backup`, `a,%s,b`, `key: %s # rotate me`,
}

// The rules that an installation gives out, read by gitleaks itself, find 1,000 of 1,000 secrets of all kinds and products in text like that of
// programs, each with the rule of its own kind.
func TestGitleaksFindsAll(t *testing.T) {
	t.Parallel()
	gitleaks(t)
	s := webtest.SQLite(t)
	if _, err := s.CreateProduct(t.Context(), s.Admin, "marlowe-press", models.ProductNaming{Name: "Second", Prefix: "2nd9"}); err != nil {
		t.Fatal(err)
	}
	prefixes, folder, minted := []string{"user", "auto", "pkey", "coll", "rfsh", "prod", "2nd9"}, t.TempDir(), map[string]string{}
	random := rand.New(rand.NewPCG(1, 2))
	for file := range 50 {
		var text strings.Builder
		for range 20 {
			prefix := prefixes[len(minted)%len(prefixes)]
			token, err := secret.Mint(prefix, nil)
			if err != nil {
				t.Fatal(err)
			}
			minted[token.Reveal()] = "tokendesk-" + prefix
			for range random.IntN(4) {
				fmt.Fprintf(&text, "// %x is no secret, and neither is %s_%d.\n", sha256.Sum256([]byte(strconv.Itoa(len(minted)))), prefix, len(minted))
			}
			fmt.Fprintf(&text, around[len(minted)%len(around)]+"\n", token.Reveal())
		}
		write(t, filepath.Join(folder, fmt.Sprintf("file%d.%s", file, []string{"go", "sh", "json", "yaml", "txt", "env"}[file%6])), text.String())
	}
	found := map[string]bool{}
	for _, l := range leaksIn(t, s, folder) {
		if minted[l.Secret] != l.RuleID {
			t.Errorf("%s finds %.12s…, of %s", l.RuleID, l.Secret, filepath.Base(l.File))
		}
		found[l.Secret] = true
	}
	if len(found) != 1000 || len(minted) != 1000 {
		t.Errorf("%d of %d are found", len(found), len(minted))
	}
}

// And nothing in 100 MB of other text: source of Go and of modules that nobody here wrote, and texts made to look like secrets and be none. The one
// kind of text that is taken for a secret and is none has the whole shape and a wrong checksum: no pattern can tell.
func TestGitleaksFindsNothingElse(t *testing.T) {
	t.Parallel()
	gitleaks(t)
	s := webtest.SQLite(t)
	folder := t.TempDir()
	lookalikes(t, filepath.Join(folder, "lookalikes.txt"))
	size := otherText(t, folder, 100<<20)
	began := time.Now()
	for _, l := range leaksIn(t, s, folder) {
		t.Errorf("%s finds %.30s… in %s", l.RuleID, l.Secret, filepath.Base(l.File))
	}
	t.Logf("%d MB in %s", size>>20, time.Since(began).Round(time.Millisecond))

	token, err := secret.Mint("user", nil)
	if err != nil {
		t.Fatal(err)
	}
	wrong := []byte(token.Reveal())
	wrong[len(wrong)-1] = "AB"[wrong[len(wrong)-1]&1^1]
	if _, ok := secret.Parse(string(wrong)); ok {
		t.Fatal("the checksum is right")
	}
	alone := t.TempDir()
	write(t, filepath.Join(alone, "wrong.txt"), string(wrong))
	if n := len(leaksIn(t, s, alone)); n != 1 {
		t.Errorf("a wrong checksum is found %d times", n)
	}
}

// lookalikes are texts of every kind that is nearly a secret: too short, too long, of another alphabet, with another prefix, or of no randomness at all.
func lookalikes(t *testing.T, path string) {
	t.Helper()
	random := rand.NewChaCha8([32]byte{6})
	some := func(n int) string {
		raw := make([]byte, 2*n)
		_, _ = random.Read(raw)
		return strings.NewReplacer("+", "a", "/", "b").Replace(base64.StdEncoding.EncodeToString(raw))[:n]
	}
	var text bytes.Buffer
	for range 2000 {
		for _, prefix := range []string{"user", "auto", "pkey", "coll", "rfsh", "prod"} {
			fmt.Fprintf(&text, "%s_%s\n%s_%s\n%s_%s-%s\n%s-%s\n", prefix, some(48), prefix, some(50), prefix, some(24), some(24), prefix, some(49))
			fmt.Fprintf(&text, "other_%s ghp_%s AUTO_%s %s%s\n", some(49), some(36), some(49), prefix, some(50))
		}
		raw := make([]byte, 96)
		_, _ = random.Read(raw)
		fmt.Fprintf(&text, "%s\n%s\n", base64.StdEncoding.EncodeToString(raw), hex.EncodeToString(raw))
	}
	for _, prefix := range []string{"user", "auto", "pkey", "coll", "rfsh", "prod"} {
		fmt.Fprintf(&text, "%s_%s\n%s_%s\n%s_%s\n", prefix, strings.Repeat("x", 49), prefix, strings.Repeat("0123456", 7), prefix, strings.Repeat("EXAMPLE", 7))
	}
	write(t, path, text.String())
}

// otherText copies so many bytes of source that nobody here wrote, from Go itself and from the modules in its cache.
func otherText(t *testing.T, folder string, most int) (size int) {
	t.Helper()
	said, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	goroot, cache, _ := strings.Cut(strings.TrimSpace(string(said)), "\n")
	done, files := errors.New("enough"), 0
	for _, root := range []string{filepath.Join(goroot, "src"), cache} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() || strings.HasSuffix(path, ".zip") || strings.Contains(path, "gitleaks") {
				return nil // what cannot be read is not part of it, and gitleaks has examples of everything
			}
			text, err := os.ReadFile(path)
			if err != nil || bytes.IndexByte(text, 0) >= 0 {
				return nil
			}
			files++
			write(t, filepath.Join(folder, fmt.Sprintf("%06d%s", files, filepath.Ext(path))), string(text))
			if size += len(text); size >= most {
				return done
			}
			return nil
		})
		if err != nil {
			if !errors.Is(err, done) {
				t.Fatal(err)
			}
			return size
		}
	}
	t.Fatalf("there are only %d MB to look through", size>>20)
	return size
}

// Anybody may have the rules, and caches may keep them for a while. They name prefixes and nothing else of the installation; those for TruffleHog say
// the same.
func TestPatterns(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		other, err := s.CreateWorkspace(t.Context(), s.Admin, models.NewWorkspace{Name: "Quire"})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []models.ProductNaming{{Name: "Reading room", Prefix: "read"}, {Name: "Another", Prefix: "a1b2"}} {
			if _, err := s.CreateProduct(t.Context(), s.Admin, other.ID, n); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{"user", "auto", "pkey", "coll", "rfsh", "a1b2", "prod", "read"}
		for path, kind := range map[string]string{gitleaksRules: "application/toml; charset=utf-8", truffleRules: "application/yaml; charset=utf-8"} {
			a := s.Browser(t).Get(t, path).Want(t, http.StatusOK)
			if a.Header.Get("Content-Type") != kind || a.Header.Get("Cache-Control") != "public, max-age=300" {
				t.Errorf("%s: %v", path, a.Header)
			}
			var got []string
			for _, line := range strings.Split(a.Body, "\n") {
				if _, rest, ok := strings.Cut(line, "'("); ok {
					prefix, shape, _ := strings.Cut(rest, "_")
					got = append(got, prefix)
					if !strings.HasPrefix(shape, "[0-9A-Za-z]{49})(?:[^0-9A-Za-z]|$)'") {
						t.Errorf("%s: the pattern is %s", path, line)
					}
				}
			}
			if strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("%s is about %v, want %v", path, got, want)
			}
			for _, told := range []string{"Quire", "Reading", "Ines", "marlowe"} {
				if strings.Contains(a.Body, told) {
					t.Errorf("%s tells of %s", path, told)
				}
			}
		}
	})
}
