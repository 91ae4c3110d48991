package sample_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"tokendesk/web/sample"
)

func (c caller) integrate(body string) integration {
	c.t.Helper()
	return data[integration](c.post("/api/integrations-base", body), 201)
}

func TestIntegrations(t *testing.T) {
	p := start(t)
	c := p.as("w1")
	made := c.post("/api/integrations-base", `{"type":"mail","scope":"local","product_id":"p1","config":{"host":"mail.example"}}`)
	i := data[integration](made, 201)
	if made.header.Get("Location") != "/api/integrations-base/"+i.ID || i.Name != "mail" || i.Scope != "local" || i.ProductID != "p1" || !i.Active || !i.CreatedAt.Equal(p.clock.Now()) {
		t.Errorf("created %+v", i)
	}
	same := func(a, b integration) bool { return fmt.Sprintf("%+v", a) == fmt.Sprintf("%+v", b) }
	if shown := data[integration](c.get("/api/integrations-base/"+i.ID), 200); !same(shown, i) {
		t.Errorf("shown %+v, created %+v", shown, i)
	}
	if all := items[integration](c.get("/api/integrations-base")); len(all) != 2 || !same(all[0], i) || all[1].Type != "chat" {
		t.Errorf("the list is %+v", all)
	}
	p.clock.Advance(time.Hour)
	changed := data[integration](c.call("PUT", "/api/integrations-base/"+i.ID, `{"type":"mail","name":"Post","scope":"global","active":false}`), 200)
	if changed.ID != i.ID || changed.Scope != "global" || changed.ProductID != "" || changed.Active || changed.Name != "Post" || len(changed.Config) != 0 || !changed.CreatedAt.Equal(i.CreatedAt) || !changed.UpdatedAt.Equal(p.clock.Now()) {
		t.Errorf("changed to %+v", changed)
	}
	data[struct{ ID string }](c.call("DELETE", "/api/integrations-base/"+i.ID, ""), 200)
	c.get("/api/integrations-base/"+i.ID).refused(404, "not_found", "GET /api/integrations-base")
	c.call("DELETE", "/api/integrations-base/"+i.ID, "").refused(404, "not_found")
	c.call("PUT", "/api/integrations-base/"+i.ID, `{"type":"mail","scope":"global"}`).refused(404, "not_found")
}

// A product has its own integrations, and the global ones of the types of which it has none.
func TestActiveIntegrations(t *testing.T) {
	c := start(t).as("w1")
	own := c.integrate(`{"type":"chat","scope":"local","product_id":"p1"}`)
	c.integrate(`{"type":"mail","scope":"global"}`)
	c.integrate(`{"type":"mail","scope":"local","product_id":"p2"}`)
	c.integrate(`{"type":"sms","scope":"global","active":false}`)
	active := func(product string) string {
		var all []string
		for _, i := range items[integration](c.get("/api/integrations-base/product/" + product + "/active")) {
			all = append(all, i.Type+" "+i.Scope)
		}
		return strings.Join(all, ", ")
	}
	for product, want := range map[string]string{"p1": "mail global, chat local", "p2": "mail local, chat global", "p3": "mail global, chat global"} {
		if got := active(product); got != want {
			t.Errorf("%s has %s, want %s", product, got, want)
		}
	}
	c.call("PUT", "/api/integrations-base/"+own.ID, `{"type":"chat","scope":"local","product_id":"p1","active":false}`).want(200)
	if got := active("p1"); got != "mail global, chat global" {
		t.Errorf("with its own one off, p1 has %s", got)
	}
}

func TestIntegrationsThatCannotBe(t *testing.T) {
	c := start(t, limited(sample.Limits{Integrations: 3})).as("w1")
	i := c.integrate(`{"type":"mail","scope":"global"}`)
	many, err := json.Marshal(map[string]any{"type": "x", "scope": "global", "config": maps.Collect(func(yield func(string, string) bool) {
		for i := range 21 {
			yield(fmt.Sprint(i), "x")
		}
	})})
	if err != nil {
		t.Fatal(err)
	}
	for body, text := range map[string]string{
		`{}`:                                "type is up to",
		`{"type":"A","scope":"global"}`:     "type is up to",
		`{"type":"a"}`:                      "scope is local",
		`{"type":"a","scope":"everywhere"}`: "scope is local",
		`{"type":"a","scope":"local"}`:      "in product_id",
		`{"type":"a","scope":"global","product_id":"p"}`:                                   "has no product_id",
		`{"type":"a","scope":"global","name":"` + strings.Repeat("x", 101) + `"}`:          "name is one line",
		`{"type":"a","scope":"global","config":{"a":"` + strings.Repeat("x", 4001) + `"}}`: "up to 4000 bytes",
		string(many): "up to 20 members",
	} {
		c.post("/api/integrations-base", body).refused(422, "unprocessable", text)
		c.call("PUT", "/api/integrations-base/"+i.ID, body).refused(422, "unprocessable", text)
	}
	c.post("/api/integrations-base", `{"type":"a","scope":"global","config":{"a":1}}`).refused(400, "bad_request", `config`)
	c.post("/api/integrations-base", `{"type":"mail","scope":"global"}`).refused(409, "conflict", "of that type")
	c.call("PUT", "/api/integrations-base/"+i.ID, `{"type":"chat","scope":"global"}`).refused(409, "conflict", "of that type")
	c.integrate(`{"type":"mail","scope":"local","product_id":"p1"}`)
	c.post("/api/integrations-base", `{"type":"sms","scope":"global"}`).refused(422, "limit_reached", "3 integrations")
}

// What is in config is not given back, and is nowhere in what the sample keeps.
func TestConfigIsMasked(t *testing.T) {
	p := start(t)
	c := p.as("w1")
	const secret = "Kettles4FerryKettles4Ferry"
	sent := `{"type":"mail","scope":"global","config":{"key":"` + secret + `","pin":"4711","url":"https://u:` + secret + `@h.example","mask":"…erry","long":"…` + secret + `","none":""}}`
	made := c.post("/api/integrations-base", sent)
	i := data[integration](made, 201)
	want := map[string]string{"key": "…erry", "pin": "…", "url": "…mple", "mask": "…erry", "long": "…erry", "none": "…"}
	if !maps.Equal(i.Config, want) {
		t.Errorf("config is %v", i.Config)
	}
	again, err := json.Marshal(map[string]any{"type": "mail", "scope": "global", "config": i.Config})
	if err != nil {
		t.Fatal(err)
	}
	if changed := data[integration](c.call("PUT", "/api/integrations-base/"+i.ID, string(again)), 200); !maps.Equal(changed.Config, want) {
		t.Errorf("sent back, config is %v", changed.Config)
	}
	for _, a := range []answer{made, c.get("/api/integrations-base"), c.get("/api/integrations-base/" + i.ID), c.get("/api/integrations-base/product/p/active")} {
		if strings.Contains(a.body, "Kettles4") || strings.Contains(a.body, "4711") {
			t.Errorf("%s gives a secret back: %s", a.to, a.body)
		}
	}
	for _, name := range []string{p.path, p.path + "-wal"} {
		bytes, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(bytes), "…erry") && strings.HasSuffix(name, "-wal") {
			t.Errorf("%s is not where it is kept", name)
		}
		if strings.Contains(string(bytes), "Kettles4Ferry") {
			t.Errorf("%s has a secret", name)
		}
	}
}
