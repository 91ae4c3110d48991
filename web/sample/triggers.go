package sample

import (
	"database/sql"
	"net/http"
	"time"
)

// trigger starts an agent: when somebody executes it, and when an event comes in under its path.
type trigger struct {
	ID        string    `json:"id"`
	AgentID   string    `json:"agent_id"`
	AgentName string    `json:"agent_name"`
	Event     string    `json:"event"`
	Webhook   string    `json:"webhook"` // where to send events
	CreatedAt time.Time `json:"created_at"`
}

// details are what there is to know of a trigger.
type details struct {
	trigger
	Agent      agent       `json:"agent"`
	Executions []execution `json:"executions"` // the newest
}

const (
	triggerColumns = "SELECT t.id, a.id, a.name, t.event, t.created_at FROM triggers AS t JOIN agents AS a ON a.tenant = t.tenant AND a.id = t.agent WHERE t.tenant = ?"
	newestOnes     = 5 // executions in a trigger's details
)

func (s *Sample) listTriggers(w http.ResponseWriter, r *http.Request, c call) error {
	p, err := pageOf(r.URL.Query())
	if err != nil {
		return err
	}
	triggers, err := pageRows(r.Context(), s.read, p, newest("t.id"), func(rows *sql.Rows) (string, trigger, error) {
		var t trigger
		err := rows.Scan(&t.ID, &t.AgentID, &t.AgentName, &t.Event, &t.CreatedAt)
		t.Webhook = webhookPath + t.Event
		return t.ID, t, err
	}, triggerColumns, c.tenant)
	if err != nil {
		return err
	}
	return ok(w, "The triggers, newest first. POST a trigger_id here to execute one.", triggers)
}

func (s *Sample) showTrigger(w http.ResponseWriter, r *http.Request, c call) error {
	a, err := agentBy(r.Context(), s.read, c.tenant, "t.id", r.PathValue("id"))
	if err != nil {
		return err
	}
	executions, err := pageRows(r.Context(), s.read, page{limit: newestOnes}, newest("id"), scanExecution, executionColumns+" AND agent = ?", c.tenant, a.ID)
	if err != nil {
		return err
	}
	t := trigger{a.TriggerID, a.ID, a.Name, a.Event, webhookPath + a.Event, a.CreatedAt}
	return ok(w, "The trigger of "+a.Name+", with its newest executions.", details{t, a, executions.Items})
}

// newRun is what a caller says to execute a trigger.
type newRun struct {
	TriggerID string `json:"trigger_id"`
	Input     string `json:"input"`
}

func (s *Sample) executeTrigger(w http.ResponseWriter, r *http.Request, c call) error {
	wanted, err := decode[newRun](w, r, s.limits.JSONBytes)
	if err != nil {
		return err
	}
	var p problems
	p.add(wanted.TriggerID == "", "Say which trigger, in trigger_id: GET on this path lists them.")
	p.add(!isText(wanted.Input), "input has up to 2000 characters.")
	if err := p.err(); err != nil {
		return err
	}
	a, err := agentBy(r.Context(), s.read, c.tenant, "t.id", wanted.TriggerID)
	if err != nil {
		return err
	}
	e, err := s.run(r.Context(), newFinder(s.read, c.tenant), c, a, wanted.Input)
	if err != nil {
		return err
	}
	e.TriggerID = a.TriggerID
	err = s.change(r.Context(), func(tx *sql.Tx) error {
		if _, err := agentBy(r.Context(), tx, c.tenant, "a.id", a.ID); err != nil { // it was deleted meanwhile
			return err
		}
		return s.keep(r.Context(), tx, c, e)
	})
	if err != nil {
		return err
	}
	return ok(w, a.Name+" ran.", e)
}
