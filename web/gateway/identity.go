package gateway

import "net/http"

// Identify sets the fields that tell a product who calls, all of them, also those that are empty: for a proxy that sends
// the call on itself. The target is the one that it sends, and at the moment in Unix seconds.
func Identify(h http.Header, s *Signer, who *Caller, method, target string, at int64) {
	values := [...]string{who.Workspace, who.Kind, who.Credential, who.Person, who.Scope, s.sign(at, method, target, who)}
	h["X-Tokendesk-Workspace"] = values[0:1:1]
	h["X-Tokendesk-Kind"] = values[1:2:2]
	h["X-Tokendesk-Credential"] = values[2:3:3]
	h["X-Tokendesk-Person"] = values[3:4:4]
	h["X-Tokendesk-Scope"] = values[4:5:5]
	h["X-Tokendesk-Signature"] = values[5:6:6]
}
