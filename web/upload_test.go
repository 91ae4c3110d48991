package web_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/archive"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// small bounds the archives of these tests, so that one over the limit is small too.
var small = func() archive.Limits {
	l := archive.DefaultLimits
	l.ArchiveBytes, l.Entries, l.FileBytes = 1<<20, 3, 4<<10
	return l
}()

// Every body that is no installable collection has its message, in the one envelope, and leaves
// nothing: no event, no row, no file (http.md; security rules U2 to U6, U11).
func TestBodiesThatAreRefused(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t, webtest.Limits(small))
	_, token := s.Token(t, s.Admin, s.Admin.ID)
	for name, c := range refusedBodies(t) {
		before := s.Changes(t)
		a := s.Browser(t).Send(t, "POST", "/installCollection", bytes.NewReader(c.body), "Content-Type", c.kind, "Authorization", "Bearer "+token.Reveal())
		if said := a.Envelope(t); a.Status != c.status || !strings.Contains(said.Message, c.says) {
			t.Errorf("%s: status %d, message %q, want %d, %q", name, a.Status, said.Message, c.status, c.says)
		}
		if s.Changes(t) != before {
			t.Errorf("%s: it changed something", name)
		}
	}
	nothingSpooled(t, s)
	s.SignedIn(t, "ines@marlowe.example").Get(t, "/w/marlowe-press/settings/collections").Has(t, "No collections yet")
}

// refusedBody is a body, and how it is refused.
type refusedBody struct {
	kind   string
	body   []byte
	status int
	says   string
}

func refusedBodies(t *testing.T) map[string]refusedBody {
	good := zipOf(t, "a.txt", "a")
	file := func(field string, content []byte) []byte { return part(field, "a.zip", content) }
	const form = "multipart/form-data; boundary=edge"
	return map[string]refusedBody{
		"nothing":                {"", nil, 400, "No file uploaded. "},
		"no type":                {"", bodyOf(file("collectionFile", good)), 400, "No file uploaded. "},
		"a zip and no form":      {"application/zip", good, 400, "No file uploaded. "},
		"a page's form":          {"application/x-www-form-urlencoded", []byte("collectionFile=x"), 400, "No file uploaded. "},
		"JSON":                   {"application/json", []byte("{}"), 400, "No file uploaded. "},
		"no boundary":            {"multipart/form-data", bodyOf(file("collectionFile", good)), 400, "No file uploaded. "},
		"a type that is none":    {"multipart/form-data; boundary=\"", bodyOf(file("collectionFile", good)), 400, "No file uploaded. "},
		"an empty form":          {form, bodyOf(), 400, "No file uploaded. "},
		"the wrong field":        {form, bodyOf(file("file", good)), 400, `No file uploaded. Attach a .zip collection file to the request in the form field 'collectionFile', like -F "collectionFile=@myCollection.zip". A file came in the field "file".`},
		"another case":           {form, bodyOf(file("collectionfile", good)), 400, "No file uploaded. "},
		"only another field":     {form, bodyOf(part("comment", "", []byte("x"))), 400, "No file uploaded. "},
		"two files":              {form, bodyOf(file("collectionFile", good), file("collectionFile", good)), 400, "more than once"},
		"another file beside":    {form, bodyOf(file("collectionFile", good), file("second", good)), 400, "No file uploaded. "},
		"a large field beside":   {form, bodyOf(part("comment", "", bytes.Repeat([]byte("x"), 5000)), file("collectionFile", good)), 400, "larger than 4 KiB"},
		"an empty file":          {form, bodyOf(file("collectionFile", nil)), 400, "Only .zip collection files are accepted."},
		"a text":                 {form, bodyOf(file("collectionFile", []byte("hello"))), 400, "Only .zip collection files are accepted."},
		"a text called zip":      {form, bodyOf(part("collectionFile", "", []byte("hello"))), 400, "put @ before the file's name"},
		"a gzip":                 {form, bodyOf(file("collectionFile", []byte("\x1f\x8b\x08\x00hello world"))), 400, "Only .zip collection files are accepted."},
		"a zip with a prefix":    {form, bodyOf(file("collectionFile", append([]byte("MZ"), good...))), 400, "Only .zip collection files are accepted."},
		"a zip cut short":        {form, bodyOf(file("collectionFile", good[:len(good)-9])), 422, "damaged or incomplete"},
		"a path out of it":       {form, bodyOf(file("collectionFile", zipOf(t, "../../etc/passwd", "x"))), 422, `entry 1 ("../../etc/passwd")`},
		"one path twice":         {form, bodyOf(file("collectionFile", zipOf(t, "a.txt", "x", "A.txt", "y"))), 422, `entry 2 ("A.txt")`},
		"too many entries":       {form, bodyOf(file("collectionFile", zipOf(t, "a", "", "b", "", "c", "", "d", ""))), 422, "3"},
		"a file that is too big": {form, bodyOf(file("collectionFile", zipOf(t, "big.txt", strings.Repeat("x", 5000)))), 422, `("big.txt")`},
		"too big as a whole":     {form, bodyOf(file("collectionFile", append(bytes.Clone(good), make([]byte, 1<<20)...))), 422, "larger than the limit of 1.0 MiB"},
		"too big by far":         {form, bodyOf(file("collectionFile", make([]byte, 2<<20))), 422, "larger than the limit of 1.0 MiB"},
		"too big in small parts": {form, bodyOf(bytes.Repeat(part("comment", "", bytes.Repeat([]byte("x"), 4000)), 300)), 422, "larger than the limit of 1.0 MiB"},
		"no last line":           {form, part("collectionFile", "a.zip", good), 400, "broke off or is not well-formed"},
		"half of a part":         {form, part("collectionFile", "a.zip", good)[:90], 400, "broke off or is not well-formed"},
		"no part at all":         {form, []byte("hello"), 400, "No file uploaded. "},
		"headers without end":    {form, append([]byte("--edge\r\nX-Long: "), bytes.Repeat([]byte("x"), 900<<10)...), 400, "No file uploaded. "},
		"very many headers":      {form, append([]byte("--edge\r\n"), bytes.Repeat([]byte("X: y\r\n"), 100_000)...), 400, "broke off or is not well-formed"},
		"an odd disposition":     {form, []byte("--edge\r\nContent-Disposition: form-data; name=\"collectionFile; filename=\r\n\r\nx\r\n--edge--\r\n"), 400, "No file uploaded. "},
		"no disposition":         {form, []byte("--edge\r\n\r\nx\r\n--edge--\r\n"), 400, "No file uploaded. "},
		"an attachment":          {form, []byte("--edge\r\nContent-Disposition: attachment; name=\"collectionFile\"; filename=\"a.zip\"\r\n\r\nx\r\n--edge--\r\n"), 400, "No file uploaded. "},
	}
}

