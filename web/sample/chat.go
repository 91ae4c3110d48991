package sample

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// newMessage is what a caller says to the assistant.
type newMessage struct {
	Message        string `json:"message"`
	ConversationID string `json:"conversation_id"` // empty: a new one
}

// reply is the assistant's answer, whole.
type reply struct {
	ConversationID string   `json:"conversation_id"`
	MessageID      string   `json:"message_id"`
	Answer         string   `json:"answer"`
	Sources        []source `json:"sources"`
}

// chat answers from the knowledge base: as server-sent events, piece by piece, or to callers who want JSON and
// nothing else, at once. Question and answer are kept before the first piece is sent, so that history has them
// also for a caller who leaves.
func (s *Sample) chat(w http.ResponseWriter, r *http.Request, c call) error {
	n, err := decode[newMessage](w, r, s.limits.JSONBytes)
	if err != nil {
		return err
	}
	var p problems
	p.add(strings.TrimSpace(n.Message) == "", "Say something, in message.")
	p.add(!isText(n.Message), "message has up to 2000 characters.")
	if err := p.err(); err != nil {
		return err
	}
	found, err := lookUp(r.Context(), s.read, c.tenant, n.Message)
	if err != nil {
		return err
	}
	said := reply{ConversationID: n.ConversationID, Answer: compose(found), Sources: found}
	if err := s.keepReply(r.Context(), c, n, &said); err != nil {
		return err
	}
	if wantsJSON(r.Header.Values("Accept")) {
		return ok(w, "The answer.", said)
	}
	s.stream(w, r, said)
	return nil
}

// wantsJSON says whether a caller asks for JSON, and not for events.
func wantsJSON(accept []string) bool {
	types := strings.ToLower(strings.Join(accept, ","))
	return strings.Contains(types, "application/json") && !strings.Contains(types, "text/event-stream")
}

// stream sends an answer as it would come from a model: first where it is from, then word by word. A caller who is
// gone ends it.
func (s *Sample) stream(w http.ResponseWriter, r *http.Request, said reply) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	events := events{w, http.NewResponseController(w)}
	err := events.send("start", map[string]string{"conversation_id": said.ConversationID, "message_id": said.MessageID})
	for _, found := range said.Sources {
		if err == nil {
			err = events.send("source", found)
		}
	}
	for piece := range strings.SplitAfterSeq(said.Answer, " ") {
		if err == nil {
			err = s.pause(r.Context())
		}
		if err == nil {
			err = events.send("token", map[string]string{"text": piece})
		}
	}
	if err == nil {
		_ = events.send("done", map[string]string{"message_id": said.MessageID})
	}
}

// events writes server-sent events, each of which leaves at once.
type events struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (e events) send(name string, data any) error {
	text, err := json.Marshal(data) // in one line
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(e.w, "event: %s\ndata: %s\n\n", name, text); err != nil {
		return err
	}
	return e.control.Flush()
}

// pace makes a pause of a length, which the end of the call ends.
func pace(length time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		if length <= 0 {
			return ctx.Err()
		}
		over := time.NewTimer(length)
		defer over.Stop()
		select {
		case <-over.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
