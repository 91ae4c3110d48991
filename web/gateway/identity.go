package gateway

import "net/http"

// Identify sets the fields that tell a product who calls, all of them, also those that are empty: for a proxy that sends
// the call on itself. The target is the one that it sends, and at the moment in Unix seconds.
func Identify(h http.Header, key []byte, who Caller, method, target string, at int64) {
	l := &line{key: key}
	for name, value := range map[string]string{
		"X-Tokendesk-Workspace": who.Workspace, "X-Tokendesk-Kind": who.Kind, "X-Tokendesk-Credential": who.Credential, "X-Tokendesk-Person": who.Person,
		"X-Tokendesk-Scope": who.Scope, "X-Tokendesk-Signature": l.sign(at, method, target, &who),
	} {
		h[name] = []string{value}
	}
}
