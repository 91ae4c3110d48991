package seed

import (
	"strconv"
	"time"

	"tokendesk/models"
)

// refuseSignIn tells of wrong passwords, a few together: of somebody's, or for an address that nobody has.
func (p *play) refuseSignIn() bool {
	who := models.Actor{Kind: models.Guest, Address: p.address(p.dice.IntN(len(p.people)))}
	event, reason := models.Event{Action: models.SignInRefused, SubjectKind: models.OfInstallation}, "unknown_account"
	if i := p.dice.IntN(len(p.people)); i%2 == 0 {
		event, reason = ofPersonEvent(models.SignInRefused, p.people[i]), "wrong_password"
	}
	return p.refuse(who, event, reason, "")
}

// refuseInstall tells of calls without a token, or with one that may not install.
func (p *play) refuseInstall() bool {
	i, _ := p.somebody()
	who, reason := models.Actor{Kind: models.Guest, Address: p.address(i)}, "credential_missing"
	if token := p.tokens[i]; token != nil && i > lastAdmin {
		reason = "admin_required"
		who.Kind, who.ID, who.Name, who.CredentialID = models.Program, p.people[i].ID, p.people[i].Name, token.ID
	}
	return p.refuse(who, models.Event{Action: models.InstallRefused}, reason, "")
}

// deny tells of a Member who opened a page for Admins.
func (p *play) deny() bool {
	i, ok := p.somebody()
	if !ok {
		return false
	}
	return p.refuse(p.human(i), models.Event{Action: models.AccessDenied}, "forbidden", "GET /people")
}

// refuse writes down what was refused as the store does: one attempt alone, or many together.
func (p *play) refuse(who models.Actor, event models.Event, reason, asked string) bool {
	times := 1 + early(p.dice.Uint64(), 40)
	changes := []models.Change{{Field: "reason", After: reason}, {Field: "times", After: strconv.Itoa(times)}}
	if asked != "" {
		changes = append(changes, models.Change{Field: "asked for", After: asked})
	}
	if times > 1 {
		first := p.at.Add(-time.Minute)
		changes = append(changes, models.Change{Field: "first", After: first.Format(time.RFC3339)},
			models.Change{Field: "last", After: p.at.Format(time.RFC3339)}, models.Change{Field: "addresses", After: "1"})
	}
	return p.record(who, event, changes...)
}
