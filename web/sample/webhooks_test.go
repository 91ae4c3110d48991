package sample_test

import (
	"fmt"
	"strings"
	"testing"

	"tokendesk/web/sample"
)

type received struct {
	EventID string `json:"event_id"`
	Event   string
	Started []struct {
		AgentID     string `json:"agent_id"`
		AgentName   string `json:"agent_name"`
		ExecutionID string `json:"execution_id"`
		Status      string
	}
}

// names are the agents that an event started.
func (r received) names() string {
	var all []string
	for _, s := range r.Started {
		all = append(all, s.AgentName)
	}
	return strings.Join(all, ", ")
}

// An event starts every agent that waits for it or for what it is part of, and no other.
func TestWebhooks(t *testing.T) {
	c := start(t).as("w1")
	for name, event := range map[string]string{"Orders": "orders", "Created": "orders/created", "Also": "orders/created"} {
		data[agent](c.post("/api/agent-base/install", fmt.Sprintf(`{"name":%q,"event":%q}`, name, event)), 201)
	}
	for path, want := range map[string]int{
		"/api/webhook/orders": 1, "/api/webhook/orders/": 1, "/api/webhook/orders/created": 3, "/api/webhook/orders%2Fcreated": 3,
		"/api/webhook/orders/created/today": 3, "/api/webhook/orders/cancelled": 1, "/api/webhook/order": 0, "/api/webhook/orders2": 0,
		"/api/webhook/Orders": 0, "/api/webhook/": 0, "/api/webhook": 0, "/api/webhook/%25": 0, "/api/webhook/_%25": 0,
	} {
		if r := data[received](c.post(path, ""), 200); len(r.Started) != want || r.Started == nil || r.EventID == "" {
			t.Errorf("%s started %d (%s), want %d", path, len(r.Started), r.names(), want)
		}
	}
	for body, want := range map[string]string{
		`{"event":"orders"}`: "Orders", `{"event":"/orders/","x":1}`: "Orders", `{"event":"token-leaked"}`: "Leak Helper", `{"event":7}`: "", `{"event":null}`: "", `{}`: "",
	} {
		if r := data[received](c.post("/api/webhook", body), 200); r.names() != want {
			t.Errorf("%s started %s, want %s", body, r.names(), want)
		}
	}
	if r := data[received](c.post("/api/webhook/orders", `{"event":"token-leaked"}`), 200); r.names() != "Orders" || r.Event != "orders" {
		t.Errorf("the path said orders, and %s was started for %s", r.names(), r.Event)
	}
}

// What an event says is the input of what it starts.
func TestWebhookInput(t *testing.T) {
	c := start(t).as("w1")
	a := c.install("Clerk")
	long := strings.Repeat("é", 3000)
	for _, e := range []struct{ body, input string }{
		{`{"input":"How is a token revoked?"}`, "How is a token revoked?"},
		{`{"question":"How is a token revoked?"}`, `{"question":"How is a token revoked?"}`},
		{`{"input":{"a":1}}`, `{"input":{"a":1}}`},
		{`{"input":"` + long + `"}`, long[:4000]},
		{``, ``},
	} {
		r := data[received](c.post("/api/webhook/clerk", e.body), 200)
		ran := items[execution](c.get("/api/agent-base/" + a.ID + "/executions?limit=100"))[0]
		if ran.Input != e.input || ran.EventID != r.EventID || ran.ID != r.Started[0].ExecutionID || ran.TriggerID != a.TriggerID {
			t.Errorf("%.100s: the execution is %+v", e.body, ran)
		}
	}
}

func TestWebhooksThatAreRefused(t *testing.T) {
	c := start(t).as("w1")
	c.post("/api/webhook/x", `[]`, "Content-Type", "application/json").refused(400, "bad_request", "one JSON object")
	c.post("/api/webhook/x", `{"a":1} {}`).refused(400, "bad_request", "one JSON object")
	c.post("/api/webhook/x", `{"a":1`).refused(400, "bad_request", "one JSON object")
	c.post("/api/webhook/x", `a=1`, "Content-Type", "application/x-www-form-urlencoded").refused(415, "unsupported_media_type", "Content-Type: application/json")
	c.post("/api/webhook/x", `{"a":"`+strings.Repeat("x", 64<<10)+`"}`).refused(413, "too_large", "65536 bytes")
	c.post("/api/webhook/"+strings.Repeat("x", 201), ``).refused(400, "bad_request", "200 bytes")
	c.post("/api/webhook/x", `{}`, "Content-Type", "application/cloudevents+json; charset=utf-8").want(200)
}

// The database does not grow without end: the oldest events go, and when it is full that is said.
func TestFullDatabase(t *testing.T) {
	c := start(t, limited(sample.Limits{DatabaseBytes: 1 << 20, Events: 1000})).as("w1")
	body := `{"a":"` + strings.Repeat("x", 60<<10) + `"}`
	full := func() bool {
		for range 20 {
			a := c.post("/api/webhook/x", body)
			if a.status == 507 {
				a.refused(507, "full", "Delete what you do not need")
				return true
			}
			a.want(200)
		}
		return false
	}
	if !full() {
		t.Fatal("1 MiB holds 20 events of 60 KiB")
	}
	c.get("/api/agent-base").want(200)
	c.product.options.Limits.Events = 3
	c.restart()
	c.post("/api/webhook/x", `{}`).want(200) // which prunes
	if full() {
		t.Error("3 events of 60 KiB are too many for 1 MiB")
	}
}

// A full database can still be emptied.
func TestFullDatabaseLetsDelete(t *testing.T) {
	c := start(t, limited(sample.Limits{DatabaseBytes: 1 << 20})).as("w1")
	c.get(storage).want(200)
	var kept []file
	for {
		var text strings.Builder
		for i := range 4_000 {
			fmt.Fprintf(&text, "w%dx%d\n", len(kept), i)
		}
		a := c.post(fmt.Sprintf("%s?name=%d.txt", storage, len(kept)), text.String())
		if a.status == 507 {
			break
		}
		kept = append(kept, data[file](a, 201))
	}
	for _, f := range kept {
		c.call("DELETE", storage+"/"+f.ID, "").want(200)
	}
	if again := c.keep("again.txt", "The kettle is descaled on Fridays."); len(kept) < 3 || again.DocumentID == "" || len(c.search("kettle")) != 1 || c.onDisk() != 6 {
		t.Errorf("after %d files it keeps %+v, with %d files on the disk", len(kept), again, c.onDisk())
	}
}
