package seed

import (
	"fmt"
	"strings"

	"tokendesk/models"
)

// Who is who, by number: the first Admin, who signs in with the password that was given; a person for a program,
// whose token is replaced all the time; and the last of the Admins.
const (
	ines      = 0
	robot     = 1
	lastAdmin = 9
)

// begin sets the installation up: the first Admin, the first workspace, and the people and tokens without whom
// nothing else can happen.
func (p *play) begin() {
	p.tick()
	p.record(models.Actor{Kind: models.System}, models.Event{Action: models.SetupOffered, SubjectKind: models.OfInstallation})
	p.tick()
	p.add(p.newPerson("Ines Moreau", "ines@marlowe.example", models.Admin))
	p.open("Marlowe Press", ines)
	first := p.people[ines]
	event := ofPersonEvent(models.SetupCompleted, first)
	event.WorkspaceID = p.workspaces[0].ID
	p.record(models.Actor{Kind: models.Guest, Address: p.address(ines)}, event,
		models.Change{Field: "email", After: first.Email}, models.Change{Field: "workspace", After: p.workspaces[0].Name})
	for range lastAdmin {
		p.tick()
		p.join()
	}
	for i := range lastAdmin + 1 {
		p.tick()
		p.replace(i, i)
	}
	p.plan[signsIn].left -= 2
	p.plan[joins].left -= lastAdmin + 1
	p.plan[issues].left -= lastAdmin + 1
}

func (p *play) join() bool {
	i, role := len(p.people), models.Member
	if i <= lastAdmin {
		role = models.Admin
	}
	name, email := p.nameOf(i)
	if i == robot {
		name, email = "Build robot", "build-robot@marlowe.example"
	}
	person := p.newPerson(name, email, role)
	p.add(person)
	joined := ""
	if len(p.workspaces) == 1 {
		joined = p.workspaces[0].Name
	}
	p.record(p.admin(), ofPersonEvent(models.PersonCreated, person),
		models.Change{Field: "name", After: name}, models.Change{Field: "email", After: email},
		models.Change{Field: "role", After: string(role)}, models.Change{Field: "workspace", After: joined})
	for len(p.workspaces) < p.size.Workspaces*(i+1)/p.size.People {
		p.open(workspaceName(len(p.workspaces)), i)
	}
	return true
}

func (p *play) add(person models.Person) {
	p.people = append(p.people, person)
	p.tokens, p.sessions = append(p.tokens, nil), append(p.sessions, "")
}

// changeName gives somebody another family name, once.
func (p *play) changeName() bool {
	i, ok := p.somebody()
	if !ok || strings.Contains(p.people[i].Name, "-") {
		return false
	}
	person := &p.people[i]
	changes := models.PersonEdit{Name: person.Name + "-Moreau", Email: person.Email, Role: person.Role}.Apply(person)
	return p.record(p.admin(), ofPersonEvent(models.PersonChanged, *person), changes...)
}

// leave deactivates somebody; the first two who go are Admins.
func (p *play) leave() bool {
	i := lastAdmin - len(p.gone)
	if len(p.gone) > 1 {
		var ok bool
		if i, ok = p.somebody(); !ok {
			return false
		}
	}
	at := p.at
	p.people[i].DeactivatedAt, p.sessions[i] = &at, ""
	p.gone = append(p.gone, i)
	return p.record(p.admin(), ofPersonEvent(models.PersonDeactivated, p.people[i]))
}

// comeBack activates the one who was deactivated last.
func (p *play) comeBack() bool {
	last := len(p.gone) - 1
	if last < 2 {
		return false
	}
	i := p.gone[last]
	p.gone, p.people[i].DeactivatedAt = p.gone[:last], nil
	return p.record(p.admin(), ofPersonEvent(models.PersonActivated, p.people[i]))
}

func (p *play) changePassword() bool {
	i, ok := p.somebody()
	if !ok {
		return false
	}
	p.people[i].PasswordChangedAt = p.at
	done := p.record(p.human(i), ofPersonEvent(models.PasswordChanged, p.people[i]))
	p.sessions[i] = ""
	return done
}

func (p *play) signOut() bool {
	i, ok := p.somebody()
	if !ok {
		return false
	}
	done := p.record(p.admin(), ofPersonEvent(models.SessionsEnded, p.people[i]))
	p.sessions[i] = ""
	return done
}

func (p *play) signIn() bool {
	i := early(p.dice.Uint64(), len(p.people))
	if !p.people[i].Active() {
		i = ines
	}
	person, at := &p.people[i], p.at
	person.SeenAt, p.sessions[i] = &at, p.id(ofSession, uint64(p.seq))
	who := p.human(i)
	who.SessionID = "" // it begins with this
	return p.record(who, p.ofSessionEvent(models.SessionStarted, i), models.Change{Field: "browser", After: browsers[i%len(browsers)]})
}

func (p *play) confirm() bool {
	i := p.adminNumber()
	return p.record(p.human(i), p.ofSessionEvent(models.SessionConfirmed, i))
}

func (p *play) endSession() bool {
	i, ok := p.somebody()
	if !ok || p.sessions[i] == "" {
		return false
	}
	done := p.record(p.human(i), p.ofSessionEvent(models.SessionEnded, i))
	p.sessions[i] = ""
	return done
}

// somebody is an active person who is no Admin; false where a few draws find none.
func (p *play) somebody() (int, bool) {
	for range 8 {
		i := p.dice.IntN(len(p.people))
		if i > lastAdmin && p.people[i].Active() {
			return i, true
		}
	}
	return 0, false
}

// adminNumber is that of an Admin who stays.
func (p *play) adminNumber() int { return early(p.dice.Uint64(), min(lastAdmin-1, len(p.people))) }

func (p *play) admin() models.Actor { return p.human(p.adminNumber()) }

// human is a person acting in a browser.
func (p *play) human(i int) models.Actor {
	if p.sessions[i] == "" {
		p.sessions[i] = p.id(ofSession, uint64(p.seq))
	}
	person := p.people[i]
	return models.Actor{Kind: models.Human, ID: person.ID, Name: person.Name, SessionID: p.sessions[i], Address: p.address(i)}
}

// address is where a person calls from: the robot always from one place, everybody else from a few.
func (p *play) address(i int) string {
	if i == robot {
		return "192.0.2.10"
	}
	draw := p.mix(ofAddress, uint64(i)*4+uint64(p.seq)%3)
	if draw%5 == 0 {
		return fmt.Sprintf("2001:db8:%x::%x", draw>>48, draw>>40&0xff+1)
	}
	return fmt.Sprintf("10.%d.%d.%d", draw>>56, draw>>48&0xff, draw>>40&0xff)
}

func ofPersonEvent(action models.Action, person models.Person) models.Event {
	return models.Event{Action: action, SubjectKind: models.OfPerson, SubjectID: person.ID, SubjectName: person.Name, PersonID: person.ID}
}

func (p *play) ofSessionEvent(action models.Action, i int) models.Event {
	person := p.people[i]
	return models.Event{Action: action, SubjectKind: models.OfSession, SubjectID: p.sessions[i], SubjectName: person.Name, PersonID: person.ID}
}
