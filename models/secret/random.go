package secret

import (
	"crypto/rand"
	"encoding/base64"
)

// Random makes a secret that is looked up by its hash: a session id, a set-up code. It has 256 random
// bits in 43 characters of base64url (S1). The domain is as for HashOf, which finds the same hash again
// from a text that somebody presents.
func Random(domain string) (Text, Hash) {
	text := randomText(32)
	return Text(text), HashOf(domain, text)
}

// FormID makes the number of a form that may be sent once: 128 random bits in 22 characters. It is no
// secret; it only must never come up twice.
func FormID() string { return randomText(16) }

// ValidFormID tells whether a text may be the number of a form: 16 to 64 characters of base64url. It is
// wider than what FormID makes, so that a program may choose its own.
func ValidFormID(s string) bool {
	if len(s) < 16 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		if !isBase62(s[i]) && s[i] != '-' && s[i] != '_' {
			return false
		}
	}
	return true
}

// randomText cannot fail: crypto/rand ends the program when the system has no randomness.
func randomText(size int) string {
	raw := make([]byte, size)
	_, _ = rand.Read(raw)
	return base64.RawURLEncoding.EncodeToString(raw)
}

// decodeExact decodes base64 that is written as the encoding itself writes it. The decoder alone is not
// enough: even in its strict mode it skips line breaks, and then one value has many spellings.
func decodeExact(encoding *base64.Encoding, text string) ([]byte, bool) {
	raw, err := encoding.DecodeString(text)
	if err != nil || encoding.EncodeToString(raw) != text {
		return nil, false
	}
	return raw, true
}
