package store

import (
	"context"
	"strings"
	"time"

	"gorm.io/gorm"

	"tokendesk/models"
)

// listed is an API token with what it is sorted by.
type listed struct {
	models.Credential
	Calls     int64
	IdleSince time.Time
	Part      int `gorm:"-"` // of the order
}

// APITokens lists a workspace's API tokens, a page at a time. Each order runs along an index. Where a filter lets only some
// through, as many are looked through for a page as the store reaches, and the page says where it goes on.
func (s *Store) APITokens(ctx context.Context, who models.Actor, workspace string, f models.TokenFilter) (models.TokensFound, error) {
	var found models.TokensFound
	w, err := s.Workspace(ctx, who, workspace)
	if err != nil {
		return found, err
	}
	if err := allow(who.MayManageTokens(w.Role), onlyOwnersTokens); err != nil {
		return found, err
	}
	if !searchable(models.Fold(f.Query)) {
		return found, nil
	}
	var rows []listed
	err = s.planned(ctx, func(tx *gorm.DB) error {
		rows, found, err = s.tokenPage(tx, w.ID, f)
		return err
	})
	if err != nil {
		return found, err
	}
	list := make([]models.Credential, len(rows))
	for i, row := range rows {
		list[i] = row.Credential
	}
	found.Tokens, err = s.seeCredentials(ctx, list)
	return found, err
}

// tokenPage gathers a page from the parts of an order, one after the other.
func (s *Store) tokenPage(tx *gorm.DB, workspaceID string, f models.TokenFilter) (rows []listed, found models.TokensFound, err error) {
	for at := f.After; at.Part < parts(f.Sort); at = (models.TokenPlace{Part: at.Part + 1}) {
		f.After = at
		some, further, err := s.tokenPart(tx, workspaceID, f, models.PageSize+1-len(rows))
		if err != nil {
			return nil, found, translate(err)
		}
		if rows = append(rows, some...); len(rows) > models.PageSize {
			rows = rows[:models.PageSize]
			found.Next = placeOf(rows[models.PageSize-1], f.Sort)
			return rows, found, nil
		}
		if further != nil {
			found.Next = placeOf(*further, f.Sort)
			if len(rows) < models.PageSize {
				found.Looked = s.reach
			}
			return rows, found, nil
		}
	}
	return rows, found, nil
}

// tokenPart reads so many tokens of a part of an order. Where not all of the part was looked through, further is the last
// one that was.
func (s *Store) tokenPart(tx *gorm.DB, workspaceID string, f models.TokenFilter, most int) (rows []listed, further *listed, err error) {
	var last []listed
	if f.Status == "" && f.Query == "" { // none is passed over
		err = s.tokensAfter(tx, workspaceID, f).Limit(most).Find(&rows).Error
	} else {
		err = s.letThrough(fresh(tx).Table("(?) AS listed", s.tokensAfter(tx, workspaceID, f).Limit(s.reach)), f).Order(asListed(f)).Limit(most).Find(&rows).Error
		if err == nil && len(rows) < most {
			err = s.tokensAfter(tx, workspaceID, f).Offset(s.reach - 1).Limit(1).Find(&last).Error
		}
	}
	for i := range rows {
		rows[i].Part = f.After.Part
	}
	for i := range last {
		last[i].Part = f.After.Part
		further = &last[i]
	}
	return rows, further, err
}

// tokensAfter are a workspace's API tokens in an order, from a place in it on.
func (s *Store) tokensAfter(tx *gorm.DB, workspaceID string, f models.TokenFilter) *gorm.DB {
	at := f.After
	switch f.Sort {
	case models.MostUsed:
		q := byUse(tx, workspaceID)
		if at.ID != "" {
			q = q.Where("(usages.calls, usages.credential_id) < (?, ?)", at.Calls, at.ID)
		}
		return q.Order("usages.calls DESC, usages.credential_id DESC")
	case models.Unused:
		q := byUse(tx, workspaceID)
		if at.ID != "" {
			q = q.Where("(usages.idle_since, usages.credential_id) > (?, ?)", at.At, at.ID)
		}
		return q.Order("usages.idle_since, usages.credential_id")
	case models.ExpiringFirst:
		return s.byExpiry(tx, workspaceID, at)
	}
	return newestFirst(byItself(tx, workspaceID), at)
}

func byUse(tx *gorm.DB, workspaceID string) *gorm.DB {
	return fresh(tx).Table("usages").Select("credentials.*, usages.calls, usages.idle_since").
		Joins("JOIN credentials ON credentials.id = usages.credential_id").
		Where("usages.workspace_id = ? AND credentials.kind = ?", workspaceID, models.APIToken)
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
		return "calls DESC, id DESC"
	case models.Unused:
		return "idle_since, id"
	case models.ExpiringFirst:
		return expiryOrder(f.After.Part)
	}
	return "id DESC"
}

func placeOf(row listed, sort models.TokenSort) models.TokenPlace {
	at := models.TokenPlace{ID: row.ID, Part: row.Part}
	switch {
	case sort == models.MostUsed:
		at.Calls = row.Calls
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

// APIToken finds one of a workspace's, as its page shows it.
func (s *Store) APIToken(ctx context.Context, who models.Actor, workspace, id string) (models.CredentialSeen, error) {
	w, err := s.Workspace(ctx, who, workspace)
	if err != nil {
		return models.CredentialSeen{}, err
	}
	if err := allow(who.MayManageTokens(w.Role), onlyOwnersTokens); err != nil {
		return models.CredentialSeen{}, err
	}
	c, err := tokenOf(s.db.WithContext(ctx), w.ID, id)
	if err != nil {
		return models.CredentialSeen{}, err
	}
	seen, err := s.seeCredentials(ctx, []models.Credential{c})
	if err != nil {
		return models.CredentialSeen{}, err
	}
	return seen[0], nil
}

// CountAPITokens counts a workspace's API tokens, up to models.CountCap and one more.
func (s *Store) CountAPITokens(ctx context.Context, workspaceID string) (int, error) {
	db := s.db.WithContext(ctx)
	n, err := countUpTo(db, byItself(db, workspaceID).Select("id"), models.CountCap+1)
	return int(n), translate(err)
}

// UsageDays are the days on which an API token of a workspace was used, from a moment's day (UTC) on, the oldest first.
func (s *Store) UsageDays(ctx context.Context, who models.Actor, workspaceID, id string, from time.Time) ([]models.UsageDay, error) {
	if _, err := s.APIToken(ctx, who, workspaceID, id); err != nil {
		return nil, err
	}
	var days []models.UsageDay
	err := s.db.WithContext(ctx).Where("credential_id = ? AND day >= ?", id, from.UTC().Format(time.DateOnly)).Order("day").Find(&days).Error
	return days, translate(err)
}
