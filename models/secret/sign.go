package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
)

// tagSize is what is kept of HMAC-SHA-256: 128 bits, the half of it that RFC 2104 section 5 asks for at
// least. What is signed travels in addresses, which are better short.
const tagSize = 16

// Sign writes a payload as text that only this installation can make: base64url of a tag and the payload.
// It is for what a caller carries from one request to the next, like the place in a list. The payload can
// be read by whoever has the text, so it holds nothing secret; and a text stays good as long as the key,
// so what must end has its end in the payload.
func (k Key) Sign(purpose string, payload []byte) string {
	tag := k.materials()[0].tag(purpose, payload)
	return base64.RawURLEncoding.EncodeToString(append(tag, payload...))
}

// Verify gives back the payload of a text that Sign made for the same purpose. Every other text is
// refused, also one that decodes to the same bytes: a payload has one text for each key.
func (k Key) Verify(purpose, text string) ([]byte, bool) {
	raw, ok := decodeExact(base64.RawURLEncoding, text)
	if !ok || len(raw) < tagSize {
		return nil, false
	}
	tag, payload := raw[:tagSize], raw[tagSize:]
	for _, m := range k.materials() {
		if hmac.Equal(tag, m.tag(purpose, payload)) {
			return payload, true
		}
	}
	return nil, false
}

func (m material) tag(purpose string, payload []byte) []byte {
	mac := hmac.New(sha256.New, m.derive("sign", purpose))
	mac.Write(payload)
	return mac.Sum(nil)[:tagSize]
}
