package web_test

import (
	"bufio"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/web/webtest"
)

// table reads a CSV file by its heading.
func table(t *testing.T, a *webtest.Answer) (rows []map[string]string) {
	t.Helper()
	cells, err := csv.NewReader(strings.NewReader(a.Body)).ReadAll()
	if err != nil || len(cells) == 0 {
		t.Fatalf("%d rows, %v", len(cells), err)
	}
	for _, row := range cells[1:] {
		named := map[string]string{}
		for i, cell := range row {
			named[cells[0][i]] = cell
		}
		rows = append(rows, named)
	}
	return rows
}

// line is an event as JSON Lines have it.
type line struct {
	Number  int64
	At      time.Time
	Action  models.Action
	Actor   struct{ Kind, ID, Name, SessionID, CredentialID string }
	Subject struct{ Kind, ID, Name, PersonID string }
	Changes []models.Change
	Hash    string
}

func lines(t *testing.T, a *webtest.Answer) (list []line) {
	t.Helper()
	scan := bufio.NewScanner(strings.NewReader(a.Body))
	for scan.Scan() {
		var l line
		if err := json.Unmarshal(scan.Bytes(), &l); err != nil {
			t.Fatalf("%s: %v", scan.Text(), err)
		}
		list = append(list, l)
	}
	if a.Body != "" && !strings.HasSuffix(a.Body, "\n") {
		t.Error("the last line has no end")
	}
	return list
}

// An export has exactly the events that its filter lets pass, all of them, newest first, whatever page it was asked
// from, as a table and as JSON Lines, each with its hash; and no secret.
func TestExports(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		fillLog(t, s, 2100, "Ines Moreau")
		tom, _, _ := busy(t, s)
		admin := s.SignedIn(t, "ines@marlowe.example")
		home, err := s.HomeWorkspace(t.Context(), s.Admin)
		if err != nil {
			t.Fatal(err)
		}
		for query, c := range map[string]struct {
			f     models.EventFilter
			least int
		}{
			"": {models.EventFilter{}, 2100}, "?after=7": {models.EventFilter{}, 2100}, "?action=person.changed": {models.EventFilter{Action: models.PersonChanged}, 2100},
			"?actor=okafor": {models.EventFilter{ActorID: tom.ID}, 1}, "?actor=" + models.NewID(): {models.EventFilter{ActorID: models.NewID()}, 0}, "?to=2026-11-21": {models.EventFilter{To: s.Clock.Now().Truncate(24 * time.Hour)}, 2100},
		} {
			c.f.Limit = 10_000
			want, err := s.Events(t.Context(), s.Admin, c.f)
			if err != nil || len(want) < c.least {
				t.Fatal(len(want), err)
			}
			a := admin.Get(t, "/audit.csv"+query).Want(t, 200)
			if name := downloaded(t, a, "text/csv; charset=utf-8; header=present"); name != "audit-2026-11-22.csv" {
				t.Errorf("it is called %q", name)
			}
			rows := table(t, a)
			b := admin.Get(t, "/audit.jsonl"+query).Want(t, 200)
			if name := downloaded(t, b, "application/jsonl; charset=utf-8"); name != "audit-2026-11-22.jsonl" {
				t.Errorf("it is called %q", name)
			}
			objects := lines(t, b)
			if len(rows) != len(want) || len(objects) != len(want) {
				t.Errorf("%q: %d rows and %d lines, want %d", query, len(rows), len(objects), len(want))
				continue
			}
			for i, e := range want {
				row, object := rows[i], objects[i]
				if row["number"] != fmt.Sprint(e.Seq) || row["at"] != e.At.Format(time.RFC3339Nano) || row["action"] != string(e.Action) || row["actor_name"] != e.ActorName || row["changes"] != e.Changes || row["hash"] != hex.EncodeToString(e.Hash) || row["request_id"] != e.RequestID {
					t.Fatalf("%q: row %d is %v, want %+v", query, i, row, e)
				}
				if object.Number != e.Seq || !object.At.Equal(e.At) || object.Action != e.Action || object.Actor.Name != e.ActorName || !slices.Equal(object.Changes, e.ChangeList()) || object.Hash != hex.EncodeToString(e.Hash) || object.Subject.ID != e.SubjectID {
					t.Fatalf("%q: line %d is %+v, want %+v", query, i, object, e)
				}
			}
			if found([]byte(a.Body+b.Body), s.Secrets.All()) != nil {
				t.Errorf("%q: a secret is in it", query)
			}
			if head := admin.Send(t, "HEAD", "/audit.csv"+query, nil).Want(t, 200); head.Body != "" || head.Header.Get("Content-Disposition") == "" {
				t.Errorf("HEAD: %v", head.Header)
			}
		}
		theirs, err := s.Events(t.Context(), s.Admin, models.EventFilter{WorkspaceID: home.ID, Limit: 10_000})
		if rows := table(t, admin.Get(t, "/w/marlowe-press/settings/audit.csv").Want(t, 200)); err != nil || len(rows) != len(theirs) {
			t.Errorf("of the workspace %d rows, want %d (%v)", len(rows), len(theirs), err)
		}
		for _, unclear := range []string{"?actor=moreau", "?subject=no+such", "?from=x", "?workspace=nope"} {
			for _, path := range []string{"/audit.csv", "/audit.jsonl"} {
				a := admin.Get(t, path+unclear).Want(t, 400).Has(t, "Go back to the log and choose there.")
				if a.Header.Get("Content-Disposition") != "" {
					t.Error("an error page is a file")
				}
			}
		}
	})
}

