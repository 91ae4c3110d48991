package seed

import (
	"fmt"
	"time"

	"tokendesk/models"
)

// apiTokens is how many API tokens there are beside the bearer tokens.
func (s Size) apiTokens() int { return s.Credentials / 4 }

// mostCards is how many API tokens somebody may still do something with; what came before them stays as it is.
const mostCards = 1000

// makeToken makes an API token of a workspace: of one that has none, of the first one every third time, and otherwise of
// any, of an early one more often.
func (p *play) makeToken() bool {
	w, draw := p.supplied, p.dice.Uint64()
	switch {
	case w < len(p.workspaces):
		p.supplied++
	case draw%3 == 0:
		w = 0
	default:
		w = early(draw, len(p.workspaces))
	}
	by := p.admin()
	p.minted++
	c := p.card(p.mix(ofCard, p.minted), w)
	c.CreatedBy = by.ID
	p.endow(&c, prefix)
	p.keep(c)
	expires, access := "never", "every resource"
	if c.ExpiresAt != nil {
		expires = c.ExpiresAt.Format(time.RFC3339)
	}
	if len(c.Scopes) > 0 {
		access = c.Scopes.String()
	}
	return p.record(by, ofCardEvent(models.CredentialCreated, c), models.Change{Field: "token", After: c.Prefix + "..."},
		models.Change{Field: "expires", After: expires}, models.Change{Field: "access", After: access})
}

// prefix is what the API tokens of every product begin with.
const prefix = "prod"

// card is an API token that is made now, as a draw has it: one in four for ever, one in eight narrowed.
func (p *play) card(draw uint64, w int) models.Credential {
	n := int(p.minted)
	name := fmt.Sprintf("%s %s %d", topics[draw%uint64(len(topics))], things[draw>>8%uint64(len(things))], n)
	c := models.Credential{
		ID: p.id(ofTokenID, p.minted), Kind: models.APIToken, Name: name, NameKey: models.Fold(name),
		WorkspaceID: p.workspaces[w].ID, ProductID: p.products[w].ID, Enabled: true, CreatedAt: p.at,
	}
	lives := []models.Expiration{models.NoExpiration, models.ForAMonth, models.ForThree, models.ForAYear}[draw>>16%4]
	if at, ok := lives.Ends(p.at); ok {
		c.ExpiresAt = &at
	}
	if scopes := p.products[w].Resources.Scopes(); draw>>24%8 == 0 {
		c.Scopes = models.Scopes{scopes[draw>>32%uint64(len(scopes))]}
	}
	return c
}

// keep has a card be one of those with which somebody may still do something, in place of another.
func (p *play) keep(c models.Credential) {
	if len(p.cards) < mostCards {
		p.cards = append(p.cards, c)
		return
	}
	at := int(p.minted) % mostCards
	p.told(p.cards[at])
	p.cards[at] = c
}

// changeToken does one of the things that are done with a card.
func (p *play) changeToken() bool {
	if len(p.cards) == 0 {
		return false
	}
	i, what := p.dice.IntN(len(p.cards)), p.dice.IntN(10)
	c, by := &p.cards[i], p.admin()
	switch {
	case what < 3:
		return p.revokeCard(i, by)
	case what < 6:
		return p.regenerate(c, by)
	case what < 8:
		return p.switchCard(c, by)
	}
	before := c.Name
	c.Name = fmt.Sprintf("%s %s, renamed", topics[what], before)
	if len(c.Name) > 60 {
		c.Name = "Renamed often"
	}
	c.NameKey = models.Fold(c.Name)
	return p.record(by, ofCardEvent(models.CredentialRenamed, *c), models.Change{Field: "name", Before: before, After: c.Name})
}

func (p *play) revokeCard(i int, by models.Actor) bool {
	c, at := p.cards[i], p.at
	c.RevokedAt, c.RevokedBy, c.RevokeReason = &at, by.ID, reasons[p.seq%int64(len(reasons))]
	last := len(p.cards) - 1
	p.cards[i] = p.cards[last]
	p.cards = p.cards[:last]
	p.told(c)
	return p.record(by, ofCardEvent(models.CredentialRevoked, c), models.Change{Field: "token", After: c.Prefix + "..."}, models.Change{Field: "reason", After: c.RevokeReason})
}

// regenerate gives a card another secret, and where it has expired another year.
func (p *play) regenerate(c *models.Credential, by models.Actor) bool {
	before := models.Secret{Hash: c.Hash, CredentialID: c.ID, Prefix: c.Prefix, Last4: c.Last4, ReplacedAt: p.at, ReplacedBy: by.ID}
	if p.replaced != nil && !p.satisfied {
		p.satisfied = !p.replaced(before)
	}
	p.minted++
	p.endow(c, prefix)
	changes := []models.Change{{Field: "token", Before: before.Prefix + "... ending in " + before.Last4, After: c.Prefix + "... ending in " + c.Last4}}
	if c.State(p.at) == models.Expired {
		at, _ := models.ForAYear.Ends(p.at)
		changes = append(changes, models.Change{Field: "expires", Before: c.ExpiresAt.Format(time.RFC3339), After: at.Format(time.RFC3339)})
		c.ExpiresAt = &at
	}
	return p.record(by, ofCardEvent(models.CredentialRegenerated, *c), changes...)
}

func (p *play) switchCard(c *models.Credential, by models.Actor) bool {
	if c.State(p.at) == models.Expired {
		return false
	}
	action := models.CredentialDeactivated
	if c.Enabled = !c.Enabled; c.Enabled {
		action = models.CredentialActivated
	}
	return p.record(by, ofCardEvent(action, *c), models.Change{Field: "token", After: c.Prefix + "..."})
}

func ofCardEvent(action models.Action, c models.Credential) models.Event {
	return models.Event{Action: action, SubjectKind: models.OfCredential, SubjectID: c.ID, SubjectName: c.Name, WorkspaceID: c.WorkspaceID}
}
