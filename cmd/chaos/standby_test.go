//go:build linux

package chaos

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store"
)

// When a standby takes over, each server forgets what it knew, ends what is under way, and is waited for as a new one; and revoked means revoked there.
func TestAStandbyTakesOver(t *testing.T) {
	d := newDesk(t, built(t, ""), 2, 2)
	r := &run{desk: d, client: &http.Client{Timeout: 5 * time.Second}, told: map[string]int{}}
	one, before := d.mint(), map[string]bool{}
	list, err := d.world.Replicas(t.Context())
	if err != nil || len(list) != 2 {
		t.Fatalf("on the list: %+v (%v)", list, err)
	}
	ended := make(chan struct{}, len(d.replicas))
	for i, replica := range d.replicas {
		before[list[i].ID] = true
		q, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, replica.base+"/api/agent-base", nil)
		q.Header.Set("X-Api-Token", one.secret)
		a, err := http.DefaultTransport.RoundTrip(q)
		if err != nil || a.StatusCode != http.StatusOK {
			t.Fatalf("%s: %v, %v", replica.name, a, err)
		}
		defer a.Body.Close()
		go func() {
			for s := bufio.NewScanner(a.Body); s.Scan(); {
			}
			ended <- struct{}{}
		}()
	}

	d.own.Kill(t)
	d.standby.Promote(t)
	for _, replica := range d.replicas {
		if !replica.pooled {
			replica.leads(t, d.second)
		}
	}
	d.pooler.Redirect(t, d.standby)
	for range d.replicas {
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			t.Fatal("a stream goes on")
		}
	}
	world := d.world.OpenWith(t, func(set *store.Settings) { set.URL = d.standby.URL })
	anew := func(list []models.Replica) bool {
		for _, r := range list {
			if before[r.ID] {
				return false
			}
		}
		return len(list) == len(d.replicas)
	}
	for late := now() + 30*time.Second; ; time.Sleep(20 * time.Millisecond) {
		if list, err = world.Replicas(t.Context()); err == nil && anew(list) {
			break
		}
		if now() > late {
			t.Fatalf("on the list of the new database: %+v (%v)", list, err)
		}
	}
	for i, replica := range d.replicas {
		d.awaitReady(i)
		if log, _ := os.ReadFile(replica.log.Name()); !strings.Contains(string(log), "the database has another history") {
			t.Errorf("%s says nothing of it:\n%s", replica.name, replica.tail())
		}
		if code := r.call(i, one); code != http.StatusOK {
			t.Errorf("%s answers %d", replica.name, code)
		}
	}
	status, text := r.send(r.client, 0, d.clickers[0], "/v1/tokens/"+one.id+":revoke", `{"reason":"chaos"}`)
	if status != http.StatusOK || !strings.Contains(string(text), fmt.Sprintf(`"confirmed":%d`, len(d.replicas))) {
		t.Errorf("the click is answered %d %s", status, text)
	}
	for i, replica := range d.replicas {
		if code := r.call(i, one); code != http.StatusUnauthorized {
			t.Errorf("after it %s answers %d", replica.name, code)
		}
	}
}
