package secret

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// keyLine is what each line of the key file begins with; base64 of 32 bytes follows.
const keyLine = "tokendesk-key-v1 "

// No key file is larger than this many lines, each of 62 bytes.
const (
	maxKeys      = 16
	maxFileBytes = 4096
)

// OpenKey reads the key file, and makes it when there is none: one line with a random key, readable by
// its owner only. Programs that start at the same time on one new file agree on one key, and a program
// that is killed leaves the whole file or none. The first line is the key in use; further lines are
// older keys, which still open what they sealed.
//
// A file that others may read or change, and one that is not exactly such lines, is an error that says
// what to do. No error quotes the file.
func OpenKey(path string) (Key, error) {
	key, err := readKeyFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := createKeyFile(path); err != nil {
		return Key{}, fmt.Errorf("the key file %s cannot be made: %w", path, err)
	}
	return readKeyFile(path)
}

func readKeyFile(path string) (Key, error) {
	file, err := os.Open(path)
	if err != nil {
		return Key{}, fmt.Errorf("the key file %s cannot be read: %w", path, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return Key{}, fmt.Errorf("the key file %s cannot be read: %w", path, err)
	}
	if !info.Mode().IsRegular() {
		return Key{}, fmt.Errorf("the key file %s is not a file; name a file, which is made when it is not there", path)
	}
	// Windows has no such bits; there the folder's permissions are the operator's to set.
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return Key{}, fmt.Errorf("the key file %s can be read or changed by others (%#o); run: chmod 600 %s", path, info.Mode().Perm(), path)
	}
	content, err := io.ReadAll(io.LimitReader(file, maxFileBytes+1))
	if err != nil {
		return Key{}, fmt.Errorf("the key file %s cannot be read: %w", path, err)
	}
	key, err := parseKeyFile(string(content))
	if err != nil {
		return Key{}, fmt.Errorf("the key file %s is damaged: %w; put the copy from your backup in its place", path, err)
	}
	return key, nil
}

// parseKeyFile reads the lines of a key file. The last line may lack its end, as some editors leave it.
func parseKeyFile(content string) (Key, error) {
	if content == "" {
		return Key{}, errors.New("it is empty")
	}
	lines := strings.Split(strings.TrimSuffix(content, "\n"), "\n")
	if len(content) > maxFileBytes || len(lines) > maxKeys {
		return Key{}, fmt.Errorf("it is longer than %d lines", maxKeys)
	}
	ring := make([]material, 0, len(lines))
	for i, line := range lines {
		text, found := strings.CutPrefix(line, keyLine)
		raw, exact := decodeExact(base64.StdEncoding, text)
		if !found || !exact || len(raw) != keySize {
			return Key{}, fmt.Errorf("line %d is not %q and base64 of 32 bytes", i+1, strings.TrimSpace(keyLine))
		}
		ring = append(ring, newMaterial([keySize]byte(raw)))
	}
	return Key{ring: func() []material { return ring }}, nil
}

// createKeyFile writes a new key beside the file and then gives it the file's name, which succeeds for
// one of several programs; the others find the name taken, and that is as good.
func createKeyFile(path string) error {
	var key [keySize]byte
	_, _ = rand.Read(key[:])
	line := keyLine + base64.StdEncoding.EncodeToString(key[:]) + "\n"

	draft, err := os.CreateTemp(filepath.Dir(path), ".tokendesk-key-*") // 0600 from the beginning
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name())
	_, err = draft.WriteString(line)
	if err = errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	if err = os.Link(draft.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes a new name in a folder last through a power cut: a value sealed under a key that is
// gone could never be opened again.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	if err = folder.Sync(); err != nil && runtime.GOOS != "windows" {
		return err
	}
	return nil
}
