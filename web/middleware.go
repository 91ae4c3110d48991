package web

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/handlers"
	"tokendesk/models"
	"tokendesk/static"
)

// policy lets a page load what this server has and nothing else: no inline script or style, no
// other site, no frame.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"

// ofEveryAnswer are the fields that every answer of this server's own has.
var ofEveryAnswer = map[string][]string{
	echo.HeaderContentSecurityPolicy: {policy},
	echo.HeaderXContentTypeOptions:   {"nosniff"},
	echo.HeaderReferrerPolicy:        {"same-origin"},
	"Cross-Origin-Opener-Policy":     {"same-origin"},
	"Cross-Origin-Resource-Policy":   {"same-origin"},
	"Permissions-Policy":             {"camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
}

// headers goes on every answer, errors included.
func (s *Server) headers(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h, id := c.Response().Header(), models.NewID()
		h.Set(echo.HeaderXRequestID, id)
		c.SetRequest(c.Request().WithContext(models.WithRequestID(c.Request().Context(), id)))
		for name, value := range ofEveryAnswer {
			h.Set(name, value[0])
		}
		h.Set(echo.HeaderCacheControl, "no-store")
		if s.secure {
			h.Set(echo.HeaderStrictTransportSecurity, "max-age=31536000; includeSubDomains")
		}
		return next(c)
	}
}

const (
	mostFields     = 64   // header fields of a request
	mostParameters = 1000 // of an address
)

// bounded refuses what no client needs, and what can be read in two ways, before anybody looks at it:
// more than 64 header fields (security rule G7; their size is the listener's to bound), and an address
// whose parameters are more than 1000, are separated by ";", or are not well-formed (G11).
func bounded(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		fields := 0
		for _, values := range c.Request().Header {
			fields += len(values)
		}
		if fields > mostFields {
			return models.Fail(models.Ambiguous, "The request has more than %d header fields. Send fewer.", mostFields)
		}
		asked := c.Request().URL.RawQuery
		if strings.Count(asked, "&") >= mostParameters {
			return models.Fail(models.Ambiguous, "The address has more than %d parameters. Send fewer.", mostParameters)
		}
		if _, err := url.ParseQuery(asked); err != nil {
			return models.Fail(models.Ambiguous, "The address could not be read: its part after the question mark is not well-formed.").Because(err)
		}
		return next(c)
	}
}

// sameOrigin refuses what another site has a browser send (security rule W1). Programs, which send
// neither Origin nor Sec-Fetch-Site, pass: they carry no cookie. It stands before each route's guard, and not
// before what is no route: a method that somebody made up is refused as that.
func sameOrigin(next echo.HandlerFunc) echo.HandlerFunc {
	protection := http.NewCrossOriginProtection()
	return func(c echo.Context) error {
		if err := protection.Check(c.Request()); err != nil {
			return models.Fail(models.Forbidden, "This form was sent from another site. Open the console and send it from there.").Named("cross_site").Because(err)
		}
		return next(c)
	}
}

// recovered makes a panic an error of this one request.
func recovered(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if r := recover(); r != nil {
				if r == http.ErrAbortHandler {
					panic(r)
				}
				err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
			}
		}()
		return next(c)
	}
}

// longestMethod is more than any method has characters; callers may make up longer ones.
const longestMethod = 16

// slow is what a request of the console takes at least for its line to be a warning. Uploads and downloads may, and are told as well.
const slow = 2 * time.Second

// logged writes one line a request. It tells the route and never the address, which may hold what is
// nobody's business: a set-up code, a token that somebody pasted.
func (s *Server) logged(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := models.Ticks()
		defer s.traced(c)()
		err := next(c)
		if err != nil {
			c.Error(err)
		}
		path := c.Path()
		if path == "" {
			path = "(none)"
		}
		level := slog.LevelInfo
		if strings.HasPrefix(path, static.Prefix) || path == "/healthz" || path == "/readyz" {
			level = slog.LevelDebug
		}
		took := models.Ticks().Sub(start)
		s.observe(c, took)
		if took > slow {
			level = slog.LevelWarn
		}
		s.log.LogAttrs(c.Request().Context(), level, "request",
			slog.String("method", models.Shorten(c.Request().Method, longestMethod)), slog.String("path", path), slog.Int("status", c.Response().Status),
			slog.Duration("took", took.Round(time.Microsecond)), slog.String("address", c.RealIP()),
			slog.String("request_id", handlers.RequestID(c)))
		return nil
	}
}