// Fields that mean nothing here do no harm, wherever they stand, and neither do empty ones.
func TestOtherFieldsAreIgnored(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	_, token := s.Token(t, s.Admin, s.Admin.ID)
	archive, aside := part("collectionFile", "a.zip", zipOf(t, "a.txt", "a")), part("comment", "", []byte("nightly build"))
	for name, body := range map[string][]byte{
		"before": bodyOf(aside, archive), "behind": bodyOf(archive, aside), "twice": bodyOf(aside, aside, archive), "empty": bodyOf(archive, part("comment", "", nil)),
	} {
		a := s.Browser(t).Send(t, "POST", "/installCollection", bytes.NewReader(body), "Content-Type", "multipart/form-data; boundary=edge", "X-API-Token", token.Reveal())
		if a.Status != 200 {
			t.Errorf("%s: status %d: %s", name, a.Status, a.Body)
		}
	}
}

// Which workspace is meant stands in the field or in the header, by its slug or its ID; two that differ
// are refused, and one that is not there is named by nobody else.
func TestWhichWorkspace(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		_, token := s.Token(t, s.Admin, s.Admin.ID)
		list, err := s.Workspaces(t.Context(), s.Admin, models.Place{})
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		id := list[0].ID
		for _, c := range []struct {
			fields  []string
			headers []string
			status  int
		}{
			{nil, nil, 200}, {[]string{"marlowe-press"}, nil, 200}, {[]string{id}, nil, 200}, {[]string{""}, nil, 200},
			{nil, []string{"marlowe-press"}, 200}, {nil, []string{id}, 200}, {nil, []string{""}, 200}, {[]string{"marlowe-press"}, []string{"marlowe-press"}, 200},
			{[]string{"other"}, nil, 404}, {nil, []string{"other"}, 404}, {[]string{"MARLOWE-PRESS"}, nil, 404}, {[]string{s.Admin.ID}, nil, 404},
			{[]string{"marlowe-press"}, []string{"other"}, 400}, {[]string{"marlowe-press", "marlowe-press"}, nil, 400},
			{nil, []string{"marlowe-press", "marlowe-press"}, 400}, {nil, []string{"marlowe-press", "other"}, 400}, {[]string{strings.Repeat("x", 300)}, nil, 400},
			{[]string{"a\x00b"}, nil, 400}, {[]string{"a\xffb"}, nil, 400}, {nil, []string{"a\xffb"}, 400}, {[]string{"' OR 1=1 --"}, nil, 404}, {[]string{"../x"}, nil, 404},
		} {
			parts := [][]byte{part("collectionFile", "a.zip", zipOf(t, "a.txt", "a"))}
			for _, field := range c.fields {
				parts = append(parts, part("workspace", "", []byte(field)))
			}
			headers := []string{"Content-Type", "multipart/form-data; boundary=edge", "Authorization", "Bearer " + token.Reveal()}
			for _, value := range c.headers {
				headers = append(headers, "X-Workspace-Id", value)
			}
			a := s.Browser(t).Send(t, "POST", "/installCollection", bytes.NewReader(bodyOf(parts...)), headers...)
			if a.Envelope(t); a.Status != c.status {
				t.Errorf("field %q, header %q: status %d, want %d: %s", c.fields, c.headers, a.Status, c.status, a.Body)
			}
		}
		nothingSpooled(t, s)
	})
}

