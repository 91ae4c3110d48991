package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// program is an Admin's token at work.
func program(t *testing.T, w storetest.World) models.Actor {
	t.Helper()
	admin := w.SetUp(t)
	token, _ := w.Token(t, admin, admin.ID)
	return models.Actor{Kind: models.Program, ID: admin.ID, Name: admin.Name, Role: models.Admin, CredentialID: token.ID, Address: "192.0.2.8", RequestID: "r7"}
}

func install(t *testing.T, w storetest.World, who models.Actor, n models.NewInstall) models.Installed {
	t.Helper()
	done, err := w.InstallCollection(t.Context(), who, n)
	if err != nil {
		t.Fatalf("install %s: %v", n.FileName, err)
	}
	return done
}

// content reads an archive back, chunk by chunk.
func content(t *testing.T, w storetest.World, sha256 string) []byte {
	t.Helper()
	var chunks []struct {
		Number int
		Bytes  []byte
	}
	if err := w.DB().Table("blob_chunks").Where("sha256 = ?", sha256).Order("number").Find(&chunks).Error; err != nil {
		t.Fatal(err)
	}
	all := []byte{}
	for i, c := range chunks {
		if c.Number != i || len(c.Bytes) != store.ChunkBytes && i < len(chunks)-1 {
			t.Fatalf("chunk %d is number %d with %d bytes", i, c.Number, len(c.Bytes))
		}
		all = append(all, c.Bytes...)
	}
	return all
}

func isEmpty(t *testing.T, w storetest.World, tables ...string) {
	t.Helper()
	for _, table := range tables {
		if n := number(t, w, "SELECT count(*) FROM "+table); n != 0 {
			t.Errorf("%s has %d rows", table, n)
		}
	}
}

var collectionTables = []string{"collections", "collection_versions", "collection_files", "blobs", "blob_chunks"}

// The list shows what was installed as it was sent, by whom and with which token; the event says the same.
func TestInstall(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		who := program(t, w)
		n := archive("tools.zip", "PK one")
		n.Name, n.Label, n.Description = "My Tools", "1.2", "What it does."
		n.Files = []models.CollectionFile{{Path: "b/run.sh", Size: 3, SHA256: "x"}, {Path: "a.txt", Size: 0, SHA256: "y"}}
		done := install(t, w, who, n)
		if done.Workspace.Slug != "marlowe-press" || done.Version.Number != 1 || done.Unchanged || done.Version.Entries != 2 || done.Version.Size != 6 {
			t.Errorf("installed %+v", done)
		}
		list, next, err := w.Collections(t.Context(), done.Workspace.ID, models.Place{})
		if err != nil || len(list) != 1 || next != (models.Place{}) {
			t.Fatalf("listed %+v (%v)", list, err)
		}
		seen := list[0]
		if seen.Name != "My Tools" || seen.Version != done.Version || seen.InstalledByName != who.Name || seen.Credential.ID != who.CredentialID || seen.Version.InstalledAt != w.Clock.Now() {
			t.Errorf("listed %+v", seen)
		}
		if got := content(t, w, n.SHA256); string(got) != "PK one" {
			t.Errorf("kept %q", got)
		}
		var files []models.CollectionFile
		if err := w.DB().Where("version_id = ?", done.Version.ID).Order("path").Find(&files).Error; err != nil || len(files) != 2 || files[0].Path != "a.txt" || files[1].Size != 3 {
			t.Errorf("files %+v (%v)", files, err)
		}
		e := lastEvent(t, w)
		if e.Action != models.CollectionInstalled || e.ActorKind != models.Program || e.CredentialID != who.CredentialID || e.SubjectID != done.Collection.ID || e.WorkspaceID != done.Workspace.ID || e.ChangeList()[1].After != "1 (1.2)" {
			t.Errorf("the event is %+v", e)
		}
		counts, err := w.CountCollections(t.Context(), []models.WorkspaceSeen{{Workspace: done.Workspace}})
		if err != nil || counts[done.Workspace.ID] != 1 {
			t.Errorf("counted %v (%v)", counts, err)
		}
	})
}

