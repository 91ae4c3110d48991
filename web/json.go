package web

import (
	"encoding/json"

	"github.com/labstack/echo/v4"
)

// plainJSON writes JSON as people read it in a terminal: "<token>" stays "<token>". It is safe because
// every answer has its type and nosniff, so that no browser takes it for a page.
type plainJSON struct{ echo.DefaultJSONSerializer }

func (plainJSON) Serialize(c echo.Context, value any, indent string) error {
	encoder := json.NewEncoder(c.Response())
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	return encoder.Encode(value)
}
