package manage

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"tokendesk/handlers"
	"tokendesk/models"
)

// Whatever comes in the address or the body of a call, it is read or refused in words that say what to do; a text that was read is text as databases keep it,
// and a number lies where it must.
func FuzzRead(f *testing.F) {
	for _, seed := range [][2]string{
		{"", `{"revision":7,"resources":[{"key":"a","name":"A","operations":[{"name":"list","method":"GET","path":"/api/a"}]}]}`}, {"limit=7&cursor=x", `{"name":"x"}`}, {"limit=0", ``},
		{"q=%00", `{"resources":null}`}, {"limit=1&limit=1", `{"revision":1,"revision":2}`}, {"role=Admin", `{"resources":[[]]}`}, {";", `[`}, {"limit=%", `{"revision":1e400}`}, {"access_key=x", "{\"key\":\"\\ud800\"}"},
	} {
		f.Add(seed[0], seed[1])
	}
	e := echo.New()
	f.Fuzz(func(t *testing.T, query, body string) {
		context := func(body string) echo.Context {
			r := httptest.NewRequest(http.MethodPost, "/v1/x", strings.NewReader(body))
			r.URL = &url.URL{Path: "/v1/x", RawQuery: query}
			r.Header.Set("Content-Type", "application/json")
			c := e.NewContext(r, httptest.NewRecorder())
			c.SetParamNames("id", "product_id")
			c.SetParamValues("a", "b")
			return c
		}
		var people askedPeople
		told(t, read(context(""), &people))
		if people.Limit < 0 || people.Limit > 100 || !handlers.Legible(people.Query) || len(people.Query) > 200 {
			t.Errorf("%q is read as %+v", query, people)
		}
		var resources newResources
		told(t, read(context(body), &resources))
		for _, one := range resources.Resources {
			if !handlers.Legible(one.Key) && told(t, read(context(body), &newResources{})) == nil {
				t.Errorf("%q is read as %+v", body, resources)
			}
		}
	})
}

// told insists that an error is one for its reader.
func told(t *testing.T, err error) error {
	t.Helper()
	var ours *models.Error
	if err != nil && (!errors.As(err, &ours) || ours.Message == "" || ours.Kind != models.Ambiguous && ours.Kind != models.TooLarge) {
		t.Errorf("%v", err)
	}
	return err
}
