package secret

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// The first start makes the key file, for its owner only, with nothing left beside it; later starts use
// the same key and leave the file as it is.
func TestOpenKeyCreates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	first, err := OpenKey(path)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(strings.TrimPrefix(string(content), "tokendesk-key-v1 "), "\n"))
	if err != nil || len(raw) != 32 || bytes.Count(content, []byte("\n")) != 1 {
		t.Errorf("the file is not one line of the format: %v", err)
	}
	second, err := OpenKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := second.Verify("p", first.Sign("p", nil)); !ok {
		t.Error("the second start has another key")
	}
	if again, err := os.ReadFile(path); err != nil || !bytes.Equal(again, content) {
		t.Errorf("the second start changed the file: %v", err)
	}
	onlyFile(t, path)
}

func onlyFile(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 || entries[0].Name() != filepath.Base(path) {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}

// Two installations never have the same key.
func TestOpenKeyIsRandom(t *testing.T) {
	a, err := OpenKey(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := OpenKey(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := a.Verify("p", b.Sign("p", nil)); ok {
		t.Error("they do")
	}
}

// Replicas that start at the same moment on one data directory agree on one key, whoever wins: a value
// that one of them seals opens with each of the others.
func TestOpenKeyAgrees(t *testing.T) {
	for range 20 {
		path := filepath.Join(t.TempDir(), "key")
		keys, start := make([]Key, 8), make(chan struct{})
		var all sync.WaitGroup
		for i := range keys {
			all.Go(func() {
				<-start
				var err error
				if keys[i], err = OpenKey(path); err != nil {
					t.Error(err)
				}
			})
		}
		close(start)
		all.Wait()
		if t.Failed() {
			return
		}
		for _, key := range keys {
			if _, ok := key.Verify("p", keys[0].Sign("p", nil)); !ok {
				t.Fatal("they do not agree")
			}
		}
		onlyFile(t, path)
	}
}

// A key that others can read is no secret: the start stops, and says how to mend it.
func TestOpenKeyRefusesOpenFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(keyLines(1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []fs.FileMode{0o600, 0o400, 0o700, 0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o666, 0o444} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := OpenKey(path)
		if closed := mode&0o077 == 0; closed != (err == nil) {
			t.Errorf("%#o: got %v", mode, err)
		}
		if err != nil && !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("%#o: %v does not say what to do", mode, err)
		}
	}
}

// A file that is not exactly lines of keys stops the start, with the line and never with its content,
// and is left alone: writing a new key over it would lose all that the old one sealed.
func TestOpenKeyRefusesDamage(t *testing.T) {
	good := keyLines(1)
	encoded := strings.TrimSpace(strings.TrimPrefix(good, keyLine))
	for name, content := range map[string]string{
		"empty": "", "a blank line": "\n", "blank in between": keyLines(1) + "\n" + keyLines(2), "blank at the end": good + "\n",
		"another version": strings.Replace(good, "v1", "v2", 1), "no name": encoded + "\n", "no key": "tokendesk-key-v1\n", "two spaces": strings.Replace(good, " ", "  ", 1),
		"space at the end": strings.Replace(good, "\n", " \n", 1), "Windows line end": strings.Replace(good, "\n", "\r\n", 1), "byte order mark": "\ufeff" + good,
		"cut short": good[:40], "31 bytes": keyLine + base64.StdEncoding.EncodeToString(make([]byte, 31)) + "\n", "33 bytes": keyLine + base64.StdEncoding.EncodeToString(make([]byte, 33)) + "\n",
		"no padding": strings.Replace(good, "=", "", 1), "bits over": keyLine + encoded[:42] + "F=\n", "comment": "# key\n" + good, "second damaged": good + "tokendesk-key-v1 x\n",
		"too many lines": strings.Repeat(good, 17), "huge": strings.Repeat(good, 10_000),
	} {
		path := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := OpenKey(path)
		if err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), encoded[:8]) {
			t.Errorf("%s: got %v", name, err)
		}
		if now, err := os.ReadFile(path); err != nil || string(now) != content {
			t.Errorf("%s: the file was changed, %v", name, err)
		}
	}
}

// Several lines, the last of them perhaps without its end, are the current key and older ones.
func TestOpenKeyReadsSeveral(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(strings.TrimSuffix(keyLines(2, 1), "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := OpenKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := key.Verify("p", fixedKey(t, 1).Sign("p", nil)); !ok {
		t.Error("the second line does not count")
	}
	if _, ok := fixedKey(t, 2).Verify("p", key.Sign("p", nil)); !ok {
		t.Error("the first line is not the current one")
	}
	if _, err := parseKeyFile(strings.Repeat(keyLines(1), maxKeys)); err != nil {
		t.Errorf("%d keys: %v", maxKeys, err)
	}
}

// What is in the way of the file is named: a folder in its place, no folder to put it in, a link to
// nowhere.
func TestOpenKeyNamesTheTrouble(t *testing.T) {
	folder := t.TempDir()
	if err := os.Symlink(filepath.Join(folder, "nowhere"), filepath.Join(folder, "link")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{folder, filepath.Join(folder, "missing", "key"), filepath.Join(folder, "link")} {
		if key, err := OpenKey(path); err == nil || key.ring != nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v", path, err)
		}
	}
}
