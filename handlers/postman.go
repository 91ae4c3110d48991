package handlers

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"net/http"

	"github.com/labstack/echo/v4"
)

// postmanCollection is a Postman Collection of the format v2.1.0.
//
//go:embed postman_collection.json
var postmanCollection []byte

// nowhere stands in the collection where this installation's address belongs.
const nowhere = `"https://tokendesk.invalid"`

// PostmanCollection is the account API for Postman to import, with the address of this installation in it.
func (h *Handlers) PostmanCollection(c echo.Context) error {
	address, err := json.Marshal(h.address(c))
	if err != nil {
		return err
	}
	return c.JSONBlob(http.StatusOK, bytes.Replace(postmanCollection, []byte(nowhere), address, 1))
}
