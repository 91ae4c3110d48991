package main

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tokendesk/models/secret"
)

// A real credential and a private key are found wherever they stand; what only looks like one is not.
func TestSearch(t *testing.T) {
	made, err := secret.Mint("user", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text := made.Reveal()
	other := "0"
	if strings.HasSuffix(text, "0") {
		other = "1"
	}
	for content, want := range map[string]int{
		"token=" + text + "\n":                     1,
		"x" + text + "y":                           1,
		"a\nb\n" + text + " " + text:               2,
		"-----BEGIN EC " + "PRIVATE KEY-----\n":    1,
		text[:len(text)-1] + other:                 0, // the checksum is wrong
		text[:8] + "... ends in " + text[50:]:      0,
		"-----BEGIN CERTIFICATE-----":              0,
		strings.Repeat("long", 1<<16) + " " + text: 1,
	} {
		name := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := search(name); got != want || err != nil {
			t.Errorf("%.40q: %d found, want %d (%v)", content, got, want, err)
		}
	}
}
