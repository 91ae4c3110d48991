package store

import (
	"regexp"
	"strings"

	"gorm.io/gorm"

	"tokendesk/migrations"
	"tokendesk/models"
)

// asking turns a filter into its parts, and the indexes that have some of them.
func (s *Store) asking(f models.CredentialFilter) *asked {
	q := &asked{filter: f, sqlite: s.dialect == migrations.SQLite, byEnd: f.ExpiresWithin > 0 || f.Status == models.Expired}
	s.askQuery(q)
	askOwner(q)
	s.askEnd(q)
	live := s.askStatus(q)
	s.askUse(q)
	if live && f.Kind != "" {
		q.index("credentials_live_kind", 0, "credentials.revoked_at IS NULL AND credentials.kind = ?", f.Kind)
	}
	if live {
		q.index("credentials_live", 0, "credentials.revoked_at IS NULL")
	}
	if f.Kind != "" {
		q.part("listed.kind = ?", f.Kind)
		q.index("credentials_kind", 1, "credentials.kind = ?", f.Kind)
	}
	q.index("", 0, "1 = 1")
	for i, from := range q.sources {
		q.sources[i].exact = from.covers == len(q.parts) && (from.covers > 0 || i == len(q.sources)-1)
	}
	return q
}

// askOwner asks whose they are, for which workspace, and who made them.
func askOwner(q *asked) {
	f := q.filter
	switch {
	case f.OwnerID == models.NobodysCredentials:
		q.part("listed.person_id IS NULL")
		q.index("credentials_nobodys", 1, "credentials.person_id IS NULL")
	case f.OwnerID != "":
		q.part("listed.person_id = ?", f.OwnerID)
		if f.Kind != "" {
			q.index("credentials_person", 2, "credentials.person_id = ? AND credentials.kind = ?", f.OwnerID, f.Kind)
		}
		q.index("credentials_owner", 1, "credentials.person_id = ?", f.OwnerID)
	}
	if f.WorkspaceID != "" {
		q.part("listed.workspace_id = ?", f.WorkspaceID)
		if f.Kind != "" {
			q.index("credentials_workspace", 2, "credentials.workspace_id = ? AND credentials.kind = ?", f.WorkspaceID, f.Kind)
		}
		q.index("credentials_inside", 1, "credentials.workspace_id = ?", f.WorkspaceID)
	}
	if f.CreatedBy != "" {
		q.part("listed.created_by = ?", f.CreatedBy)
		q.index("credentials_maker", 1, "credentials.created_by = ?", f.CreatedBy)
	}
}

// askEnd asks when they end.
func (s *Store) askEnd(q *asked) {
	if within := q.filter.ExpiresWithin; within > 0 {
		now := s.now()
		q.part("listed.revoked_at IS NULL AND listed.expires_at > ? AND listed.expires_at <= ?", now, now.Add(within))
		q.indexByEnd(">", now, "credentials.revoked_at IS NULL AND credentials.expires_at <= ?", now.Add(within))
	}
	if q.filter.NeverExpires {
		q.part("listed.revoked_at IS NULL AND listed.expires_at IS NULL")
		q.index("credentials_endless", 1, "credentials.revoked_at IS NULL AND credentials.expires_at IS NULL")
	}
}

// askStatus asks what they are now. What is asked to be unused is alive, unless something else is said: what has ended is not used any
// more, and nobody asks why. live says that none which was revoked is let through, but that this is not all.
func (s *Store) askStatus(q *asked) (live bool) {
	now, unused := s.now(), q.filter.UnusedFor > 0 || q.filter.NeverUsed
	switch status := q.filter.Status; {
	case status == models.Active:
		q.part("listed.revoked_at IS NULL AND listed.enabled AND (listed.expires_at IS NULL OR listed.expires_at > ?)", now)
		return true
	case status == models.Inactive:
		q.part("listed.revoked_at IS NULL AND NOT listed.enabled AND (listed.expires_at IS NULL OR listed.expires_at > ?)", now)
		q.index("credentials_inactive", 0, "credentials.revoked_at IS NULL AND NOT credentials.enabled")
	case status == models.Expired:
		q.part("listed.revoked_at IS NULL AND listed.expires_at <= ?", now)
		q.indexByEnd("<=", now, "credentials.revoked_at IS NULL")
	case status == models.Revoked || status == models.Replaced:
		q.part("listed.revoked_at IS NOT NULL")
		q.index("credentials_dead", 1, "credentials.revoked_at IS NOT NULL")
	case unused:
		q.part("listed.revoked_at IS NULL AND (listed.expires_at IS NULL OR listed.expires_at > ?)", now)
		return true
	}
	return false
}

