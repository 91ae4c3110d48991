package sample_test

import (
	"testing"
	"time"

	"tokendesk/web/sample"
)

// A conversation goes on, in its order, and the newest conversations come first.
func TestHistory(t *testing.T) {
	p := start(t)
	c := p.as("w1")
	first := data[reply](c.ask("How do I\n revoke a token?", ""), 200)
	p.clock.Advance(time.Minute)
	second := data[reply](c.ask("And then?", first.ConversationID), 200)
	other := data[reply](c.ask("Something else", ""), 200)
	all := items[conversation](c.get("/api/assistant/chat"))
	if len(all) != 3 || all[0].ID != other.ConversationID || all[1].ID != first.ConversationID || all[1].Title != "How do I revoke a token?" ||
		!all[1].UpdatedAt.Equal(p.clock.Now()) || !all[1].CreatedAt.Equal(p.clock.Now().Add(-time.Minute)) || all[2].Title != "How do I send a token?" {
		t.Errorf("the conversations are %+v", all)
	}
	said := items[message](c.get("/api/assistant/chat?conversation_id=" + first.ConversationID))
	if len(said) != 4 || said[0].Role != "user" || said[0].Text != "How do I\n revoke a token?" || said[1].Role != "assistant" || said[1].ID != first.MessageID || said[1].Text != first.Answer ||
		len(said[0].Sources) != 0 || len(said[1].Sources) == 0 || said[2].Text != "And then?" || said[3].ID != second.MessageID {
		t.Errorf("the messages are %+v", said)
	}
	l := data[page[message]](c.get("/api/assistant/chat?limit=3&conversation_id="+first.ConversationID), 200)
	rest := items[message](c.get("/api/assistant/chat?limit=3&after=" + l.Next + "&conversation_id=" + first.ConversationID))
	if len(l.Items) != 3 || len(rest) != 1 || rest[0].ID != said[3].ID {
		t.Errorf("the pages have %d and %d messages", len(l.Items), len(rest))
	}
}

// A conversation has an end, and the oldest conversations go.
func TestHistoryIsLimited(t *testing.T) {
	c := start(t, limited(sample.Limits{Messages: 4, Conversations: 2})).as("w1")
	first := data[reply](c.ask("one", ""), 200)
	c.ask("two", first.ConversationID).want(200)
	c.ask("three", first.ConversationID).refused(422, "limit_reached", "4 messages", "Begin a new one")
	c.ask("four", "").want(200)
	c.ask("five", "").want(200)
	if all := items[conversation](c.get("/api/assistant/chat")); len(all) != 2 || all[1].Title != "four" {
		t.Errorf("kept are %+v", all)
	}
	c.get("/api/assistant/chat?conversation_id="+first.ConversationID).refused(404, "not_found")
	c.ask("six", first.ConversationID).refused(404, "not_found", "leave conversation_id out")
}
