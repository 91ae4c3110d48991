package gateway

import (
	"iter"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
)

// request is the call as httputil sees it: with the fields that are about the connection, which are its business, and with no others, which
// would be copied there only to be looked through here.
func (x *exchange) request(up Upstream) *http.Request {
	r := x.callers.WithContext(x.callers.Context()) // a copy
	r.Header = http.Header{}
	for _, name := range [...]string{"Connection", "Upgrade", "Te"} {
		if values, ok := x.callers.Header[name]; ok {
			r.Header[name] = values
		}
	}
	if r.ContentLength != 0 {
		// An answer may begin, and end, before the body has: without this net/http would take the rest of the body away.
		_ = x.answer.control.EnableFullDuplex()
		x.body = body{ReadCloser: http.MaxBytesReader(nil, r.Body, up.maxBody()), exchange: x, most: up.maxBody()}
		r.Body = &x.body
	}
	return r
}

// rewrite makes the request that goes upstream. It is called when fields about the connection are gone already, so that a
// caller cannot have ours taken for one of those.
func (x *exchange) rewrite(pr *httputil.ProxyRequest) {
	in, out := x.callers, pr.Out
	*out.URL = url.URL{
		Scheme: x.line.url.Scheme, Host: x.line.url.Host,
		Path: x.line.url.Path + x.path.Decoded(), RawPath: x.line.escaped + x.path.Escaped(),
		RawQuery: in.URL.RawQuery, ForceQuery: in.URL.ForceQuery, // as they came
	}
	out.Host = x.line.host
	out.Trailer = nil // fields that come behind the body were seen by nobody who decided
	x.direct = x.line.direct.takes(out)
	x.made, out.Header = out.Header, http.Header{} // which httputil writes into
	if x.direct {
		return
	}
	header := make(http.Header, len(in.Header)+len(x.line.fields)+len(identity))
	for name, values := range x.fields(out.URL.RequestURI()) {
		header[name] = values
	}
	out.Header = header
}

// fields are those that go upstream, each of them once: of the caller's, what may; of those about the connection, what httputil made of
// them; the product's own; and who calls, all of it, also what is empty.
func (x *exchange) fields(target string) iter.Seq2[string, []string] {
	return func(yield func(string, []string) bool) {
		for name, values := range x.callers.Header {
			if name, ok := x.line.carries(name, x.callers.Header["Connection"]); ok && !yield(name, values) {
				return
			}
		}
		for name, values := range x.made {
			if !yield(name, values) {
				return
			}
		}
		for _, field := range x.line.fields {
			if !yield(field.name, field.values) {
				return
			}
		}
		values := x.identify(target)
		for i, name := range identity {
			if !yield(name, values[i:i+1:i+1]) {
				return
			}
		}
	}
}

// identity are the fields by which the product is told who calls.
var identity = [...]string{
	"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Request-Id", "X-Tokendesk-Identity",
}

// identify tells who calls, in the order of identity.
func (x *exchange) identify(target string) *[len(identity)]string {
	who := &x.who
	return &[len(identity)]string{
		x.address(), x.callers.Host, x.scheme(), who.RequestID,
		x.line.signer.identity(who, x.callers.Method, target, x.begun.Unix()),
	}
}

func (x *exchange) address() string {
	if x.who.Address != "" {
		return x.who.Address
	}
	host, _, err := net.SplitHostPort(x.callers.RemoteAddr)
	if err != nil {
		return ""
	}
	return host
}

func (x *exchange) scheme() string {
	if x.gateway.settings.Secure || x.callers.TLS != nil {
		return "https"
	}
	return "http"
}
