package e2e

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// Who presses Revoke reads which servers refuse the token by then, and how long that took: of all of them, and where one does not answer, of that one by its
// name. The Replicas page shows the one that is silent and what is wrong with it.
func TestReplicasAndReceipts(t *testing.T) {
	inConsole(t, func(t *testing.T, s webtest.Site, b *Tab) {
		webtest.Start(t, s.World, webtest.Over(s.World.Open(t))) // a second server
		first, _ := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "Night batch", Expiration: models.NoExpiration})
		second, _ := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "Search box", Expiration: models.NoExpiration})
		b.In("nav[aria-label=Main]").Click("Replicas")
		if b.Count("tr[data-replica]") != 2 || !b.Has("this server") || b.Has("Silent") || b.Count(".note-warn") != 0 {
			t.Errorf("with two servers the page says %s", b.Text("main"))
		}
		wantReceipt(t, b, first.ID, `^Night batch is revoked\. .*Refused by all 2 replicas \([0-9]+ ms\)\.$`)

		leave := hang(t, s.World, "gw-b")
		b.In("nav[aria-label=Main]").Click("Replicas")
		const row = `tr[data-replica="gw-b"]`
		if !b.Has("gw-b is not told of changes by the database") || !b.In(row).Has("Silent") || !b.In(row).Has("60 s ago") ||
			b.Count("tr[data-replica]") != 3 || b.Count(".note-warn") != 1 || strings.Count(b.Text("main"), "Silent") != 1 {
			t.Errorf("with a server that hangs the page says %s", b.Text("main"))
		}
		wantReceipt(t, b, second.ID, `^Search box is revoked\. .*2 replicas confirmed; gw-b did not answer, and its permission to answer from memory has ended, so it cannot go by what was before \([0-9]{4,} ms\)\.$`)

		leave()
		b.In("nav[aria-label=Main]").Click("Replicas")
		if b.Count(row) != 0 || b.Count("tr[data-replica]") != 2 {
			t.Errorf("when it has left the page says %s", b.Text("main"))
		}
	})
}

// hang puts a server on the list that still moves there, so that nobody takes it off, but puts no change into effect, and was last seen a minute ago:
// its own clock is that slow. It asks for changes, because nobody tells it of any.
func hang(t *testing.T, w storetest.World, name string) (leave func()) {
	t.Helper()
	slow := w.OpenWith(t, func(set *store.Settings) { set.Clock = func() time.Time { return w.Clock.Now().Add(-time.Minute) } })
	r := models.Replica{ID: models.NewID(), Name: name, Version: "test", StartedAt: w.Clock.Now(), Notice: models.NoticePolling}
	if _, err := slow.RegisterReplica(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	ended, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
				if _, err := slow.RenewLease(context.WithoutCancel(t.Context()), r); err != nil {
					t.Error(err)
				}
			}
		}
	}()
	leave = sync.OnceFunc(func() {
		close(ended)
		<-gone
		if err := slow.RemoveReplica(context.WithoutCancel(t.Context()), r.ID, 0); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(leave)
	return leave
}

// wantReceipt revokes an API token on its card, and insists on what is said then.
func wantReceipt(t *testing.T, b *Tab, id, says string) {
	t.Helper()
	b.Go(tokensTab)
	b.In(`article[data-token-id="` + id + `"]`).Click("Revoke")
	b.Click("Revoke token")
	if said := b.Text(".note-ok"); !regexp.MustCompile(says).MatchString(said) {
		t.Errorf("it says %q, want %s", said, says)
	}
}
