package handlers

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
)

var credentialColumns = []string{"id", "kind", "name", "prefix", "last_four", "status", "owner_id", "owner", "workspace_id", "workspace", "product", "collection", "scopes",
	"created_at", "created_by", "expires_at", "revoked_at", "revoked_by", "revoke_reason", "replaced_by", "calls", "refused", "refused_after_end", "last_used_at", "last_address",
	"owner_deactivated"} // yes, whatever the status: it is refused as long as that lasts

// CredentialsCSV is the list of all credentials as a table for spreadsheets: all that the address asks for, whatever page it was asked
// from. As with the audit log, half a file must not look like a whole one.
func (h *Handlers) CredentialsCSV(c echo.Context) error {
	return h.download(c, func(answer *steadyWriter) error { return h.sendCredentials(c, answer) })
}

func (h *Handlers) sendCredentials(c echo.Context, answer *steadyWriter) error {
	ctx, who := c.Request().Context(), actor(c)
	asked, err := h.askedCredentials(c)
	if err != nil {
		return err
	}
	if asked.nothing {
		return models.Fail(models.Ambiguous, "What the filter asks for is not clear. Go back to the list and choose there.")
	}
	answer.found("", "", false)
	f := asked.filter
	f.After, f.Limit = models.CredentialPlace{}, exportBatch
	found, err := h.Store.AllCredentials(ctx, who, f)
	if err != nil {
		return err
	}
	attach(c, fmt.Sprintf("credentials-%s.csv", h.Clock().Format(time.DateOnly)), asCSV.kind)
	answer.WriteHeader(http.StatusOK)
	if c.Request().Method == http.MethodHead {
		return nil
	}
	out := bufio.NewWriterSize(answer, 64<<10)
	err = h.writeCredentials(c, f, found, out)
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		h.Log.LogAttrs(c.Request().Context(), slog.LevelWarn, "an export was cut off", slog.String("request_id", RequestID(c)), slog.Any("error", err))
		panic(http.ErrAbortHandler)
	}
	return nil
}

// writeCredentials writes credentials and all that follow them, as long as the reader still may.
func (h *Handlers) writeCredentials(c echo.Context, f models.CredentialFilter, found models.CredentialsFound, w io.Writer) (err error) {
	ctx, who := c.Request().Context(), actor(c)
	table := csv.NewWriter(w)
	if err := table.Write(credentialColumns); err != nil {
		return err
	}
	for {
		for _, k := range found.Rows {
			row := credentialCells(k, h.Clock())
			for i := range row {
				row[i] = cell(row[i])
			}
			if err := table.Write(row); err != nil {
				return err
			}
		}
		if f.After = found.Next; found.Next.ID == "" {
			table.Flush()
			return table.Error()
		}
		if found, err = h.Store.AllCredentials(ctx, who, f); err != nil {
			return err
		}
		if err := h.Store.StillMay(ctx, who); err != nil {
			return err
		}
	}
}

func credentialCells(k models.CredentialRow, now time.Time) []string {
	at := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	return []string{k.ID, string(k.Kind), k.Name, k.Prefix, k.Last4, string(k.State(now)), k.PersonID, k.PersonName, k.WorkspaceID, k.Workspace, k.Product, k.Collection, k.Scopes.String(),
		at(&k.CreatedAt), k.CreatedByName, at(k.ExpiresAt), at(k.RevokedAt), k.RevokedByName, k.RevokeReason, k.ReplacedBy, number(k.Usage.Calls), number(k.Usage.Refused), number(k.Usage.Late),
		at(k.Usage.LastUsedAt), k.Usage.LastAddress, map[bool]string{true: "yes"}[k.Idle]}
}
