package handlers

import (
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/views"
)

// replicaNotices say what is wrong with a replica, and what to do.
var replicaNotices = map[string]string{
	models.NoticePolling: " is not told of changes by the database and asks for them instead: receipts take a little longer, and nothing is less safe. Its connection for listening was lost; or there is a pooler in transaction mode, which takes a listener and tells it nothing.",
}

// Replicas is the servers that answer from memory.
func (h *Handlers) Replicas(c echo.Context) error {
	ctx := c.Request().Context()
	list, err := h.Store.Replicas(ctx)
	if err != nil {
		return err
	}
	last, err := h.Store.LastEvent(ctx)
	if err != nil {
		return err
	}
	doubts, err := h.Store.Doubts(ctx)
	if err != nil {
		return err
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	shown, me, now := views.Replicas{Doubts: doubts, Asks: !h.Gate.Answers()}, h.Replica.Standing(), h.Clock()
	for _, r := range list {
		shown.Rows = append(shown.Rows, h.replicaRow(r, me.ID, last, now))
	}
	return show(c, http.StatusOK, views.ReplicasPage(page, shown))
}

func (h *Handlers) replicaRow(r models.Replica, me string, last int64, now time.Time) views.ReplicaRow {
	row := views.ReplicaRow{
		Name: r.Name, Version: r.Version, This: r.ID == me, Silent: now.Sub(r.SeenAt) > models.LeaseUse, Behind: "Up to date",
		Renewed: ago(now.Sub(r.SeenAt)), Entries: plainly(int(r.Entries), "credential", "credentials"), Since: moment(r.StartedAt, now), Notice: replicaNotices[r.Notice],
	}
	if behind := last - r.AckedSeq; behind > 0 {
		row.Behind = plainly(int(behind), "change", "changes") + " behind"
	}
	return row
}

// ago is how long ago something was that happens every second.
func ago(d time.Duration) string {
	if d < time.Second {
		return "less than 1 s ago"
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + " s ago"
}
