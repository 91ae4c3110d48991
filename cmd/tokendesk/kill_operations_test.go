package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"tokendesk/models/secret"
)

// operation is one request that changes something.
type operation struct {
	request  func(ctx context.Context) (*http.Request, error)
	status   int                               // of the answer that says it is done
	settled  func(a answered)                  // keeps account of that answer
	happened func(t *testing.T, now kept) bool // whether it was done without an answer; keeps account of that
}

// attempt sends an operation's request.
func (b browser) attempt(ctx context.Context, o operation) (answered, error) {
	r, err := o.request(ctx)
	if err != nil {
		return answered{}, err
	}
	return b.try(r)
}

// install is the installation of a collection of up to some MiB.
func (v *victim) install(t *testing.T) operation {
	t.Helper()
	p, err := packed(v.random, fmt.Sprintf("tools-%d.zip", v.random.IntN(3)), 4+v.random.IntN(24), 128<<10)
	if err != nil {
		t.Fatal(err)
	}
	return operation{
		request: func(ctx context.Context) (*http.Request, error) { return v.admin.upload(ctx, v.installer, p) },
		status:  http.StatusOK,
		settled: func(answered) { v.installed = append(v.installed, p.sha256) },
		happened: func(_ *testing.T, now kept) bool {
			_, there := now.versions[p.sha256]
			return there
		},
	}
}

// create is the creation of somebody's token.
func (v *victim) create(t *testing.T) operation {
	t.Helper()
	return v.createFor(t, v.anybody())
}

func (v *victim) anybody() string { return v.people[v.random.IntN(len(v.people))] }

// createFor is the creation of a person's token. It replaces the one before.
func (v *victim) createFor(t *testing.T, person string) operation {
	t.Helper()
	page := v.admin.get(t, person+"/bearer-token").want(t, http.StatusOK).body
	formID := pick(t, page, `name="form_id" value="([^"]+)"`)
	return operation{
		request: func(ctx context.Context) (*http.Request, error) {
			return v.admin.form(ctx, person+"/bearer-token", url.Values{"form_id": {formID}})
		},
		status: http.StatusOK,
		settled: func(a answered) {
			v.bury(person)
			v.live[person] = pick(t, a.body, `<output[^>]* id="token"[^>]*>([^<]+)<`)
		},
		happened: func(t *testing.T, _ kept) bool {
			made := count(t, v.db, "SELECT count(*) FROM used_forms WHERE form_id = '"+formID+"'") == 1
			if made {
				v.bury(person) // and nobody has seen the new one
			}
			return made
		},
	}
}

// revoke is the revocation of somebody's token.
func (v *victim) revoke(t *testing.T) operation {
	t.Helper()
	person := v.anybody()
	if v.live[person] == "" {
		v.leaveAlone(t, v.createFor(t, person))
	}
	token := secret.Text(v.live[person])
	return operation{
		request: func(ctx context.Context) (*http.Request, error) {
			return v.admin.form(ctx, person+"/bearer-token/revoke", url.Values{"reason": {"lost laptop"}})
		},
		status:  http.StatusSeeOther,
		settled: func(answered) { v.bury(person) },
		happened: func(_ *testing.T, now kept) bool {
			over := now.credentials[now.byHash[token.Hash().Hex()]].revoked
			if over {
				v.bury(person)
			}
			return over
		},
	}
}

// bury notes that a person's token is over.
func (v *victim) bury(person string) {
	if token := v.live[person]; token != "" {
		v.dead = append(v.dead, token)
		delete(v.live, person)
	}
}
