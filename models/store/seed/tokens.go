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
	if p.ended != nil && !p.satisfied {
		p.satisfied = !p.ended(*p.tokens[owner])
	}
	p.tokens[owner] = nil
}

// mint makes a token whose secret nobody keeps. It has the form of a real one, hash and all.
func (p *play) mint(owner int) models.Credential {
	p.minted++
	expires := models.BearerTokenLife(p.at)
	c := models.Credential{
		ID: p.id(ofTokenID, p.minted), Kind: models.Bearer, Name: "Bearer token",
		PersonID: p.people[owner].ID, Enabled: true, CreatedAt: p.at, ExpiresAt: &expires,
	}
	if !p.secrets {
		return c
	}
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], p.mix(ofToken, p.minted))
	text, err := secret.Mint(models.Bearer.Prefix(), rand.NewChaCha8(seed))
	if err != nil { // its randomness cannot end
		panic(err)
	}
	hash, hint := text.Hash(), text.Hint()
	c.Prefix, c.Last4, c.Hash = hint.Prefix, hint.Last4, hash[:]
	return c
}

func ofTokenEvent(action models.Action, c models.Credential, owner models.Person) models.Event {
	return models.Event{Action: action, SubjectKind: models.OfCredential, SubjectID: c.ID, SubjectName: owner.Name, PersonID: owner.ID}
}

// usageOf is how often a token was presented: one in five was at all.
func (p *play) usageOf(c models.Credential) (models.Usage, bool) {
	draw := p.mix(ofUsage, uint64(c.CreatedAt.UnixMicro()))
	if draw%5 != 0 {
		return models.Usage{}, false
	}
	until := p.start.AddDate(2, 0, 0)
	if c.RevokedAt != nil {
		until = *c.RevokedAt
	}
	if until.After(*c.ExpiresAt) {
		until = *c.ExpiresAt
	}
	last := models.Instant(c.CreatedAt.Add(until.Sub(c.CreatedAt) / 100 * time.Duration(draw>>8%100)))
	u := models.Usage{CredentialID: c.ID, Calls: int64(1 + early(draw, 5000)), Refused: int64(draw >> 16 % 3), LastUsedAt: &last, LastAddress: "192.0.2.10"}
	if c.RevokedAt != nil && draw>>24%10 == 0 {
		late := models.Instant(c.RevokedAt.Add(time.Minute))
		u.Late, u.LastLateAt = int64(1+draw>>32%20), &late
	}
	return u, true
}

// daysOf lays the calls of a token out on the days up to its last use, two weeks at most.
func daysOf(c models.Credential, u models.Usage) []models.UsageDay {
	var days []models.UsageDay
	for left, back := u.Calls, 0; left > 0 && back < 14; back++ {
		day := u.LastUsedAt.AddDate(0, 0, -back)
		calls := left/2 + 1
		if back == 13 || day.AddDate(0, 0, -1).Before(c.CreatedAt) {
			calls = left
		}
		left -= calls
		days = append(days, models.UsageDay{CredentialID: c.ID, Day: day.Format(time.DateOnly), Calls: calls})
	}
	return days
}
