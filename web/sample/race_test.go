package sample_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tokendesk/web/sample"
)

// tally counts the answers of calls that are made at once, by status.
func tally(n int, call func(i int) answer) map[int]int {
	var wait sync.WaitGroup
	var counts [600]atomic.Int64
	for i := range n {
		wait.Go(func() { counts[call(i).status].Add(1) })
	}
	wait.Wait()
	all := map[int]int{}
	for status := range counts {
		if n := counts[status].Load(); n > 0 {
			all[status] = int(n)
		}
	}
	return all
}

func wantTally(t *testing.T, what string, got map[int]int, want ...int) {
	t.Helper()
	for i := 0; i < len(want); i += 2 {
		if got[want[i]] != want[i+1] {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
}

// Calls at once are calls one after the other: a limit is met exactly, a name taken once, a thing deleted once.
func TestCallsAtOnce(t *testing.T) {
	p := start(t, limited(sample.Limits{Agents: 22, TenantBytes: 10_000 + 2_528, Executions: 10_000}))
	c := p.as("w1")
	if first := items[file](c.get(storage)); first[0].Size+first[1].Size+first[2].Size+first[3].Size+first[4].Size != 2_528 {
		t.Fatal("the first files have another size now: the limit above is theirs and 10,000")
	}
	wantTally(t, "installs", tally(30, func(i int) answer {
		return c.post("/api/agent-base/install", fmt.Sprintf(`{"name":"agent %d","event":"all"}`, i))
	}), 201, 20, 422, 10)
	one := items[agent](c.get("/api/agent-base?limit=100"))[0]
	wantTally(t, "deletions", tally(10, func(int) answer { return c.call("DELETE", "/api/agent-base/"+one.ID, "") }), 200, 1, 404, 9)
	wantTally(t, "installs of one name", tally(10, func(int) answer { return c.post("/api/agent-base/install", `{"name":"one","event":"one"}`) }), 201, 1)

	wantTally(t, "uploads", tally(15, func(i int) answer {
		return c.post(fmt.Sprintf("%s?name=%d.txt", storage, i), strings.Repeat("x", 1000))
	}), 201, 10, 422, 5)
	files := items[file](c.get(storage + "?limit=100"))
	wantTally(t, "deletions of a file", tally(10, func(int) answer { return c.call("DELETE", storage+"/"+files[0].ID, "") }), 200, 1, 404, 9)
	if len(files) != 15 || p.onDisk() != 14 {
		t.Errorf("%d files were listed, %d are on the disk", len(files), p.onDisk())
	}
	c.keep("again.txt", strings.Repeat("x", 1000)) // its room was given back, once
	c.post(storage+"?name=more.txt", "x").refused(422, "limit_reached")

	wantTally(t, "events", tally(20, func(int) answer { return c.post("/api/webhook/one", `{"input":"token"}`) }), 200, 20)
	last := items[agent](c.get("/api/agent-base?limit=100"))[0]
	if ran := items[execution](c.get("/api/agent-base/" + last.ID + "/executions?limit=100")); last.Name != "one" || len(ran) != 20 {
		t.Errorf("20 events made %d executions of %s", len(ran), last.Name)
	}

	said := data[reply](c.ask("token", ""), 200)
	wantTally(t, "messages", tally(20, func(int) answer { return c.ask("token", said.ConversationID) }), 200, 20)
	all := items[message](c.get("/api/assistant/chat?limit=100&conversation_id=" + said.ConversationID))
	for i, m := range all {
		if want := []string{"user", "assistant"}[i%2]; len(all) != 42 || m.Role != want {
			t.Fatalf("message %d of %d is by %s", i, len(all), m.Role)
		}
	}
}

// An agent may be deleted while it runs: nothing is kept of a run then, and nothing fails.
func TestDeletedWhileItRuns(t *testing.T) {
	c := start(t).as("w1")
	for range 5 {
		a := c.install("Clerk")
		got := tally(8, func(i int) answer {
			switch i {
			case 0:
				return c.call("DELETE", "/api/agent-base/"+a.ID, "")
			case 1, 2, 3:
				return c.post("/api/agent-base/triggers", `{"trigger_id":"`+a.TriggerID+`","input":"token"}`)
			}
			return c.post("/api/webhook/clerk", `{"input":"token"}`)
		})
		if got[200]+got[404] != 8 || got[200] < 5 {
			t.Errorf("the answers are %v", got)
		}
	}
}
