package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/pressly/goose/v3"
	"gorm.io/gorm"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// atStep is a world whose database was brought to a step of the schema, and no further.
func atStep(t *testing.T, step int64, url string) storetest.World {
	t.Helper()
	w := storetest.World{Clock: storetest.NewClock(), Dir: t.TempDir(), URL: url, Log: &storetest.Log{}, Secrets: &storetest.Secrets{}}
	dialect, folder, driver, address := goose.DialectSQLite3, "sqlite", "sqlite", "file:"+w.DatabaseFile()
	if url != "" {
		dialect, folder, driver, address = goose.DialectPostgres, "postgres", "pgx", url
	}
	db, err := sql.Open(driver, address)
	must(t, err)
	steps, err := goose.NewProvider(dialect, db, os.DirFS("../../migrations/"+folder))
	must(t, err)
	_, err = steps.UpTo(t.Context(), step)
	must(t, errors.Join(err, db.Close()))
	w.Store = w.Open(t)
	return w
}

// eachAtStep runs a test on both databases.
func eachAtStep(t *testing.T, step int64, test func(t *testing.T, w storetest.World)) {
	t.Helper()
	for name, url := range map[string]func(*testing.T) string{
		"sqlite": func(*testing.T) string { return "" }, "postgres": func(t *testing.T) string { return storetest.Postgres(t, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, atStep(t, step, url(t)))
		})
	}
}

// third fills a database of the third step with something in each of its tables.
func third(t *testing.T, w storetest.World) (workspaces []string) {
	t.Helper()
	now := w.Clock.Now()
	id := func(n int) string { return fmt.Sprintf("01900000-0000-7000-8000-%012d", n) }
	for n, name := range []string{"Ines Moreau", "ÉMILE Ünal", "Ann"} {
		exec(t, w, "INSERT INTO people (id, name, name_key, email, email_key, role, password_hash, password_changed_at, created_at) VALUES (?, ?, ?, ?, ?, ?, 'x', ?, ?)",
			id(n), name, models.Fold(name), name+"@x.example", models.EmailKey(name+"@x.example"), []string{"Admin", "Member", "Member"}[n], now, now)
		exec(t, w, "INSERT INTO sessions (id, hash, person_id, created_at, seen_at, confirmed_at, expires_at, address, browser) VALUES (?, ?, ?, ?, ?, ?, ?, '', '')", id(10+n), []byte(name), id(n), now, now, now, now)
		exec(t, w, "INSERT INTO used_forms (form_id, person_id, subject_id, at) VALUES (?, ?, ?, ?)", "form "+name, id(n), id(30+n), now)
	}
	for n, name := range []string{"Marlowe Press", "Other"} {
		workspaces = append(workspaces, id(20+n))
		exec(t, w, "INSERT INTO workspaces (id, slug, name, created_at) VALUES (?, ?, ?, ?)", id(20+n), models.Slug(name), name, now)
		exec(t, w, "INSERT INTO memberships (workspace_id, person_id, role, name_key, created_at) VALUES (?, ?, 'Owner', 'x', ?), (?, ?, 'Member', 'y', ?)", id(20+n), id(n), now, id(20+n), id(2), now)
	}
	for n, c := range []struct {
		person            int
		enabled           bool
		revoked, expires  any
		reason, successor string
	}{{0, true, nil, now, "", ""}, {1, false, nil, nil, "", ""}, {2, true, now, now, "lost", ""}, {0, true, now, now, "", id(30)}} {
		exec(t, w, `INSERT INTO credentials (id, kind, name, prefix, last4, hash, person_id, enabled, created_at, created_by, expires_at, revoked_at, revoked_by, revoke_reason, replaced_by)
			VALUES (?, 'bearer', 'Bearer Token', ?, 'abcd', ?, ?, ?, ?, ?, ?, ?, '', ?, ?)`, id(30+n), fmt.Sprint("user_00", n), []byte{byte(n)}, id(c.person), c.enabled, now, id(0), c.expires, c.revoked, c.reason, c.successor)
		exec(t, w, "INSERT INTO usages (credential_id, calls, refused, late, last_used_at, last_address, last_late_at) VALUES (?, 5, 6, 7, ?, '192.0.2.1', NULL)", id(30+n), c.expires)
		exec(t, w, "INSERT INTO usage_days (credential_id, day, calls) VALUES (?, '2026-11-20', 3), (?, '2026-11-21', 2)", id(30+n), id(30+n))
	}
	exec(t, w, "INSERT INTO blobs (sha256, size, created_at) VALUES ('aa', 2, ?)", now)
	exec(t, w, "INSERT INTO blob_chunks (sha256, number, bytes) VALUES ('aa', 0, ?)", []byte("PK"))
	exec(t, w, "INSERT INTO collections (id, workspace_id, name, name_key, current_version_id, installed_at, installed_by, credential_id, created_at) VALUES (?, ?, 'Tools', 'tools', ?, ?, ?, ?, ?)", id(40), id(20), id(41), now, id(0), id(30), now)
	exec(t, w, "INSERT INTO collection_versions (id, collection_id, number, label, description, file_name, sha256, size, entries, installed_at, installed_by, credential_id) VALUES (?, ?, 1, '', '', 'a.zip', 'aa', 2, 1, ?, ?, ?)", id(41), id(40), now, id(0), id(30))
	exec(t, w, "INSERT INTO collection_files (version_id, path, size, sha256) VALUES (?, 'a', 2, 'aa')", id(41))
	return workspaces
}

