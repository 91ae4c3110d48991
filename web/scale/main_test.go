package scale

import (
	"flag"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/seed"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

var (
	large   = flag.String("large", "", "a large installation that cmd/seed made: the folder of an SQLite database, or a postgres:// address")
	small   = flag.String("small", "", "a small one on the same kind of database")
	only    = flag.String("only", "", "measure only the pages whose names begin so")
	rounds  = flag.Int("rounds", 10, "in a round every page is answered by each installation, request by request in turns, and as often again")
	answers = flag.Int("answers", 6, "how many answers of a page there are in a series; a round has two of each installation")
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(storetest.Run(m))
}

// place is where an installation's database is: a folder, or an address of PostgreSQL.
type place struct{ dir, url string }

func at(t testing.TB, where string) place {
	if strings.HasPrefix(where, "postgres") {
		return place{dir: t.TempDir(), url: where}
	}
	return place{dir: where}
}

// seeded makes an installation as cmd/seed does.
func seeded(t testing.TB, url string, size seed.Size) place {
	t.Helper()
	hash, err := secret.NewHasher(0, 0).Hash(t.Context(), storetest.Password)
	if err != nil {
		t.Fatal(err)
	}
	in := place{dir: t.TempDir(), url: url}
	set := seed.Settings{Size: size, Seed: 1, Until: storetest.NewClock().Now().Truncate(24 * time.Hour), PasswordHash: hash, Say: func(string) {}}
	set.Settings = store.Settings{URL: in.url, DataDir: in.dir, Clock: models.SystemClock, NewID: models.NewID, Log: slog.New(slog.DiscardHandler)}
	if err := seed.Fill(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	return in
}

// installation is a running server with the first Admin signed in.
type installation struct {
	webtest.Site
	*webtest.Agent
	backends []int // the processes of PostgreSQL that serve it
}

func start(t testing.TB, in place) installation {
	t.Helper()
	w := storetest.World{Clock: storetest.NewClock(), Dir: in.dir, URL: in.url, Log: &storetest.Log{}, Secrets: &storetest.Secrets{}}
	w.Store = w.Open(t)
	site := webtest.Start(t, w)
	return installation{Site: site, Agent: site.SignedIn(t, "ines@marlowe.example")}
}

// reader is the browser of whom a page is for.
func (in installation) reader(t testing.TB, p page) *webtest.Agent {
	if p.as == "" {
		return in.Agent
	}
	return in.SignedIn(t, p.as)
}
