package sample_test

import (
	"strings"
	"testing"
	"time"

	"tokendesk/web/sample"
)

type details struct {
	trigger
	Agent      agent
	Executions []execution
}

// Executing a trigger runs its agent: it searches the knowledge base for the input, and what it did is kept.
func TestTriggers(t *testing.T) {
	p := start(t)
	c := p.as("w1")
	a := c.install("Invoice Clerk")
	c.keep("dunning.md", "# Dunning\n\nAn invoice that is a fortnight late gets a reminder in yellow.\n\nAfter a month, the reminder is red.")

	all := items[trigger](c.get("/api/agent-base/triggers"))
	want := trigger{a.TriggerID, a.ID, "Invoice Clerk", "invoice-clerk", "/api/webhook/invoice-clerk", p.clock.Now()}
	if len(all) != 3 || all[0] != want {
		t.Fatalf("the triggers are %+v", all)
	}
	ran := data[execution](c.post("/api/agent-base/triggers", `{"trigger_id":"`+a.TriggerID+`","input":"Which colour has a reminder?"}`), 200)
	if !strings.Contains(ran.Output, "“An invoice that is a fortnight late gets a reminder in yellow.") || ran.Status != "answered" || len(ran.Steps) < 2 ||
		ran.Steps[0].Detail != "1 passages for: colour reminder" || ran.Steps[1].Detail != "Dunning" {
		t.Errorf("it answered %+v", ran)
	}
	if ran.AgentID != a.ID || ran.TriggerID != a.TriggerID || ran.EventID != "" || ran.CredentialID != "cred_001" || ran.RequestID != "req_001" || !ran.StartedAt.Equal(p.clock.Now()) || ran.Micros != 0 {
		t.Errorf("it was %+v", ran)
	}
	nothing := data[execution](c.post("/api/agent-base/triggers", `{"trigger_id":"`+a.TriggerID+`","input":"Zanzibar?"}`), 200)
	if nothing.Status != "found_nothing" || !strings.Contains(nothing.Output, "I found nothing") {
		t.Errorf("about nothing it answered %+v", nothing)
	}

	kept := items[execution](c.get("/api/agent-base/" + a.ID + "/executions"))
	if len(kept) != 2 || kept[0].ID != nothing.ID || kept[1].Output != ran.Output || len(kept[1].Steps) != len(ran.Steps) || !kept[1].StartedAt.Equal(ran.StartedAt) {
		t.Errorf("the executions are %+v", kept)
	}
	d := data[details](c.get("/api/agent-base/triggers/"+a.TriggerID+"/details"), 200)
	if d.trigger != want || d.Agent != a || len(d.Executions) != 2 || d.Executions[0].ID != nothing.ID {
		t.Errorf("the details are %+v", d)
	}
}

// An agent without input works from its instructions. What passes meanwhile is its duration.
func TestWithoutInput(t *testing.T) {
	moving := &clock{now: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)}
	c := start(t, func(o *sample.Options) {
		o.Clock = func() time.Time { moving.Advance(time.Millisecond); return moving.Now() }
	}).as("w1")
	all := items[agent](c.get("/api/agent-base"))
	ran := data[execution](c.post("/api/agent-base/triggers", `{"trigger_id":"`+all[0].TriggerID+`"}`), 200)
	if all[0].Name != "Leak Helper" || ran.Input != "" || !strings.Contains(ran.Output, "Revoke ends a token for good") || ran.Micros != 1000 {
		t.Errorf("it answered %+v", ran)
	}
}

func TestTriggersThatCannotBeExecuted(t *testing.T) {
	c := start(t).as("w1")
	for body, code := range map[string]int{
		`{}`:            422,
		`{"input":"x"}`: 422,
		`{"trigger_id":"x","input":"` + strings.Repeat("é", 2001) + `"}`: 422,
		`{"trigger_id":"x"}`: 404,
		`{"trigger_id":7}`:   400,
		`{"trigger":"x"}`:    400,
		`[]`:                 400,
		``:                   400,
	} {
		c.post("/api/agent-base/triggers", body, "Content-Type", "application/json").want(code)
	}
	c.get("/api/agent-base/triggers/x/details").refused(404, "not_found", "/api/agent-base/triggers")
}

// The oldest executions go when there are too many.
func TestExecutionsArePruned(t *testing.T) {
	c := start(t, limited(sample.Limits{Executions: 4})).as("w1")
	a := c.install("Clerk")
	var last execution
	for range 6 {
		last = data[execution](c.post("/api/agent-base/triggers", `{"trigger_id":"`+a.TriggerID+`","input":"token"}`), 200)
	}
	kept := items[execution](c.get("/api/agent-base/" + a.ID + "/executions"))
	if len(kept) != 4 || kept[0].ID != last.ID {
		t.Errorf("%d executions are kept", len(kept))
	}
	if first := items[execution](c.get("/api/agent-base/" + items[agent](c.get("/api/agent-base"))[1].ID + "/executions")); len(first) != 0 {
		t.Errorf("the workspace has %d more", len(first))
	}
}
