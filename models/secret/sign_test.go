package secret

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What is signed for a purpose verifies for it and gives the payload back, in characters that need no
// escaping in an address; for no other purpose and no other key.
func TestSignVerifies(t *testing.T) {
	key, other := fixedKey(t, 1), fixedKey(t, 2)
	rapid.Check(t, func(t *rapid.T) {
		purpose := rapid.String().Draw(t, "purpose")
		payload := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "payload")
		text := key.Sign(purpose, payload)
		if got, ok := key.Verify(purpose, text); !ok || !bytes.Equal(got, payload) {
			t.Fatalf("got %x, %v", got, ok)
		}
		if strings.Trim(text, base62+"-_") != "" || len(text) < 22 {
			t.Fatalf("%q does not belong in an address", text)
		}
		if _, ok := key.Verify(purpose+"x", text); ok {
			t.Fatal("another purpose takes it")
		}
		if _, ok := other.Verify(purpose, text); ok {
			t.Fatal("another key takes it")
		}
	})
}

// A cursor has one spelling (security.md 6.3, CVE-2026-33504): shortened, lengthened, changed, padded or
// broken over lines it is refused, and so is one without a tag.
func TestVerifyRefusesVariants(t *testing.T) {
	key := fixedKey(t, 1)
	for _, payload := range []string{"", "a", "ab", "abc", "2026-01-01T00:00:00Z person_000000000001"} {
		text := key.Sign("people", []byte(payload))
		variants := []string{"", " " + text, text + " ", text + "\n", text[:10] + "\r\n" + text[10:], text + "=", text + "==", text + "A", text + "AAAA",
			base64.StdEncoding.EncodeToString([]byte(text)), base64.RawURLEncoding.EncodeToString([]byte(payload)), strings.ToUpper(text), strings.ToLower(text)}
		for i := range text {
			variants = append(variants, text[:i])
			for _, c := range []byte(base62 + "-_+/=\x00\xff") {
				if c != text[i] {
					variants = append(variants, text[:i]+string([]byte{c})+text[i+1:])
				}
			}
		}
		for _, variant := range variants {
			if got, ok := key.Verify("people", variant); ok {
				t.Errorf("%q is taken for %q, with payload %q", variant, text, got)
			}
		}
	}
}

// Whatever comes in an address, what verifies is exactly what Sign writes.
func FuzzVerifyCursor(f *testing.F) {
	key := fixedKey(f, 1, 2)
	good := key.Sign("people", []byte("after person_1"))
	for _, seed := range []string{"", good, good + "\n", good[:len(good)-1], good + "=", fixedKey(f, 3).Sign("people", nil), strings.Repeat("A", 22)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		payload, ok := key.Verify("people", text)
		if !ok && payload != nil {
			t.Errorf("%q is refused, and gives %q", text, payload)
		}
		if ok && key.Sign("people", payload) != text {
			t.Errorf("%q is another spelling of %q", text, key.Sign("people", payload))
		}
		if got, ok := key.Verify("people", key.Sign("people", []byte(text))); !ok || string(got) != text {
			t.Errorf("%q signed gives %q, %v", text, got, ok)
		}
	})
}
