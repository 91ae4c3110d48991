package sample_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"tokendesk/web/sample"
)

// tour calls everything that can be listed, and answers it in one text.
func (c caller) tour() string {
	c.t.Helper()
	var all strings.Builder
	see := func(path string) string {
		body := c.get(path).want(200).body
		all.WriteString(path + ": " + body)
		return body
	}
	for _, path := range []string{"/api/agent-base", "/api/agent-base/triggers", "/api/integrations-base", "/api/integrations-base/product/p1/active", "/api/knowledge-base", "/api/knowledge-base/search?q=marmalade", storage, "/api/assistant/chat"} {
		see(path + map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + "limit=100")
	}
	for _, a := range data[page[agent]](c.get("/api/agent-base?limit=100"), 200).Items {
		see("/api/agent-base/" + a.ID)
		see("/api/agent-base/" + a.ID + "/executions")
		see("/api/agent-base/triggers/" + a.TriggerID + "/details")
	}
	for _, v := range data[page[conversation]](c.get("/api/assistant/chat?limit=100"), 200).Items {
		see("/api/assistant/chat?conversation_id=" + v.ID)
	}
	for _, f := range data[page[file]](c.get(storage+"?limit=100"), 200).Items {
		see(storage + "/" + f.ID)
	}
	return all.String()
}

// A workspace sees nothing of another's, and cannot touch it, whatever IDs it knows.
func TestTenantsAreApart(t *testing.T) {
	p := start(t)
	a, b := p.as("w1"), p.as("w2")
	before := b.tour()

	agent := a.install("Marmalade")
	local := a.integrate(`{"type":"mail","scope":"local","product_id":"p1","name":"Marmalade"}`)
	f := a.keep("marmalade.txt", "Marmalade is made of oranges.")
	said := data[reply](a.ask("What is marmalade?", ""), 200)
	ran := data[received](a.post("/api/webhook/marmalade", `{"input":"marmalade"}`), 200)
	mine := a.tour()
	for _, id := range []string{agent.ID, agent.TriggerID, local.ID, f.ID, f.DocumentID, said.ConversationID, said.MessageID, ran.EventID, ran.Started[0].ExecutionID} {
		if !strings.Contains(mine, id) {
			t.Errorf("the tour of its own workspace does not show %s", id)
		}
	}

	for _, refused := range []answer{
		b.get("/api/agent-base/" + agent.ID), b.call("PUT", "/api/agent-base/"+agent.ID, `{"name":"x"}`), b.call("DELETE", "/api/agent-base/"+agent.ID, ""), b.get("/api/agent-base/" + agent.ID + "/executions"),
		b.get("/api/agent-base/triggers/" + agent.TriggerID + "/details"), b.post("/api/agent-base/triggers", `{"trigger_id":"`+agent.TriggerID+`"}`),
		b.get("/api/integrations-base/" + local.ID), b.call("PUT", "/api/integrations-base/"+local.ID, `{"type":"x","scope":"global"}`), b.call("DELETE", "/api/integrations-base/"+local.ID, ""),
		b.get(storage + "/" + f.ID), b.call("DELETE", storage+"/"+f.ID, ""),
		b.get("/api/assistant/chat?conversation_id=" + said.ConversationID), b.ask("Go on", said.ConversationID),
	} {
		refused.refused(404, "not_found")
	}
	for _, id := range []string{agent.ID, local.ID, f.ID, said.ConversationID} { // an ID of another workspace is good as a place
		b.get("/api/agent-base?after=" + id).want(200)
	}
	if r := data[received](b.post("/api/webhook/marmalade", `{"input":"marmalade"}`), 200); len(r.Started) != 0 {
		t.Errorf("an event of another workspace started %s", r.names())
	}
	if r := data[reply](b.ask("What is marmalade?", ""), 200); len(r.Sources) != 0 || strings.Contains(r.Answer, "oranges") {
		t.Errorf("another workspace's document is quoted: %+v", r)
	}
	b.call("DELETE", "/api/agent-base/"+items[conversation](b.get("/api/assistant/chat"))[0].ID, "").want(404) // an ID of something else

	after := b.tour()
	if i := strings.Index(after, `/api/assistant/chat`); after[:i] != before[:strings.Index(before, `/api/assistant/chat`)] {
		t.Errorf("before, the other workspace had %s\nand after %s", before, after)
	}
	if strings.Contains(strings.ReplaceAll(after, "What is marmalade?", ""), "armalade is") || a.tour() != mine {
		t.Error("a workspace has changed by what another one tried")
	}
	if strings.Contains(p.as("").tour(), "armalade is") {
		t.Error("calls without a workspace see one's data")
	}
}

// A workspace is born once, complete, however many calls are its first.
func TestBirth(t *testing.T) {
	p := start(t)
	var wait sync.WaitGroup
	for i := range 24 {
		wait.Go(func() {
			c := p.as(fmt.Sprintf("w%d", i%3))
			if got := len(items[agent](c.get("/api/agent-base"))); got != 2 {
				t.Errorf("a first call sees %d agents", got)
			}
		})
	}
	wait.Wait()
	for i := range 3 {
		c := p.as(fmt.Sprintf("w%d", i))
		agents := items[agent](c.get("/api/agent-base"))
		for what, got := range map[string]int{
			"agents": len(agents) - 1, "triggers": len(items[trigger](c.get("/api/agent-base/triggers"))) - 1,
			"executions of the first": len(items[execution](c.get("/api/agent-base/" + agents[0].ID + "/executions"))), "executions of the second": len(items[execution](c.get("/api/agent-base/" + agents[1].ID + "/executions"))),
			"integrations": len(items[integration](c.get("/api/integrations-base"))), "documents": len(items[document](c.get("/api/knowledge-base"))) - 4,
			"files": len(items[file](c.get(storage))) - 4, "conversations": len(items[conversation](c.get("/api/assistant/chat"))),
		} {
			if got != 1 {
				t.Errorf("there are %d too many %s", got-1, what)
			}
		}
	}
	if p.onDisk() != 15 {
		t.Errorf("%d files are on the disk", p.onDisk())
	}
}

// Who cannot be born leaves nothing, and says why.
func TestBirthWithoutRoom(t *testing.T) {
	p := start(t, limited(sample.Limits{TotalBytes: 3000}))
	p.as("w1").get("/api/agent-base").want(200)
	for range 3 {
		p.as("w2").get("/api/agent-base").refused(507, "full")
	}
	if p.onDisk() != 5 {
		t.Errorf("%d files are on the disk", p.onDisk())
	}
}

// What was kept is there after a restart, byte for byte.
func TestRestartKeepsAll(t *testing.T) {
	p := start(t)
	c := p.as("w1")
	c.install("Marmalade")
	c.integrate(`{"type":"mail","scope":"global"}`)
	c.keep("marmalade.txt", "Marmalade is made of oranges.")
	c.ask("What is marmalade?", "").want(200)
	c.post("/api/webhook/marmalade", `{"input":"marmalade"}`).want(http.StatusOK)
	before := c.tour()
	p.restart()
	if after := c.tour(); after != before {
		t.Errorf("before the restart %s\nand after it %s", before, after)
	}
}
