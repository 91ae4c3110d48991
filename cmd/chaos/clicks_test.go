//go:build linux

package chaos

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// click changes the token of one place again and again, until the run is over; then it ends it for good.
func (r *run) click(by, slot int, random *rand.Rand) {
	client := &http.Client{Transport: r.client.Transport, Timeout: 12 * time.Second}
	for r.stop.Err() == nil {
		time.Sleep(between(random, 20*time.Millisecond, 1500*time.Millisecond))
		one := r.slots[slot].Load()
		switch n := random.IntN(10); {
		case n < 6:
			if r.change(client, by, one, ":deactivate", refused, random) {
				time.Sleep(between(random, time.Millisecond, 1500*time.Millisecond))
				if r.change(client, by, one, ":activate", allowed, random) {
					continue
				}
			}
			r.next(slot)
		case n < 8:
			r.regenerate(client, by, slot, one, random)
		default:
			r.finish(client, by, one, now(), random)
			r.next(slot)
		}
	}
	r.finish(client, by, r.slots[slot].Load(), now(), random)
}

// change makes one change. Where its outcome is not known, it may still happen at any time; so the token is revoked then, which nothing undoes.
func (r *run) change(client *http.Client, by int, one *token, action string, to kind, random *rand.Rand) bool {
	from, at := now(), random.IntN(len(r.replicas))
	status, text := r.send(client, at, r.clicker(), "/v1/tokens/"+one.id+action, "")
	if status == http.StatusOK || status == http.StatusNoContent {
		until := now()
		one.h.changed(to, from, until, by, at)
		r.clicked(from, until)
		return true
	}
	r.refusal(status, text)
	r.finish(client, by, one, from, random)
	return false
}

// finish revokes a token, however often that has to be asked for.
func (r *run) finish(client *http.Client, by int, one *token, from time.Duration, random *rand.Rand) {
	for {
		at, sent := random.IntN(len(r.replicas)), now()
		status, text := r.send(client, at, r.clicker(), "/v1/tokens/"+one.id+":revoke", `{"reason":"chaos"}`)
		if status == http.StatusOK || status == http.StatusNoContent {
			until := now()
			one.h.changed(refused, from, until, by, at)
			r.clicked(sent, until)
			r.over(one)
			return
		}
		r.refusal(status, text)
		time.Sleep(20 * time.Millisecond)
	}
}

// regenerate gives a token another secret: the one before is over.
func (r *run) regenerate(client *http.Client, by, slot int, one *token, random *rand.Rand) {
	from, at := now(), random.IntN(len(r.replicas))
	status, text := r.send(client, at, r.clicker(), "/v1/tokens/"+one.id+":regenerate", "")
	var made struct{ Token string }
	if status/100 != 2 || json.Unmarshal(text, &made) != nil || made.Token == "" {
		r.refusal(status, text)
		r.finish(client, by, one, from, random)
		r.next(slot)
		return
	}
	until := now()
	one.h.changed(refused, from, until, by, at)
	r.clicked(from, until)
	r.over(one)
	r.use(slot, &token{one.id, made.Token, &history{}})
}

func (r *run) clicker() string { return r.clickers[int(r.turn.Add(1))%len(r.clickers)] }

// refusal counts what a click was told that was not done; what says something that is not so is wrong.
func (r *run) refusal(status int, text []byte) {
	r.note(fmt.Sprintf("click: %d", status))
	switch status {
	case 0, http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusInternalServerError:
	default:
		r.wrong("a click was answered %d %.200s", status, text)
	}
	if status == http.StatusTooManyRequests {
		time.Sleep(time.Second)
	}
}

func (r *run) clicked(from, until time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clicks = append(r.clicks, until-from)
}

// over notes that a secret must be refused for ever.
func (r *run) over(one *token) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = append(r.gone, one.secret)
}

// next has another token take a place. There must be enough of them: a run that only clicks on what is over would find nothing.
func (r *run) next(slot int) {
	one := r.mint()
	if one == nil {
		r.wrong("no token is left for place %d: more have to be made before a run of this length begins", slot)
		return
	}
	r.use(slot, one)
}

func (r *run) use(slot int, one *token) {
	r.mu.Lock()
	r.histories = append(r.histories, one.h)
	r.mu.Unlock()
	r.ended[slot].Store(r.slots[slot].Load())
	r.slots[slot].Store(one)
}
