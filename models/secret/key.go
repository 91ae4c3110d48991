package secret

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
)

// ErrSealed means that a sealed value cannot be opened: it was made with a key that is not in the key
// file, or for another purpose, or it was changed.
var ErrSealed = errors.New("secret: a sealed value does not open with the keys in the key file")

// A sealed value is <version><key id><nonce><ciphertext and tag>: 49 bytes more than what it holds.
const (
	sealVersion = 1
	keySize     = 32
	keyIDSize   = 8
	nonceAt     = 1 + keyIDSize
	boxAt       = nonceAt + chacha20poly1305.NonceSizeX
)

// Key is what the key file holds: the key that seals and signs, and older ones that still open and
// verify. For each purpose another key is derived from it, so that a value made for one is nothing to
// another. It prints as "[secret]"; the zero Key has no keys and panics when used.
//
// The keys are behind a function because package fmt prints of one only its address, even of one in an
// unexported field of another struct, where it asks no method.
type Key struct{ ring func() []material }

// material is one line of the key file.
type material struct {
	id     [keyIDSize]byte // derived from the secret, and no secret
	secret [keySize]byte
}

// String hides the keys.
func (Key) String() string { return masked }

// GoString hides the keys.
func (Key) GoString() string { return masked }

// Format hides the keys from every verb that package fmt asks about.
func (Key) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, masked) }

// Seal encrypts a value that the server must be able to read back, with XChaCha20-Poly1305 and a random
// nonce. The purpose says what the value is and whose, like "oidc/client-secret/" and an id: it must be
// the same to open it, so that a value copied to another row does not open there.
func (k Key) Seal(purpose string, plain []byte) ([]byte, error) {
	current := k.materials()[0]
	box, err := chacha20poly1305.NewX(current.derive("seal", purpose))
	if err != nil {
		return nil, err
	}
	sealed := make([]byte, boxAt, boxAt+len(plain)+chacha20poly1305.Overhead)
	sealed[0] = sealVersion
	copy(sealed[1:], current.id[:])
	_, _ = rand.Read(sealed[nonceAt:])
	return box.Seal(sealed, sealed[nonceAt:], plain, boundTo(sealed, purpose)), nil
}

// Open gives back what Seal was given for the same purpose, or ErrSealed.
func (k Key) Open(purpose string, sealed []byte) ([]byte, error) {
	if len(sealed) < boxAt+chacha20poly1305.Overhead || sealed[0] != sealVersion {
		return nil, ErrSealed
	}
	for _, m := range k.materials() {
		if string(m.id[:]) != string(sealed[1:nonceAt]) {
			continue
		}
		box, err := chacha20poly1305.NewX(m.derive("seal", purpose))
		if err != nil {
			return nil, err
		}
		plain, err := box.Open(nil, sealed[nonceAt:boxAt], sealed[boxAt:], boundTo(sealed, purpose))
		if err != nil {
			return nil, ErrSealed
		}
		return plain, nil
	}
	return nil, ErrSealed
}

// boundTo is what a sealed value is authenticated with besides itself: its header, and what it is for.
func boundTo(sealed []byte, purpose string) []byte {
	return append(append(make([]byte, 0, nonceAt+len(purpose)), sealed[:nonceAt]...), purpose...)
}

func (k Key) materials() []material {
	if k.ring == nil {
		panic("secret: a Key that OpenKey did not open")
	}
	return k.ring()
}

func newMaterial(key [keySize]byte) material {
	m := material{secret: key}
	copy(m.id[:], m.derive("id", ""))
	return m
}

// derive makes a key of its own for a use and a purpose, with HKDF-SHA-256 (RFC 5869). The secret is
// uniformly random, so it needs no salt. It cannot fail at this length.
func (m material) derive(use, purpose string) []byte {
	key, err := hkdf.Key(sha256.New, m.secret[:], nil, "tokendesk/"+use+"/v1\x00"+purpose, keySize)
	if err != nil {
		panic("secret: " + err.Error())
	}
	return key
}