// rowsOf is all that some tables hold, in columns that they have.
func rowsOf(t *testing.T, w storetest.World, tables map[string][]string) (all []string) {
	t.Helper()
	for table, columns := range tables {
		var rows []map[string]any
		if err := w.DB().Table(table).Select(columns).Find(&rows).Error; err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			all = append(all, fmt.Sprint(table, row))
		}
	}
	slices.Sort(all)
	return all
}

// tablesOf lists what columns there are.
func tablesOf(t *testing.T, w storetest.World) map[string][]string {
	t.Helper()
	query := "SELECT m.name AS t, c.name AS c FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE '%trigrams_%' AND m.name NOT IN ('goose_db_version', 'sqlite_sequence')"
	if w.Database() == "PostgreSQL" {
		query = "SELECT table_name AS t, column_name AS c FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'goose_db_version'"
	}
	var found []struct{ T, C string }
	must(t, w.DB().Raw(query).Scan(&found).Error)
	tables := map[string][]string{}
	for _, f := range found {
		tables[f.T] = append(tables[f.T], f.C)
	}
	return tables
}

// The steps since the third keep every row of every table, with all that it refers to and that refers to it, and fill in what is
// new. Each workspace has the product that it would have been born with; none of it is an event.
func TestUpgradeFromTheThirdStep(t *testing.T) {
	eachAtStep(t, 3, func(t *testing.T, w storetest.World) {
		workspaces, tables := third(t, w), tablesOf(t, w)
		was := rowsOf(t, w, tables)
		if len(was) < 35 || len(tables) < 14 {
			t.Fatalf("%d rows in %d tables", len(was), len(tables))
		}
		steps, err := w.Migrate(t.Context())
		if err != nil || len(steps) != 7 || steps[0].Version != 4 {
			t.Fatalf("applied %+v (%v)", steps, err)
		}
		if is := rowsOf(t, w, tables); !slices.Equal(is, was) {
			known := func(row string) bool { return slices.Contains(is, row) }
			t.Errorf("%d rows became %d; gone or changed are %q", len(was), len(is), slices.DeleteFunc(was, known))
		}
		for what, query := range map[string]string{
			"a name without its key":   "FROM credentials WHERE name_key <> 'bearer token' OR scopes <> '' OR workspace_id IS NOT NULL OR product_id IS NOT NULL",
			"a person without a zone":  "FROM people WHERE time_zone <> 'UTC'",
			"a workspace without":      "FROM workspaces WHERE deleted_at IS NOT NULL OR api_calls_a_minute <> 600 OR user_calls_a_minute <> 50 OR automation_calls_a_minute <> 300",
			"a session of a program":   "FROM sessions WHERE kind <> 'browser' OR workspace_id IS NOT NULL",
			"a usage of a workspace's": "FROM usages WHERE workspace_id IS NOT NULL",
			"a day with refused calls": "FROM usage_days WHERE refused <> 0",
			"a use that is not marked": "FROM usages WHERE used <> (last_used_at IS NOT NULL)",
			"an event":                 "FROM events",
		} {
			if n := number(t, w, "SELECT count(*) "+query); n > 0 {
				t.Errorf("%s: %d", what, n)
			}
		}
		for _, id := range workspaces {
			list, err := w.Products(t.Context(), command, id)
			if err != nil || len(list) != 1 || list[0].Prefix != "prod" || len(list[0].Resources) != 8 || list[0].Revision != 1 {
				t.Errorf("%s has %+v (%v)", id, list, err)
			}
		}
		wantReferences(t, w)
		if again, err := w.Migrate(t.Context()); err != nil || len(again) != 0 || number(t, w, "SELECT count(*) FROM products") != 2 {
			t.Errorf("applied again %+v (%v)", again, err)
		}
	})
}

