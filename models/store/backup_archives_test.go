package store_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"tokendesk/models"
)

// A backup of archives that are not whole is none: a piece that is missing, shortened or another is found before
// anybody relies on it.
func TestBackupOfBrokenArchives(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ change, want string }{
		"gone":      {"DELETE FROM blob_chunks", "not as large as they should be"},
		"shortened": {"UPDATE blob_chunks SET bytes = substr(bytes, 2)", "not as large as they should be"},
		"a size":    {"UPDATE collection_versions SET size = 1", "not as large as they should be"},
		"another":   {"UPDATE blob_chunks SET bytes = zeroblob(length(bytes))", "is not what was installed"},
	} {
		w := onSQLite(t)
		history(t, w)
		if err := w.DB().Exec(c.change).Error; err != nil {
			t.Fatal(err)
		}
		_, err := w.Backup(t.Context(), command, filepath.Join(t.TempDir(), "x.db"))
		if models.KindOf(err) != models.Invalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A pipe is not waited for.
func TestRestoreOfAPipe(t *testing.T) {
	t.Parallel()
	w, pipe := onSQLite(t), filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openCopy(t.Context(), w, t.TempDir(), pipe); models.KindOf(err) != models.Invalid || !strings.Contains(err.Error(), "is not a file") {
		t.Errorf("a pipe: %v", err)
	}
}
