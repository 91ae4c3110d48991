package archive

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"tokendesk/models"
)

func checked(data []byte, limits Limits) (Summary, error) {
	return Check(context.Background(), bytes.NewReader(data), int64(len(data)), limits)
}

// accept insists that an archive passes, that what is told of it keeps every promise, and that Go's own reader finds
// the same in it.
func accept(t *testing.T, data []byte) Summary {
	t.Helper()
	summary, err := checked(data, DefaultLimits)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	promises(t, data, summary)
	return summary
}

// refused insists that an archive is refused for this reason, in a sentence fit to be shown.
func refused(t *testing.T, data []byte, want ...Code) *Refusal {
	t.Helper()
	return refusedWith(t, data, DefaultLimits, want...)
}

func refusedWith(t *testing.T, data []byte, limits Limits, want ...Code) *Refusal {
	t.Helper()
	summary, err := checked(data, limits)
	var r *Refusal
	if !errors.As(err, &r) {
		t.Fatalf("got %v and %v, want a refusal", summary, err)
	}
	fits := len(want) == 0
	for _, code := range want {
		fits = fits || r.Code == code
	}
	if !fits {
		t.Errorf("code is %q, want one of %q: %s", r.Code, want, r.Message)
	}
	if summary.Files != nil || summary.Name != "" {
		t.Errorf("a refused archive has a summary: %v", summary)
	}
	if models.KindOf(err) != models.Invalid || errors.Is(err, ErrNotZip) {
		t.Errorf("kind is %q", models.KindOf(err))
	}
	presentable(t, r)
	return r
}

// says insists on every letter of what the sender is told.
func says(t *testing.T, r *Refusal, want string) {
	t.Helper()
	if r.Message != want {
		t.Errorf("it says %q, want %q", r.Message, want)
	}
}

func presentable(t *testing.T, r *Refusal) {
	t.Helper()
	if !strings.HasPrefix(r.Message, "The archive ") || !strings.HasSuffix(r.Message, ".") || r.Error() != r.Message {
		t.Errorf("not a sentence: %q", r.Message)
	}
	if len(r.Name) > maxShownName || len(r.Message) > 3*maxShownName {
		t.Errorf("too long: %q", r.Message)
	}
	if strings.ContainsFunc(r.Message, unprintable) || !utf8.ValidString(r.Message) {
		t.Errorf("not fit to be shown: %q", r.Message)
	}
	if (r.Entry > 0) != strings.Contains(r.Message, `("`+r.Name+`")`) {
		t.Errorf("entry %d, name %q, but the message is %q", r.Entry, r.Name, r.Message)
	}
}

// promises checks a summary against its documentation and against archive/zip as a second opinion.
func promises(t *testing.T, data []byte, s Summary) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatalf("archive/zip: %v", err)
	}
	other := map[string]File{}
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		other[f.Name] = File{f.Name, int64(f.UncompressedSize64), hashOf(t, f)}
	}
	if len(other) != len(s.Files) {
		t.Fatalf("archive/zip finds %d files, the summary has %d", len(other), len(s.Files))
	}
	total, last := int64(0), ""
	for _, f := range s.Files {
		if other[f.Path] != f {
			t.Errorf("archive/zip finds %v, the summary has %v", other[f.Path], f)
		}
		if !fs.ValidPath(f.Path) || !norm.NFC.IsNormalString(f.Path) || strings.ContainsAny(f.Path, "\\:\x00") {
			t.Errorf("path %q", f.Path)
		}
		if f.Path <= last {
			t.Errorf("%q comes after %q", f.Path, last)
		}
		total, last = total+f.Size, f.Path
	}
	if total != s.TotalBytes {
		t.Errorf("total is %d, the files have %d", s.TotalBytes, total)
	}
}

func hashOf(t *testing.T, f *zip.File) (sum [32]byte) {
	t.Helper()
	body, err := f.Open()
	if err != nil {
		t.Fatalf("archive/zip opens %q: %v", f.Name, err)
	}
	defer body.Close()
	h := sha256.New()
	if _, err := io.Copy(h, body); err != nil {
		t.Fatalf("archive/zip reads %q: %v", f.Name, err)
	}
	h.Sum(sum[:0])
	return sum
}

