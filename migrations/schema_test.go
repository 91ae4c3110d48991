package migrations_test

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"testing"
)

// What a schema consists of, a line each: a thing and what it is like. The search for people is left out: it is
// an index in PostgreSQL, and in SQLite tables that triggers keep.
const (
	sqliteSchema = `
WITH plain AS (SELECT * FROM sqlite_master WHERE name NOT LIKE 'people\_search%' ESCAPE '\' AND name NOT LIKE 'people\_trigrams%' ESCAPE '\' AND name NOT LIKE 'credentials\_search%' ESCAPE '\' AND name NOT LIKE 'credentials\_trigrams%' ESCAPE '\')
SELECT 'column ' || t.name || '.' || c.name, lower(c.type) || CASE WHEN c."notnull" OR c.pk THEN ' not null' ELSE '' END || ' key ' || c.pk
  FROM plain t, pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'goose%' AND t.name NOT LIKE 'sqlite%'
UNION ALL
SELECT 'index ' || t.name || '(' || (SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)) || ')' ||
       coalesce((SELECT substr(sql, instr(sql, ' WHERE ')) FROM sqlite_master WHERE name = i.name AND i.partial), ''),
       CASE WHEN i.origin = 'c' THEN i.name ELSE '' END || CASE WHEN i."unique" THEN ' unique' ELSE '' END
  FROM plain t, pragma_index_list(t.name) i WHERE t.type = 'table' AND t.name NOT LIKE 'goose%' AND i.origin <> 'pk'
UNION ALL
SELECT 'reference ' || t.name || '.' || f."from", f."table" || '.' || f."to" || ' ' || lower(f.on_delete)
  FROM plain t, pragma_foreign_key_list(t.name) f WHERE t.type = 'table'`

	postgresSchema = `
SELECT 'column ' || t.relname || '.' || a.attname, format_type(a.atttypid, NULL) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END || ' key ' ||
       coalesce((SELECT array_position(k.conkey, a.attnum) FROM pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'p'), 0)
  FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE t.relnamespace = 'public'::regnamespace AND t.relkind = 'r' AND t.relname NOT LIKE 'goose%'
UNION ALL
SELECT 'index ' || t.relname || '(' || (SELECT string_agg(pg_get_indexdef(i.indexrelid, n, true), ',' ORDER BY n) FROM generate_series(1, i.indnkeyatts) n) || ')' ||
       coalesce(' WHERE ' || pg_get_expr(i.indpred, i.indrelid), ''),
       CASE WHEN n.relname LIKE '%\_key' THEN '' ELSE n.relname END || CASE WHEN i.indisunique THEN ' unique' ELSE '' END
  FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_class n ON n.oid = i.indexrelid
 WHERE t.relnamespace = 'public'::regnamespace AND t.relname NOT LIKE 'goose%' AND n.relname NOT IN ('people_trigrams', 'credentials_trigrams') AND NOT i.indisprimary
UNION ALL
SELECT 'reference ' || f.conrelid::regclass || '.' || a.attname, f.confrelid::regclass || '.' || b.attname || CASE f.confdeltype WHEN 'a' THEN ' no action' WHEN 'c' THEN ' cascade' ELSE f.confdeltype::text END
  FROM pg_constraint f JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1] JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = f.confkey[1]
 WHERE f.contype = 'f'`
)

// spelled brings what the two databases call differently into one form.
var spelled = strings.NewReplacer("timestamp with time zone", "time", "timestamp", "time", "bigint", "integer", "bytea", "blob", "::text", "", "(", "", ")", "")

func describe(t *testing.T, e empty, query string) map[string]string {
	t.Helper()
	db := e.open(t)
	up(t, e, db)
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	things := map[string]string{}
	for rows.Next() {
		var thing, like string
		if err := rows.Scan(&thing, &like); err != nil {
			t.Fatal(err)
		}
		things[spelled.Replace(thing)] = spelled.Replace(like)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return things
}

// Both databases have the same tables, columns, keys, indexes and references: one store speaks to both.
func TestBothSchemasAreTheSame(t *testing.T) {
	t.Parallel()
	sqlite, postgres := describe(t, emptySQLite(t), sqliteSchema), describe(t, emptyPostgres(t), postgresSchema)
	for _, thing := range slices.Sorted(maps.Keys(merged(sqlite, postgres))) {
		if sqlite[thing] != postgres[thing] {
			t.Errorf("%s: sqlite %q, postgres %q", thing, cmp.Or(sqlite[thing], "(none)"), cmp.Or(postgres[thing], "(none)"))
		}
	}
	for _, kind := range []string{"column people.", "index credentialsperson_id", "reference sessions."} {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(sqlite)), func(thing string) bool { return strings.HasPrefix(thing, kind) }) {
			t.Errorf("nothing like %q was compared", kind)
		}
	}
}

func merged(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// What lists are sorted and paged by is compared byte by byte in both databases, whatever the language
// that a PostgreSQL cluster was made for: with another order a page would begin in the wrong place.
func TestSortKeysAreComparedByBytes(t *testing.T) {
	t.Parallel()
	e := emptyPostgres(t)
	db := e.open(t)
	up(t, e, db)
	for _, column := range []string{"people.name_key", "collections.name_key", "credentials.prefix", "collection_files.path"} {
		table, name, _ := strings.Cut(column, ".")
		var collation *string
		err := db.QueryRow("SELECT collation_name FROM information_schema.columns WHERE table_name = $1 AND column_name = $2", table, name).Scan(&collation)
		if err != nil || collation == nil || *collation != "C" {
			t.Errorf("%s: %v (%v)", column, collation, err)
		}
	}
}
