package seed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"tokendesk/models"
	"tokendesk/models/archive"
	"tokendesk/models/store/storetest"
)

// What is made is what was asked for, and keeps every promise that the store makes.
func TestFill(t *testing.T) {
	each(t, func(t *testing.T, fresh func() Settings) {
		set := full(t, fresh())
		w, db := world(t, set), look(t, set)
		for name, check := range map[string]func(*testing.T, storetest.World, database){
			"counts": checkCounts, "promises": checkPromises, "archives": checkArchives, "shares": checkShares, "cards": checkCards,
		} {
			t.Run(name, func(t *testing.T) { check(t, w, db) })
		}
	})
}

// There is exactly as much as was asked for, the store finds nothing wrong with it, and the first Admin signs in.
func checkCounts(t *testing.T, w storetest.World, db database) {
	chain, err := w.VerifyEvents(t.Context())
	if err != nil || chain.Broken != "" || chain.Events != int64(small.Events) {
		t.Errorf("the chain: %+v, %v", chain, err)
	}
	_, ines, err := w.SignIn(t.Context(), models.Actor{Kind: models.Guest}, models.SignIn{Email: "ines@marlowe.example", Password: storetest.Password})
	if err != nil || ines.Role != models.Admin {
		t.Errorf("the first Admin: %+v, %v", ines, err)
	}
	found, _, err := w.People(t.Context(), storetest.As(ines), models.PeopleFilter{Query: "quillfeather"})
	if err != nil || len(found) != len(rare) {
		t.Errorf("%d people have the rare name, %v", len(found), err)
	}
	for query, want := range map[string]int{
		"SELECT count(*) FROM people":                                                     small.People,
		"SELECT count(*) FROM workspaces":                                                 small.Workspaces,
		"SELECT count(*) FROM credentials WHERE kind = 'bearer'":                          small.Credentials,
		"SELECT count(*) FROM credentials WHERE kind = 'api'":                             small.Credentials / 4,
		"SELECT count(*) FROM products":                                                   small.Workspaces,
		"SELECT count(DISTINCT workspace_id) FROM credentials WHERE kind = 'api'":         small.Workspaces,
		"SELECT count(*) FROM people WHERE role = 'Admin'":                                10,
		"SELECT count(*) FROM people WHERE role = 'Admin' AND deactivated_at IS NOT NULL": 2,
		"SELECT count(*) FROM memberships WHERE role = 'Owner'":                           small.Workspaces,
	} {
		if got := number(t, db, query); got != int64(want) {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
}

// What the schema leaves to the program holds too: each query finds rows that break a promise.
func checkPromises(t *testing.T, w storetest.World, db database) {
	for promise, query := range map[string]string{
		"an Admin of a workspace is an Admin of the installation": `FROM memberships JOIN people ON id = person_id WHERE memberships.role = 'Admin' AND people.role <> 'Admin'`,
		"everybody was added once":                                `FROM people WHERE 1 <> (SELECT count(*) FROM events WHERE subject_id = people.id AND action IN ('person.created', 'setup.completed'))`,
		"who is deactivated was":                                  `FROM people WHERE deactivated_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM events WHERE subject_id = people.id AND action = 'person.deactivated' AND at = deactivated_at)`,
		"every token was created":                                 `FROM credentials c WHERE 1 <> (SELECT count(*) FROM events WHERE subject_id = c.id AND action = 'credential.created' AND at = c.created_at AND actor_id = c.created_by)`,
		"who revoked is told":                                     `FROM credentials c WHERE revoked_at IS NOT NULL AND replaced_by = '' AND NOT EXISTS (SELECT 1 FROM events WHERE subject_id = c.id AND action = 'credential.revoked' AND at = revoked_at AND actor_id = revoked_by)`,
		"a new token took its place": `FROM credentials c WHERE replaced_by <> '' AND NOT EXISTS
			(SELECT 1 FROM credentials n WHERE n.id = c.replaced_by AND n.person_id = c.person_id AND n.created_at = c.revoked_at AND n.created_by = c.revoked_by)`,
		"nobody who is gone has a session's trace": `FROM events e JOIN people p ON p.id = e.actor_id WHERE e.at > p.deactivated_at`,
		"programs come with a token of theirs": `FROM events e WHERE actor_kind = 'program' AND NOT EXISTS
			(SELECT 1 FROM credentials c WHERE c.id = e.credential_id AND c.person_id = e.actor_id AND c.created_at <= e.at AND (c.revoked_at IS NULL OR c.revoked_at >= e.at))`,
		"a collection has its version": `FROM collections c WHERE NOT EXISTS (SELECT 1 FROM collection_versions v WHERE v.id = c.current_version_id AND v.collection_id = c.id)`,
		"moments never go back":        `FROM events e JOIN events n ON n.seq = e.seq + 1 WHERE n.at < e.at`,
		"usage is of its time":         `FROM usages u JOIN credentials c ON c.id = u.credential_id WHERE last_used_at < c.created_at OR last_used_at > c.revoked_at OR last_late_at < c.revoked_at`,
		"days add up":                  `FROM usages u WHERE calls > 0 AND (calls, refused + late) <> (SELECT sum(calls), sum(refused) FROM usage_days d WHERE d.credential_id = u.credential_id)`,
		"no days without calls":        `FROM usage_days d WHERE NOT EXISTS (SELECT 1 FROM usages u WHERE u.credential_id = d.credential_id AND calls > 0)`,
		"an API token has its usage": `FROM credentials c WHERE kind = 'api' AND NOT EXISTS
			(SELECT 1 FROM usages u WHERE u.credential_id = c.id AND u.workspace_id = c.workspace_id AND u.idle_since = coalesce(u.last_used_at, c.created_at))`,
		"a bearer token is of no workspace":     `FROM usages u JOIN credentials c ON c.id = u.credential_id WHERE c.kind = 'bearer' AND u.workspace_id IS NOT NULL`,
		"a product is of its workspace":         `FROM credentials c JOIN products p ON p.id = c.product_id WHERE p.workspace_id <> c.workspace_id OR p.prefix <> substr(c.prefix, 1, 4)`,
		"every workspace has a product":         `FROM workspaces w WHERE 1 <> (SELECT count(*) FROM products p WHERE p.workspace_id = w.id AND p.created_at = w.created_at)`,
		"nobody was replaced by nobody":         `FROM replaced_secrets s WHERE NOT EXISTS (SELECT 1 FROM events WHERE subject_id = s.credential_id AND action = 'credential.regenerated' AND at = replaced_at AND actor_id = replaced_by)`,
		"every regeneration left a secret":      `FROM events e WHERE action = 'credential.regenerated' AND 1 <> (SELECT count(*) FROM replaced_secrets WHERE credential_id = e.subject_id AND replaced_at = e.at)`,
		"no secret is live and replaced":        `FROM replaced_secrets s JOIN credentials c ON c.hash = s.hash`,
		"what is done with a token is in order": `FROM events e JOIN credentials c ON c.id = e.subject_id WHERE c.kind = 'api' AND (e.at < c.created_at OR e.at > c.revoked_at OR e.workspace_id <> c.workspace_id)`,
		"who is inactive was switched off":      `FROM credentials c WHERE kind = 'api' AND enabled <> (0 = (SELECT (count(*) % 2) FROM events WHERE subject_id = c.id AND action IN ('credential.activated', 'credential.deactivated')))`,
	} {
		if n := number(t, db, "SELECT count(*) "+query); n > 0 {
			t.Errorf("%s: %d rows do not hold to it", promise, n)
		}
	}
}

// Every archive is one that the console would have taken, with the files that are listed for it.
func checkArchives(t *testing.T, w storetest.World, db database) {
	checked := 0
	home, err := w.Workspace(t.Context(), models.Actor{Kind: models.Command}, "marlowe-press")
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := w.Collections(t.Context(), home.ID, models.Place{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		content := w.Archive(t.Context(), c.Version)
		summary, err := archive.Check(t.Context(), content, c.Version.Size, archive.DefaultLimits)
		if err != nil || summary.Name != c.Name || summary.Version != c.Version.Label {
			t.Fatalf("%s: %+v, %v", c.Name, summary, err)
		}
		bytes, err := io.ReadAll(content)
		if err != nil || sum(bytes) != c.Version.SHA256 {
			t.Errorf("%s has the hash %s, %v", c.Name, sum(bytes), err)
		}
		files, err := w.Files(t.Context(), c.Version, "", models.PageSize)
		if err != nil || len(files) != len(summary.Files) {
			t.Fatalf("%s: %d files listed, %d found, %v", c.Name, len(files), len(summary.Files), err)
		}
		for i, f := range files {
			if found := summary.Files[i]; found.Path != f.Path || found.Size != f.Size || hex.EncodeToString(found.SHA256[:]) != f.SHA256 {
				t.Errorf("%s: listed %+v, found %+v", c.Name, f, found)
			}
		}
		checked++
	}
	if checked == 0 {
		t.Error("there is no collection")
	}
}

// One actor and one workspace have a fifth of all events, one action two fifths, one person nine tenths of the
// tokens; and some actions and actors have next to none.
func checkShares(t *testing.T, w storetest.World, db database) {
	most := func(column, from string) int64 {
		return number(t, db, "SELECT max(n) FROM (SELECT count(*) AS n FROM "+from+" GROUP BY "+column+") AS counted")
	}
	for column, share := range map[string]int{"actor_id": 5, "action": 3, "workspace_id": 5, "address": 5} {
		if n := most(column, "events WHERE "+column+" <> ''"); n < int64(small.Events/share) {
			t.Errorf("the %s with the most events has %d", column, n)
		}
	}
	for _, column := range []string{"actor_id", "action"} {
		if n := number(t, db, "SELECT min(n) FROM (SELECT count(*) AS n FROM events GROUP BY "+column+") AS counted"); n > 5 {
			t.Errorf("the %s with the fewest events has %d", column, n)
		}
	}
	if n := most("person_id", "credentials"); n < int64(small.Credentials*9/10) {
		t.Errorf("nobody has more than %d tokens", n)
	}
	if n := most("workspace_id", "credentials WHERE kind = 'api'"); n < int64(small.Credentials/4/3) {
		t.Errorf("no workspace has more than %d tokens", n)
	}
	for what, query := range map[string]string{
		"revoked": "revoked_at IS NOT NULL", "inactive": "NOT enabled AND revoked_at IS NULL", "endless": "expires_at IS NULL", "narrowed": "scopes <> ''",
		"used": "id IN (SELECT credential_id FROM usages WHERE calls > 0)", "unused": "id IN (SELECT credential_id FROM usages WHERE calls = 0)", "regenerated": "id IN (SELECT credential_id FROM replaced_secrets)",
	} {
		if n := number(t, db, "SELECT count(*) FROM credentials WHERE kind = 'api' AND "+query); n < 5 || n > int64(small.Credentials/4-5) {
			t.Errorf("%d API tokens are %s", n, what)
		}
	}
}

// The cards are as the forms take them, and the store lists and counts them as its own.
func checkCards(t *testing.T, w storetest.World, db database) {
	command, cards := models.Actor{Kind: models.Command}, 0
	spaces, err := w.Workspaces(t.Context(), command, models.Place{})
	if err != nil {
		t.Fatal(err)
	}
	for _, space := range spaces {
		product, err := w.Products(t.Context(), command, space.ID)
		if err != nil || len(product) != 1 {
			t.Fatalf("%s has the products %+v, %v", space.Name, product, err)
		}
		for f := (models.TokenFilter{Sort: models.ExpiringFirst}); ; {
			found, err := w.APITokens(t.Context(), command, space.ID, f)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range found.Tokens {
				cards++
				n := models.TokenNaming{Name: c.Name}
				if problems := n.Clean(); len(problems) > 0 || n.Name != c.Name || c.NameKey != models.Fold(c.Name) || c.CreatedByName == "" || c.Product != product[0].Name {
					t.Errorf("%+v, %v", c, problems)
				}
				for _, scope := range c.Scopes {
					if !product[0].Resources.Has(scope) {
						t.Errorf("%s may do %s, which there is not", c.Name, scope)
					}
				}
			}
			if f.After = found.Next; f.After == (models.TokenPlace{}) {
				break
			}
		}
	}
	if cards != small.Credentials/4 {
		t.Errorf("%d cards are listed", cards)
	}
}

// Names and addresses are what a form would take, and are kept as the store keeps them.
func TestPeopleAreAsTheFormTakesThem(t *testing.T) {
	p := newPlay(Settings{Size: Size{5000, 10, 10_000, 60_000}, Seed: 7, Until: storetest.NewClock().Now()})
	p.tell()
	for _, person := range p.people {
		edit := models.PersonEdit{Name: person.Name, Email: person.Email, Role: person.Role}
		if problems := edit.Clean(); len(problems) > 0 || edit.Name != person.Name || edit.Email != person.Email {
			t.Errorf("%s <%s>: %+v", person.Name, person.Email, problems)
		}
		if person.NameKey != models.Fold(person.Name) || person.EmailKey != models.EmailKey(person.Email) {
			t.Errorf("%s <%s> has the keys %q and %q", person.Name, person.Email, person.NameKey, person.EmailKey)
		}
	}
}

// The same seed makes the same rows, to the byte; another seed makes others.
func TestTheSameSeed(t *testing.T) {
	each(t, func(t *testing.T, fresh func() Settings) {
		first, again, other := fresh(), fresh(), fresh()
		other.Seed = 2
		one := contents(t, full(t, first))
		if two := contents(t, full(t, again)); one != two {
			t.Errorf("the same seed made %s and %s", one, two)
		}
		if two := contents(t, full(t, other)); one == two {
			t.Error("another seed made the same")
		}
	})
}

// contents is a hash of all rows of all tables that are filled.
func contents(t *testing.T, set Settings) string {
	t.Helper()
	h, db := sha256.New(), connect(t, set)
	defer hangUp(t, db)
	for _, table := range tables(set) {
		for row := range rowsOf(t, db, table.name) {
			fmt.Fprintln(h, table.name, row)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Indexes and triggers are afterwards what the migrations made.
func TestTheSchemaIsWhole(t *testing.T) {
	each(t, func(t *testing.T, fresh func() Settings) {
		want, got := attachments(t, migrated(t, fresh())), attachments(t, full(t, fresh()))
		if len(want) < 20 || !slices.Equal(want, got) {
			t.Errorf("before:\n%q\nafter:\n%q", want, got)
		}
	})
}

// Whatever is in a database stays as it is.
func TestOnlyEmptyDatabases(t *testing.T) {
	each(t, func(t *testing.T, fresh func() Settings) {
		set := migrated(t, fresh())
		w := world(t, set)
		w.SetUp(t)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		before := contents(t, set)
		if err := Fill(t.Context(), set); !errors.Is(err, ErrNotEmpty) {
			t.Errorf("got %v", err)
		}
		if contents(t, set) != before {
			t.Error("it was changed")
		}
	})
}

// One that breaks off leaves an empty database, which can be filled afterwards.
func TestBrokenOff(t *testing.T) {
	each(t, func(t *testing.T, fresh func() Settings) {
		set := fresh()
		for _, during := range []string{"credentials", "events", "indexes"} {
			ctx, cancel := context.WithCancel(t.Context())
			set.Say = func(what string) {
				if what == during {
					cancel()
				}
			}
			if err := Fill(ctx, set); !errors.Is(err, context.Canceled) {
				t.Errorf("during %s: got %v", during, err)
			}
			cancel()
			db := connect(t, set)
			if n := number(t, db, "SELECT (SELECT count(*) FROM people) + (SELECT count(*) FROM events)"); n > 0 {
				t.Errorf("broken off during %s, it left %d rows", during, n)
			}
			hangUp(t, db)
		}
		full(t, set)
	})
}

// Sizes for which the history would not come out as asked are refused before anything is made.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		size Size
		good bool
	}{
		{small, true}, {Size{100_000, 1000, 1_000_000, 5_000_000}, true}, {Size{1000, 10, 10_000, 50_000}, true},
		{Size{99, 5, 1000, 5000}, false}, {Size{300, 0, 1000, 5000}, false}, {Size{300, 5, 99, 5000}, false},
		{Size{300, 301, 1000, 50_000}, false}, {Size{300, 5, 1000, 4199}, false}, {Size{300, 5, 1000, 4200}, true},
	} {
		if err := c.size.check(); (err == nil) != c.good {
			t.Errorf("%+v: %v", c.size, err)
		}
	}
}
