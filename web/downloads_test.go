package web_test

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/web"
	"tokendesk/web/deadline"
	"tokendesk/web/webtest"
)

// pieces are the names of the zip's files and what is in them: names that are odd, and legal; contents that a browser
// would show or run if it were let.
var pieces = []string{
	"index.html", "<!doctype html><script>alert(document.domain)</script>", "docs/über uns.txt", "Grüße", "docs/100% sure & more.txt", "a&b", `say "hi".txt`, `"hi"`,
	"a#b=c.txt", "#", "semi;comma,.svg", `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`, "a+b c.json", `{"a":1}`, "percent%20twice%2520.txt", "%", "empty", "",
	"李小龍 😀.pdf", "%PDF-1.7", "it's.css", "*{}", "deep/er/and/deeper/file.js", "alert(1)",
}

// Every file is what was packed, and the archive what was installed, byte for byte; both are to be kept and never
// shown (security rule U12).
func TestDownloads(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		packed := zipOf(t, pieces...)
		member := s.SignedIn(t, s.Person(t, s.Admin, models.Member).Email)
		admin := s.SignedIn(t, "ines@marlowe.example")
		place := upload(t, admin, `Größe "1".zip`, packed).Want(t, 303).Header.Get("Location") + "/versions/1"
		files := map[string]string{}
		version := member.Get(t, place).Want(t, 200)
		for _, link := range version.Page(t).Find(`a[href*="/file?"]`).EachIter() {
			a := member.Get(t, link.AttrOr("href", "")).Want(t, 200)
			files[downloaded(t, a, "application/octet-stream")] = a.Body
			head := member.Send(t, "HEAD", link.AttrOr("href", ""), nil).Want(t, 200)
			if head.Body != "" || head.Header.Get("Content-Length") != fmt.Sprint(len(a.Body)) {
				t.Errorf("HEAD tells of %s bytes", head.Header.Get("Content-Length"))
			}
		}
		for i := 0; i < len(pieces); i += 2 {
			name := pieces[i][strings.LastIndex(pieces[i], "/")+1:]
			if got, ok := files[name]; !ok || got != pieces[i+1] {
				t.Errorf("%q is %q, %v", pieces[i], got, ok)
			}
		}
		whole := member.Get(t, linkTo(t, version, "Download archive")).Want(t, 200)
		if name := downloaded(t, whole, "application/zip"); name != `Größe "1".zip` || whole.Body != string(packed) {
			t.Errorf("%q has %d bytes, want %d", name, len(whole.Body), len(packed))
		}
		for _, path := range []string{"", "nope", "docs", "docs/", "../index.html", "/index.html", "INDEX.HTML", "index.html ", "docs/über uns.txt/x"} {
			member.Get(t, place+"/file?"+url.Values{"path": {path}}.Encode()).Want(t, 404).Has(t, "no such file")
		}
		member.Get(t, place+"/file?path=a%00").Want(t, 400)
		member.Get(t, place+"/file?path=index.html&path=empty").Want(t, 400)
	})
}

// downloaded insists that an answer is a file to be kept, and answers its name.
func downloaded(t *testing.T, a *webtest.Answer, kind string) string {
	t.Helper()
	disposition, named, err := mime.ParseMediaType(a.Header.Get("Content-Disposition"))
	if err != nil || disposition != "attachment" || a.Header.Get("Content-Type") != kind || !strings.Contains(a.Header.Get("Content-Security-Policy"), "; sandbox;") ||
		a.Header.Get("X-Content-Type-Options") != "nosniff" || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("a file comes as %v", a.Header)
	}
	return named["filename"]
}