// The files that the log offers are those of what it shows.
func TestExportsOfWhatIsShown(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	busy(t, s)
	admin := s.SignedIn(t, "ines@marlowe.example")
	for _, path := range []string{"/audit", "/audit?actor=okafor", "/audit?action=person.changed&from=2026-11-21", "/w/marlowe-press/settings/audit", "/w/marlowe-press/settings/audit?action=collection.installed"} {
		page := admin.Get(t, path).Want(t, 200)
		var numbers, told []string
		for _, row := range table(t, admin.Get(t, linkTo(t, page, "Export CSV")).Want(t, 200)) {
			numbers = append(numbers, row["number"])
		}
		for _, l := range lines(t, admin.Get(t, linkTo(t, page, "Export JSON Lines")).Want(t, 200)) {
			told = append(told, fmt.Sprint(l.Number))
		}
		if want := seqs(t, page); !slices.Equal(numbers, want) || !slices.Equal(told, want) || len(want) == 0 {
			t.Errorf("%s: the table has %v, the lines %v, the page %v", path, numbers, told, want)
		}
	}
}

// W7: no name that somebody chose is a formula when a spreadsheet opens the table, and each is read back whole.
func TestExportsAreNoFormulas(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	names := []string{"=1+1", "+x", "@SUM(A1)", "-2", "＝1", "＋1", "－1", "＠x", `=HYPERLINK("http://evil.example","x")`, "'quoted", `a "quoted", name`, "a;=1+1", "Zoë 李 😀", "|calc", "%0a=1"}
	for i, name := range names {
		p := s.Person(t, s.Admin, models.Member)
		if _, err := s.EditPerson(t.Context(), s.Admin, p.ID, models.PersonEdit{Name: name, Email: p.Email, Role: models.Member}); err != nil {
			t.Fatal(i, err)
		}
	}
	if err := s.RecordRefused(t.Context(), models.Refused{Action: models.AccessDenied, Reason: "forbidden", Who: models.Actor{Kind: models.Guest, Name: "\t=1", Address: "\r=2"}, SubjectName: "\x00=3"}); err == nil {
		names = append(names, "\x00=3") // a database that takes it
	}
	admin := s.SignedIn(t, "ines@marlowe.example")
	seen := map[string]bool{}
	a := admin.Get(t, "/audit.csv").Want(t, 200)
	for _, row := range table(t, a) {
		for column, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r\n\x00＝＋－＠", []rune(cell)[0]) {
				t.Errorf("%s begins as a formula: %q", column, cell)
			}
		}
		seen[row["subject_name"]] = true
	}
	for _, name := range names {
		if !seen[name] && !seen["'"+name] && !seen[strings.ReplaceAll(name, ";=", ";'=")] {
			t.Errorf("%q is not in the table", name)
		}
	}
	told := map[string]bool{}
	for _, l := range lines(t, admin.Get(t, "/audit.jsonl").Want(t, 200)) {
		told[l.Subject.Name] = true
	}
	for _, name := range names {
		if !told[name] {
			t.Errorf("%q is not in the lines as it is", name)
		}
	}
}

// Whoever loses the right while an export goes on gets no more of it, and sees that it was cut off: half a file does
// not look like a whole one.
func TestAnExportThatIsCutOff(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		fillLog(t, s, 2500, strings.Repeat("long ", 1600))
		for path, end := range map[string]func(p models.Person){
			"/audit.csv": func(p models.Person) {
				if _, err := s.SignOutEverywhere(t.Context(), s.Admin, p.ID); err != nil {
					t.Fatal(err)
				}
			},
			"/audit.jsonl": func(p models.Person) {
				if _, err := s.EditPerson(t.Context(), s.Admin, p.ID, models.PersonEdit{Name: p.Name, Email: p.Email, Role: models.Member}); err != nil {
					t.Fatal(err)
				}
			},
		} {
			reader := s.Person(t, s.Admin, models.Admin)
			r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Cookie", "sid="+session(t, s, reader))
			response, err := s.Listener.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.CopyN(io.Discard, response.Body, 10_000); err != nil || response.StatusCode != 200 {
				t.Fatal(response.StatusCode, err)
			}
			end(reader) // the rest does not fit between server and reader
			n, err := io.Copy(io.Discard, response.Body)
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("after %d bytes more %s ended with %v", n, path, err)
			}
			response.Body.Close()
		}
		if !strings.Contains(s.Log.String(), "an export was cut off") {
			t.Error("the log does not say so")
		}
	})
}

// fillLog adds events with somebody's name, past the store, which would take long: as many as an export reads in several
// goes, or so long that they do not fit into the buffers of a connection.
func fillLog(t *testing.T, s webtest.Site, n int, name string) { fillLogOf(t, s, n, name, "") }

// fillLogOf is fillLog with events of a workspace.
func fillLogOf(t *testing.T, s webtest.Site, n int, name, workspace string) {
	t.Helper()
	numbers, hash := fmt.Sprintf("generate_series(1, %d) AS g(value)", n), `'\x00'::bytea`
	if s.World.URL == "" {
		numbers, hash = fmt.Sprintf("(WITH RECURSIVE g(value) AS (SELECT 1 UNION ALL SELECT value+1 FROM g WHERE value < %d) SELECT value FROM g) AS g", n), "x'00'"
	}
	execute(t, s, "INSERT INTO events (seq, id, at, action, actor_kind, actor_id, actor_name, session_id, credential_id, subject_kind, subject_id, subject_name, person_id, workspace_id, address, request_id, changes, hash) "+
		"SELECT (SELECT last_seq FROM change_clock) + value, 'x' || value, (SELECT last_at FROM change_clock), 'person.changed', 'system', '', '"+name+"', '', '', '', '', '', '', '"+workspace+"', '', '', '', "+hash+" FROM "+numbers)
	execute(t, s, fmt.Sprintf("UPDATE change_clock SET last_seq = last_seq + %d", n))
}
