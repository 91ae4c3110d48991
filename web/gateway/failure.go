package gateway

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
)

// failed tells a caller that there is no answer of the product. httputil calls it when nothing was sent yet.
func (x *exchange) failed(_ http.ResponseWriter, _ *http.Request, err error) {
	x.gateway.leave(x) // nobody ends it while its caller is told
	f := x.failure(err)
	x.gateway.results.add(x.failedWith(f))
	if f.status >= http.StatusInternalServerError && x.callers.Context().Err() == nil {
		x.log(slog.LevelWarn, "a product did not answer", errors.New(x.line.explain(err))) // net/http's own words quote what it sent
	}
	if f.code == codeEnded {
		x.answer.ResponseWriter.Header().Set("WWW-Authenticate", `Bearer realm="tokendesk", error="invalid_token"`) // RFC 9110, section 15.5.2: a 401 says how
		x.log(slog.LevelInfo, "a call was ended", errCut)
	}
	x.answer.pace()
	x.answer.begin()
	if x.body.fault.Load() != 0 { // where the next request begins is anybody's guess
		x.answer.ResponseWriter.Header().Set("Connection", "close")
	}
	x.gateway.settings.OnError(x.answer.ResponseWriter, x.callers, f.status, f.code, f.title, f.detail)
}

// whoCanTell is where an answer that did not come leads. Owners and Admins of a workspace are not let in there: see models.Actor.MayPointProducts.
const whoCanTell = "an Admin of this installation sees why with Test connection, in the workspace's settings under Resources, Where calls go."

func (x *exchange) failure(err error) *failure {
	unreachable := func(detail string) *failure {
		return &failure{http.StatusBadGateway, codeUnreachable, "The product did not answer", detail}
	}
	timeout := func(detail string) *failure {
		return &failure{http.StatusGatewayTimeout, codeTimeout, "The product did not answer in time", detail}
	}
	var denied *deniedError
	var slow net.Error
	var ended error
	if why := x.ended.Load(); why != nil {
		ended = *why
	}
	switch {
	case errors.Is(ended, errCut):
		return &failure{http.StatusUnauthorized, codeEnded, "The token stopped being valid", "It did while the call was under way. Whether the call was carried out is not known; the answer to another one says why."}
	case ended != nil:
		return timeout("The call had gone on for an hour, which is the longest. Whether it was carried out is not known.")
	case x.body.fault.Load() == isTooLarge:
		return tooLarge(x.body.most)
	case x.body.fault.Load() == isTooSlow:
		return &failure{http.StatusRequestTimeout, codeTooSlow, "The request did not arrive in time", "Nothing of its body came for a minute. Send it again."}
	case x.body.fault.Load() == isGarbled:
		return ambiguous("The chunks of its body cannot be told apart. Send it with a length, or in chunks as RFC 9112, section 7.1, has them.")
	case x.callers.Context().Err() != nil, x.body.fault.Load() == isBroken:
		return unreachable("The connection was closed before the product had answered. Whether the call was carried out is not known.")
	case errors.As(err, &denied):
		return unreachable("The gateway may not call its address: " + whoCanTell)
	case errors.As(err, &slow) && slow.Timeout():
		return timeout("Try again later. Whether the call was carried out is not known.")
	}
	return unreachable("Try again later. If it stays so, " + whoCanTell)
}
