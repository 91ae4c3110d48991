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
	Kind       string // of the credential: "api", for one
	Credential string // its ID, never its secret
	Person     string // ID of the person it belongs to; empty where it belongs to none
	Scope      string // what the call was allowed as: "knowledge-base:search"
	RequestID  string // of this call, as in Tokendesk's own log
}

// identityField says who calls. It is a dictionary of structured fields (RFC 9651, section 3.2), all of whose members are always there:
//
//	t=<Unix seconds>, request="…", workspace="…", kind="…", credential="…", person="…", scope="…", v1="<HMAC-SHA256 in hex>"
const identityField = "X-Tokendesk-Identity"

// signatureAge is how far a signature's time may be from now, in either direction.
const signatureAge = 5 * time.Minute

// Verify answers who made a call, if the gateway that shares the key signed it no more than five minutes ago.
// Otherwise the call is a stranger's, whatever its headers say, and the error says why: answer it with 401.
//
// What is signed are three texts, joined by "\n": the method, the request target exactly as it stands on the
// request line, and all of the field X-Tokendesk-Identity that stands before `, v1=`. The body is not signed: keep the
// way between gateway and product to yourself, or use TLS.
func Verify(r *http.Request, key []byte, now time.Time) (Caller, error) {
	if len(key) == 0 {
		return Caller{}, errors.New("there is no key to check signatures with")
	}
	value, err := single(r.Header, identityField)
	if err != nil {
		return Caller{}, err
	}
	said, v1, hasSum := strings.Cut(value, `, v1="`)
	given, notHex := hex.DecodeString(strings.TrimSuffix(v1, `"`))
	if !hasSum || notHex != nil || !strings.HasSuffix(v1, `"`) {
		return Caller{}, errors.New(identityField + ` is missing, or does not end in v1="<hex>"`)
	}

	mac := hmac.New(sha256.New, key)
	io.WriteString(mac, r.Method+"\n"+r.RequestURI+"\n"+said)
	if !hmac.Equal(mac.Sum(nil), given) { // takes as long for a guess that is nearly right
		return Caller{}, errors.New("the signature is not of this call, or not made with this key")
	}
	caller, at, err := read(said)
	if err != nil {
		return Caller{}, err
	}
	if age := now.Sub(at); age.Abs() > signatureAge {
		return Caller{}, fmt.Errorf("the signature is %s from the time here: it holds for five minutes, so compare the clocks", age.Abs().Round(time.Second))
	}
	return caller, nil
}

// callerOf reads the identity that the headers claim, if they do. It believes them.
func callerOf(h http.Header) (Caller, error) {
	value, err := single(h, identityField)
	if value == "" || err != nil {
		return Caller{}, err
	}
	said, _, _ := strings.Cut(value, `, v1="`)
	caller, _, err := read(said)
	return caller, err
}

// read takes the members of a dictionary apart. One that it does not know may come with a later version.
func read(said string) (Caller, time.Time, error) {
	members := map[string]string{}
	for member := range strings.SplitSeq(said, ", ") {
		name, value, _ := strings.Cut(member, "=")
		members[name] = value
	}
	seconds, err := strconv.ParseInt(members["t"], 10, 64)
	if err != nil {
		return Caller{}, time.Time{}, errors.New(identityField + " lacks t=<Unix seconds>")
	}
	var c Caller
	for name, to := range map[string]*string{
		"request": &c.RequestID, "workspace": &c.Workspace, "kind": &c.Kind, "credential": &c.Credential, "person": &c.Person, "scope": &c.Scope,
	} {
		value := members[name]
		if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' || strings.ContainsAny(value[1:len(value)-1], `"\`) {
			return Caller{}, time.Time{}, fmt.Errorf(`%s lacks %s="…"`, identityField, name)
		}
		*to = value[1 : len(value)-1]
	}
	return c, time.Unix(seconds, 0), nil
}

// single is the value of a header that must not be repeated: of two, one would be signed and another believed.
func single(h http.Header, name string) (string, error) {
	if values := h.Values(name); len(values) > 1 {
		return "", fmt.Errorf("%s is there %d times", name, len(values))
	}
	return h.Get(name), nil
}
