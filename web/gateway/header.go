package gateway

import (
	"net/http"
	"slices"
	"strings"
)

// spoofable are the fields by which proxies tell what is behind them who calls, from where and for what. Products believe
// them, so only we send them. A star stands for any end.
var spoofable = byInitial(
	"X-Tokendesk-*", "X-Request-Id",
	"Forwarded", "X-Forwarded*", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "True-Client-Ip", "Cf-Connecting-*", "Fastly-Client-Ip", "X-Envoy-*",
	"X-Original-*", "X-Rewrite-*", "X-Http-Method*", "X-Method-Override", "Proxy-*",
	"X-Auth-*", "X-Authenticated-*", "X-Remote-*", "Remote-*", "X-Webauth-*", "X-Amzn-Oidc-*", "X-Goog-Iap-*", "X-Goog-Authenticated-*", "X-Ms-Client-Principal*", "X-Ms-Token-*",
	"Proxy", "X-Sendfile*", "X-Accel-*", "X-Http-Host-Override", "X-Arr-*", "Cf-Access-*", "X-Authentik-*", "X-Grafana-User",
	"Client-Cert*", "X-Client-Cert*", "Ssl-Client-*", "X-Ssl-Client-*",
)

// unwanted are those that mean nothing to a product: cookies belong to the console, which has the same host, and what is left of
// asking for HTTP/2.
var unwanted = byInitial("Cookie", "Cookie2", "Http2-Settings")

// credentials are those in which a call can carry what it is admitted by.
var credentials = byInitial("Authorization", "X-Api-Key", "X-Api-Token")

// hopByHop are those that are about one connection, or about where a body ends, which is for net/http to say.
var hopByHop = byInitial("Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Content-Length", "Upgrade")

// hostWide are those of an answer that mean the whole host, the console with it, or whoever stands in front of us. They are not for a product to say.
var hostWide = byInitial(
	"Set-Cookie", "Set-Cookie2", "Clear-Site-Data", "Strict-Transport-Security", "Public-Key-Pins", "Public-Key-Pins-Report-Only", "Expect-Ct",
	"Alt-Svc", "Nel", "Report-To", "Reporting-Endpoints", "Service-Worker-Allowed",
	"X-Accel-*", "X-Sendfile*", "X-Lighttpd-*", "X-Litespeed-*", "X-Reproxy-*", "Surrogate-Control", "Cdn-Cache-Control",
	"Ratelimit", "Ratelimit-Policy", // ours are written with a capital in the middle
)

// names is a set of field names in their canonical form, by their first letter.
type names ['Z' - 'A' + 1][]string

func byInitial(list ...string) (n names) {
	for _, name := range list {
		n[name[0]-'A'] = append(n[name[0]-'A'], name)
	}
	return n
}

func (n *names) has(canonical string) bool {
	if canonical == "" || canonical[0] < 'A' || canonical[0] > 'Z' {
		return false
	}
	for _, name := range n[canonical[0]-'A'] {
		if start, open := strings.CutSuffix(name, "*"); canonical == name || open && strings.HasPrefix(canonical, start) {
			return true
		}
	}
	return false
}

// carries says whether a field of a caller's, whose name is plain (CheckHeaders), goes upstream, and its canonical name: neither what is about
// the connection, by its name or because the caller says so there, nor what only we say, nor what the product has a value of its own for. Nor
// does Host, which has been told already, and which HTTP/2 leaves among the fields.
func (l *line) carries(name string, connection []string) (canonical string, ok bool) {
	canonical = http.CanonicalHeaderKey(name)
	ok = canonical != "Host" && !hopByHop.has(canonical) && !spoofable.has(canonical) && !unwanted.has(canonical) && (l.passCredential || !credentials.has(canonical)) &&
		!listed(connection, name) && !slices.ContainsFunc(l.fields, func(own field) bool { return own.name == canonical })
	return canonical, ok
}

// HeaderProblem is why a field cannot be set on every call of a product, as a sentence; empty when it can.
func HeaderProblem(name, value string) string {
	canonical := http.CanonicalHeaderKey(name)
	switch {
	case !plainName(name) || len(name) > 100:
		return "The name of a header field is of at most 100 letters, digits and hyphens."
	case spoofable.has(canonical):
		return "The gateway sets or removes " + canonical + " itself. Take another name."
	case unwanted.has(canonical), hopByHop.has(canonical), canonical == "Expect":
		return "The field " + canonical + " cannot be set."
	case len(value) > 4096:
		return "The value of " + canonical + " must be 4096 characters or fewer."
	case strings.TrimSpace(value) != value || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }):
		return "The value of " + canonical + " must be of printable ASCII characters, with no spaces around it."
	}
	return ""
}
