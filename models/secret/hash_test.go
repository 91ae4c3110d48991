package secret

import (
	"crypto/sha256"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// T4: the stored hash is SHA-256 of the domain, a zero byte and the whole credential. It can never
// change: every credential in every database would be lost.
func TestHashIsAsSpecified(t *testing.T) {
	text := mint(t, "user")
	want := Hash(sha256.Sum256([]byte("tokendesk/credential/v1\x00" + text.Reveal())))
	if got := text.Hash(); got != want {
		t.Errorf("got %s, want %s", got.Hex(), want.Hex())
	}
	if got := Text("user_0").Hash().Hex(); got != "c299fd034d139ba5c004442cde191215a650e41d0bcd5a5959a5f1a1b132dcb5" {
		t.Errorf("got %s", got)
	}
}

// The hash of one kind of secret is never that of another, and long texts are hashed whole.
func TestHashSeparatesDomains(t *testing.T) {
	if HashOf("tokendesk/session/v1", "a").Equal(HashOf("tokendesk/setup/v1", "a")) {
		t.Error("two domains give one hash")
	}
	long := strings.Repeat("a", 1000)
	if HashOf("d", long).Equal(HashOf("d", long+"b")) || HashOf("d", long) != Hash(sha256.Sum256([]byte("d\x00"+long))) {
		t.Error("a long text is not hashed whole")
	}
}

// A stored hash reads back as itself, and there is one spelling of it.
func TestParseHash(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hash := Hash(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "hash"))
		if got, ok := ParseHash(hash.Hex()); !ok || !got.Equal(hash) {
			t.Fatalf("%s reads back as %s", hash.Hex(), got.Hex())
		}
	})
	good := HashOf("d", "x").Hex()
	for _, s := range []string{"", good[:63], good + "0", good[:62], " " + good[1:], strings.ToUpper(good), "g" + good[1:], good[:63] + "\n"} {
		if _, ok := ParseHash(s); ok {
			t.Errorf("%q is taken for a hash", s)
		}
	}
}

// Equal looks at every byte.
func TestHashEqual(t *testing.T) {
	a := HashOf("d", "x")
	if !a.Equal(HashOf("d", "x")) {
		t.Error("a hash is not equal to itself")
	}
	for i := range a {
		b := a
		b[i] ^= 1
		if a.Equal(b) {
			t.Errorf("byte %d does not count", i)
		}
	}
}
