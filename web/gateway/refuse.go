package gateway

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"tokendesk/models"
	"tokendesk/models/access"
)

// What goes wrong here has stable names, beside those of the gate.
const (
	codeAmbiguous   = "request_ambiguous"
	codeMethod      = "method_not_allowed"
	codeEnded       = "credential_ended"
	codeTooLarge    = "request_too_large"
	codeTooSlow     = "request_timeout"
	codeUnreachable = "upstream_unreachable"
	codeTimeout     = "upstream_timeout"
)

// failure is what a caller is told.
type failure struct {
	status              int
	code, title, detail string
}

func ambiguous(detail string) *failure {
	return &failure{http.StatusBadRequest, codeAmbiguous, "The request can be read in two ways", detail}
}

func tooLarge(most int64) *failure {
	return &failure{http.StatusRequestEntityTooLarge, codeTooLarge, "The request is too large", fmt.Sprintf("Its body may have at most %d bytes. Send less at once.", most)}
}

// methods are those that an operation of a product can have, and HEAD.
const methods = "GET, HEAD, POST, PUT, PATCH, DELETE"

// refuse is why a call does not go upstream, whoever makes it; nil when it may.
func refuse(r *http.Request, up Upstream, path access.Path) *failure {
	if r.Method != http.MethodHead && !slices.Contains(models.Methods, r.Method) {
		return &failure{http.StatusMethodNotAllowed, codeMethod, "The method is not allowed", "Use one of " + methods + "."}
	}
	if err := CheckHeaders(r.Header); err != nil {
		return ambiguous(err.Error())
	}
	if err := CheckQuery(r.URL.RawQuery); err != nil {
		return ambiguous(err.Error())
	}
	if problem := upgradeProblem(r, up.WebSocket); problem != "" {
		return ambiguous(problem)
	}
	if r.ContentLength > up.maxBody() {
		return tooLarge(up.maxBody())
	}
	if path == (access.Path{}) {
		return ambiguous("Write the path without dots, empty parts, semicolons, backslashes and escaped slashes.")
	}
	if up.URL == nil || len(up.Key) == 0 { // then nobody could tell our calls from others
		return &failure{http.StatusBadGateway, codeUnreachable, "The product did not answer", "It has no address yet. An Admin of this installation can give it one."}
	}
	return nil
}

// CheckHeaders refuses a header with a field name that two readers could take for different ones: some take an underscore for a hyphen,
// so that X_Auth_User would become X-Auth-User once nobody looks any more. What is left are letters, digits and hyphens.
func CheckHeaders(h http.Header) error {
	for name := range h {
		if err := CheckName(name); err != nil {
			return err
		}
	}
	return nil
}

// CheckName is CheckHeaders for the name of one field.
func CheckName(name string) error {
	if !plainName(name) {
		return models.Fail(models.Ambiguous, "The name of the header field %.40q has other characters than letters, digits and hyphens. Rename it, or leave it out.", name)
	}
	return nil
}

func plainName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return name != ""
}

const mostParameters = 1000

// CheckQuery refuses a query with a credential in it, which everybody between would log; one that some take for
// other parameters than others; and one of more than 1000 parameters.
func CheckQuery(raw string) error {
	if raw == "" {
		return nil
	}
	if strings.IndexByte(raw, ';') >= 0 || strings.IndexByte(raw, '#') >= 0 { // each call is looked at: strings.ContainsAny takes three times as long
		return models.Fail(models.Ambiguous, "The address has a semicolon or a hash sign after its question mark. Write %%3B or %%23.")
	}
	if strings.Count(raw, "&") >= mostParameters {
		return models.Fail(models.Ambiguous, "The address has more than %d parameters. Send fewer.", mostParameters)
	}
	for parameter := range strings.SplitSeq(raw, "&") {
		name, _, _ := strings.Cut(parameter, "=")
		if strings.IndexByte(name, '%') >= 0 || strings.IndexByte(name, '+') >= 0 {
			if plain, err := url.QueryUnescape(name); err == nil {
				name = plain
			}
		}
		if strings.EqualFold(strings.TrimSpace(name), "access_token") {
			return models.Fail(models.Ambiguous, "A token in the address is not accepted, for addresses are logged. Send it in the field Authorization, and replace the token that you sent.")
		}
	}
	return nil
}

// upgradeProblem is why a call may not become another protocol; empty when it may, or does not ask. Only WebSockets are let through:
// what asks for h2c, for one, would open a way past everything that looks at requests.
func upgradeProblem(r *http.Request, allowed bool) string {
	asked := r.Header["Upgrade"]
	switch {
	case len(asked) == 0:
		return ""
	case len(asked) > 1 || !strings.EqualFold(asked[0], "websocket"):
		return "No other protocol than WebSocket can be asked for here. Leave the field Upgrade out."
	case !allowed:
		return "The product takes no WebSockets. Leave the field Upgrade out, or have an Admin of this installation allow them."
	case r.Method != http.MethodGet || r.ProtoMajor != 1 || r.ContentLength != 0 || !listed(r.Header["Connection"], "upgrade"):
		return "A WebSocket begins with a GET in HTTP/1.1 that has no body, with the fields Connection: Upgrade and Upgrade: websocket."
	case !sameHost(r):
		return "A page of another site asks for this WebSocket. It must come from the same host, or from a program."
	}
	return ""
}

func listed(lists []string, token string) bool {
	for _, list := range lists {
		for item := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(strings.Trim(item, " \t"), token) {
				return true
			}
		}
	}
	return false
}

// sameHost says whether the page that asks is of this host. Programs send no Origin.
func sameHost(r *http.Request) bool {
	origins := r.Header["Origin"]
	if len(origins) == 0 {
		return true
	}
	origin, err := url.Parse(origins[0])
	if err != nil || len(origins) > 1 || origin.Host == "" {
		return false
	}
	port := map[string]string{"http": ":80", "https": ":443"}[origin.Scheme]
	return strings.EqualFold(strings.TrimSuffix(origin.Host, port), strings.TrimSuffix(r.Host, port))
}

// CloseAfterChunks has the connection closed after the answer to a request whose body comes in chunks. net/http drops a
// Content-Length that stands beside Transfer-Encoding, and says nothing of it (RFC 9112, section 6.1, wants such a connection closed): what
// somebody in front took for the end of the request may be another place, and what follows for a request of somebody else. It is
// called before anything is answered. Of HTTP/1.0, which has no chunks, net/http says nothing of them, so that one is closed after any body.
func CloseAfterChunks(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 1 && (len(r.TransferEncoding) > 0 || r.ProtoMinor == 0 && r.ContentLength != 0) {
		w.Header().Set("Connection", "close")
	}
}
