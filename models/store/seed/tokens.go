package seed

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// rotate gives the robot its next token.
func (p *play) rotate() bool { return p.replace(robot, robot) }

// issue gives somebody a token, their first or their next.
func (p *play) issue() bool {
	owner, ok := p.somebody()
	if !ok {
		owner = ines
	}
	return p.replace(p.adminNumber(), owner)
}

// replace makes a bearer token as the store does: the one before ends at the same moment.
func (p *play) replace(maker, owner int) bool {
	made, by, to := p.mint(owner), p.human(maker), p.people[owner]
	made.CreatedBy = by.ID
	changes := []models.Change{{Field: "token", After: made.Prefix + "..."}, {Field: "expires", After: made.ExpiresAt.Format(time.RFC3339)}}
	if before := p.tokens[owner]; before != nil {
		changes = append(changes, models.Change{Field: "replaces", Before: before.Prefix + "...", After: before.ID})
		before.RevokedAt, before.RevokedBy, before.ReplacedBy = &made.CreatedAt, by.ID, made.ID
		p.end(owner)
	}
	p.tokens[owner] = &made
	return p.record(by, ofTokenEvent(models.CredentialCreated, made, to), changes...)
}

// revoke ends somebody's token, one time in ten the robot's.
func (p *play) revoke() bool {
	owner, ok := p.dice.IntN(len(p.people)), p.dice.IntN(10) == 0
	if ok {
		owner = robot
	}
	token := p.tokens[owner]
	if token == nil || owner != robot && owner <= lastAdmin {
		return false
	}
	draw, at := p.dice.Uint64(), p.at
	by := p.admin()
	if draw%50 == 0 {
		by = models.Actor{Kind: models.Command, Name: "root"}
	}
	token.RevokedAt, token.RevokedBy, token.RevokeReason = &at, by.ID, reasons[draw>>32%uint64(len(reasons))]
	ended := *token
	p.end(owner)
	return p.record(by, ofTokenEvent(models.CredentialRevoked, ended, p.people[owner]),
		models.Change{Field: "token", After: ended.Prefix + "..."}, models.Change{Field: "reason", After: ended.RevokeReason})
}

// end tells the last state of a person's token, which has none from now on.
func (p *play) end(owner int) {
	p.told(*p.tokens[owner])
	p.tokens[owner] = nil
}

// told hands on the last state of a credential.
func (p *play) told(c models.Credential) {
	if p.ended != nil && !p.satisfied {
		p.satisfied = !p.ended(c)
	}
}

// mint makes a bearer token.
func (p *play) mint(owner int) models.Credential {
	p.minted++
	expires := models.BearerTokenLife(p.at)
	c := models.Credential{
		ID: p.id(ofTokenID, p.minted), Kind: models.Bearer, Name: "Bearer token", NameKey: "bearer token",
		PersonID: p.people[owner].ID, Enabled: true, CreatedAt: p.at, ExpiresAt: &expires,
	}
	p.endow(&c, models.Bearer.Prefix())
	return c
}

// endow gives a credential a secret that nobody keeps. It has the form of a real one, hash and all.
func (p *play) endow(c *models.Credential, prefix string) {
	if !p.secrets {
		return
	}
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], p.mix(ofToken, p.minted))
	text, err := secret.Mint(prefix, rand.NewChaCha8(seed))
	if err != nil { // its randomness cannot end
		panic(err)
	}
	hash, hint := text.Hash(), text.Hint()
	c.Prefix, c.Last4, c.Hash = hint.Prefix, hint.Last4, hash[:]
}

func ofTokenEvent(action models.Action, c models.Credential, owner models.Person) models.Event {
	return models.Event{Action: action, SubjectKind: models.OfCredential, SubjectID: c.ID, SubjectName: owner.Name, PersonID: owner.ID}
}
