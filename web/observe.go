package web

import (
	"time"

	"github.com/labstack/echo/v4"
)

// Observe has f told of every request of the console and of programs' calls to it, when it is answered: by the name of its row in the table,
// which is empty where there is none; nothing that a caller chose is in it. Calls to products and /forward-auth are not told of: the gate and
// the gateway count them. It is called before the server answers.
func (s *Server) Observe(f func(route string, status int, took time.Duration)) { s.onRequest = f }

const routeKey = "route"

// named notes which row of the table answers.
func named(name string, next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Set(routeKey, name)
		return next(c)
	}
}

// routeOf is the name of the row that answered.
func routeOf(c echo.Context) string {
	name, _ := c.Get(routeKey).(string)
	return name
}

func (s *Server) observe(c echo.Context, took time.Duration) {
	if s.onRequest != nil {
		s.onRequest(routeOf(c), c.Response().Status, took)
	}
}
