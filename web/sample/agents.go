package sample

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
)

const agentColumns = "SELECT a.id, a.name, a.description, a.instructions, t.id, t.event, a.created_at, a.updated_at FROM agents AS a JOIN triggers AS t ON t.tenant = a.tenant AND t.agent = a.id WHERE a.tenant = ?"

func scanAgent(scan func(...any) error) (a agent, err error) {
	err = scan(&a.ID, &a.Name, &a.Description, &a.Instructions, &a.TriggerID, &a.Event, &a.CreatedAt, &a.UpdatedAt)
	return a, err
}

// agentBy finds one agent by a column: a.id, or t.id of its trigger.
func agentBy(ctx context.Context, db querier, tenant int64, column, id string) (agent, error) {
	a, err := scanAgent(db.QueryRowContext(ctx, agentColumns+" AND "+column+" = ?", tenant, id).Scan)
	return a, orNotFound(err, "There is no such agent or trigger. GET /api/agent-base lists the agents, GET /api/agent-base/triggers their triggers.")
}

func (s *Sample) listAgents(w http.ResponseWriter, r *http.Request, c call) error {
	p, err := pageOf(r.URL.Query())
	if err != nil {
		return err
	}
	agents, err := pageRows(r.Context(), s.read, p, newest("a.id"), func(rows *sql.Rows) (string, agent, error) {
		a, err := scanAgent(rows.Scan)
		return a.ID, a, err
	}, agentColumns, c.tenant)
	if err != nil {
		return err
	}
	return ok(w, "The agents, newest first.", agents)
}

func (s *Sample) showAgent(w http.ResponseWriter, r *http.Request, c call) error {
	a, err := agentBy(r.Context(), s.read, c.tenant, "a.id", r.PathValue("id"))
	if err != nil {
		return err
	}
	return ok(w, "The agent "+a.Name+".", a)
}

func (s *Sample) installAgent(w http.ResponseWriter, r *http.Request, c call) error {
	n, err := decode[newAgent](w, r, s.limits.JSONBytes)
	if err != nil {
		return err
	}
	if err := n.clean(); err != nil {
		return err
	}
	var a agent
	err = s.change(r.Context(), func(tx *sql.Tx) error {
		a, err = s.addAgent(r.Context(), tx, c, n)
		return err
	})
	if err != nil {
		return err
	}
	return created(w, "/api/agent-base/"+a.ID, "Installed. POST /api/webhook/"+a.Event+" starts it.", a)
}

// addAgent writes an agent down, with its trigger.
func (s *Sample) addAgent(ctx context.Context, tx querier, c call, n newAgent) (agent, error) {
	if n.Event == "" {
		n.Event = slug(n.Name)
	}
	a := agent{ID: s.ids.next(c.now), Name: n.Name, Description: n.Description, Instructions: n.Instructions, TriggerID: s.ids.next(c.now), Event: n.Event, CreatedAt: c.now, UpdatedAt: c.now}
	there, err := count(ctx, tx, "SELECT count(*) FROM agents WHERE tenant = ?", c.tenant)
	if err != nil {
		return a, err
	}
	if there >= int64(s.limits.Agents) {
		return a, limitReached(fmt.Sprintf("There are %d agents, and may be no more. Delete one first.", there))
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO agents (tenant, id, name, description, instructions, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
		c.tenant, a.ID, a.Name, a.Description, a.Instructions, a.CreatedAt, a.UpdatedAt)
	if err != nil {
		return a, orNameTaken(err)
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO triggers (tenant, id, agent, event, created_at) VALUES (?, ?, ?, ?, ?)", c.tenant, a.TriggerID, a.ID, a.Event, a.CreatedAt)
	return a, err
}

func orNameTaken(err error) error {
	if isDuplicate(err) {
		return conflict("There is an agent of that name. Choose another name, or change that one.")
	}
	return err
}

// updateAgent puts new words in the place of all the old ones. An event that is left out stays, so that senders
// reach the agent under the address they know.
func (s *Sample) updateAgent(w http.ResponseWriter, r *http.Request, c call) error {
	n, err := decode[newAgent](w, r, s.limits.JSONBytes)
	if err != nil {
		return err
	}
	if err := n.clean(); err != nil {
		return err
	}
	ctx, id := r.Context(), r.PathValue("id")
	var a agent
	err = s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE agents SET name = ?, description = ?, instructions = ?, updated_at = ? WHERE tenant = ? AND id = ?",
			n.Name, n.Description, n.Instructions, c.now, c.tenant, id)
		if err != nil {
			return orNameTaken(err)
		}
		_, err = tx.ExecContext(ctx, "UPDATE triggers SET event = ? WHERE tenant = ? AND agent = ? AND ? <> ''", n.Event, c.tenant, id, n.Event)
		if err != nil {
			return err
		}
		a, err = agentBy(ctx, tx, c.tenant, "a.id", id)
		return err
	})
	if err != nil {
		return err
	}
	return ok(w, "Changed.", a)
}

func (s *Sample) deleteAgent(w http.ResponseWriter, r *http.Request, c call) error {
	id := r.PathValue("id")
	err := s.change(r.Context(), func(tx *sql.Tx) error {
		return one(tx.ExecContext(r.Context(), "DELETE FROM agents WHERE tenant = ? AND id = ?", c.tenant, id))
	})
	if err != nil {
		return orNotFound(err, "There is no such agent. GET /api/agent-base lists them.")
	}
	return ok(w, "Deleted, with its trigger and its executions.", deleted{id})
}
