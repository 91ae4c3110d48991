package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"tokendesk/handlers"
	"tokendesk/web/tracing"
)

// Trace has requests and calls traced. It is called before the server answers.
func (s *Server) Trace(t *tracing.Tracer) { s.tracer, s.calls.tracer = t, t }

// traced begins the span of a call to a product, or of a question about one. The end is to be called when it was answered.
func (s *calls) traced(w http.ResponseWriter, r *http.Request, id string) (http.ResponseWriter, *http.Request, func()) {
	route := apiPrefix + "*"
	if r.URL.Path == forwardAuthPath {
		route = forwardAuthPath
	}
	r, span := s.tracer.Request(r, route, id, s.believes(r))
	noted := &noted{ResponseWriter: w}
	return noted, r, func() {
		span.Answered(route, noted.status)
		span.End()
	}
}

// believes says whether a request came from a proxy whose X-Forwarded-For is believed; then so is its traceparent.
func (s *calls) believes(r *http.Request) bool { return comesFrom(r, s.trusted) }

// noted notes the status of an answer.
type noted struct {
	http.ResponseWriter
	status int
}

func (w *noted) WriteHeader(status int) {
	if w.status < http.StatusOK { // those before the answer itself give way to it
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *noted) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// traced begins the span of any other request.
func (s *Server) traced(c echo.Context) (end func()) {
	if s.tracer == nil {
		return func() {}
	}
	route := c.Path()
	if route == "" {
		route = "(none)"
	}
	r, span := s.tracer.Request(c.Request(), route, handlers.RequestID(c), s.calls.believes(c.Request()))
	c.SetRequest(r)
	return func() {
		span.Answered(route, c.Response().Status)
		span.End()
	}
}
