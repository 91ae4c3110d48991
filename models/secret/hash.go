package secret

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
)

// credentialDomain keeps the hashes of credentials apart from all others (T4).
const credentialDomain = "tokendesk/credential/v1"

// Hash is what is stored of a random secret: SHA-256, with a domain in front so that the hash of one
// kind of secret is never that of another. It is fast on purpose: 256 random bits cannot be guessed
// however fast the hash, and a slow one would let anybody keep the server busy. Never for passwords.
type Hash [sha256.Size]byte

// HashOf hashes a text for a domain, which is a constant of the program without a zero byte:
// SHA-256(domain || 0x00 || text).
func HashOf(domain, text string) Hash {
	var room [128]byte // enough for all that we make, so that nothing is allocated
	input := append(room[:0], domain...)
	input = append(input, 0)
	input = append(input, text...)
	defer clear(input) // a stack is used again without being emptied
	return sha256.Sum256(input)
}

// Hash gives what is stored of a credential, and what it is found by.
func (t Text) Hash() Hash { return HashOf(credentialDomain, string(t)) }

// Equal compares in a time that does not depend on where the two differ (ASVS 11.2.4).
func (h Hash) Equal(other Hash) bool { return subtle.ConstantTimeCompare(h[:], other[:]) == 1 }

// Hex gives the hash as 64 lower-case hexadecimal digits.
func (h Hash) Hex() string { return hex.EncodeToString(h[:]) }

// ParseHash reads what Hex gives, and nothing else.
func ParseHash(s string) (Hash, bool) {
	var h Hash
	if len(s) != hex.EncodedLen(len(h)) {
		return Hash{}, false
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil || h.Hex() != s {
		return Hash{}, false
	}
	return h, true
}