// The envelope is the shape of every answer at this address, those before its guard too: a wrong
// method, and what a page of another site has a browser send.
func TestTheEnvelopeIsAlwaysThere(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	for _, method := range []string{"GET", "PUT", "DELETE", "PATCH"} {
		s.Browser(t).Send(t, method, "/installCollection", nil, "Accept", "text/html").Want(t, 405).Envelope(t)
	}
	install := installer(t, s, "Sec-Fetch-Site", "cross-site")
	before := s.Changes(t)
	install("a.zip", zipOf(t, "a.txt", "a")).Want(t, 403).Envelope(t)
	if s.Changes(t) != before {
		t.Error("another site's page installed something")
	}
}

// nothingSpooled insists that no upload left a file, with a name or without one.
func nothingSpooled(t *testing.T, s webtest.Site) {
	t.Helper()
	left, err := os.ReadDir(s.Handlers.SpoolDir)
	if err != nil || len(left) > 0 {
		t.Errorf("the spool holds %v, %v", left, err)
	}
	if open := openIn(t, s.Handlers.SpoolDir); len(open) > 0 {
		t.Errorf("files of the spool are open: %v", open)
	}
}

// openIn lists the files below a folder that this process holds open, those without a name too.
func openIn(t *testing.T, folder string) (open []string) {
	t.Helper()
	const all = "/proc/self/fd"
	held, err := os.ReadDir(all)
	if err != nil {
		storetest.Missing(t, "this system does not list the files that a process holds open")
	}
	for _, fd := range held {
		if file, err := os.Readlink(fmt.Sprintf("%s/%s", all, fd.Name())); err == nil && strings.HasPrefix(file, folder+"/") {
			open = append(open, file)
		}
	}
	return open
}

// stalled is the end of a body that does not come: its time is over, and net/http ends the request with it.
type stalled struct{ end context.CancelFunc }

func (s stalled) Read([]byte) (int, error) {
	s.end()
	return 0, os.ErrDeadlineExceeded
}

// Security rule G7: an upload from the console that stops coming gets the page back, which says why.
func TestG7AnUploadThatStalls(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		cookie := session(t, s, s.Person(t, s.Admin, models.Admin))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		whole := bodyOf(part("collectionFile", "a.zip", zipOf(t, "a", strings.Repeat("a", 1000))))
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, collections, io.MultiReader(bytes.NewReader(whole[:len(whole)/2]), stalled{cancel}))
		r.Header.Set("Content-Type", "multipart/form-data; boundary=edge")
		r.AddCookie(&http.Cookie{Name: "sid", Value: cookie})
		w, before := httptest.NewRecorder(), s.Changes(t)
		s.Listener.Config.Handler.ServeHTTP(w, r)
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "The upload was too slow. Send it again.") {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		if s.Changes(t) != before {
			t.Error("something was installed")
		}
		nothingSpooled(t, s)
	})
}
