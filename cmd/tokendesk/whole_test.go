package main

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"testing"

	"tokendesk/models"
	"tokendesk/models/archive"
)

// kept is what a database holds of what the tests of crashes do, read behind the program's back.
type kept struct {
	credentials map[string]credentialRow // by ID
	byHash      map[string]string        // the hash in hexadecimal: ID
	versions    map[string]versionRow    // by SHA-256: here no two collections have the same bytes
}

type credentialRow struct {
	person, replacedBy string
	revoked            bool
}

type versionRow struct {
	id, collection string
	number         int
	size           int64
	entries        int
}

// wantWhole insists that nothing in a database is half: each credential has its event, each revocation too,
// each collection all of its bytes, and the audit log its chain. Versions that were looked at before are
// not read again, unless all is nil.
func (in place) wantWhole(t *testing.T, db *sql.DB, seen map[string]bool) kept {
	t.Helper()
	in.ok(t, "", "audit", "verify")
	in.ok(t, "", "doctor")
	events := readEvents(t, db)
	k := kept{readCredentials(t, db), map[string]string{}, readVersions(t, db)}
	rows(t, db, "SELECT id, hash FROM credentials", func(scan func(...any)) {
		var id string
		var hash []byte
		scan(&id, &hash)
		k.byHash[hex.EncodeToString(hash)] = id
	})
	k.wantCredentials(t, db, events)
	k.wantVersions(t, db, events)
	for sum, v := range k.versions {
		if !seen[sum] {
			wantBytes(t, db, sum, v)
			seen[sum] = true
		}
	}
	return k
}

// wantCredentials compares the credentials with the log: one creation each, and one end for those that are over.
func (k kept) wantCredentials(t *testing.T, db *sql.DB, events []models.Event) {
	t.Helper()
	created, revoked, replaced := map[string]int{}, map[string]int{}, map[string]string{}
	for _, e := range events {
		switch e.Action {
		case models.CredentialCreated:
			created[e.SubjectID]++
			if old := changed(e, "replaces"); old != "" {
				replaced[old] = e.SubjectID
			}
		case models.CredentialRevoked:
			revoked[e.SubjectID]++
		}
	}
	forms := count(t, db, "SELECT count(*) FROM used_forms WHERE subject_id IN (SELECT id FROM credentials)")
	if forms != len(k.credentials) || forms != count(t, db, "SELECT count(*) FROM used_forms") {
		t.Errorf("%d credentials, %d forms that made one", len(k.credentials), forms)
	}
	for id, c := range k.credentials {
		if created[id] != 1 {
			t.Errorf("credential %s has %d events of its creation", id, created[id])
		}
		delete(created, id)
		ended := 0
		if c.revoked && c.replacedBy == "" {
			ended = 1
		}
		if revoked[id] != ended || replaced[id] != c.replacedBy || (c.replacedBy != "" && !c.revoked) {
			t.Errorf("credential %s: revoked %v, replaced by %q; the log has %d revocations and %q", id, c.revoked, c.replacedBy, revoked[id], replaced[id])
		}
	}
	if len(created) > 0 {
		t.Errorf("the log has creations of credentials that are not there: %v", created)
	}
}

// wantVersions compares the collections with the log, and their parts with one another.
func (k kept) wantVersions(t *testing.T, db *sql.DB, events []models.Event) {
	t.Helper()
	installed := map[string]int{}
	for _, e := range events {
		if e.Action == models.CollectionInstalled {
			installed[e.SubjectID+changed(e, "sha256")]++
		}
	}
	for sum, v := range k.versions {
		if installed[v.collection+sum] != 1 {
			t.Errorf("version %d with %.8s has %d events of its installation", v.number, sum, installed[v.collection+sum])
		}
	}
	if len(installed) != len(k.versions) {
		t.Errorf("%d versions, %d of which the log has the installation", len(k.versions), len(installed))
	}
	for half, query := range map[string]string{
		"collections without their current version": "SELECT count(*) FROM collections c WHERE NOT EXISTS (SELECT 1 FROM collection_versions v WHERE v.id = c.current_version_id AND v.collection_id = c.id)",
		"collections with a gap in their versions":  "SELECT count(*) FROM (SELECT collection_id FROM collection_versions GROUP BY collection_id HAVING max(number) <> count(*)) gaps",
		"archives of no version":                    "SELECT count(*) FROM blobs WHERE sha256 NOT IN (SELECT sha256 FROM collection_versions)",
		"pieces of no archive":                      "SELECT count(*) FROM blob_chunks WHERE sha256 NOT IN (SELECT sha256 FROM blobs)",
		"files of no version":                       "SELECT count(*) FROM collection_files WHERE version_id NOT IN (SELECT id FROM collection_versions)",
	} {
		if n := count(t, db, query); n != 0 {
			t.Errorf("%d %s", n, half)
		}
	}
}

