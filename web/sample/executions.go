package sample

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// status says how an execution ended.
type status string

const (
	answered     status = "answered"
	foundNothing status = "found_nothing"
)

// execution is one run of an agent.
type execution struct {
	ID             string    `json:"id"`
	AgentID        string    `json:"agent_id"`
	TriggerID      string    `json:"trigger_id"` // empty: its first run, when the workspace was new
	EventID        string    `json:"event_id"`   // of the event that started it; empty when somebody executed the trigger
	Input          string    `json:"input"`
	Steps          []step    `json:"steps"`
	Output         string    `json:"output"`
	Status         status    `json:"status"`
	CredentialID   string    `json:"credential_id"` // that called
	RequestID      string    `json:"request_id"`
	StartedAt      time.Time `json:"started_at"`
	DurationMicros int64     `json:"duration_us"`
}

// step is a part of an execution.
type step struct {
	Name   string `json:"name"`
	Detail string `json:"detail"`
}

// run has an agent do its work: it looks its input up, or where there is none its instructions, and quotes what
// it finds.
func (s *Sample) run(ctx context.Context, find finder, c call, a agent, input string) (execution, error) {
	started := s.now()
	subject := input
	if strings.TrimSpace(input) == "" {
		subject = a.Instructions + " " + a.Name
	}
	found, err := find(ctx, subject)
	if err != nil {
		return execution{}, err
	}
	e := execution{
		ID: s.ids.next(started), AgentID: a.ID, Input: input, Output: compose(found), Status: answered,
		Steps:        []step{{"search", fmt.Sprintf("%d passages for: %s", len(found), strings.Join(words(subject), " "))}},
		CredentialID: c.Credential, RequestID: c.RequestID, StartedAt: started,
	}
	for _, f := range found {
		e.Steps = append(e.Steps, step{"quote", f.Title})
	}
	if len(found) == 0 {
		e.Status = foundNothing
	}
	e.DurationMicros = s.now().Sub(started).Microseconds()
	return e, nil
}

// keep writes an execution down, and forgets the oldest beyond the limit.
func (s *Sample) keep(ctx context.Context, tx querier, c call, e execution) error {
	steps, err := json.Marshal(e.Steps)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO executions (tenant, id, agent, trigger_id, event, input, steps, output, status, credential, request_id, started_at, duration_us)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, c.tenant, e.ID, e.AgentID, e.TriggerID, e.EventID, e.Input, string(steps), e.Output, e.Status, e.CredentialID, e.RequestID, e.StartedAt, e.DurationMicros)
	if err != nil {
		return err
	}
	return prune(ctx, tx, "executions", c.tenant, s.limits.Executions)
}

const executionColumns = "SELECT id, agent, trigger_id, event, input, steps, output, status, credential, request_id, started_at, duration_us FROM executions WHERE tenant = ?"

func scanExecution(rows *sql.Rows) (string, execution, error) {
	var e execution
	var steps []byte
	err := rows.Scan(&e.ID, &e.AgentID, &e.TriggerID, &e.EventID, &e.Input, &steps, &e.Output, &e.Status, &e.CredentialID, &e.RequestID, &e.StartedAt, &e.DurationMicros)
	if err == nil {
		err = json.Unmarshal(steps, &e.Steps)
	}
	return e.ID, e, err
}

func (s *Sample) listExecutions(w http.ResponseWriter, r *http.Request, c call) error {
	p, err := pageOf(r.URL.Query())
	if err != nil {
		return err
	}
	a, err := agentBy(r.Context(), s.read, c.tenant, "a.id", r.PathValue("id"))
	if err != nil {
		return err
	}
	executions, err := pageRows(r.Context(), s.read, p, newest("id"), scanExecution, executionColumns+" AND agent = ?", c.tenant, a.ID)
	if err != nil {
		return err
	}
	return ok(w, "The executions of "+a.Name+", newest first.", executions)
}
