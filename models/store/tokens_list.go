package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"tokendesk/models"
)

// listed is an API token with what it is sorted by.
type listed struct {
	models.Credential
	Ranked    int64
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
	sortPage(found.Tokens, f.Sort)
	return found, err
}

// tokenPage gathers a page from the parts of an order, one after the other.
func (s *Store) tokenPage(tx *gorm.DB, workspaceID string, f models.TokenFilter) (rows []listed, found models.TokensFound, err error) {
	room, size := s.reach, f.After.Size()
	for at := f.After; at.Part < parts(f.Sort); at = (models.TokenPlace{Part: at.Part + 1}) {
		f.After = at
		some, looked, err := s.tokenPart(tx, workspaceID, f, size+1-len(rows), room)
		if err != nil {
			return nil, found, translate(err)
		}
		for i := range some {
			some[i].Part = at.Part
		}
		if rows = append(rows, some...); len(rows) > size {
			rows = rows[:size]
			found.Next = placeOf(rows[size-1], f.Sort)
			return rows, found, nil
		}
		if looked == room {
			found.Next, err = s.beyond(tx, workspaceID, f, room)
			if len(rows) < size {
				found.Looked = s.reach
			}
			return rows, found, translate(err)
		}
		room -= looked
	}
	return rows, found, nil
}

// beyond is the place after so many tokens of a part; where there are fewer by now, the next part.
func (s *Store) beyond(tx *gorm.DB, workspaceID string, f models.TokenFilter, looked int) (models.TokenPlace, error) {
	var last []listed
	err := s.keysAfter(tx, workspaceID, f).Offset(looked - 1).Limit(1).Find(&last).Error
	switch {
	case len(last) > 0:
		last[0].Part = f.After.Part
		return placeOf(last[0], f.Sort), nil
	case f.After.Part+1 < parts(f.Sort):
		return models.TokenPlace{Part: f.After.Part + 1}, err
	}
	return models.TokenPlace{}, err
}

// tokenPart reads so many tokens of a part of an order, out of as many as there is room to look through. Where there are fewer, it
// tells how many were looked through.
func (s *Store) tokenPart(tx *gorm.DB, workspaceID string, f models.TokenFilter, most, room int) (rows []listed, looked int, err error) {
	if f.Status == "" && f.Query == "" { // none is passed over
		return rows, 0, s.tokensAfter(tx, workspaceID, f).Limit(most).Find(&rows).Error
	}
	q := fresh(tx).Table("(?) AS listed", s.tokensAfter(tx, workspaceID, f).Limit(room))
	if byUse(f.Sort) {
		q = fresh(tx).Table("(?) AS listed", s.keysAfter(tx, workspaceID, f).Limit(room)).Select("credentials.*, listed.ranked, listed.idle_since").
			Joins("JOIN credentials ON credentials.id = listed.credential_id")
	}
	if err := s.letThrough(q, f).Order(asListed(f)).Limit(most).Find(&rows).Error; err != nil || len(rows) == most {
		return rows, 0, err
	}
	n, err := countUpTo(tx, s.keysAfter(tx, workspaceID, f), room)
	return rows, int(n), err
}

// APIToken finds one of a workspace's, as its page shows it.
func (s *Store) APIToken(ctx context.Context, who models.Actor, workspace, id string) (models.CredentialSeen, error) {
	w, err := s.Workspace(ctx, who, workspace)
	if err != nil {
		return models.CredentialSeen{}, err
	}
	if err := allow(who.MayManageTokens(w.Role), onlyOwnersTokens); err != nil {
		return models.CredentialSeen{}, err
	}
	c, err := tokenOf(s.db.WithContext(ctx), models.APIToken, w.ID, id)
	if err != nil {
		return models.CredentialSeen{}, err
	}
	seen, err := s.seeCredentials(ctx, []models.Credential{c})
	if err != nil {
		return models.CredentialSeen{}, err
	}
	return seen[0], nil
}

// TokenByID finds an API token or an automation token of any workspace that the actor may open, as its page shows it.
func (s *Store) TokenByID(ctx context.Context, who models.Actor, id string) (models.CredentialSeen, error) {
	c, err := withID[models.Credential](s.db.WithContext(ctx).Where("kind IN ?", []models.CredentialKind{models.APIToken, models.AutomationToken}), id)
	if models.KindOf(err) == models.NotFound {
		return models.CredentialSeen{}, noTokenAnywhere
	}
	if err != nil {
		return models.CredentialSeen{}, err
	}
	find := s.APIToken
	if c.Kind == models.AutomationToken {
		find = s.AutomationToken
	}
	seen, err := find(ctx, who, c.WorkspaceID, id)
	if models.KindOf(err) == models.NotFound {
		err = noTokenAnywhere
	}
	return seen, err
}

var noTokenAnywhere = models.Fail(models.NotFound, "There is no such API token or automation token, or it is in a workspace that you are not a member of.")

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
	return s.usageDays(ctx, id, from)
}

func (s *Store) usageDays(ctx context.Context, id string, from time.Time) ([]models.UsageDay, error) {
	return daysFrom(s.db.WithContext(ctx), []string{id}, from)
}