// allocates is how many bytes are asked of the heap while f runs, also those that were given back.
func allocates(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// What is no zip has one answer, whatever it is called; what begins as a zip has others.
func TestNotZip(t *testing.T) {
	program := "MZ\x90\x00" + string(pack(member{name: "a"})) // that unpacks itself
	for _, body := range []string{"", "P", "PK\x03", "hello, world", program, "\x1f\x8b\x08\x00", "PK\x01\x02"} {
		_, err := checked([]byte(body), DefaultLimits)
		if !errors.Is(err, ErrNotZip) || models.KindOf(err) != models.Invalid {
			t.Errorf("%q: got %v", body, err)
		}
	}
	if got := ErrNotZip.Error(); got != "Only .zip collection files are accepted." {
		t.Errorf("message is %q", got)
	}
}

func TestBeginsAsZip(t *testing.T) {
	refused(t, []byte("PK\x03\x04"), Damaged)
	refused(t, []byte("PK\x03\x04 is how a zip begins, and this is none."), Damaged)
	refused(t, []byte("PK\x07\x08PK\x03\x04"), Split)
	refused(t, []byte("PK00PK\x03\x04"), Split)
	refused(t, pack(), Empty)
	refused(t, pack(member{name: "docs/"}, member{name: "docs/more/", stored: true}), Empty)
}

var errDisk = errors.New("the disk does not answer")

// tornReader answers the first reads and none after.
type tornReader struct {
	io.ReaderAt
	left *int
}

func (r tornReader) ReadAt(p []byte, at int64) (int, error) {
	if *r.left--; *r.left < 0 {
		return 0, errDisk
	}
	return r.ReaderAt.ReadAt(p, at)
}

// "Could not find out" is never "damaged": wherever reading fails, the reader's own error comes back.
func TestReaderThatFails(t *testing.T) {
	data := variety().bytes()
	size := int64(len(data))
	reads := 0
	for ; ; reads++ {
		left := reads
		_, err := Check(t.Context(), tornReader{bytes.NewReader(data), &left}, size, DefaultLimits)
		if err == nil {
			break
		}
		var r *Refusal
		if !errors.Is(err, errDisk) || errors.As(err, &r) || models.KindOf(err) != models.Internal {
			t.Fatalf("after %d reads: %v", reads, err)
		}
	}
	if reads < 30 {
		t.Errorf("only %d reads; this test sees less than it should", reads)
	}
	if _, err := Check(t.Context(), bytes.NewReader(data[:20]), size, DefaultLimits); models.KindOf(err) != models.Invalid {
		t.Errorf("a reader shorter than was said: %v", err)
	}
}

// A request that is over stops the work, also in the middle of a large member.
func TestContext(t *testing.T) {
	data := pack(member{name: "a", body: strings.Repeat("a", 1<<20), stored: true})
	ctx, cancel := context.WithCancel(t.Context())
	r := &hookReader{ReaderAt: bytes.NewReader(data), at: 1 << 19, do: cancel}
	if _, err := Check(ctx, r, int64(len(data)), DefaultLimits); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if r.furthest > 3<<18 {
		t.Errorf("read on to byte %d after the end of the request", r.furthest)
	}
	if _, err := Check(ctx, bytes.NewReader(data), int64(len(data)), DefaultLimits); !errors.Is(err, context.Canceled) {
		t.Errorf("a request that was over before: %v", err)
	}
}

// hookReader calls do once, when the byte at this offset is read.
type hookReader struct {
	io.ReaderAt
	at       int64
	do       func()
	furthest int64 // since then
}

func (r *hookReader) ReadAt(p []byte, at int64) (int, error) {
	if r.do != nil && at <= r.at && r.at < at+int64(len(p)) {
		r.do()
		r.do, r.furthest = nil, 0
	}
	r.furthest = max(r.furthest, at)
	return r.ReaderAt.ReadAt(p, at)
}
