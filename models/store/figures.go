package store

import (
	"context"
	"time"

	"tokendesk/models"
)

// Figures counts what the overview shows. None costs more than a page of a list.
func (s *Store) Figures(ctx context.Context, who models.Actor) (figures models.Figures, err error) {
	if err := allow(who.MaySeeCredentials(), onlyAdminsSee); err != nil {
		return figures, err
	}
	count := func(f models.CredentialFilter) models.Count {
		if err != nil {
			return models.Count{}
		}
		var c models.Count
		var all bool
		c.N, all, err = s.CountAllCredentials(ctx, who, f)
		c.Least = !all
		return c
	}
	figures.Active = count(models.CredentialFilter{Status: models.Active})
	figures.Inactive = count(models.CredentialFilter{Status: models.Inactive})
	figures.Expired = count(models.CredentialFilter{Status: models.Expired})
	figures.Revoked = count(models.CredentialFilter{Status: models.Revoked})
	figures.ExpireSoon = count(models.CredentialFilter{ExpiresWithin: models.ExpiringSoon})
	figures.Unused = count(models.CredentialFilter{UnusedFor: models.UnusedLong})
	if err != nil {
		return figures, err
	}
	from := s.now().UTC().AddDate(0, 0, 1-models.FigureDays)
	if err := s.db.WithContext(ctx).Where("day >= ?", from.Format(time.DateOnly)).Order("day").Find(&figures.Days).Error; err != nil {
		return figures, translate(err)
	}
	n, all, err := s.CountEvents(ctx, who, models.EventFilter{Action: models.CallDenied, From: from.Truncate(24 * time.Hour)})
	figures.RefusedCalls = models.Count{N: n, Least: !all}
	return figures, err
}
