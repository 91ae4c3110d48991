package secret

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func mint(t testing.TB, prefix string) Text {
	t.Helper()
	text, err := Mint(prefix, nil)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// T1: the format is fixed for good, down to the byte: tokens live in other people's programs.
func TestMintGolden(t *testing.T) {
	text, err := Mint("prod", bytes.NewReader(make([]byte, 64)))
	if err != nil {
		t.Fatal(err)
	}
	body := "prod_" + strings.Repeat("0", 43)
	if want := body + number62(uint64(crc32.ChecksumIEEE([]byte(body)))); text.Reveal() != want {
		t.Errorf("got %s, want %s", text.Reveal(), want)
	}
	if want := body + "3mOZrM"; text.Reveal() != want {
		t.Errorf("got %s, want %s", text.Reveal(), want)
	}
}

// T1: whatever the prefix and the randomness, what is minted is canonical, is recognised, and knows its
// kind and its hint.
func TestMintedIsRecognised(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.StringMatching(`[a-z0-9]{4}`).Draw(t, "prefix")
		seed := rapid.Uint64().Draw(t, "seed")
		text, err := Mint(prefix, rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16), byte(seed >> 24)}))
		if err != nil {
			t.Fatal(err)
		}
		s := text.Reveal()
		if !canonicalReference(s) {
			t.Fatalf("%s is not canonical", s)
		}
		if parsed, ok := Parse(s); !ok || parsed != text {
			t.Fatalf("%s is not recognised", s)
		}
		if text.Kind() != prefix || text.Hint() != (Hint{s[:8], s[50:]}) {
			t.Fatalf("kind %s, hint %v of %s", text.Kind(), text.Hint(), s)
		}
	})
}

// No two are equal, with the randomness of the system.
func TestMintDiffers(t *testing.T) {
	seen := map[Text]bool{}
	for range 1000 {
		seen[mint(t, "user")] = true
	}
	if len(seen) != 1000 {
		t.Errorf("%d different ones of 1000", len(seen))
	}
}

// T1: 43 characters are 256 bits only if each comes up equally often: of all 256 bytes, every character
// takes four, and eight bytes are thrown away.
func TestMintIsUnbiased(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	text, err := appendRandom62(nil, 248, bytes.NewReader(all))
	if err != nil {
		t.Fatal(err)
	}
	count := map[byte]int{}
	for _, c := range text {
		count[c]++
	}
	for _, c := range []byte(base62) {
		if count[c] != 4 {
			t.Errorf("%c comes up %d times, want 4", c, count[c])
		}
	}
}

// No credential is made without randomness, and none with a prefix that Parse would refuse.
func TestMintRefuses(t *testing.T) {
	for name, random := range map[string]io.Reader{
		"an error":         iotest.ErrReader(errors.New("no randomness")),
		"too few bytes":    bytes.NewReader(make([]byte, 40)),
		"nothing but 0xFF": bytes.NewReader(bytes.Repeat([]byte{0xFF}, 1<<16)),
	} {
		if text, err := Mint("user", random); err == nil || text != "" {
			t.Errorf("%s: got %q, %v", name, text.Reveal(), err)
		}
	}
	for _, prefix := range []string{"", "use", "users", "User", "us_r", "usér", "us r", "us\x00r"} {
		if text, err := Mint(prefix, nil); err == nil || text != "" {
			t.Errorf("prefix %q: got %q, %v", prefix, text.Reveal(), err)
		}
	}
}

// Wiped, a credential is nowhere in the memory where it was made, and what may be shown of it is still there.
// A text of another length is left alone.
func TestWipe(t *testing.T) {
	text := mint(t, "user")
	whole, copied, kind, hint := strings.Clone(text.Reveal()), text, text.Kind(), text.Hint()
	text.Wipe()
	want := whole[:8] + strings.Repeat("\x00", 42) + whole[50:]
	if text.Reveal() != want || copied.Reveal() != want {
		t.Errorf("what is left is %q", text.Reveal())
	}
	if hint != (Hint{whole[:8], whole[50:]}) || kind != "user" || text.Hint() != hint {
		t.Errorf("the hint is %v, the kind %q", hint, kind)
	}
	Text("").Wipe()
	Text(plain).Wipe()
}

// A text that is no credential has no kind and no hint, so that none of it can be shown by mistake.
func TestHintOfAnythingElse(t *testing.T) {
	for _, text := range []Text{"", "user_", Text(strings.Repeat("a", 53)), Text(strings.Repeat("a", 55))} {
		if text.Kind() != "" || text.Hint() != (Hint{}) {
			t.Errorf("%q: kind %q, hint %v", text.Reveal(), text.Kind(), text.Hint())
		}
	}
}
