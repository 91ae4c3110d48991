package handlers

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/archive"
)

// Whatever comes as the body of an installation: either exactly one archive, hashed as it came, or an
// error that is the sender's; never a file that stays.
func FuzzMultipart(f *testing.F) {
	const kind = "multipart/form-data; boundary=edge"
	file := "--edge\r\nContent-Disposition: form-data; name=\"collectionFile\"; filename=\"a.zip\"\r\n\r\n"
	f.Add(kind, file+"PK\x03\x04\r\n--edge--\r\n")
	f.Add(kind, file+"x\r\n"+file+"y\r\n--edge--\r\n")
	f.Add(kind, "--edge\r\nContent-Disposition: form-data; name=workspace\r\n\r\na\x00b\r\n"+file+"x\r\n--edge--\r\n")
	f.Add(kind, "--edge\r\nContent-Disposition: form-data; name=\"c\r\n\r\n\r\n--edge--")
	f.Add(kind, "--edge\nContent-Transfer-Encoding: quoted-printable\n\n=\n--edge--\n")
	f.Add("multipart/form-data", file)
	f.Add("multipart/form-data; boundary=\"\"", "----\r\n\r\n\r\n------")
	f.Add(kind, "--edge\r\n"+string(bytes.Repeat([]byte("A: b\r\n"), 20_000)))
	h := &Handlers{SpoolDir: f.TempDir(), Limits: archive.DefaultLimits}
	h.Limits.ArchiveBytes = 1 << 10
	f.Fuzz(func(t *testing.T, kind, body string) {
		up, err := h.receive(posted(kind, body), "")
		if up.file != nil {
			defer up.file.Close()
		}
		if left, _ := os.ReadDir(h.SpoolDir); len(left) > 0 {
			t.Fatalf("the spool holds %v", left)
		}
		if err != nil {
			if k := models.KindOf(err); k != models.Ambiguous && k != models.Invalid {
				t.Fatalf("%s: %v", k, err)
			}
			return
		}
		kept, err := io.ReadAll(io.NewSectionReader(up.file, 0, 1<<20))
		sum := sha256.Sum256(kept)
		if err != nil || int64(len(kept)) != up.size || up.size > h.Limits.ArchiveBytes || up.sha256 != hex.EncodeToString(sum[:]) || !Legible(up.workspace) {
			t.Fatalf("%+v for %d bytes, %v", up, len(kept), err)
		}
		if !bytes.Contains([]byte(body), kept) {
			t.Fatalf("%q is no part of what was sent", kept)
		}
	})
}

// The spool has no room: that is the server's fault, told as such, and the sender may try again.
func TestNoRoomInTheSpool(t *testing.T) {
	h := &Handlers{SpoolDir: t.TempDir() + "/gone", Limits: archive.DefaultLimits}
	_, err := h.receive(posted("multipart/form-data; boundary=edge", "--edge\r\nContent-Disposition: form-data; name=\"collectionFile\"\r\n\r\nx\r\n--edge--\r\n"), "")
	if models.KindOf(err) != models.Unavailable {
		t.Errorf("%v", err)
	}
}

// A body may take as long as it likes while it goes on: each read has a time of its own, after which a
// sender that stands still is told so (security rule U3).
func TestABodyIsPaced(t *testing.T) {
	var zipped bytes.Buffer
	z := zip.NewWriter(&zipped)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/", io.MultiReader(&zipped, &failing{os.ErrDeadlineExceeded}))
	w := &deadlines{ResponseWriter: httptest.NewRecorder()}
	body := paced(echo.New().NewContext(r, w), func() {})
	if _, err := io.ReadAll(body); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("read to the end: %v", err)
	}
	if len(w.reads) < 2 || w.reads[len(w.reads)-1].Before(w.reads[0]) {
		t.Errorf("the deadlines were %v", w.reads)
	}
	for _, at := range w.reads {
		if left := at.Sub(models.SystemClock()); left > pace || left < pace-10*time.Second {
			t.Errorf("a read has %v", left)
		}
	}
	h := &Handlers{Limits: archive.DefaultLimits}
	if err := h.unreadable(os.ErrDeadlineExceeded); models.KindOf(err) != models.Ambiguous || err.(*models.Error).Message != "The upload was too slow. Send it again." {
		t.Errorf("%v", err)
	}
	if err := h.unreadable(&http.MaxBytesError{Limit: 1}); models.KindOf(err) != models.Invalid {
		t.Errorf("%v", err)
	}
}

// One that goes on, but only just, is not waited for either: after the first pause it must have brought
// 8 KiB for each second.
func TestADripIsNoUpload(t *testing.T) {
	for came, slow := range map[int64]bool{0: true, 30 * slowest: true, 90 * slowest: false} {
		c := echo.New().NewContext(httptest.NewRequest(http.MethodPost, "/", bytes.NewReader([]byte("x"))), httptest.NewRecorder())
		body := paced(c, func() {}).(*pacedBody)
		body.begun, body.came = models.SystemClock().Add(-pace-60*time.Second), came
		if _, err := body.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) != slow {
			t.Errorf("with %d bytes after a minute: %v", came, err)
		}
	}
}

// Nobody waits for a body that nobody will answer: when the caller has gone, reading ends.
func TestAReadEndsWithItsRequest(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", bytes.NewReader([]byte("x")))
	if _, err := paced(echo.New().NewContext(r, httptest.NewRecorder()), func() {}).Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

type failing struct{ with error }

func (f *failing) Read([]byte) (int, error) { return 0, f.with }

// deadlines is a connection that notes when it was told to end.
type deadlines struct {
	http.ResponseWriter
	reads []time.Time
}

func (d *deadlines) SetReadDeadline(at time.Time) error {
	d.reads = append(d.reads, at)
	return nil
}

func (d *deadlines) SetWriteDeadline(time.Time) error { return nil }
