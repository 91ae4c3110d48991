package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
	"sync"
)

// Signer signs who calls with a product's key. Safe for concurrent use.
type Signer struct {
	key  []byte
	pens sync.Pool
}

// NewSigner makes one that signs with a key.
func NewSigner(key []byte) *Signer { return &Signer{key: key} }

// pen keeps what it takes to sign, for the next call.
type pen struct {
	mac  hash.Hash
	text []byte
}

// appendSignature writes the value of X-Tokendesk-Signature: t=<Unix seconds>,v1=<hexadecimal HMAC-SHA256>. What is signed are these, with
// a line feed between them and none at the end: "tokendesk-v1"; t; the method; the request's target exactly as it is sent, so with the
// address's own path and the query; then workspace, kind, credential, person, scope and request ID as in their fields.
func (s *Signer) appendSignature(to []byte, at int64, method, target string, who *Caller) []byte {
	p, _ := s.pens.Get().(*pen)
	if p == nil {
		p = &pen{mac: hmac.New(sha256.New, s.key)}
	}
	p.mac.Reset()
	text := strconv.AppendInt(append(p.text[:0], "tokendesk-v1\n"...), at, 10)
	for _, field := range [...]string{method, target, who.Workspace, who.Kind, who.Credential, who.Person, who.Scope, who.RequestID} {
		text = append(append(text, '\n'), field...)
	}
	p.mac.Write(text)
	to = strconv.AppendInt(append(to, "t="...), at, 10)
	p.text = p.mac.Sum(text[:0]) // what was signed is not needed any more
	to = hex.AppendEncode(append(to, ",v1="...), p.text)
	s.pens.Put(p)
	return to
}

// sign is appendSignature as a text.
func (s *Signer) sign(at int64, method, target string, who *Caller) string {
	return string(s.appendSignature(make([]byte, 0, 96), at, method, target, who))
}
