package secret

import (
	"crypto/rand"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"unsafe"
)

// A credential is <prefix>_<body><checksum>, 54 characters in one canonical form (security.md T1, T2).
const (
	prefixLength   = 4  // a-z and 0-9: what the credential is for
	bodyLength     = 43 // base62: 43 * log2(62) is 256.03 bits
	checksumLength = 6  // base62 of a CRC-32, padded with zeros: 62^6 is more than 2^32
	checkedLength  = prefixLength + 1 + bodyLength
	tokenLength    = checkedLength + checksumLength
	hintFirst      = 8 // characters that may be shown, at the beginning
	hintLast       = 4 // and at the end
)

// base62 is in the order of the bytes, so that a padded number sorts as it counts.
const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// Mint makes a credential with a prefix of four lower-case letters or digits. The randomness comes from
// the reader, or from crypto/rand when it is nil, as it must be outside tests. It is written to memory
// once, and Wipe takes it from there.
func Mint(prefix string, random io.Reader) (Text, error) {
	if len(prefix) != prefixLength || !isPrefix(prefix) {
		return "", fmt.Errorf("secret: the prefix %q is not four lower-case letters or digits", prefix)
	}
	if random == nil {
		random = rand.Reader
	}
	text := make([]byte, 0, tokenLength)
	text = append(text, prefix...)
	text = append(text, '_')
	text, err := appendRandom62(text, bodyLength, random)
	if err != nil {
		return "", fmt.Errorf("secret: no randomness for a credential: %w", err)
	}
	text = appendChecksum(text)
	return Text(unsafe.String(unsafe.SliceData(text), len(text))), nil // nobody else has these bytes
}

// Parse recognises a credential in its one canonical form. Anything else is refused, however near:
// shortened, lengthened, padded, in another case or alphabet, or with a checksum that does not fit. It
// asks nobody and allocates nothing, so a flood of invented credentials costs next to nothing (T3).
func Parse(s string) (Text, bool) {
	if len(s) != tokenLength || s[prefixLength] != '_' || !isPrefix(s[:prefixLength]) {
		return "", false
	}
	for i := prefixLength + 1; i < tokenLength; i++ {
		if !isBase62(s[i]) {
			return "", false
		}
	}
	sum := checksum(s[:checkedLength])
	for i := tokenLength - 1; i >= checkedLength; i-- {
		if s[i] != base62[sum%62] {
			return "", false
		}
		sum /= 62
	}
	return Text(s), true
}

// Hint is what may be shown of a credential for as long as it is listed (T5). Together the three
// characters of the body and the four of the checksum tell 42 of the 256 bits.
type Hint struct {
	Prefix string // the first 8 characters: the kind, the underscore, and three of the body
	Last4  string // the last four
}

// Hint gives what tells this credential from others; it is empty for a text that is not a credential.
func (t Text) Hint() Hint {
	if len(t) != tokenLength {
		return Hint{}
	}
	return Hint{Prefix: string(t[:hintFirst]), Last4: string(t[tokenLength-hintLast:])}
}

// Kind is the four characters that a credential begins with; empty for a text that is not a credential.
func (t Text) Kind() string {
	if len(t) != tokenLength {
		return ""
	}
	return string(t[:prefixLength])
}

// Wipe overwrites with zeros, where it lies in memory, what nobody may know of a credential, so that a dump
// of the process does not show it. It is for whoever has just shown what Mint made, and is the last to need
// it: every copy of this Text, and every string that Reveal gave, is wiped with it. The hint stays. A Text
// that Mint did not make must not be wiped: its bytes may be a constant's, which cannot be written to, or
// somebody else's.
func (t Text) Wipe() {
	if len(t) == tokenLength {
		clear(unsafe.Slice(unsafe.StringData(string(t)), tokenLength)[hintFirst : tokenLength-hintLast])
	}
}

// appendRandom62 adds count random characters. A byte of 248 or more is thrown away: with it, the first
// eight characters of the alphabet would come up more often than the others.
func appendRandom62(text []byte, count int, random io.Reader) ([]byte, error) {
	const fair, attempts = 256 / 62 * 62, 64
	var batch [64]byte
	defer clear(batch[:]) // the text can be worked out from it
	for range attempts {
		if _, err := io.ReadFull(random, batch[:]); err != nil {
			return nil, err
		}
		for _, b := range batch {
			if count == 0 {
				return text, nil
			}
			if b < fair {
				text = append(text, base62[b%62])
				count--
			}
		}
	}
	return nil, errors.New("the source of randomness is stuck")
}

func appendChecksum(text []byte) []byte {
	var digits [checksumLength]byte
	sum := checksum(unsafe.String(unsafe.SliceData(text), len(text)))
	for i := checksumLength - 1; i >= 0; i-- {
		digits[i] = base62[sum%62]
		sum /= 62
	}
	return append(text, digits[:]...)
}

// checksum reads the text where it is, and copies nothing: crc32 does not change what it is given.
func checksum(s string) uint32 {
	return crc32.ChecksumIEEE(unsafe.Slice(unsafe.StringData(s), len(s)))
}

func isPrefix(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func isBase62(c byte) bool { return isDigit62[c] }

// isDigit62 says of each byte whether it is a digit of base62.
var isDigit62 = func() (is [256]bool) {
	for i := range len(base62) {
		is[base62[i]] = true
	}
	return is
}()
