package sample

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// conversation is what was said with the assistant, one message after the other.
type conversation struct {
	ID        string    `json:"id"`
	Title     string    `json:"title"` // the beginning of its first message
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// role says who wrote a message.
type role string

const (
	user      role = "user"
	assistant role = "assistant"
)

type message struct {
	ID        string    `json:"id"`
	Role      role      `json:"role"`
	Text      string    `json:"text"`
	Sources   []source  `json:"sources"` // of an answer
	CreatedAt time.Time `json:"created_at"`
}

const noConversation = "There is no such conversation. GET /api/assistant/chat lists them; leave conversation_id out to begin a new one."

// history lists the conversations, or with ?conversation_id= the messages of one.
func (s *Sample) history(w http.ResponseWriter, r *http.Request, c call) error {
	query := r.URL.Query()
	p, err := pageOf(query)
	if err != nil {
		return err
	}
	if query.Has("conversation_id") {
		return s.messages(w, r, c, query.Get("conversation_id"), p)
	}
	conversations, err := pageRows(r.Context(), s.read, p, newest("id"), func(rows *sql.Rows) (string, conversation, error) {
		var v conversation
		err := rows.Scan(&v.ID, &v.Title, &v.CreatedAt, &v.UpdatedAt)
		return v.ID, v, err
	}, "SELECT id, title, created_at, updated_at FROM conversations WHERE tenant = ?", c.tenant)
	if err != nil {
		return err
	}
	return ok(w, "The conversations, newest first. ?conversation_id= lists the messages of one.", conversations)
}

func (s *Sample) messages(w http.ResponseWriter, r *http.Request, c call, id string, p page) error {
	var title string
	err := s.read.QueryRowContext(r.Context(), "SELECT title FROM conversations WHERE tenant = ? AND id = ?", c.tenant, id).Scan(&title)
	if err != nil {
		return orNotFound(err, noConversation)
	}
	messages, err := pageRows(r.Context(), s.read, p, oldest("id"), func(rows *sql.Rows) (string, message, error) {
		var m message
		var sources []byte
		err := rows.Scan(&m.ID, &m.Role, &m.Text, &sources, &m.CreatedAt)
		if err == nil {
			err = json.Unmarshal(sources, &m.Sources)
		}
		return m.ID, m, err
	}, "SELECT id, role, text, sources, created_at FROM messages WHERE tenant = ? AND conversation = ?", c.tenant, id)
	if err != nil {
		return err
	}
	return ok(w, "The messages of the conversation, oldest first.", messages)
}

func (s *Sample) keepReply(ctx context.Context, c call, n newMessage, said *reply) error {
	return s.change(ctx, func(tx *sql.Tx) error { return s.addReply(ctx, tx, c, n, said) })
}

// addReply writes a question and its answer down, in their conversation or in a new one, and fills in the IDs.
func (s *Sample) addReply(ctx context.Context, tx querier, c call, n newMessage, said *reply) error {
	if n.ConversationID == "" {
		said.ConversationID = s.ids.next(c.now)
		_, err := tx.ExecContext(ctx, "INSERT INTO conversations (tenant, id, title, created_at, updated_at) VALUES (?, ?, ?, ?, ?)",
			c.tenant, said.ConversationID, excerpt(n.Message), c.now, c.now)
		if err == nil {
			err = prune(ctx, tx, "conversations", c.tenant, s.limits.Conversations)
		}
		if err != nil {
			return err
		}
	} else if err := s.continued(ctx, tx, c, n.ConversationID); err != nil {
		return err
	}
	if _, err := s.addMessage(ctx, tx, c, said.ConversationID, user, n.Message, []source{}); err != nil {
		return err
	}
	var err error
	said.MessageID, err = s.addMessage(ctx, tx, c, said.ConversationID, assistant, said.Answer, said.Sources)
	return err
}

// continued notes that a conversation goes on, if it may.
func (s *Sample) continued(ctx context.Context, tx querier, c call, id string) error {
	there, err := count(ctx, tx, "SELECT count(*) FROM messages WHERE tenant = ? AND conversation = ?", c.tenant, id)
	if err != nil {
		return err
	}
	if there+2 > int64(s.limits.Messages) {
		return limitReached(fmt.Sprintf("This conversation has %d messages, and may have %d. Begin a new one: leave conversation_id out.", there, s.limits.Messages))
	}
	return orNotFound(one(tx.ExecContext(ctx, "UPDATE conversations SET updated_at = ? WHERE tenant = ? AND id = ?", c.now, c.tenant, id)), noConversation)
}

func (s *Sample) addMessage(ctx context.Context, tx querier, c call, conversation string, by role, text string, sources []source) (id string, err error) {
	quoted, err := json.Marshal(sources)
	if err != nil {
		return "", err
	}
	id = s.ids.next(c.now)
	_, err = tx.ExecContext(ctx, "INSERT INTO messages (tenant, id, conversation, role, text, sources, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
		c.tenant, id, conversation, by, text, string(quoted), c.now)
	return id, err
}
