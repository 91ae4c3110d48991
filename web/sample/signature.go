package sample

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// This file stands on its own: copy it into your product to believe what Tokendesk's gateway says of a call.

// Caller is who made a call, as the gateway found out.
type Caller struct {
	Workspace  string // ID of the workspace whose data the call is about
	Kind       string // of the credential: "api_token", for one
	Credential string // its ID, never its secret
	Person     string // ID of the person it belongs to; empty where it belongs to none
	Scope      string // what the call was allowed as: "knowledge-base:search"
	RequestID  string // of this call, as in Tokendesk's own log
}

// signatureAge is how far a signature's time may be from now, in either direction.
const signatureAge = 5 * time.Minute

// Verify answers who made a call, if the gateway that shares the key signed it no more than five minutes ago.
// Otherwise the call is a stranger's, whatever its headers say, and the error says why: answer it with 401.
//
// The header X-Tokendesk-Signature is t=<unix seconds>,v1=<HMAC-SHA256 in hex>. What is signed are ten lines,
// joined by "\n" with none at the end: the text tokendesk-v1, t, the method, the request target exactly as it
// stands on the request line, and the six values of Caller in their order. The body is not signed: keep the way
// between gateway and product to yourself, or use TLS.
func Verify(r *http.Request, key []byte, now time.Time) (Caller, error) {
	if len(key) == 0 {
		return Caller{}, errors.New("there is no key to check signatures with")
	}
	caller, err := callerOf(r.Header)
	if err != nil {
		return Caller{}, err
	}
	signature, err := single(r.Header, "X-Tokendesk-Signature")
	if err != nil {
		return Caller{}, err
	}
	fields, hasTime := strings.CutPrefix(signature, "t=")
	t, v1, hasSum := strings.Cut(fields, ",v1=")
	seconds, notNumber := strconv.ParseInt(t, 10, 64)
	given, notHex := hex.DecodeString(v1)
	if !hasTime || !hasSum || notNumber != nil || notHex != nil {
		return Caller{}, errors.New("X-Tokendesk-Signature is missing, or is not t=<unix seconds>,v1=<hex>")
	}

	mac := hmac.New(sha256.New, key)
	io.WriteString(mac, strings.Join([]string{
		"tokendesk-v1", t, r.Method, r.RequestURI,
		caller.Workspace, caller.Kind, caller.Credential, caller.Person, caller.Scope, caller.RequestID,
	}, "\n"))
	if !hmac.Equal(mac.Sum(nil), given) { // takes as long for a guess that is nearly right
		return Caller{}, errors.New("the signature is not of this call, or not made with this key")
	}
	if age := now.Sub(time.Unix(seconds, 0)); age.Abs() > signatureAge {
		return Caller{}, fmt.Errorf("the signature is %s from the time here: it holds for five minutes, so compare the clocks", age.Abs().Round(time.Second))
	}
	return caller, nil
}

// callerOf reads the identity that the headers claim. It believes them.
func callerOf(h http.Header) (c Caller, err error) {
	for _, field := range []struct {
		name  string
		value *string
	}{
		{"X-Tokendesk-Workspace", &c.Workspace},
		{"X-Tokendesk-Kind", &c.Kind},
		{"X-Tokendesk-Credential", &c.Credential},
		{"X-Tokendesk-Person", &c.Person},
		{"X-Tokendesk-Scope", &c.Scope},
		{"X-Request-Id", &c.RequestID},
	} {
		if *field.value, err = single(h, field.name); err != nil {
			return Caller{}, err
		}
	}
	return c, nil
}

// single is the value of a header that must not be repeated: of two, one would be signed and another believed.
func single(h http.Header, name string) (string, error) {
	if values := h.Values(name); len(values) > 1 {
		return "", fmt.Errorf("%s is there %d times", name, len(values))
	}
	return h.Get(name), nil
}
