package seed

import (
	"time"

	"tokendesk/models"
)

// usageOf is how often a credential was presented: one bearer token in five was at all, and three API tokens in four.
func (p *play) usageOf(c models.Credential) (u models.Usage, used bool) {
	draw := p.mix(ofUsage, uint64(c.CreatedAt.UnixMicro()))
	u = models.Usage{CredentialID: c.ID, WorkspaceID: c.WorkspaceID, IdleSince: c.CreatedAt}
	api := c.Kind == models.APIToken
	if !api && draw%5 != 0 {
		return u, false
	}
	if api && draw%4 == 0 {
		return u, false
	}
	now := p.start.AddDate(2, 0, 0)
	until, most := endOf(c, now), 5000
	last := models.Instant(c.CreatedAt.Add(until.Sub(c.CreatedAt) / 100 * time.Duration(draw>>8%100)))
	if api {
		most = 2_000_000
		if recent := now.Add(-time.Duration(draw>>40%24) * time.Hour); draw>>48%2 == 0 && recent.Before(until) && recent.After(last) {
			last = recent
		}
	}
	u.Calls, u.Refused, u.LastUsedAt, u.LastAddress, u.IdleSince = int64(1+early(draw, most)), int64(draw>>16%3), &last, "192.0.2.10", last
	if u.Used = true; api { // no other is sorted by it
		u.Ranked = u.Calls
	}
	if c.RevokedAt != nil && draw>>24%10 == 0 {
		late := models.Instant(c.RevokedAt.Add(time.Minute))
		u.Late, u.LastLateAt = int64(1+draw>>32%20), &late
	}
	return u, true
}

// endOf is when a credential ended, or now.
func endOf(c models.Credential, now time.Time) time.Time {
	for _, end := range []*time.Time{c.RevokedAt, c.ExpiresAt} {
		if end != nil && end.Before(now) {
			now = *end
		}
	}
	return now
}

// daysOf lays the calls of a credential out on the days up to its last use, two weeks at most; refused ones are of the last
// day, and late ones of their own.
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
	if len(days) > 0 {
		days[0].Refused = u.Refused
	}
	if u.Late == 0 {
		return days
	}
	if late := u.LastLateAt.Format(time.DateOnly); late != days[0].Day {
		return append(days, models.UsageDay{CredentialID: c.ID, Day: late, Refused: u.Late})
	}
	days[0].Refused += u.Late
	return days
}