// A part of an archive can be asked for, as somebody does whose download broke off.
func TestPartsOfAnArchive(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		packed := zipOf(t, "big.bin", strings.Repeat("0123456789", 1000), "small", "x")
		admin := s.SignedIn(t, "ines@marlowe.example")
		path := upload(t, admin, "a.zip", packed).Want(t, 303).Header.Get("Location") + "/versions/1/archive"
		for asked, want := range map[string]struct {
			from, to int
		}{"bytes=0-3": {0, 4}, "bytes=10-19": {10, 20}, "bytes=-7": {len(packed) - 7, len(packed)}, "bytes=5-": {5, len(packed)}, "bytes=0-99999999": {0, len(packed)}} {
			a := admin.Get(t, path, "Range", asked).Want(t, 206)
			if a.Body != string(packed[want.from:want.to]) || a.Header.Get("Content-Range") != fmt.Sprintf("bytes %d-%d/%d", want.from, want.to-1, len(packed)) {
				t.Errorf("%s: %d bytes, %s", asked, len(a.Body), a.Header.Get("Content-Range"))
			}
			downloaded(t, a, "application/zip")
		}
		several := admin.Get(t, path, "Range", "bytes=0-1,5-6").Want(t, 200) // a thousand parts would cost a thousand chunks
		if several.Body != string(packed) {
			t.Errorf("asked for several parts it sends %d bytes", len(several.Body))
		}

		for _, odd := range []string{"bytes=99999999-", "bytes=x", "bytes=9-3"} {
			if a := admin.Get(t, path, "Range", odd).Want(t, 416); strings.Contains(a.Header.Get("Content-Type"), "html") || a.Header.Get("X-Content-Type-Options") != "nosniff" || a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s comes as %v", odd, a.Header)
			}
		}
		if head := admin.Send(t, "HEAD", path, nil).Want(t, 200); head.Header.Get("Content-Length") != fmt.Sprint(len(packed)) || head.Body != "" {
			t.Errorf("HEAD tells of %s bytes", head.Header.Get("Content-Length"))
		}
	})
}

// Bytes that are missing are no download: an error page where it can still be told, and a connection that is cut
// where it cannot.
func TestBytesThatAreMissing(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		random := make([]byte, 3*256<<10)
		for i := range random {
			random[i] = byte(i * i >> 7)
		}
		admin := s.SignedIn(t, "ines@marlowe.example")
		place := upload(t, admin, "a.zip", uncompressed(t, "big.bin", random)).Want(t, 303).Header.Get("Location") + "/versions/1"
		broken := func(path string) {
			t.Helper()
			r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Cookie", "sid="+admin.Cookie(t, "sid"))
			response, err := s.Listener.Client().Do(r)
			if err != nil {
				return
			}
			defer response.Body.Close()
			if n, err := io.Copy(io.Discard, response.Body); err == nil && response.StatusCode == 200 {
				t.Errorf("%s: %d bytes came, and then the end", path, n)
			} else if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s: %v", path, err)
			}
		}
		execute(t, s, "UPDATE blob_chunks SET bytes = substr(bytes, 1, 100) WHERE number = 1")
		broken(place + "/archive")
		broken(place + "/file?path=big.bin")
		execute(t, s, "DELETE FROM blob_chunks WHERE number = 1")
		broken(place + "/archive")
		broken(place + "/file?path=big.bin")
		execute(t, s, "DELETE FROM blob_chunks")
		admin.Get(t, place+"/archive").Want(t, 500).Has(t, "couldn't finish that")
		admin.Get(t, place+"/file?path=big.bin").Want(t, 500)
		admin.Get(t, place).Want(t, 200).Has(t, "big.bin")
	})
}

// uncompressed packs one file without compressing it, so that the archive is as large as the file.
func uncompressed(t testing.TB, name string, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// large is more than the buffers between a server and its reader hold.
const large = 24 << 20

// largeDownloads installs a collection with a large file, and answers where it and the archive are.
func largeDownloads(t *testing.T, s webtest.Site) []string {
	t.Helper()
	content := make([]byte, large)
	if _, err := rand.Read(content); err != nil {
		t.Fatal(err)
	}
	done := installed(t, s, s.Admin, "marlowe-press", "big", zipOf(t, "big.bin", string(content)))
	version := "/w/marlowe-press/settings/collections/" + done.Collection.ID + "/versions/1"
	return []string{version + "/archive", version + "/file?path=big.bin"}
}

// beginDownload asks for a file and reads the beginning of it, if it is sent.
func beginDownload(t *testing.T, from *httptest.Server, cookie, path string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, from.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: "sid", Value: cookie})
	answer, err := from.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	if answer.StatusCode == http.StatusOK {
		if _, err := io.ReadFull(answer.Body, make([]byte, 64<<10)); err != nil {
			t.Fatal(err)
		}
	}
	return answer
}

