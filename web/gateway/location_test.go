package gateway

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
)

// Redirects of a product lead back through the gateway, where they lead to the product.
func TestRelocate(t *testing.T) {
	t.Parallel()
	for base, cases := range map[string]map[string]string{
		"http://product.internal:9000": {
			"http://product.internal:9000/api/a?b=c%20d#e": "/api/a?b=c%20d#e",
			"HTTP://Product.Internal:9000/api/%2561":       "/api/%2561",
			"http://product.internal:9000/api/?":           "/api/?",
			"http://product.internal:9000":                 "http://product.internal:9000",
			"http://product.internal:9000/people":          "http://product.internal:9000/people", // which is the console's here
			"http://product.internal:9000/apis/a":          "http://product.internal:9000/apis/a",
			"http://product.internal:9000/../api/a":        "http://product.internal:9000/../api/a",
			"http://product.internal:9000/api/../people":   "http://product.internal:9000/api/../people",
			"http://product.internal:9000/api/%2E%2e/x":    "http://product.internal:9000/api/%2E%2e/x",
			"http://public.example/api/a":                  "/api/a",
			"/api/a":                                       "/api/a",
			"//product.internal:9000/api/a":                "//product.internal:9000/api/a",
			"http://product.internal:9000//evil.example/":  "http://product.internal:9000//evil.example/",
			"https://product.internal:9000/api/a":          "https://product.internal:9000/api/a",
			"http://product.internal/api/a":                "http://product.internal/api/a",
			"http://u@product.internal:9000/api/a":         "http://u@product.internal:9000/api/a",
			"a/b":                                          "a/b",
			"":                                             "",
			"%zz":                                          "%zz",
		},
		"http://product.internal:9000/v2": {
			"http://product.internal:9000/v2/api/a": "/api/a",
			"/v2/api/a?x":                           "/api/a?x",
			"/v2":                                   "/v2",
			"/v2/people":                            "/v2/people",
			"/v2x/api/a":                            "/v2x/api/a",
			"/v2//evil.example":                     "/v2//evil.example",
			"/api/a":                                "/api/a",
			"/v3/api/a":                             "/v3/api/a",
			"http://product.internal:9000/api/a":    "http://product.internal:9000/api/a",
		},
	} {
		at, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		l := newLine(Upstream{URL: at, Header: http.Header{"Host": {"public.example"}}})
		for location, want := range cases {
			if got := l.relocate(location); got != want {
				t.Errorf("%s: %q becomes %q, want %q", base, location, got, want)
			}
		}
	}
}

// A caller who follows a product's redirect is back at the product, by way of the gateway.
func TestRedirect(t *testing.T) {
	t.Parallel()
	d := toProduct(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, fmt.Sprintf("http://%s/api/b?from=%s", r.Host, r.URL.Path), http.StatusSeeOther)
	}, nil)
	answer, _ := d.exchange(t, "GET /api/a\n")
	if got := answer.Header.Get("Location"); answer.StatusCode != http.StatusSeeOther || got != "/api/b?from=/api/a" {
		t.Errorf("%s to %q", answer.Status, got)
	}
}
