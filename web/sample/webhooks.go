package sample

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	webhookPath  = "/api/webhook/"
	longestEvent = 200 // bytes of its path
)

// received is what is answered to an event.
type received struct {
	EventID string    `json:"event_id"`
	Event   string    `json:"event"` // its path
	Started []started `json:"started"`
}

type started struct {
	AgentID     string `json:"agent_id"`
	AgentName   string `json:"agent_name"`
	ExecutionID string `json:"execution_id"`
	Status      status `json:"status"`
}

// receive keeps an event, and starts every agent that waits for it: the event orders/created/today those that wait
// for orders, for orders/created or for itself. The event is the rest of the path; without one, the member "event"
// of the body says it.
func (s *Sample) receive(w http.ResponseWriter, r *http.Request, c call) error {
	body, err := readBody(w, r, s.limits.JSONBytes)
	if err != nil {
		return err
	}
	if len(body) > 0 && (body[0] != '{' || !json.Valid(body)) {
		return badRequest("An event is one JSON object, or nothing.")
	}
	event, input := readEvent(body)
	if path := strings.Trim(r.PathValue("event"), "/"); path != "" {
		event = path
	}
	if len(event) > longestEvent {
		return badRequest("An event's path has up to 200 bytes.")
	}
	waiting, err := s.waiting(r.Context(), c.tenant, event)
	if err != nil {
		return err
	}
	executions, find := make([]execution, len(waiting)), newFinder(s.read, c.tenant)
	for i, a := range waiting {
		if executions[i], err = s.run(r.Context(), find, c, a, input); err != nil {
			return err
		}
		executions[i].TriggerID = a.TriggerID
	}
	answer := received{EventID: s.ids.next(c.now), Event: event}
	if answer.Started, err = s.keepEvent(r.Context(), c, answer, string(body), waiting, executions); err != nil {
		return err
	}
	message := fmt.Sprintf("Received. It started %d.", len(answer.Started))
	if len(answer.Started) == 0 {
		message = "Received. No trigger waits for this event: GET /api/agent-base/triggers says for which they do."
	}
	return ok(w, message, answer)
}

// readEvent finds in an event's body which event it is, and what the agents get as their input: the member
// "input", or the whole body.
func readEvent(body []byte) (event, input string) {
	members := map[string]json.RawMessage{}
	_ = json.Unmarshal(body, &members)
	_ = json.Unmarshal(members["event"], &event) // where it is no text, it says nothing
	if json.Unmarshal(members["input"], &input) != nil {
		input = string(body)
	}
	if utf8.RuneCountInString(input) > longestText {
		input = string([]rune(input)[:longestText])
	}
	return strings.Trim(event, "/"), input
}

// waiting finds the agents that an event starts.
func (s *Sample) waiting(ctx context.Context, tenant int64, event string) (agents []agent, err error) {
	err = each(ctx, s.read, func(rows *sql.Rows) error {
		a, err := scanAgent(rows.Scan)
		agents = append(agents, a)
		return err
	}, agentColumns+" AND (t.event = ? OR substr(?, 1, length(t.event) + 1) = t.event || '/') ORDER BY a.id", tenant, event, event)
	return agents, err
}

// keepEvent writes an event down with what it started, without agents that were deleted meanwhile.
func (s *Sample) keepEvent(ctx context.Context, c call, event received, payload string, agents []agent, executions []execution) ([]started, error) {
	all := []started{}
	err := s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO events (tenant, id, path, payload, credential, request_id, received_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
			c.tenant, event.EventID, event.Event, payload, c.Credential, c.RequestID, c.now)
		if err != nil {
			return err
		}
		there, err := idsOf(ctx, tx, "SELECT id FROM agents WHERE tenant = ?", c.tenant)
		if err != nil {
			return err
		}
		for i, e := range executions {
			if !slices.Contains(there, e.AgentID) {
				continue
			}
			e.EventID = event.EventID
			if err := s.keep(ctx, tx, c, e); err != nil {
				return err
			}
			all = append(all, started{e.AgentID, agents[i].Name, e.ID, e.Status})
		}
		return prune(ctx, tx, "events", c.tenant, s.limits.Events)
	})
	return all, err
}

func idsOf(ctx context.Context, db querier, query string, args ...any) (ids []string, err error) {
	err = each(ctx, db, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, query, args...)
	return ids, err
}
