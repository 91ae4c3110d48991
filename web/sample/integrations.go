package sample

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
)

const integrationColumns = "SELECT id, type, name, product, active, config, created_at, updated_at FROM integrations WHERE tenant = ?"

func scanIntegration(scan func(...any) error) (string, integration, error) {
	i := integration{Scope: global}
	var config []byte
	err := scan(&i.ID, &i.Type, &i.Name, &i.ProductID, &i.Active, &config, &i.CreatedAt, &i.UpdatedAt)
	if err == nil {
		err = json.Unmarshal(config, &i.Config)
	}
	if i.ProductID != "" {
		i.Scope = local
	}
	return i.ID, i, err
}

func scanIntegrations(rows *sql.Rows) (string, integration, error) { return scanIntegration(rows.Scan) }

const noIntegration = "There is no such integration. GET /api/integrations-base lists them."

func (s *Sample) listIntegrations(w http.ResponseWriter, r *http.Request, c call) error {
	p, err := pageOf(r.URL.Query())
	if err != nil {
		return err
	}
	integrations, err := pageRows(r.Context(), s.read, p, newest("id"), scanIntegrations, integrationColumns, c.tenant)
	if err != nil {
		return err
	}
	return ok(w, "The integrations, newest first. Of what is in config, the sample keeps the end of each value.", integrations)
}

// activeIntegrations lists what a product has: its own integrations, and the global ones of other types. One that
// is not active counts as if it were not there.
func (s *Sample) activeIntegrations(w http.ResponseWriter, r *http.Request, c call) error {
	p, err := pageOf(r.URL.Query())
	if err != nil {
		return err
	}
	product := r.PathValue("product")
	integrations, err := pageRows(r.Context(), s.read, p, newest("id"), scanIntegrations, integrationColumns+` AND active AND (product = ? OR (product = '' AND type NOT IN
		(SELECT type FROM integrations WHERE tenant = ? AND product = ? AND active)))`, c.tenant, product, c.tenant, product)
	if err != nil {
		return err
	}
	return ok(w, "The integrations that are active for this product: its own, and the global ones of other types.", integrations)
}

func (s *Sample) showIntegration(w http.ResponseWriter, r *http.Request, c call) error {
	_, i, err := scanIntegration(s.read.QueryRowContext(r.Context(), integrationColumns+" AND id = ?", c.tenant, r.PathValue("id")).Scan)
	if err != nil {
		return orNotFound(err, noIntegration)
	}
	return ok(w, "The integration "+i.Name+".", i)
}

func (s *Sample) createIntegration(w http.ResponseWriter, r *http.Request, c call) error {
	n, err := decode[newIntegration](w, r, s.limits.JSONBytes)
	if err == nil {
		err = n.clean()
	}
	if err != nil {
		return err
	}
	i := n.integration(s.ids.next(c.now), c.now, c.now)
	if err := s.change(r.Context(), func(tx *sql.Tx) error { return s.addIntegration(r.Context(), tx, c, i) }); err != nil {
		return err
	}
	return created(w, "/api/integrations-base/"+i.ID, "Created.", i)
}

// addIntegration writes an integration down.
func (s *Sample) addIntegration(ctx context.Context, tx querier, c call, i integration) error {
	there, err := count(ctx, tx, "SELECT count(*) FROM integrations WHERE tenant = ?", c.tenant)
	if err != nil {
		return err
	}
	if there >= int64(s.limits.Integrations) {
		return limitReached(fmt.Sprintf("There are %d integrations, and may be no more. Delete one first.", there))
	}
	config, err := json.Marshal(i.Config)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO integrations (tenant, id, type, name, product, active, config, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		c.tenant, i.ID, i.Type, i.Name, i.ProductID, i.Active, string(config), i.CreatedAt, i.UpdatedAt)
	return orTypeTaken(err)
}

func orTypeTaken(err error) error {
	if isDuplicate(err) {
		return conflict("There is an integration of that type in that scope. Change or delete that one.")
	}
	return err
}

// updateIntegration puts new content in the place of the old one.
func (s *Sample) updateIntegration(w http.ResponseWriter, r *http.Request, c call) error {
	n, err := decode[newIntegration](w, r, s.limits.JSONBytes)
	if err == nil {
		err = n.clean()
	}
	if err != nil {
		return err
	}
	ctx, i := r.Context(), integration{}
	err = s.change(ctx, func(tx *sql.Tx) error {
		_, before, err := scanIntegration(tx.QueryRowContext(ctx, integrationColumns+" AND id = ?", c.tenant, r.PathValue("id")).Scan)
		if err != nil {
			return orNotFound(err, noIntegration)
		}
		i = n.integration(before.ID, before.CreatedAt, c.now)
		config, err := json.Marshal(i.Config)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE integrations SET type = ?, name = ?, product = ?, active = ?, config = ?, updated_at = ? WHERE tenant = ? AND id = ?",
			i.Type, i.Name, i.ProductID, i.Active, string(config), i.UpdatedAt, c.tenant, i.ID)
		return orTypeTaken(err)
	})
	if err != nil {
		return err
	}
	return ok(w, "Changed.", i)
}

func (s *Sample) deleteIntegration(w http.ResponseWriter, r *http.Request, c call) error {
	id := r.PathValue("id")
	err := s.change(r.Context(), func(tx *sql.Tx) error {
		return one(tx.ExecContext(r.Context(), "DELETE FROM integrations WHERE tenant = ? AND id = ?", c.tenant, id))
	})
	if err != nil {
		return orNotFound(err, noIntegration)
	}
	return ok(w, "Deleted.", deleted{id})
}