// A download ends soon after its reader may no more: also one that is read slowly, to keep it going.
func TestADownloadEndsWithTheRight(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		for _, path := range largeDownloads(t, s) {
			person := s.Person(t, s.Admin, models.Member)
			answer := beginDownload(t, s.Listener, session(t, s, person), path)
			if _, err := s.DeactivatePerson(t.Context(), s.Admin, person.ID); err != nil {
				t.Fatal(err)
			}
			s.Clock.Advance(time.Minute)
			if n, err := io.Copy(io.Discard, answer.Body); err == nil || n >= large-64<<10 {
				t.Errorf("%s: %d more bytes came (%v)", path, n, err)
			}
		}
	})
}

// A session that downloads is in use: it does not end as idle on the way, however long that is.
func TestADownloadIsUse(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		for _, path := range largeDownloads(t, s) {
			answer := beginDownload(t, s.Listener, session(t, s, s.Person(t, s.Admin, models.Member)), path)
			for range 2 {
				s.Clock.Advance(models.SessionIdle - 10*time.Minute)
				if _, err := io.CopyN(io.Discard, answer.Body, large/3); err != nil {
					t.Fatalf("%s: %v", path, err)
				}
			}
			if _, err := io.Copy(io.Discard, answer.Body); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	})
}

// Security rule G7: a download may take longer than another request and its answer.
func TestG7DownloadsOutlastTheRequest(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	impatient := httptest.NewUnstartedServer(nil)
	impatient.Config, impatient.Listener = web.New(s.Handlers, nil).HTTP(), deadline.Listener(impatient.Listener)
	impatient.Config.ReadTimeout, impatient.Config.ReadHeaderTimeout, impatient.Config.WriteTimeout = 300*time.Millisecond, 300*time.Millisecond, 300*time.Millisecond
	impatient.Start()
	defer impatient.Close()
	slow := s
	slow.Listener = impatient
	cookie := session(t, s, s.Person(t, s.Admin, models.Member))
	for _, path := range largeDownloads(t, s) {
		answer := beginDownload(t, impatient, cookie, path)
		other := connect(t, slow)
		other.say("GET /signin HTTP/1.1\r\nHost: x\r\nX-Slow: ")
		if _, err := other.reader.ReadByte(); err == nil { // its time, which began later, is over
			t.Error("half a header was answered")
		}
		if n, err := io.Copy(io.Discard, answer.Body); err != nil || n < large-64<<10 {
			t.Errorf("%s: %d more bytes came (%v)", path, n, err)
		}
	}
}

// Security rule G7: one person has a few downloads at once, of whatever kind, and the next one when one of them is done;
// others are not kept from theirs.
func TestG7DownloadsAtOnce(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	paths := largeDownloads(t, s)
	mine, another := session(t, s, s.Person(t, s.Admin, models.Admin)), session(t, s, s.Person(t, s.Admin, models.Member))
	var running []*http.Response
	for i := range 6 {
		running = append(running, beginDownload(t, s.Listener, mine, paths[i%2]))
	}
	me := s.Browser(t).With(t, "sid", mine)
	for _, path := range append([]string{"/audit.csv", "/audit.jsonl"}, paths...) {
		a := me.Get(t, path).Want(t, http.StatusTooManyRequests).Has(t, "6 of your downloads are running. Wait until one is done, then try again.")
		if a.Header.Get("Retry-After") == "" {
			t.Errorf("%s does not say when to try again", path)
		}
	}
	if answer := beginDownload(t, s.Listener, another, paths[0]); answer.StatusCode != http.StatusOK {
		t.Errorf("somebody else gets %d", answer.StatusCode)
	}
	if _, err := io.Copy(io.Discard, running[0].Body); err != nil {
		t.Fatal(err)
	}
	again := me.Get(t, "/audit.csv")
	for tries := 1; again.Status != http.StatusOK && tries < 1000; tries++ { // the last byte comes before the server knows that it was the last
		again = me.Get(t, "/audit.csv")
	}
	again.Want(t, http.StatusOK)
}
