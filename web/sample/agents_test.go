package sample_test

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"tokendesk/web/sample"
)

// An agent is installed with a trigger of its own, shown as it was answered, changed and deleted, and all that
// belongs to it goes with it.
func TestAgents(t *testing.T) {
	p := start(t)
	c := p.as("w1")
	made := c.post("/api/agent-base/install", `{"name":" Invoice Clerk ","instructions":"Say what is due.","description":"Reads invoices."}`)
	a := data[agent](made, http.StatusCreated)
	want := agent{ID: a.ID, TriggerID: a.TriggerID, Name: "Invoice Clerk", Description: "Reads invoices.", Instructions: "Say what is due.", Event: "invoice-clerk", CreatedAt: p.clock.Now(), UpdatedAt: p.clock.Now()}
	if a != want || made.header.Get("Location") != "/api/agent-base/"+a.ID {
		t.Errorf("installed %+v at %s", a, made.header.Get("Location"))
	}
	if shown := data[agent](c.get("/api/agent-base/"+a.ID), 200); shown != a {
		t.Errorf("shown %+v, installed %+v", shown, a)
	}
	if listed := items[agent](c.get("/api/agent-base")); len(listed) != 3 || listed[0] != a {
		t.Errorf("the list is %+v", listed)
	}

	p.clock.Advance(time.Hour)
	changed := data[agent](c.call("PUT", "/api/agent-base/"+a.ID, `{"name":"Clerk"}`), 200)
	if want := (agent{ID: a.ID, TriggerID: a.TriggerID, Name: "Clerk", Event: "invoice-clerk", CreatedAt: a.CreatedAt, UpdatedAt: p.clock.Now()}); changed != want {
		t.Errorf("changed to %+v", changed)
	}
	if moved := data[agent](c.call("PUT", "/api/agent-base/"+a.ID, `{"name":"Clerk","event":"/invoices/new/"}`), 200); moved.Event != "invoices/new" {
		t.Errorf("the event is %q", moved.Event)
	}

	data[struct{ ID string }](c.call("DELETE", "/api/agent-base/"+a.ID, ""), 200)
	for _, gone := range []answer{
		c.get("/api/agent-base/" + a.ID), c.get("/api/agent-base/" + a.ID + "/executions"), c.get("/api/agent-base/triggers/" + a.TriggerID + "/details"),
		c.call("PUT", "/api/agent-base/"+a.ID, `{"name":"x"}`), c.call("DELETE", "/api/agent-base/"+a.ID, ""),
		c.post("/api/agent-base/triggers", `{"trigger_id":"`+a.TriggerID+`"}`),
	} {
		gone.refused(404, "not_found", "GET /api/agent-base")
	}
}

func TestAgentsThatCannotBe(t *testing.T) {
	p := start(t, limited(sample.Limits{Agents: 3}))
	c := p.as("w1")
	a := c.install("Clerk")
	for body, texts := range map[string][]string{
		`{}`:             {"Give the agent a name"},
		`{"name":"   "}`: {"Give the agent a name"},
		`{"name":"` + strings.Repeat("é", 101) + `","description":"` + strings.Repeat("x", 2001) + `"}`: {"name is one line", "description has up to"},
		`{"name":"a\nb"}`:             {"one line"},
		`{"name":"a","event":"a//b"}`: {"event is a path"},
		`{"name":"a","event":"ä"}`:    {"event is a path"},
		`{"name":"a","instructions":"` + strings.Repeat("x", 2001) + `"}`: {"instructions have up to"},
	} {
		c.post("/api/agent-base/install", body).refused(422, "unprocessable", texts...)
		c.call("PUT", "/api/agent-base/"+a.ID, body).refused(422, "unprocessable", texts...)
	}
	c.post("/api/agent-base/install", `{"name":"Dawdler"}`).refused(422, "limit_reached", "3 agents", "Delete one")
	c.call("DELETE", "/api/agent-base/"+a.ID, "").want(200)
	c.install("Clerk")
	c.call("DELETE", "/api/agent-base/"+items[agent](c.get("/api/agent-base"))[2].ID, "").want(200)
	c.post("/api/agent-base/install", `{"name":"CLERK"}`).refused(409, "conflict", "another name")
	c.call("PUT", "/api/agent-base/"+items[agent](c.get("/api/agent-base"))[1].ID, `{"name":"clerk"}`).refused(409, "conflict")
}

// Every item of a list is on exactly one of its pages, newest first, also when the list changes in between.
func TestPages(t *testing.T) {
	c := start(t).as("w1")
	var want []string
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		want = append(want, c.install(name).ID)
	}
	slices.Reverse(want)
	var got []string
	after := ""
	for range 10 {
		l := data[page[agent]](c.get("/api/agent-base?limit=2&after="+after), 200)
		for _, a := range l.Items {
			got = append(got, a.ID)
		}
		if after = l.Next; after == "" {
			break
		}
		c.install("later " + after)                              // is before the first page
		c.call("DELETE", "/api/agent-base/"+after, "").want(200) // the place in the list holds without it
	}
	if len(got) != 9 || !reflect.DeepEqual(got[:7], want) {
		t.Errorf("got %v, want %v and two more", got, want)
	}
	for _, query := range []string{"limit=0", "limit=101", "limit=x", "limit=-1", "limit=99999999999999999999"} {
		c.get("/api/agent-base?"+query).refused(400, "bad_request", "1 to 100")
	}
	for _, query := range []string{"after=x", "after=%00", "after=~", "after=" + strings.Repeat("g", 36)} {
		c.get("/api/agent-base?"+query).refused(400, "bad_request", "next")
	}
	if l := data[page[agent]](c.get("/api/agent-base?limit=100"), 200); len(l.Items) != 9 || l.Next != "" {
		t.Errorf("%d items, next %q", len(l.Items), l.Next)
	}
}
