package store_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// kept installs an archive of some chunks and a bit, and answers its bytes too.
func kept(t *testing.T, w storetest.World) ([]byte, models.CollectionVersion) {
	t.Helper()
	sent := make([]byte, 3*store.ChunkBytes+77)
	random := rand.New(rand.NewPCG(3, 4))
	for i := range sent {
		sent[i] = byte(random.Uint32())
	}
	return sent, install(t, w, program(t, w), archive("big.zip", string(sent))).Version
}

// Whatever part of an archive is read, in whatever order, is what was installed; a part that goes beyond the end is as
// much as there is, and the end.
func TestArchiveIsReadAnywhere(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		sent, v := kept(t, w)
		content, ctx := w.Archive(t.Context(), v), t.Context()
		if content.Size() != int64(len(sent)) {
			t.Fatalf("%d bytes", content.Size())
		}
		rapid.Check(t, func(t *rapid.T) {
			near := func(name string) int {
				return max(0, rapid.IntRange(0, 4).Draw(t, name)*store.ChunkBytes+rapid.IntRange(-80, 80).Draw(t, name+" off"))
			}
			from := near("from")
			p := make([]byte, near("length"))
			want := sent[min(from, len(sent)):min(from+len(p), len(sent))]
			n, err := content.ReadAt(p, int64(from))
			if !bytes.Equal(p[:n], want) || (n < len(p) || from >= len(sent)) != errors.Is(err, io.EOF) || err != nil && !errors.Is(err, io.EOF) {
				t.Fatalf("%d bytes from %d: %d came (%v)", len(p), from, n, err)
			}
		})
		if all, err := io.ReadAll(w.Archive(ctx, v)); err != nil || !bytes.Equal(all, sent) {
			t.Errorf("%d bytes came (%v)", len(all), err)
		}
		other := w.Archive(ctx, models.CollectionVersion{SHA256: v.SHA256, Size: v.Size + 1}) // a size that is not the bytes'
		if all, err := io.ReadAll(other); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d bytes came (%v)", len(all), err)
		}
	})
}

// Bytes that cannot be read are an error and never the end of the archive: with a chunk that is missing, or cut
// short, with a database that is away, and after a request that has ended. Only the bytes before it came.
func TestArchiveThatCannotBeRead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		sent, v := kept(t, w)
		read := func(what string, content io.Reader, atMost int) error {
			t.Helper()
			all, err := io.ReadAll(content)
			if err == nil || len(all) > atMost || !bytes.Equal(all, sent[:len(all)]) {
				t.Errorf("%s: %d bytes came (%v)", what, len(all), err)
			}
			return err
		}
		away := w.OpenWith(t, func(*store.Settings) {})
		from := away.Archive(t.Context(), v)
		if _, err := from.Read(make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		must(t, away.Close())
		if _, err := from.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		wantKind(t, "away", read("away", from, store.ChunkBytes), models.Unavailable)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := read("gone", w.Archive(gone, v), 0); !errors.Is(err, context.Canceled) {
			t.Errorf("after the request: %v", err)
		}
		exec(t, w, "UPDATE blob_chunks SET bytes = substr(bytes, 1, 1000) WHERE number = 1")
		if err := read("short", w.Archive(t.Context(), v), store.ChunkBytes+1000); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("a short chunk: %v", err)
		}
		exec(t, w, "DELETE FROM blob_chunks WHERE number = 1")
		wantKind(t, "missing", read("missing", w.Archive(t.Context(), v), store.ChunkBytes), models.Internal)
	})
}
