package store

import (
	"cmp"
	"context"
	"slices"

	"tokendesk/models"
)

// losersNamed is how many tokens are told by their name.
const losersNamed = 5

// TokensLosing tells which tokens of a product, active or inactive, lose operations when its resources become others. As many tokens are
// looked at as the store reaches.
func (s *Store) TokensLosing(ctx context.Context, who models.Actor, workspace, id string, to models.Resources) (models.Losers, error) {
	var losers models.Losers
	w, err := s.Workspace(ctx, who, workspace)
	if err != nil {
		return losers, err
	}
	if err := allow(who.MayEditResources(w.Role), onlyOwnersResources); err != nil {
		return losers, err
	}
	p, err := productOf(s.db.WithContext(ctx), w.ID, id)
	if err != nil {
		return losers, err
	}
	if losers.Loss = p.Resources.Loss(to); len(losers.Scopes) == 0 {
		return losers, nil
	}
	var live []models.Credential
	err = s.db.WithContext(ctx).Model(&models.Credential{}).Select("id", "name", "scopes").
		Where("product_id = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)", p.ID, s.now()).Limit(s.reach + 1).Find(&live).Error
	if len(live) > s.reach {
		live, losers.Looked = live[:s.reach], s.reach
	}
	slices.SortFunc(live, func(a, b models.Credential) int { return cmp.Compare(a.ID, b.ID) })
	for _, c := range live {
		lost := losers.Of(c.Scopes)
		if len(lost) == 0 {
			continue
		}
		if losers.Count++; len(losers.Tokens) < losersNamed {
			losers.Tokens = append(losers.Tokens, models.Loser{Name: c.Name, Scopes: lost})
		}
	}
	return losers, translate(err)
}
