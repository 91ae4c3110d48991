package handlers

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
)

// exportBatch is how many events of an export are in memory at once.
const exportBatch = 1000

// AuditCSV is the log as a table for spreadsheets.
func (h *Handlers) AuditCSV(c echo.Context) error { return h.exportEvents(c, asCSV) }

// AuditJSON is the log as JSON Lines: one object a line.
func (h *Handlers) AuditJSON(c echo.Context) error { return h.exportEvents(c, asJSONLines) }

// format is how events are written to a file.
type format struct {
	ending, kind string
	begin        func(w io.Writer) eventWriter
}

// eventWriter writes events one by one; flush leaves nothing behind.
type eventWriter struct {
	write func(models.Event) error
	flush func() error
}

var (
	asCSV       = format{"csv", "text/csv; charset=utf-8; header=present", newCSV} // RFC 4180, RFC 7111
	asJSONLines = format{"jsonl", "application/jsonl; charset=utf-8", newJSONLines}
)

// exportEvents streams the events that the address asks for, newest first: all of them, whatever page it was
// asked from. The file ends early, and the connection with it, when the reader loses the right on the way
// or the database goes away: half a file must not look like a whole one.
func (h *Handlers) exportEvents(c echo.Context, as format) error {
	return h.download(c, func(answer *steadyWriter) error { return h.sendEvents(c, as, answer) })
}

func (h *Handlers) sendEvents(c echo.Context, as format, answer *steadyWriter) error {
	ctx, who := c.Request().Context(), actor(c)
	var within models.WorkspaceSeen
	if slug := c.Param("workspace"); slug != "" {
		var err error
		if within, err = h.Store.Workspace(ctx, who, slug); err != nil {
			return err
		}
	}
	asked, err := h.askedEvents(c, within)
	if err != nil {
		return err
	}
	if asked.nothing {
		return models.Fail(models.Ambiguous, "What the filter asks for is not clear. Go back to the log and choose there.")
	}
	answer.found(within.ID, "", within.ID != "")
	f := asked.filter
	f.Before, f.Limit = 0, exportBatch
	events, err := h.exportable(ctx, who, f)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("audit-%s.%s", h.Clock().Format(time.DateOnly), as.ending)
	attach(c, name, as.kind)
	answer.WriteHeader(http.StatusOK)
	if c.Request().Method == http.MethodHead {
		return nil
	}
	out := bufio.NewWriterSize(answer, 64<<10)
	err = h.writeEvents(ctx, who, f, events, as.begin(out))
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		h.Log.LogAttrs(c.Request().Context(), slog.LevelWarn, "an export was cut off", slog.String("request_id", RequestID(c)), slog.Any("error", err))
		panic(http.ErrAbortHandler)
	}
	return nil
}

// writeEvents writes events and all that follow them.
func (h *Handlers) writeEvents(ctx context.Context, who models.Actor, f models.EventFilter, events []models.Event, w eventWriter) (err error) {
	for {
		for _, e := range events {
			if err := w.write(e); err != nil {
				return err
			}
		}
		if len(events) < exportBatch {
			return w.flush()
		}
		f.Before = events[len(events)-1].Seq
		if events, err = h.exportable(ctx, who, f); err != nil {
			return err
		}
	}
}

// exportable is the next events of an export, for whoever still may.
func (h *Handlers) exportable(ctx context.Context, who models.Actor, f models.EventFilter) ([]models.Event, error) {
	events, err := h.Store.Events(ctx, who, f)
	if err == nil {
		err = h.Store.StillMay(ctx, who)
	}
	return events, err
}

var csvHeader = []string{"number", "at", "action", "actor_kind", "actor_id", "actor_name", "session_id", "credential_id", "subject_kind", "subject_id", "subject_name",
	"person_id", "workspace_id", "address", "request_id", "changes", "hash"}

func newCSV(w io.Writer) eventWriter {
	table := csv.NewWriter(w)
	header := csvHeader
	return eventWriter{
		write: func(e models.Event) error {
			if header != nil {
				if err := table.Write(header); err != nil {
					return err
				}
				header = nil
			}
			row := []string{strconv.FormatInt(e.Seq, 10), e.At.UTC().Format(time.RFC3339Nano), string(e.Action), string(e.ActorKind), e.ActorID, e.ActorName, e.SessionID, e.CredentialID,
				string(e.SubjectKind), e.SubjectID, e.SubjectName, e.PersonID, e.WorkspaceID, e.Address, e.RequestID, e.Changes, hex.EncodeToString(e.Hash)}
			for i := range row {
				row[i] = cell(row[i])
			}
			return table.Write(row)
		},
		flush: func() error {
			if header != nil { // a table without rows has a heading too
				if err := table.Write(header); err != nil {
					return err
				}
			}
			table.Flush()
			return table.Error()
		},
	}
}

// afterSemicolon is where a cell begins for a spreadsheet that separates by semicolons, as many do in Europe.
var afterSemicolon = regexp.MustCompile(`;(["' ]*[=+\-@\t\r\n\x00＝＋－＠])`)

// cell keeps a spreadsheet from taking what somebody typed for a formula (security rule W7).
func cell(text string) string {
	text = afterSemicolon.ReplaceAllString(text, ";'$1")
	if strings.HasPrefix(text, "'") || strings.IndexAny(text, "=+-@\t\r\n\x00＝＋－＠") == 0 {
		return "'" + text
	}
	return text
}

// exported is an event as a line of JSON.
type exported struct {
	Number      int64           `json:"number"`
	At          time.Time       `json:"at"`
	Action      models.Action   `json:"action"`
	Actor       exportedActor   `json:"actor"`
	Subject     exportedSubject `json:"subject"`
	WorkspaceID string          `json:"workspace_id,omitempty"`
	Address     string          `json:"address,omitempty"`
	RequestID   string          `json:"request_id"`
	Changes     []models.Change `json:"changes"`
	Hash        string          `json:"hash"`
}

type exportedActor struct {
	Kind         models.ActorKind `json:"kind"`
	ID           string           `json:"id,omitempty"`
	Name         string           `json:"name,omitempty"`
	SessionID    string           `json:"session_id,omitempty"`
	CredentialID string           `json:"credential_id,omitempty"`
}

type exportedSubject struct {
	Kind     models.SubjectKind `json:"kind,omitempty"`
	ID       string             `json:"id,omitempty"`
	Name     string             `json:"name,omitempty"`
	PersonID string             `json:"person_id,omitempty"`
}

func newJSONLines(w io.Writer) eventWriter {
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	return eventWriter{
		write: func(e models.Event) error {
			changes := e.ChangeList()
			if changes == nil {
				changes = []models.Change{}
			}
			return lines.Encode(exported{
				Number: e.Seq, At: e.At.UTC(), Action: e.Action,
				Actor:       exportedActor{e.ActorKind, e.ActorID, e.ActorName, e.SessionID, e.CredentialID},
				Subject:     exportedSubject{e.SubjectKind, e.SubjectID, e.SubjectName, e.PersonID},
				WorkspaceID: e.WorkspaceID, Address: e.Address, RequestID: e.RequestID, Changes: changes, Hash: hex.EncodeToString(e.Hash),
			})
		},
		flush: func() error { return nil },
	}
}