// The same bytes again are the same version, and an event says that they were installed again; other bytes
// make the next one; older bytes become current again under their old number, and that is an event of its own,
// with who did it now.
func TestVersions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		who := program(t, w)
		for i, step := range []struct {
			name, content string
			number        int
			unchanged     bool
		}{
			{"tools.zip", "PK one", 1, false}, {"tools.zip", "PK one", 1, true}, {"TOOLS.zip", "PK one", 1, true}, {"tools.zip", "PK two", 2, false},
			{" Tools .zip", "PK three", 3, false}, {"tools.zip", "PK one", 1, false}, {"tools.zip", "PK four", 4, false},
		} {
			w.Clock.Advance(time.Minute)
			done := install(t, w, who, archive(step.name, step.content))
			if done.Version.Number != step.number || done.Unchanged != step.unchanged || done.Collection.CurrentVersionID != done.Version.ID {
				t.Errorf("step %d: %+v", i, done)
			}
			list, _, err := w.Collections(t.Context(), done.Workspace.ID, models.Place{})
			if err != nil || len(list) != 1 || list[0].Version.SHA256 != sum(step.content) {
				t.Errorf("step %d: current is %+v (%v)", i, list, err)
			}
			if e := lastEvent(t, w); (e.Action == models.CollectionReinstalled) != step.unchanged || e.SubjectID != done.Collection.ID {
				t.Errorf("step %d: the event is %+v", i, e)
			}
		}
		if n := events(t, w, models.CollectionReinstalled) + events(t, w, models.CollectionInstalled) + events(t, w, models.CollectionRestored); n != 7 || events(t, w, models.CollectionRestored) != 1 {
			t.Errorf("%d events", n)
		}
		if n := number(t, w, "SELECT count(*) FROM blobs"); n != 4 {
			t.Errorf("%d blobs", n)
		}
	})
}

// The same bytes under another name, or in another workspace, are kept once and listed twice.
func TestBytesAreShared(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		who := program(t, w)
		second := oneMoreWorkspace(t, w, "Second", models.Person{ID: who.ID})
		big := strings.Repeat("PK", store.ChunkBytes) // two chunks
		for _, c := range []struct{ workspace, name string }{{"marlowe-press", "a.zip"}, {"marlowe-press", "b.zip"}, {second.Slug, "a.zip"}, {second.ID, "c.zip"}} {
			n := archive(c.name, big)
			n.Workspace = c.workspace
			if done := install(t, w, who, n); done.Version.Number != 1 || done.Unchanged {
				t.Errorf("%s in %s: %+v", c.name, c.workspace, done)
			}
		}
		if blobs, chunks := number(t, w, "SELECT count(*) FROM blobs"), number(t, w, "SELECT count(*) FROM blob_chunks"); blobs != 1 || chunks != 2 {
			t.Errorf("%d blobs, %d chunks", blobs, chunks)
		}
		list, _, err := w.Collections(t.Context(), second.ID, models.Place{})
		if err != nil || len(list) != 2 || list[0].Name != "a" || list[1].Name != "c" {
			t.Errorf("listed %+v (%v)", list, err)
		}
	})
}

// What is read back is what was sent, whatever its size is to the chunks.
func TestChunks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		who := program(t, w)
		for _, size := range []int{0, 1, store.ChunkBytes - 1, store.ChunkBytes, store.ChunkBytes + 1, 2 * store.ChunkBytes, 2*store.ChunkBytes + 7} {
			sent := make([]byte, size)
			for i := range sent {
				sent[i] = byte(i>>8) ^ byte(i) ^ byte(size)
			}
			n := archive(fmt.Sprintf("%d.zip", size), string(sent))
			install(t, w, who, n)
			if got := content(t, w, n.SHA256); !bytes.Equal(got, sent) {
				t.Errorf("of %d bytes %d came back", size, len(got))
			}
			if n := number(t, w, "SELECT size FROM blobs WHERE sha256 = ?", n.SHA256); n != int64(size) {
				t.Errorf("%d bytes are said to be %d", size, n)
			}
		}
	})
}

