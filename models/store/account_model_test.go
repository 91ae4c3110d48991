package store_test

import (
	"slices"
	"time"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/secret"
)

// accountModel is what the account API promises, as simply as it can be said: who is who, who signed in, which tokens were given out. It
// knows nothing of the store but people's and workspaces' IDs.
type accountModel struct {
	now      time.Time
	people   map[string]*modelPerson
	joined   map[string]map[string]time.Time // workspace -> member -> since when
	owner    map[string]string               // workspace -> member
	sessions []*modelSession
	tokens   []*modelToken
}

type modelPerson struct {
	away     bool // deactivated
	admin    bool
	password string
}

type modelSession struct {
	id, person, workspace string
	token, refresh        secret.Text   // those that it has now
	replaced, used        []secret.Text // those that it had
	half, idle, ends      time.Time     // when the sign-in token, the refresh token, and all of it end
	over                  bool
}

type modelToken struct {
	id, person, workspace string
	text                  secret.Text
	ends                  *time.Time
	over                  bool
}

func (m *accountModel) member(workspace, person string) bool {
	_, in := m.joined[workspace][person]
	return in
}

// home is where a program of a person begins; empty where there is none.
func (m *accountModel) home(person string) string {
	before := func(a, b string) bool {
		mine, yours := m.owner[a] == person, m.owner[b] == person
		since, than := m.joined[a][person], m.joined[b][person]
		return mine && !yours || mine == yours && (since.Before(than) || since.Equal(than) && a < b)
	}
	first := ""
	for workspace := range m.joined {
		if m.member(workspace, person) && (first == "" || before(workspace, first)) {
			first = workspace
		}
	}
	return first
}

// refreshes says whether a session's refresh token is good.
func (m *accountModel) refreshes(s *modelSession) bool {
	return !s.over && !m.people[s.person].away && m.now.Before(s.idle) && m.now.Before(s.ends)
}

// verdicts are what the gate says now to each sign-in and automation token that was ever given out.
func (m *accountModel) verdicts() map[secret.Text]access.Code {
	all := map[secret.Text]access.Code{}
	for _, s := range m.sessions {
		for _, before := range s.replaced {
			all[before] = access.CredentialUnknown
		}
		all[s.token] = access.CredentialUnknown
		if m.refreshes(s) && m.now.Before(s.half) && m.member(s.workspace, s.person) {
			all[s.token] = access.Allowed
		}
	}
	for _, k := range m.tokens {
		switch {
		case k.over:
			all[k.text] = access.CredentialRevoked
		case m.expired(k):
			all[k.text] = access.CredentialExpired
		default:
			all[k.text] = access.Allowed
		}
	}
	return all
}

func (m *accountModel) expired(k *modelToken) bool { return k.ends != nil && !m.now.Before(*k.ends) }

func (m *accountModel) given(s *modelSession, workspace string, token, refresh secret.Text) {
	if s.token != "" {
		s.replaced, s.used = append(s.replaced, s.token), append(s.used, s.refresh)
	}
	s.workspace, s.token, s.refresh = workspace, token, refresh
	s.half, s.idle = m.now.Add(30*time.Minute).Truncate(time.Second), m.now.Add(30*24*time.Hour)
}

func (m *accountModel) minted(id, person, workspace string, text secret.Text, period models.ExpirationPeriod) {
	k := &modelToken{id: id, person: person, workspace: workspace, text: text}
	if period != "no_exp" {
		hours := map[models.ExpirationPeriod]int{"1h": 1, "3h": 3, "5h": 5, "16h": 16, "24h": 24, "48h": 48, "1w": 168, "2w": 336, "3w": 504}
		ends := m.now.Add(time.Duration(hours[period]) * time.Hour)
		if period == "1mo" {
			if ends = m.now.AddDate(0, 1, 0); ends.Day() != m.now.Day() { // the month has no such day
				ends = ends.AddDate(0, 0, -ends.Day())
			}
		}
		k.ends = &ends
	}
	m.tokens = append(m.tokens, k)
}

func (m *accountModel) endSessions(person string) {
	for _, s := range m.sessions {
		s.over = s.over || s.person == person
	}
}

func (m *accountModel) endTokens(these func(k *modelToken) bool) {
	for _, k := range m.tokens {
		k.over = k.over || these(k) && !m.expired(k)
	}
}

func (m *accountModel) newPassword(person, password string) {
	m.people[person].password = password
	m.endSessions(person)
	m.endTokens(func(k *modelToken) bool { return m.owner[k.workspace] == person })
}

func (m *accountModel) leave(workspace, person string) {
	delete(m.joined[workspace], person)
	m.endTokens(func(k *modelToken) bool { return k.workspace == workspace && k.person == person })
}

func (m *accountModel) deactivate(person string) {
	if m.people[person].away {
		return
	}
	m.people[person].away = true
	m.endSessions(person)
	m.endTokens(func(k *modelToken) bool { return k.person == person })
}

// moments are when something ends next.
func (m *accountModel) moments() (list []time.Time) {
	for _, s := range m.sessions {
		list = append(list, s.half, s.idle, s.ends)
	}
	for _, k := range m.tokens {
		if k.ends != nil {
			list = append(list, *k.ends)
		}
	}
	return slices.DeleteFunc(list, func(at time.Time) bool { return !at.After(m.now) })
}
