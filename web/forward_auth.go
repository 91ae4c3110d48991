package web

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"tokendesk/models/access"
	"tokendesk/web/gateway"
)

// forwardAuthPath is where a proxy that a team has already asks whether a call may pass: nginx auth_request, Caddy
// forward_auth, Traefik ForwardAuth.
const forwardAuthPath = "/forward-auth"

// forwardAuth answers a proxy's question about a call with the same decision that the gateway makes: 200 with who calls, or
// the refusal. The call is the one that the proxy tells of, so only those proxies may ask that the operator has named (security rule G3).
//
// Each field of an answer costs its share of a call here, where all else is in memory: that a call may pass is told with the identity alone, which has the
// request's ID too.
func (s *calls) forwardAuth(w http.ResponseWriter, r *http.Request, id string) {
	if !s.mayAsk(r) {
		s.Problem(numbered(w, id), r, http.StatusForbidden, "proxy_not_trusted", "This proxy is not trusted", "The operator of this server lists proxies in TOKENDESK_FORWARD_AUTH_FROM.")
		return
	}
	told, problem := toldCall(r.Header)
	if problem != "" {
		s.handlers.Gate.Verdicts().Count(access.AtForwardAuth, access.RequestAmbiguous)
		s.refuseTo(numbered(w, id), r, access.Decision{Code: access.RequestAmbiguous, Check: "request", Detail: problem})
		return
	}
	d := s.decide(r, access.Call{
		Presented: access.Present(told.authorization, told.apiKey, told.apiToken),
		Need:      access.Need{Route: &access.Route{Method: told.method, Path: told.path, Workspace: told.workspace}},
		Address:   s.address(r), RequestID: id,
	}, access.AtForwardAuth)
	if !d.Allowed() {
		tellLimit(w.Header(), &d)
		s.refuseTo(numbered(w, id), r, d)
		return
	}
	if !s.anonymous {
		up, err := s.upstream(d.Product)
		if err != nil {
			s.unreadable(numbered(w, id), r, d, err)
			return
		}
		who := callerOf(&d, id, "")
		up.signer.Identify(w.Header(), &who, told.method, told.target, s.handlers.Clock().Unix())
	}
	w.WriteHeader(http.StatusOK)
}

// numbered has an answer tell the ID of its request.
func numbered(w http.ResponseWriter, id string) http.ResponseWriter {
	w.Header()["X-Request-Id"] = []string{id}
	return w
}

// mayAsk says whether a request comes from a proxy that was named, by the address of the connection itself.
func (s *calls) mayAsk(r *http.Request) bool { return comesFrom(r, s.askers) }

// comesFrom says whether the connection of a request is from one of some networks.
func comesFrom(r *http.Request, networks []*net.IPNet) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	peer := net.IP(from.Addr().Unmap().AsSlice())
	for _, network := range networks {
		if network.Contains(peer) {
			return true
		}
	}
	return false
}

// told is a call as a proxy tells of it.
type told struct {
	method, target, workspace       string
	path                            access.Path
	authorization, apiKey, apiToken []string // fields that may carry a credential
}

// toldCall reads a call from the fields of a question, and says what is wrong with it. It goes through them once: to look for each by itself takes twice as long.
func toldCall(h http.Header) (t told, problem string) {
	var forwarded, original [2][]string // method and target, in the pairs of fields in which proxies tell of a call
	var workspace []string
	for name, values := range h {
		switch name {
		case "X-Forwarded-Method":
			forwarded[0] = values
		case "X-Forwarded-Uri":
			forwarded[1] = values
		case "X-Original-Method":
			original[0] = values
		case "X-Original-Uri":
			original[1] = values
		case "Authorization":
			t.authorization = values
		case "X-Api-Key":
			t.apiKey = values
		case "X-Api-Token":
			t.apiToken = values
		case "X-Workspace-Id":
			workspace = values
		default:
			if err := gateway.CheckName(name); err != nil {
				return t, err.Error()
			}
		}
	}
	// One pair is there, each field once: what else a caller may have sent along must not be taken for it.
	for _, pair := range [...]*[2][]string{&forwarded, &original} {
		method, methods := notEmpty(pair[0])
		target, targets := notEmpty(pair[1])
		switch {
		case methods == 0 && targets == 0:
		case methods != 1 || targets != 1 || t.method != "":
			return t, "The proxy must tell of the call in X-Forwarded-Method and X-Forwarded-Uri, or in X-Original-Method and X-Original-URI, and in no others."
		default:
			t.method, t.target = method, target
		}
	}
	if t.method == "" {
		return t, "The proxy does not tell of the call. Have it send X-Forwarded-Method and X-Forwarded-Uri."
	}
	escaped, query, _ := strings.Cut(t.target, "?")
	var ok bool
	if t.path, ok = access.CanonicalPath(escaped); !ok || t.path.Escaped() != escaped { // the proxy sends on what it has, and not what we make of it
		return t, "The path can be read in two ways. Leave out dots, doubled slashes, a slash at its end and escapes that are not needed."
	}
	if err := gateway.CheckQuery(query); err != nil {
		return t, err.Error()
	}
	switch len(workspace) {
	case 0:
	case 1:
		t.workspace = workspace[0]
	default:
		return t, "The field X-Workspace-Id was sent more than once. Send it once."
	}
	return t, ""
}

// notEmpty is the last value of a field and how many it has, without empty ones: proxies clear what a caller sent by sending nothing.
func notEmpty(values []string) (last string, count int) {
	for _, v := range values {
		if v != "" {
			last = v
			count++
		}
	}
	return last, count
}

// refuseTo tells a proxy of a refusal. What nginx takes for a fault of ours, because it is neither 401 nor 403, is told to it as
// 403, and what it really is in a field of its own.
func (s *calls) refuseTo(w http.ResponseWriter, r *http.Request, d access.Decision) {
	h := w.Header()
	h["X-Tokendesk-Status"] = []string{strconv.Itoa(verdicts[d.Code])}
	h["X-Tokendesk-Code"] = []string{string(d.Code)}
	if r.URL.RawQuery == "for=nginx" && verdicts[d.Code] != http.StatusUnauthorized {
		w = &as403{w}
	}
	s.refuse(w, r, d)
}

type as403 struct{ http.ResponseWriter }

func (w *as403) WriteHeader(int) { w.ResponseWriter.WriteHeader(http.StatusForbidden) }

// unreadable is for a product whose settings do not open: nothing that is not signed as it should be goes to it.
func (s *calls) unreadable(w http.ResponseWriter, r *http.Request, d access.Decision, err error) {
	s.log.LogAttrs(r.Context(), slog.LevelError, "where a product's calls go could not be read", slog.String("request_id", w.Header().Get("X-Request-Id")), slog.String("product", d.Product.ID), slog.Any("error", err))
	s.Problem(w, r, http.StatusBadGateway, "upstream_unreachable", "The product did not answer", "Its settings could not be read. An Admin can save them again.")
}
