package sample_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"tokendesk/web/sample"
)

// stream reads server-sent events one by one.
type stream struct {
	t     *testing.T
	lines *bufio.Reader
}

// next reads one event, and its data as a map.
func (s stream) next() (name string, data map[string]string) {
	s.t.Helper()
	line := func(prefix string) string {
		text, err := s.lines.ReadString('\n')
		if err != nil || !strings.HasPrefix(text, prefix) {
			s.t.Fatalf("the line is %q (%v)", text, err)
		}
		return strings.TrimSuffix(strings.TrimPrefix(text, prefix), "\n")
	}
	name = line("event: ")
	if err := json.Unmarshal([]byte(line("data: ")), &data); err != nil {
		s.t.Fatal(err)
	}
	line("\n")
	return name, data
}

// chatting asks a question, and answers the stream.
func (c caller) chatting(ctx context.Context, client *http.Client, question string) (*http.Response, stream) {
	c.t.Helper()
	r := c.request("POST", "/api/assistant/chat", strings.NewReader(`{"message":"`+question+`"}`)).WithContext(ctx)
	response, err := client.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	if kind := response.Header.Get("Content-Type"); kind != "text/event-stream" || response.StatusCode != 200 || response.Header.Get("Cache-Control") != "no-store" {
		c.t.Fatalf("status %d, headers %v", response.StatusCode, response.Header)
	}
	return response, stream{c.t.(*testing.T), bufio.NewReader(response.Body)}
}

// stepwise lets answers go on a piece at a time, with each receipt from step, until the call ends.
func stepwise(s *sample.Sample) (step chan<- struct{}) {
	steps := make(chan struct{})
	s.Pause(func(ctx context.Context) error {
		select {
		case <-steps:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	return steps
}

// Each event arrives before the next one is sent: the sample waits with it until the test has read this one.
func TestChatArrivesEventByEvent(t *testing.T) {
	p := start(t)
	c := p.as("w1")
	c.get("/api/agent-base").want(200)
	step := stepwise(p.sample)
	response, s := c.chatting(t.Context(), p.server.Client(), "How do I revoke a token?")
	defer response.Body.Close()
	name, begun := s.next()
	if name != "start" || begun["conversation_id"] == "" || begun["message_id"] == "" {
		t.Fatalf("it begins with %s %v", name, begun)
	}
	for range 3 {
		if name, found := s.next(); name != "source" || found["document_id"] == "" || found["title"] == "" || found["passage"] == "" {
			t.Fatalf("it goes on with %s %v", name, found)
		}
	}
	said, pieces := "", 0
	for {
		step <- struct{}{}
		name, piece := s.next()
		if name != "token" {
			t.Fatalf("a piece is %s %v", name, piece)
		}
		said, pieces = said+piece["text"], pieces+1
		if !strings.HasSuffix(piece["text"], " ") { // the last one
			break
		}
	}
	if name, end := s.next(); name != "done" || end["message_id"] != begun["message_id"] {
		t.Errorf("it ends with %s %v", name, end)
	}
	if rest, err := io.ReadAll(s.lines); len(rest) != 0 || err != nil {
		t.Errorf("behind the end is %q (%v)", rest, err)
	}
	all := items[message](c.get("/api/assistant/chat?conversation_id=" + begun["conversation_id"]))
	if pieces < 20 || !strings.Contains(said, "“Revoke ends a token for good.") || len(all) != 2 || all[1].Text != said || len(all[1].Sources) != 3 || all[1].ID != begun["message_id"] {
		t.Errorf("in %d pieces it said %q; kept is %+v", pieces, said, all)
	}
}

// A caller who leaves in the middle ends the answer, and finds it whole in the history.
func TestChatOfACallerWhoLeaves(t *testing.T) {
	p := start(t)
	c := p.as("w1")
	c.get("/api/agent-base").want(200)
	stepwise(p.sample)
	ctx, leave := context.WithCancel(t.Context())
	response, s := c.chatting(ctx, p.server.Client(), "How do I revoke a token?")
	defer response.Body.Close()
	_, begun := s.next()
	leave()
	p.stop() // waits for the answer to end, which nobody lets go on
	p.open()
	all := items[message](c.get("/api/assistant/chat?conversation_id=" + begun["conversation_id"]))
	if len(all) != 2 || !strings.Contains(all[1].Text, "Revoke ends a token for good.") {
		t.Errorf("the history has %+v", all)
	}
}

// Who asks for JSON and for nothing else gets it.
func TestChatAsJSON(t *testing.T) {
	p := start(t)
	c := p.as("w1")
	r := data[reply](c.ask("How do I revoke a token?", ""), 200)
	if !strings.Contains(r.Answer, r.Sources[0].Passage) || r.Sources[0].Title != "Revoking, deactivating and replacing a token" || r.ConversationID == "" || r.MessageID == "" {
		t.Errorf("the answer is %+v", r)
	}
	if nothing := data[reply](c.ask("Zanzibar?", ""), 200); !strings.Contains(nothing.Answer, "I found nothing") || nothing.Sources == nil || len(nothing.Sources) != 0 {
		t.Errorf("about nothing it says %+v", nothing)
	}
	for accept, want := range map[string]string{
		"application/json": "application/json; charset=utf-8", "Application/JSON; q=0.9, text/plain": "application/json; charset=utf-8",
		"": "text/event-stream", "*/*": "text/event-stream", "text/event-stream": "text/event-stream", "application/json, text/event-stream": "text/event-stream",
	} {
		a := c.post("/api/assistant/chat", `{"message":"token"}`, "Accept", accept).want(200)
		if kind := a.header.Get("Content-Type"); kind != want {
			t.Errorf("Accept %q gets %s", accept, kind)
		}
	}
}

func TestChatThatIsRefused(t *testing.T) {
	c := start(t).as("w1")
	for body, code := range map[string]int{`{}`: 422, `{"message":" "}`: 422, `{"message":"` + strings.Repeat("é", 2001) + `"}`: 422, `{"message":7}`: 400, `{"message":"x","stream":true}`: 400, `{"message":"x","conversation_id":"x"}`: 404} {
		c.post("/api/assistant/chat", body).want(code)
	}
	c.get("/api/assistant/chat?conversation_id=x").refused(404, "not_found", "GET /api/assistant/chat")
	c.get("/api/assistant/chat?conversation_id=").refused(404, "not_found")
}