// askUse asks when they were used.
func (s *Store) askUse(q *asked) {
	if q.filter.NeverUsed {
		q.part(neverUsed)
		q.used("usages_never", true, neverUsed)
	}
	if q.filter.UnusedFor > 0 {
		since := s.now().Add(-q.filter.UnusedFor)
		q.part(idleFor, since, since)
		q.used("usages_since", false, idleFor, since, since)
	}
}

// lastFour is what the end of a credential looks like.
var lastFour = regexp.MustCompile(`^[0-9A-Za-z]{4}$`)

// bearerName is the name of every bearer token, which the index of names leaves out.
const bearerName = "bearer token"

// askQuery asks for a text: it is in the name, or is how the credential begins or ends.
func (s *Store) askQuery(q *asked) {
	words := models.Fold(q.filter.Query)
	if words == "" {
		return
	}
	like := "%" + likeEscaper.Replace(words) + "%"
	sql, values := `listed.name_key LIKE ? ESCAPE '\'`, []any{like}
	of := []func(tx *gorm.DB) *gorm.DB{}
	where := func(index, sql string, values ...any) {
		of = append(of, func(tx *gorm.DB) *gorm.DB {
			return q.along(tx, "credentials", index).Select("credentials.id").Where(sql, values...)
		})
	}
	if strings.Contains(bearerName, words) {
		where("credentials_kind", "credentials.kind = ?", models.Bearer)
	}
	text := strings.TrimRight(strings.TrimSpace(q.filter.Query), ".…")
	if beginning.MatchString(text) {
		sql, values = sql+" OR (listed.prefix >= ? AND listed.prefix < ?)", append(values, text, beyond(text))
		where("credentials_prefix", "credentials.prefix >= ? AND credentials.prefix < ?", text, beyond(text))
	}
	if lastFour.MatchString(text) {
		sql, values = sql+" OR listed.last4 = ?", append(values, text)
		where("credentials_last4", "credentials.last4 = ?", text)
	}
	q.part(sql, values...)
	if models.Begins(words) { // the index of names knows nothing so short
		return
	}
	if s.dialect == migrations.SQLite {
		of = append(of, func(tx *gorm.DB) *gorm.DB {
			phrase := `"` + strings.ReplaceAll(words, `"`, `""`) + `"`
			found := fresh(tx).Table("credentials_trigrams").Select("rowid").Where("credentials_trigrams MATCH ?", phrase)
			return fresh(tx).Table("credentials_search").Select("credential_id AS id").Where("n IN (?)", found)
		})
	} else {
		where("", `credentials.kind <> 'bearer' AND credentials.name_key LIKE ? ESCAPE '\'`, like)
	}
	ids := func(tx *gorm.DB) *gorm.DB { return s.union(tx, of) }
	rows := func(tx *gorm.DB) *gorm.DB {
		return ids(tx).Select("credentials.*").Joins("JOIN credentials ON credentials.id = gathered.id")
	}
	q.source(source{id: "credentials.id", ids: ids, rows: rows})
}

// union is the IDs of all that one of several queries finds, each as far as the store reaches.
func (s *Store) union(tx *gorm.DB, of []func(tx *gorm.DB) *gorm.DB) *gorm.DB {
	sql, all := "", []any{}
	for i, one := range of {
		if i > 0 {
			sql += " UNION "
		}
		sql, all = sql+"SELECT id FROM (?) AS found", append(all, one(tx).Limit(s.reach+1))
	}
	return fresh(tx).Table("("+sql+") AS gathered", all...).Select("gathered.id")
}

const (
	neverUsed = "NOT usages.used AND usages.last_used_at IS NULL"                                    // a server of the version before does not set used
	idleFor   = "usages.idle_since < ? AND (usages.last_used_at IS NULL OR usages.last_used_at < ?)" // which idle_since may be an hour before
)
