package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
)

// signer keeps what it takes to sign, for the next call.
type signer struct {
	mac  hash.Hash
	text []byte
}

// sign is the value of X-Tokendesk-Signature: t=<Unix seconds>,v1=<hexadecimal HMAC-SHA256>. What is signed are these, with
// a line feed between them and none at the end: "tokendesk-v1"; t; the method; the request's target exactly as it is sent, so with the
// address's own path and the query; then workspace, kind, credential, person, scope and request ID as in their fields.
func (l *line) sign(at int64, method, target string, who *Caller) string {
	s, _ := l.signers.Get().(*signer)
	if s == nil {
		s = &signer{mac: hmac.New(sha256.New, l.key)}
	}
	s.mac.Reset()
	text := strconv.AppendInt(append(s.text[:0], "tokendesk-v1\n"...), at, 10)
	for _, field := range [...]string{method, target, who.Workspace, who.Kind, who.Credential, who.Person, who.Scope, who.RequestID} {
		text = append(append(text, '\n'), field...)
	}
	s.mac.Write(text)
	value := strconv.AppendInt(append(make([]byte, 0, 96), "t="...), at, 10)
	var sum [sha256.Size]byte
	value = hex.AppendEncode(append(value, ",v1="...), s.mac.Sum(sum[:0]))
	s.text = text
	l.signers.Put(s)
	return string(value)
}