// wantBytes puts an archive together from its pieces: it has the size and the hash that it is known by, and
// holds the very files that are listed.
func wantBytes(t *testing.T, db *sql.DB, sum string, v versionRow) {
	t.Helper()
	var whole bytes.Buffer
	next := 0
	rows(t, db, "SELECT number, bytes FROM blob_chunks WHERE sha256 = '"+sum+"' ORDER BY number", func(scan func(...any)) {
		var number int
		var piece []byte
		scan(&number, &piece)
		if number != next {
			t.Errorf("piece %d of %.8s is missing", next, sum)
		}
		whole.Write(piece)
		next++
	})
	hash := sha256.Sum256(whole.Bytes())
	if hex.EncodeToString(hash[:]) != sum || int64(whole.Len()) != v.size {
		t.Errorf("%d pieces of %.8s are %d bytes of %d, with the hash %x", next, sum, whole.Len(), v.size, hash[:4])
		return
	}
	holds, err := archive.Check(t.Context(), bytes.NewReader(whole.Bytes()), v.size, archive.DefaultLimits)
	if err != nil {
		t.Fatalf("the archive %.8s: %v", sum, err)
	}
	listed := map[string]string{}
	rows(t, db, "SELECT path, sha256 FROM collection_files WHERE version_id = '"+v.id+"'", func(scan func(...any)) {
		var path, hash string
		scan(&path, &hash)
		listed[path] = hash
	})
	for _, f := range holds.Files {
		if listed[f.Path] != hex.EncodeToString(f.SHA256[:]) {
			t.Errorf("the file %s of %.8s is listed with %q", f.Path, sum, listed[f.Path])
		}
	}
	if len(listed) != len(holds.Files) || len(listed) != v.entries {
		t.Errorf("%.8s holds %d files, %d are listed, %d said", sum, len(holds.Files), len(listed), v.entries)
	}
}

func readCredentials(t *testing.T, db *sql.DB) map[string]credentialRow {
	t.Helper()
	found := map[string]credentialRow{}
	rows(t, db, "SELECT id, person_id, replaced_by, revoked_at IS NOT NULL FROM credentials", func(scan func(...any)) {
		var id string
		var c credentialRow
		scan(&id, &c.person, &c.replacedBy, &c.revoked)
		found[id] = c
	})
	return found
}

func readVersions(t *testing.T, db *sql.DB) map[string]versionRow {
	t.Helper()
	found := map[string]versionRow{}
	rows(t, db, "SELECT v.sha256, v.id, v.collection_id, v.number, b.size, v.entries FROM collection_versions v JOIN blobs b ON b.sha256 = v.sha256 AND b.size = v.size", func(scan func(...any)) {
		var sum string
		var v versionRow
		scan(&sum, &v.id, &v.collection, &v.number, &v.size, &v.entries)
		found[sum] = v
	})
	if n := count(t, db, "SELECT count(*) FROM collection_versions"); n != len(found) {
		t.Errorf("of %d versions %d have an archive of their size", n, len(found))
	}
	return found
}

func readEvents(t *testing.T, db *sql.DB) (events []models.Event) {
	t.Helper()
	rows(t, db, "SELECT action, subject_id, changes FROM events ORDER BY seq", func(scan func(...any)) {
		var e models.Event
		scan(&e.Action, &e.SubjectID, &e.Changes)
		events = append(events, e)
	})
	return events
}

// changed is the value after a change of a field.
func changed(e models.Event, field string) string {
	for _, c := range e.ChangeList() {
		if c.Field == field {
			return c.After
		}
	}
	return ""
}

// rows calls a function with each row of a query.
func rows(t *testing.T, db *sql.DB, query string, each func(scan func(...any))) {
	t.Helper()
	list, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer list.Close()
	for list.Next() {
		each(func(into ...any) {
			if err := list.Scan(into...); err != nil {
				t.Fatalf("%s: %v", query, err)
			}
		})
	}
	if err := list.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func count(t *testing.T, db *sql.DB, query string) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}