// wantReferences insists that what refers to credentials does so still: none of them can be removed while it is used, and
// nothing refers to one that is not there.
func wantReferences(t *testing.T, w storetest.World) {
	t.Helper()
	for what, statement := range map[string]string{
		"a credential that was used": "DELETE FROM credentials WHERE id IN (SELECT credential_id FROM usages)",
		"a use of none":              "INSERT INTO usage_days (credential_id, day, calls) VALUES ('none', '2026-11-21', 1)",
		"a secret of none":           "INSERT INTO replaced_secrets (hash, credential_id, prefix, last4, replaced_at, replaced_by) SELECT hash, 'none', '', '', created_at, '' FROM credentials",
		"a person who has one":       "DELETE FROM people WHERE id IN (SELECT person_id FROM credentials)",
		"a second live bearer token": `INSERT INTO credentials (id, kind, name, name_key, prefix, last4, hash, person_id, scopes, enabled, created_at, created_by, revoked_by, revoke_reason, replaced_by)
			SELECT 'second', kind, name, name_key, prefix, last4, id, person_id, scopes, enabled, created_at, created_by, revoked_by, revoke_reason, replaced_by FROM credentials WHERE revoked_at IS NULL`,
	} {
		if w.Database() == "PostgreSQL" && what == "a second live bearer token" {
			continue // where no table was made anew
		}
		if err := w.DB().Exec(statement).Error; !errors.Is(err, gorm.ErrForeignKeyViolated) && !errors.Is(err, gorm.ErrDuplicatedKey) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if w.Database() == "SQLite" {
		var broken []map[string]any
		must(t, w.DB().Raw("PRAGMA foreign_key_check").Scan(&broken).Error)
		if len(broken) > 0 {
			t.Errorf("refer to nothing: %v", broken)
		}
	}
}

// Two servers that bring a database up at once give each workspace one product, and so do servers that find a workspace
// without one: it has lost nothing else.
func TestProductsAreGivenOnce(t *testing.T) {
	eachAtStep(t, 3, func(t *testing.T, w storetest.World) {
		third(t, w)
		stores := []*store.Store{w.Store, w.Open(t), w.Open(t)}
		for round := range 3 {
			if err := errors.Join(atOnce(len(stores), func(i int) error { _, err := stores[i].Migrate(t.Context()); return err })...); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			if n := number(t, w, "SELECT count(*) FROM products"); n != int64(2+round) {
				t.Errorf("round %d: %d products", round, n)
			}
			if n := number(t, w, "SELECT count(*) FROM workspaces WHERE 1 <> (SELECT count(*) FROM products WHERE workspace_id = workspaces.id)"); n != 0 {
				t.Errorf("round %d: %d workspaces have none or two", round, n)
			}
			oneMoreWorkspace(t, w, fmt.Sprint("Another ", round), models.Person{ID: "01900000-0000-7000-8000-000000000000"})
		}
	})
}

// The database itself keeps each kind of credential to what it may belong to.
func TestCredentialsBelongToOne(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		product := firstProduct(t, w, home)
		for what, c := range map[string]struct {
			credential models.Credential
			want       error
		}{
			"a bearer token":                {models.Credential{Kind: models.Bearer, PersonID: admin.ID}, nil},
			"one of nobody":                 {models.Credential{Kind: models.Bearer}, gorm.ErrCheckConstraintViolated},
			"one of a workspace":            {models.Credential{Kind: models.Bearer, PersonID: admin.ID, WorkspaceID: product.WorkspaceID}, gorm.ErrCheckConstraintViolated},
			"one of a product":              {models.Credential{Kind: models.Bearer, PersonID: admin.ID, ProductID: product.ID}, gorm.ErrCheckConstraintViolated},
			"an API token":                  {models.Credential{Kind: models.APIToken, WorkspaceID: product.WorkspaceID, ProductID: product.ID}, nil},
			"one of a person":               {models.Credential{Kind: models.APIToken, PersonID: admin.ID, WorkspaceID: product.WorkspaceID, ProductID: product.ID}, gorm.ErrCheckConstraintViolated},
			"one of no product":             {models.Credential{Kind: models.APIToken, WorkspaceID: product.WorkspaceID}, gorm.ErrCheckConstraintViolated},
			"one of no workspace":           {models.Credential{Kind: models.APIToken, ProductID: product.ID}, gorm.ErrCheckConstraintViolated},
			"one of nothing":                {models.Credential{Kind: models.APIToken}, gorm.ErrCheckConstraintViolated},
			"one of a product that is gone": {models.Credential{Kind: models.APIToken, WorkspaceID: product.WorkspaceID, ProductID: models.NewID()}, gorm.ErrForeignKeyViolated},
			"an automation token":           {models.Credential{Kind: models.AutomationToken, PersonID: admin.ID, WorkspaceID: product.WorkspaceID}, nil},
			"one of no person":              {models.Credential{Kind: models.AutomationToken, WorkspaceID: product.WorkspaceID}, gorm.ErrCheckConstraintViolated},
			"one of no workspace at all":    {models.Credential{Kind: models.AutomationToken, PersonID: admin.ID}, gorm.ErrCheckConstraintViolated},
			"one of a product too":          {models.Credential{Kind: models.AutomationToken, PersonID: admin.ID, WorkspaceID: product.WorkspaceID, ProductID: product.ID}, gorm.ErrCheckConstraintViolated},
			"no kind":                       {models.Credential{PersonID: admin.ID}, gorm.ErrCheckConstraintViolated},
			"a kind that there is not":      {models.Credential{Kind: "Bearer", PersonID: admin.ID}, gorm.ErrCheckConstraintViolated},
		} {
			c.credential.ID, c.credential.Hash, c.credential.CreatedAt = models.NewID(), []byte(what), w.Clock.Now()
			if err := w.DB().Create(&c.credential).Error; !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", what, err, c.want)
			}
		}
		twin := models.Credential{ID: models.NewID(), Kind: models.APIToken, WorkspaceID: product.WorkspaceID, ProductID: product.ID, Hash: []byte("an API token"), CreatedAt: w.Clock.Now()}
		if err := w.DB().Create(&twin).Error; !errors.Is(err, gorm.ErrDuplicatedKey) {
			t.Errorf("two of one secret: %v", err)
		}
	})
}
