package secret

import (
	"encoding/base64"
	"strings"
	"testing"
)

// S1: a session id is 256 random bits, is found again by its hash, and no two are equal.
func TestRandom(t *testing.T) {
	const domain = "tokendesk/test/v1"
	seen := map[Text]bool{}
	var used [32]byte
	for range 1000 {
		text, hash := Random(domain)
		raw, err := base64.RawURLEncoding.DecodeString(text.Reveal())
		if err != nil || len(raw) != 32 || len(text) != 43 {
			t.Fatalf("%q is not 32 bytes in base64url", text.Reveal())
		}
		if !hash.Equal(HashOf(domain, text.Reveal())) || hash.Equal(text.Hash()) {
			t.Fatal("the hash is not that of the domain")
		}
		for i := range raw {
			used[i] |= raw[i]
		}
		seen[text] = true
	}
	if len(seen) != 1000 {
		t.Errorf("%d different ones of 1000", len(seen))
	}
	for i, bits := range used {
		if bits != 0xFF {
			t.Errorf("byte %d never has the bits %08b", i, ^bits)
		}
	}
}

// security.md 2.3: a form's number has 128 random bits; what a program chooses is taken within bounds.
func TestFormID(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := FormID()
		if raw, err := base64.RawURLEncoding.DecodeString(id); err != nil || len(raw) != 16 || !ValidFormID(id) {
			t.Fatalf("%q is not 16 bytes in base64url", id)
		}
		seen[id] = true
	}
	if len(seen) != 1000 {
		t.Errorf("%d different ones of 1000", len(seen))
	}
	for s, want := range map[string]bool{
		strings.Repeat("a", 15): false, strings.Repeat("a", 16): true, strings.Repeat("a", 64): true, strings.Repeat("a", 65): false,
		"": false, "ABCxyz0189-_----": true, "0123456789abcde+": false, "0123456789abcde/": false, "0123456789abcde=": false,
		"0123456789abcde ": false, "0123456789abcde\n": false, "0123456789abcdé": false, "0123456789abcde.": false, "0123456789abcde\x00": false,
	} {
		if ValidFormID(s) != want {
			t.Errorf("%q: got %v", s, !want)
		}
	}
}
