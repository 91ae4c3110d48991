package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"net/http"
	"strconv"
	"sync"
)

// Signer tells a product who calls, signed with its key. Safe for concurrent use.
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

// Identify sets the field that tells a product who calls, for a proxy that sends the call on itself. The target is the one that it sends, and at the
// moment in Unix seconds.
func (s *Signer) Identify(h http.Header, who *Caller, method, target string, at int64) {
	h["X-Tokendesk-Identity"] = []string{s.identity(who, method, target, at)}
}

// identity is the value of X-Tokendesk-Identity, a dictionary of structured fields (RFC 9651, section 3.2), whose members are always all there, in this
// order, those that say nothing as empty strings:
//
//	t=<Unix seconds>, request="…", workspace="…", kind="…", credential="…", person="…", scope="…", v1="<hexadecimal HMAC-SHA256>"
//
// What is signed are three texts with a line feed between them: the method; the request's target exactly as it is sent, so with the address's own path and
// the query; and all of the value that stands before the comma of v1.
func (s *Signer) identity(who *Caller, method, target string, at int64) string {
	p, _ := s.pens.Get().(*pen)
	if p == nil {
		p = &pen{mac: hmac.New(sha256.New, s.key)}
	}
	text := append(append(append(append(p.text[:0], method...), '\n'), target...), '\n')
	from := len(text)
	text = strconv.AppendInt(append(text, "t="...), at, 10)
	text = append(append(text, `, request="`...), who.RequestID...)
	text = append(append(text, `", workspace="`...), who.Workspace...)
	text = append(append(text, `", kind="`...), who.Kind...)
	text = append(append(text, `", credential="`...), who.Credential...)
	text = append(append(text, `", person="`...), who.Person...)
	text = append(append(append(text, `", scope="`...), who.Scope...), '"')
	p.mac.Reset()
	p.mac.Write(text)
	text = append(text, `, v1="`...)
	end := len(text)
	text = p.mac.Sum(text)
	sum := [sha256.Size]byte(text[end:])
	text = append(hex.AppendEncode(text[:end], sum[:]), '"')
	value := string(text[from:])
	p.text = text
	s.pens.Put(p)
	return value
}