// broken ends early, or fails, at an offset.
type broken struct {
	at  int64
	err error
}

func (b broken) ReadAt(p []byte, offset int64) (int, error) {
	if offset+int64(len(p)) <= b.at {
		return len(p), nil
	}
	return int(max(0, b.at-offset)), b.err
}

// Security rule U8: a failed install leaves nothing: whether the bytes cannot be read, end before they should, or the last row
// is refused. The same install works afterwards.
func TestFailedInstallLeavesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		who := program(t, w)
		size := int64(3 * store.ChunkBytes)
		for what, spoil := range map[string]func(n *models.NewInstall){
			"bytes that cannot be read":     func(n *models.NewInstall) { n.Content = broken{size / 2, errors.New("input/output error")} },
			"bytes that end early":          func(n *models.NewInstall) { n.Content = broken{size / 2, io.EOF} },
			"bytes that end at a chunk":     func(n *models.NewInstall) { n.Content = broken{store.ChunkBytes, io.EOF} },
			"no bytes":                      func(n *models.NewInstall) { n.Content = broken{0, io.EOF} },
			"a file twice":                  func(n *models.NewInstall) { n.Files = []models.CollectionFile{{Path: "a"}, {Path: "a"}} },
			"a name that is refused":        func(n *models.NewInstall) { n.Name = "a\u202eb" },
			"a workspace that is not there": func(n *models.NewInstall) { n.Workspace = "no-such" },
		} {
			n := archive("tools.zip", "")
			n.SHA256, n.Size, n.Content = sum(what), size, broken{size, io.EOF}
			spoil(&n)
			unchanged(t, w, what, func() {
				if done, err := w.InstallCollection(t.Context(), who, n); err == nil {
					t.Errorf("%s: installed %+v", what, done)
				}
			})
			isEmpty(t, w, collectionTables...)
		}
		install(t, w, who, archive("tools.zip", "PK"))
		n := archive("tools.zip", "")
		n.SHA256, n.Size, n.Content = sum("broken"), size, broken{size / 2, io.ErrUnexpectedEOF}
		if _, err := w.InstallCollection(t.Context(), who, n); err == nil {
			t.Error("bytes that break off were installed")
		}
		list, _, err := w.Collections(t.Context(), install(t, w, who, archive("tools.zip", "PK")).Workspace.ID, models.Place{})
		if err != nil || len(list) != 1 || list[0].Version.Number != 1 {
			t.Errorf("afterwards %+v (%v)", list, err)
		}
	})
}

// A list of many collections, in pages, has each once, in the order of their names.
func TestCollectionPages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		who := program(t, w)
		var ws models.Workspace
		for i := range 2*models.PageSize + 1 {
			ws = install(t, w, who, archive(fmt.Sprintf("%c%03d.zip", "aBéZ"[i%2], (i*37)%101), fmt.Sprint("PK ", i%7))).Workspace
		}
		var names []string
		for place, page := (models.Place{}), 0; page == 0 || place != (models.Place{}); page++ {
			list, next, err := w.Collections(t.Context(), ws.ID, place)
			if err != nil || page > 5 {
				t.Fatalf("page %d: %v", page, err)
			}
			for _, c := range list {
				names = append(names, c.NameKey)
				if c.Version.ID == "" || c.InstalledByName == "" || c.Credential.ID == "" {
					t.Errorf("%s is listed as %+v", c.Name, c)
				}
			}
			place = next
		}
		if !slices.IsSorted(names) || len(slices.Compact(names)) != 2*models.PageSize+1 {
			t.Errorf("listed %q", names)
		}
	})
}
