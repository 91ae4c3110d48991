package store

import (
	"cmp"
	"slices"
	"strings"

	"gorm.io/gorm"

	"tokendesk/models"
)

func byUse(sort models.TokenSort) bool { return sort == models.MostUsed || sort == models.Unused }

// tokensAfter are a workspace's API tokens in an order, from a place in it on.
func (s *Store) tokensAfter(tx *gorm.DB, workspaceID string, f models.TokenFilter) *gorm.DB {
	if byUse(f.Sort) {
		return withTokens(usedAfter(tx, workspaceID, f))
	}
	return s.itselfAfter(tx, workspaceID, f)
}

// keysAfter are the same, but only what they are sorted by, which is in the index.
func (s *Store) keysAfter(tx *gorm.DB, workspaceID string, f models.TokenFilter) *gorm.DB {
	if byUse(f.Sort) {
		return usedAfter(tx, workspaceID, f).Select("credential_id, credential_id AS id, ranked, idle_since")
	}
	return s.itselfAfter(tx, workspaceID, f).Select("id, expires_at")
}

// withTokens adds the tokens to usages: only API tokens have a workspace there. To ask for the kind would have SQLite begin with all of that kind.
func withTokens(usages *gorm.DB) *gorm.DB {
	return usages.Select("credentials.*, usages.ranked, usages.idle_since").Joins("JOIN credentials ON credentials.id = usages.credential_id")
}

func usedAfter(tx *gorm.DB, workspaceID string, f models.TokenFilter) *gorm.DB {
	q, at := fresh(tx).Table("usages").Where("usages.workspace_id = ?", workspaceID), f.After
	switch {
	case f.Sort == models.MostUsed && at.ID != "":
		q = q.Where("(usages.ranked, usages.credential_id) < (?, ?)", at.Calls, at.ID)
	case at.ID != "":
		q = q.Where("(usages.idle_since, usages.credential_id) > (?, ?)", at.At, at.ID)
	}
	if f.Sort == models.MostUsed {
		return q.Order("usages.ranked DESC, usages.credential_id DESC")
	}
	return q.Order("usages.idle_since, usages.credential_id")
}

func (s *Store) itselfAfter(tx *gorm.DB, workspaceID string, f models.TokenFilter) *gorm.DB {
	if f.Sort == models.ExpiringFirst {
		return s.byExpiry(tx, workspaceID, f.After)
	}
	return newestFirst(byItself(tx, workspaceID), f.After)
}

func byItself(tx *gorm.DB, workspaceID string) *gorm.DB {
	return fresh(tx).Table("credentials").Select("credentials.*").Where("workspace_id = ? AND kind = ?", workspaceID, models.APIToken)
}

func newestFirst(q *gorm.DB, at models.TokenPlace) *gorm.DB {
	if at.ID != "" {
		q = q.Where("id < ?", at.ID)
	}
	return q.Order("id DESC")
}

// The parts of the order by expiry.
const (
	willExpire   = iota // the soonest first
	neverExpires        // the newest first
	hasExpired          // the latest first
	wasRevoked          // the newest first
	partsByExpiry
)

func parts(sort models.TokenSort) int {
	if sort == models.ExpiringFirst {
		return partsByExpiry
	}
	return 1
}

func (s *Store) byExpiry(tx *gorm.DB, workspaceID string, at models.TokenPlace) *gorm.DB {
	q, now := byItself(tx, workspaceID), s.now()
	switch at.Part {
	case willExpire:
		q = q.Where("revoked_at IS NULL AND expires_at > ?", now)
		if at.ID != "" {
			q = q.Where("(expires_at, id) > (?, ?)", at.At, at.ID)
		}
	case neverExpires:
		q = q.Where("revoked_at IS NULL AND expires_at IS NULL")
		if at.ID != "" {
			q = q.Where("id < ?", at.ID)
		}
	case hasExpired:
		q = q.Where("revoked_at IS NULL AND expires_at <= ?", now)
		if at.ID != "" {
			q = q.Where("(expires_at, id) < (?, ?)", at.At, at.ID)
		}
	default:
		return newestFirst(q.Where("revoked_at IS NOT NULL"), at)
	}
	return q.Order(expiryOrder(at.Part))
}

// expiryOrder is the order of a part by expiry. Where nothing expires, that is the order of the index too.
func expiryOrder(part int) string {
	switch part {
	case willExpire:
		return "expires_at, id"
	case wasRevoked:
		return "id DESC"
	}
	return "expires_at DESC, id DESC"
}

// asListed is the order of a part, for what was taken from it: a database keeps none by itself.
func asListed(f models.TokenFilter) string {
	switch f.Sort {
	case models.MostUsed:
		return "ranked DESC, credential_id DESC"
	case models.Unused:
		return "idle_since, credential_id"
	case models.ExpiringFirst:
		return expiryOrder(f.After.Part)
	}
	return "id DESC"
}

// sortPage puts what one page shows of an order by use into exactly that order, by the numbers that it shows: what the index goes by follows them from
// afar. From one page to the next, what differs by less than a thousandth of the calls, or by less than an hour, may be the other way round.
func sortPage(list []models.CredentialSeen, sort models.TokenSort) {
	switch sort {
	case models.MostUsed:
		slices.SortStableFunc(list, func(a, b models.CredentialSeen) int {
			return cmp.Or(cmp.Compare(b.Usage.Calls, a.Usage.Calls), cmp.Compare(b.ID, a.ID))
		})
	case models.Unused:
		slices.SortStableFunc(list, func(a, b models.CredentialSeen) int {
			return cmp.Or(idleSince(a.Usage).Compare(idleSince(b.Usage)), cmp.Compare(a.ID, b.ID))
		})
	}
}

func placeOf(row listed, sort models.TokenSort) models.TokenPlace {
	at := models.TokenPlace{ID: row.ID, Part: row.Part}
	switch {
	case sort == models.MostUsed:
		at.Calls = row.Ranked
	case sort == models.Unused:
		at.At = row.IdleSince
	case sort == models.ExpiringFirst && (row.Part == willExpire || row.Part == hasExpired):
		at.At = *row.ExpiresAt
	}
	return at
}

// letThrough is what of a list a filter shows.
func (s *Store) letThrough(q *gorm.DB, f models.TokenFilter) *gorm.DB {
	now := s.now()
	switch f.Status {
	case models.Active:
		q = q.Where("revoked_at IS NULL AND enabled AND (expires_at IS NULL OR expires_at > ?)", now)
	case models.Inactive:
		q = q.Where("revoked_at IS NULL AND NOT enabled AND (expires_at IS NULL OR expires_at > ?)", now)
	case models.Expired:
		q = q.Where("revoked_at IS NULL AND expires_at <= ?", now)
	case models.Revoked:
		q = q.Where("revoked_at IS NOT NULL")
	}
	if f.Query == "" {
		return q
	}
	part := "%" + likeEscaper.Replace(models.Fold(f.Query)) + "%"
	if begins := strings.TrimSuffix(f.Query, "..."); beginning.MatchString(begins) {
		return q.Where(`name_key LIKE ? ESCAPE '\' OR (prefix >= ? AND prefix < ?)`, part, begins, beyond(begins))
	}
	return q.Where(`name_key LIKE ? ESCAPE '\'`, part)
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
