package sample_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"tokendesk/web/sample"
)

const storage = "/api/knowledge-base/storage"

func sum(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

// form is a form as curl -F makes it, of fields in pairs: a name and a content. The field "file" is a file.
func form(t testing.TB, fields ...string) (body, kind string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(fields); i += 2 {
		create := w.CreateFormField
		if strings.HasPrefix(fields[i], "file") {
			create = func(name string) (io.Writer, error) { return w.CreateFormFile(name, "notes.md") }
		}
		part, err := create(fields[i])
		if err != nil {
			t.Fatal(err)
		}
		_, _ = part.Write([]byte(fields[i+1]))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String(), w.FormDataContentType()
}

// onDisk counts the files in the folder.
func (p *product) onDisk() int {
	p.t.Helper()
	entries, err := os.ReadDir(p.path + ".files")
	if err != nil {
		p.t.Fatal(err)
	}
	return len(entries)
}

// A file comes back as it was sent, in a form or as a body, whatever its name is; deleted, it is gone from the disk.
func TestStorage(t *testing.T) {
	p := start(t)
	c := p.as("w1")
	body, kind := form(t, "file", "# Notes\n\nof a form")
	made := c.post(storage, body, "Content-Type", kind)
	f := data[file](made, 201)
	if want := (file{f.ID, "notes.md", 18, sum("# Notes\n\nof a form"), f.DocumentID, "cred_001", p.clock.Now()}); f != want || f.DocumentID == "" || made.header.Get("Location") != storage+"/"+f.ID {
		t.Errorf("kept %+v", f)
	}
	raw := c.keep("..%2Fa%5Cb%20%22%C3%A9%22.bin", "\x00\x01")
	if raw.Name != `b "é".bin` || raw.DocumentID != "" {
		t.Errorf("kept %+v", raw)
	}
	if all := items[file](c.get(storage)); len(all) != 7 || all[0] != raw || all[1] != f || p.onDisk() != 7 {
		t.Errorf("the list is %+v", all)
	}
	got := c.get(storage + "/" + raw.ID).want(200)
	if got.body != "\x00\x01" || got.header.Get("Content-Type") != "application/octet-stream" || got.header.Get("X-Content-Type-Options") != "nosniff" || got.header.Get("Cache-Control") != "no-store" ||
		got.header.Get("Content-Disposition") != `attachment; filename*=utf-8''b%20%22%C3%A9%22.bin` || !strings.Contains(got.header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("downloaded %q with %v", got.body, got.header)
	}
	data[struct{ ID string }](c.call("DELETE", storage+"/"+raw.ID, ""), 200)
	c.get(storage+"/"+raw.ID).refused(404, "not_found", "GET "+storage)
	c.call("DELETE", storage+"/"+raw.ID, "").refused(404, "not_found")
	if p.onDisk() != 6 {
		t.Errorf("%d files are on the disk", p.onDisk())
	}
}

// Parts of a file are served as RFC 9110, section 14 has it.
func TestRanges(t *testing.T) {
	c := start(t).as("w1")
	f := c.keep("a.bin", "0123456789")
	at, tag := storage+"/"+f.ID, `"`+f.SHA256+`"`
	for _, r := range []struct {
		header, value string
		status        int
		body          string
	}{
		{"Range", "bytes=2-4", 206, "234"}, {"Range", "bytes=-3", 206, "789"}, {"Range", "bytes=8-", 206, "89"}, {"Range", "bytes=10-", 416, ""}, {"Range", "lines=1", 416, ""},
		{"If-None-Match", tag, 304, ""}, {"If-Match", `"x"`, 412, ""}, {"If-Match", tag, 200, "0123456789"},
	} {
		if got := c.get(at, r.header, r.value).want(r.status); r.body != "" && got.body != r.body || got.status < 400 && got.header.Get("ETag") != tag {
			t.Errorf("%s: %s answers %q with %v", r.header, r.value, got.body, got.header)
		}
	}
	if got := c.get(at, "Range", "bytes=2-4", "If-Range", `"x"`).want(200); got.body != "0123456789" {
		t.Errorf("a part of another file is %q", got.body)
	}
	if head := c.call("HEAD", at, "").want(200); head.body != "" || head.header.Get("Content-Length") != "10" {
		t.Errorf("HEAD answers %v", head.header)
	}
}

// What is text can be searched; of the rest the answer says why not.
func TestWhatIsText(t *testing.T) {
	p := start(t)
	var first int64
	for _, d := range items[document](p.as("w1").get("/api/knowledge-base")) {
		first += d.Size
	}
	p.options.Limits = sample.Limits{TextBytes: 100, TenantTextBytes: first + 150}
	p.restart()
	c := p.as("w1")
	for _, f := range []struct{ name, content, says string }{
		{"a.txt", "kettle", ""}, {"a.MD", "kettle", ""}, {"a.json", `{"a":"kettle"}`, ""}, {"a.csv", "a,kettle\n", ""}, {"bom.txt", "\ufeffkettle", ""},
		{"a.html", "kettle", "that is for .txt, .md, .json, .csv up to 100 bytes"}, {"txt", "kettle", "that is for"}, {"b.txt", strings.Repeat("x", 101), "up to 100 bytes"},
		{"c.txt", "kettle\xff", "not text in UTF-8"}, {"d.txt", "kettle\x00", "not text in UTF-8"}, {"e.txt", " \n ", "no words"},
	} {
		a := c.post(storage+"?name="+f.name, f.content)
		kept := data[file](a, 201)
		if (kept.DocumentID == "") != (f.says != "") || !strings.Contains(a.body, f.says) {
			t.Errorf("%s: %s", f.name, a.body)
		}
	}
	if found := c.search("kettle"); len(found) != 5 || found[0].Title != "bom" && found[0].Title != "a" {
		t.Errorf("found %+v", found)
	}
	if all := items[document](c.get("/api/knowledge-base?limit=100")); len(all) != 10 {
		t.Errorf("there are %d documents", len(all))
	}
	c.post(storage+"?name=f.txt", strings.Repeat("y", 100)).want(201)
	if a := c.post(storage+"?name=g.txt", strings.Repeat("y", 100)); data[file](a, 201).DocumentID != "" || !strings.Contains(a.body, "bytes of text together") {
		t.Errorf("beyond the limit: %s", a.body)
	}
}

// An upload that is refused leaves nothing behind: no file, no row, no room taken.
func TestUploadsThatAreRefused(t *testing.T) {
	p := start(t, limited(sample.Limits{FileBytes: 1000, TenantBytes: 4000, TotalBytes: 7000, Files: 7}))
	c := p.as("w1")
	c.get(storage).want(200)
	bare := func(fields ...string) (string, string) { return form(t, fields...) }
	send := func(body, kind string) answer { return c.post(storage, body, "Content-Type", kind) }
	send(bare()).refused(400, "bad_request", `the form's field "file"`)
	send(bare("name", "x", "file", "y")).refused(400, "bad_request", `the form's field "file"`)
	send(bare("file", "x", "name", "y")).refused(400, "bad_request", "more than a file")
	send(bare("file", "x", "file2", "y")).refused(400, "bad_request", "more than a file")
	send(bare("file", "")).refused(400, "bad_request", "is empty")
	send(bare("file", strings.Repeat("x", 1001))).refused(413, "too_large", "1000 bytes")
	whole, kind := bare("file", "content of the file")
	send(whole[:len(whole)-30], kind).refused(400, "bad_request", "before it was whole")
	send(whole, "multipart/form-data").refused(400, "bad_request", "cannot be read")
	send(whole, "multipart/form-data; boundary=another").refused(400, "bad_request", "There is no file")
	c.post(storage, "x").refused(400, "bad_request", "?name=")
	c.post(storage+"?name=a", "").refused(400, "bad_request", "is empty")
	for _, name := range []string{".", "..", "a/..", "a%0Ab", "%FF", strings.Repeat("x", 101)} {
		c.post(storage+"?name="+name, "x").refused(400, "bad_request", "A file's name")
	}
	c.post(storage+"?name=a", strings.Repeat("x", 1001)).refused(413, "too_large", "1000 bytes")
	c.post(storage+"?name=a", strings.Repeat("x", 100_000)).refused(413, "too_large", "1000 bytes")
	for range 2 {
		c.do(c.request("POST", storage+"?name=a", onlyReader{strings.NewReader(strings.Repeat("x", 1001))})).refused(413, "too_large")
	}
	if all := items[file](c.get(storage)); len(all) != 5 || p.onDisk() != 5 {
		t.Errorf("%d files are listed, %d on the disk", len(all), p.onDisk())
	}

	kept := c.keep("a", strings.Repeat("x", 1000))
	c.post(storage+"?name=b", strings.Repeat("x", 1000)).refused(422, "limit_reached", "4000 bytes", "Delete one")
	c.call("DELETE", storage+"/"+kept.ID, "").want(200)
	c.keep("c", strings.Repeat("x", 1000))
	c.keep("d", "x")
	c.post(storage+"?name=e", "x").refused(422, "limit_reached", "7 files", "Delete one")
	d := p.as("w2")
	d.keep("a", strings.Repeat("x", 800))
	d.post(storage+"?name=b", strings.Repeat("x", 600)).refused(507, "full", "no more room")
	p.restart() // what is kept still counts
	d.post(storage+"?name=b", strings.Repeat("x", 600)).refused(507, "full")
	if p.onDisk() != 7+6 {
		t.Errorf("%d files are on the disk", p.onDisk())
	}
}

// onlyReader hides how long a body is.
type onlyReader struct{ io.Reader }

// A sender who leaves in the middle leaves nothing behind.
func TestUploadOfASenderWhoLeaves(t *testing.T) {
	p := start(t)
	c := p.as("w1")
	c.get(storage).want(200)
	half := io.MultiReader(strings.NewReader(strings.Repeat("x", 200_000)), iotest.ErrReader(errors.New("gone")))
	if response, err := p.server.Client().Do(c.request("POST", storage+"?name=a", half)); err == nil {
		t.Errorf("status %d", response.StatusCode)
	}
	p.stop() // which waits for the call to end
	if p.onDisk() != 5 {
		t.Errorf("%d files are on the disk", p.onDisk())
	}
	p.open()
	if all := items[file](c.get(storage)); len(all) != 5 {
		t.Errorf("%d files are listed", len(all))
	}
}

// What a program that was killed left in the folder goes a day later, and nothing else does.
func TestSweep(t *testing.T) {
	p := start(t)
	c := p.as("w1")
	f := c.keep("a.txt", "kettle")
	folder := p.path + ".files"
	old, young, other := filepath.Join(folder, "01a20267-fdce-7001-b6b5-402a19ed6b06"), filepath.Join(folder, "01a20267-fdce-7001-b6b5-402a19ed6b07"), filepath.Join(folder, "README")
	for path, at := range map[string]time.Time{old: p.clock.Now().Add(-25 * time.Hour), young: p.clock.Now().Add(-23 * time.Hour), other: p.clock.Now().Add(-99 * time.Hour), filepath.Join(folder, f.ID): p.clock.Now().Add(-99 * time.Hour)} {
		file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err == nil {
			err = errors.Join(file.Close(), os.Chtimes(path, at, at))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	p.restart()
	for path, want := range map[string]bool{old: false, young: true, other: true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
	if got := c.get(storage + "/" + f.ID).want(http.StatusOK); got.body != "kettle" {
		t.Errorf("the file is %q", got.body)
	}
}
