package store_test

import (
	"slices"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

func (w *walk) signInSomebody(t *testing.T) {
	p, password := one(w.random, w.people), storetest.Password
	if w.chance(90) {
		password = w.model.people[p].password
	}
	var want models.Kind
	switch begins := w.model.home(p); {
	case w.model.people[p].away || password != w.model.people[p].password:
		want = models.Unauthorized
	case begins == "":
		want = models.Forbidden
	}
	seen, tokens, err := w.SignInProgram(t.Context(), guest, models.SignIn{Email: w.emails[p], Password: password})
	w.tell(t, err, want, "person %d signs in", w.who(p))
	if err != nil {
		return
	}
	if seen.Workspace.ID != w.model.home(p) {
		t.Errorf("they begin in workspace %d, and not in %d", w.in(seen.Workspace.ID), w.in(w.model.home(p)))
	}
	given := w.write(t, seen, tokens)
	s := &modelSession{id: seen.Session.ID, person: p, ends: w.model.now.Add(90 * 24 * time.Hour)}
	w.model.given(s, seen.Workspace.ID, given.token, given.refresh)
	w.model.sessions = append(w.model.sessions, s)
}

// session is any session that there ever was, one of the newest more often.
func (w *walk) session() (int, *modelSession) {
	n := len(w.model.sessions)
	if n == 0 {
		return 0, nil
	}
	i := max(w.random.IntN(n), w.random.IntN(n))
	return i, w.model.sessions[i]
}

func (w *walk) refresh(t *testing.T) {
	i, s := w.session()
	if s == nil {
		return
	}
	to, email := "", w.emails[s.person]
	if w.chance(60) {
		to = one(w.random, w.workspaces)
	}
	if w.chance(5) {
		email = "nobody@marlowe.example"
	}
	target := s.workspace
	if to != "" {
		target = to
	}
	var want models.Kind
	switch {
	case !w.model.refreshes(s) || email != w.emails[s.person]:
		want = models.Ambiguous
	case !w.model.member(target, s.person):
		want = models.Forbidden
	}
	seen, tokens, err := w.RenewProgram(t.Context(), guest, s.refresh, models.Renewal{Email: email, WorkspaceID: to})
	w.tell(t, err, want, "session %d is refreshed, for workspace %d", i, w.in(to))
	if err == nil {
		given := w.write(t, seen, tokens)
		w.model.given(s, target, given.token, given.refresh)
	}
}

func (w *walk) presentUsed(t *testing.T) {
	i, s := w.session()
	for range 5 { // rather of one that has not ended
		if s != nil && (len(s.used) == 0 || s.over) {
			i, s = w.session()
		}
	}
	if s == nil || len(s.used) == 0 {
		return
	}
	_, _, err := w.RenewProgram(t.Context(), guest, one(w.random, s.used), models.Renewal{Email: w.emails[s.person]})
	w.tell(t, err, models.Ambiguous, "a used refresh token of session %d is presented", i)
	s.over = true
}

func (w *walk) mintByProgram(t *testing.T) {
	i, s := w.session()
	if s == nil {
		return
	}
	d := w.decide(t, s.token, "")
	if !d.Allowed() {
		return
	}
	period := one(w.random, models.ExpirationPeriods)
	made, text, err := w.CreateAutomationToken(t.Context(), d.Actor("192.0.2.8", ""), s.workspace, models.NewAutomationToken{Period: period}, "")
	w.tell(t, err, "", "session %d makes automation token %d, for %s", i, len(w.model.tokens), period)
	w.model.minted(made.ID, s.person, s.workspace, text, period)
}

func (w *walk) mintInConsole(t *testing.T) {
	p, in := w.place()
	period := one(w.random, models.ExpirationPeriods)
	var want models.Kind
	switch {
	case w.model.people[p].away:
		want = models.Unauthorized
	case !w.model.member(in, p):
		want = models.Forbidden
	}
	made, text, err := w.CreateAutomationToken(t.Context(), w.as(p), in, models.NewAutomationToken{Period: period}, secret.FormID())
	w.tell(t, err, want, "person %d makes automation token %d in workspace %d, for %s", w.who(p), len(w.model.tokens), w.in(in), period)
	if err == nil {
		w.model.minted(made.ID, p, in, text, period)
	}
}

// place is a person and a workspace, mostly one that they are a member of.
func (w *walk) place() (person, workspace string) {
	for {
		p, in := one(w.random, w.people), one(w.random, w.workspaces)
		if w.model.member(in, p) || w.chance(20) {
			return p, in
		}
	}
}

// as is a person in a browser, without what a role of theirs would allow.
func (w *walk) as(p string) models.Actor {
	return models.Actor{Kind: models.Human, ID: p, Role: models.Member}
}

// advance moves the clock on: by some time, or to the very moment at which something ends, or to just before.
func (w *walk) advance(t *testing.T) {
	by := one(w.random, []time.Duration{time.Second, time.Minute, 29 * time.Minute, 31 * time.Minute, 2 * time.Hour, 25 * time.Hour, 8 * 24 * time.Hour})
	if ends := w.model.moments(); len(ends) > 0 && w.chance(50) {
		by = slices.MinFunc(ends, time.Time.Compare).Sub(w.model.now)
		if w.chance(20) {
			by = one(w.random, ends).Sub(w.model.now)
		}
		if by > time.Microsecond && w.chance(50) {
			by -= time.Microsecond
		}
	}
	w.Clock.Advance(by)
	w.model.now = w.model.now.Add(by)
	w.tell(t, nil, "", "%s later", by)
}

func (w *walk) changePassword(t *testing.T) {
	p := one(w.random, w.people)
	current := w.model.people[p].password
	next := map[string]string{storetest.Password: another, another: storetest.Password}[current]
	if w.chance(30) {
		w.tell(t, w.SetPassword(t.Context(), command, p, next), "", "the password of person %d is set", w.who(p))
		w.model.newPassword(p, next)
		return
	}
	want := map[bool]models.Kind{true: models.Invalid, false: ""}[w.model.people[p].away]
	counted, failed := w.CountOwnedAutomation(t.Context(), w.as(p))
	must(t, failed)
	_, _, err := w.ChangePassword(t.Context(), w.as(p), current, next)
	w.tell(t, err, want, "person %d changes the password", w.who(p))
	if err != nil {
		return
	}
	ends := 0
	for _, k := range w.model.tokens {
		if !k.over && !w.model.expired(k) && w.model.owner[k.workspace] == p {
			ends++
		}
	}
	if counted != ends {
		t.Errorf("%d automation tokens were told to end, and %d do", counted, ends)
	}
	w.model.newPassword(p, next)
}

func (w *walk) remove(t *testing.T) {
	p, from := w.place()
	var want models.Kind
	switch {
	case !w.model.member(from, p):
		want = models.NotFound
	case w.model.owner[from] == p:
		want = models.Conflict
	}
	_, err := w.RemoveMember(t.Context(), w.root, from, p)
	w.tell(t, err, want, "person %d is removed from workspace %d", w.who(p), w.in(from))
	if err == nil {
		w.model.leave(from, p)
	}
}

func (w *walk) addBack(t *testing.T) {
	p, to := one(w.random, w.people), one(w.random, w.workspaces)
	want := map[bool]models.Kind{true: models.Invalid, false: ""}[w.model.member(to, p) || w.model.people[p].away]
	_, err := w.AddMember(t.Context(), w.root, to, models.NewMember{Email: w.emails[p], Role: models.WorkspaceMember})
	w.tell(t, err, want, "person %d is added to workspace %d", w.who(p), w.in(to))
	if err == nil {
		w.model.joined[to][p] = w.model.now
	}
}

func (w *walk) deactivateSomebody(t *testing.T) {
	p := one(w.random, w.people)
	_, err := w.DeactivatePerson(t.Context(), w.root, p)
	w.tell(t, err, "", "person %d is deactivated", w.who(p))
	w.model.deactivate(p)
}

func (w *walk) activateSomebody(t *testing.T) {
	p := one(w.random, w.people)
	for _, other := range w.people {
		if w.model.people[other].away {
			p = other
		}
	}
	_, err := w.ActivatePerson(t.Context(), w.root, p)
	w.tell(t, err, "", "person %d is activated", w.who(p))
	w.model.people[p].away = false
}

func (w *walk) handOver(t *testing.T) {
	p, in := w.place()
	var want models.Kind
	switch {
	case !w.model.member(in, p):
		want = models.NotFound
	case w.model.owner[in] != p && w.model.people[p].away:
		want = models.Conflict
	}
	_, err := w.HandOver(t.Context(), w.root, in, p)
	w.tell(t, err, want, "workspace %d is handed to person %d", w.in(in), w.who(p))
	if err == nil {
		w.model.owner[in] = p
	}
}

func (w *walk) revoke(t *testing.T) {
	if len(w.model.tokens) == 0 {
		return
	}
	i := w.random.IntN(len(w.model.tokens))
	_, err := w.RevokeCredential(t.Context(), w.root, w.model.tokens[i].id, models.Revocation{})
	w.tell(t, err, "", "automation token %d is revoked", i)
	w.model.tokens[i].over = true
}

// endOne ends one session, or all of a person's.
func (w *walk) endOne(t *testing.T) {
	i, s := w.session()
	if s == nil {
		return
	}
	if w.chance(50) {
		_, err := w.SignOutEverywhere(t.Context(), w.root, s.person)
		w.tell(t, err, "", "person %d is signed out everywhere", w.who(s.person))
		w.model.endSessions(s.person)
		return
	}
	if !w.model.refreshes(s) { // its row may be there still, or not
		return
	}
	w.tell(t, w.EndSession(t.Context(), w.root, s.id), "", "session %d is ended", i)
	s.over = true
}

// demote takes the role of an Admin, or gives it: who loses it is signed out.
func (w *walk) demote(t *testing.T) {
	p := one(w.random, w.people)
	role := map[bool]models.Role{true: models.Member, false: models.Admin}[w.model.people[p].admin]
	_, err := w.EditPerson(t.Context(), w.root, p, models.PersonEdit{Name: "Person", Email: w.emails[p], Role: role})
	w.tell(t, err, "", "person %d becomes %s", w.who(p), role)
	if role == models.Member {
		w.model.endSessions(p)
	}
	w.model.people[p].admin = role == models.Admin
}

func (w *walk) prune(t *testing.T) {
	w.tell(t, w.Prune(t.Context()), "", "what is over is pruned")
}
