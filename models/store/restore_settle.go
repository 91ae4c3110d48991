package store

import (
	"context"
	"encoding/hex"
	"errors"
	"net/url"
	"path/filepath"
	"strconv"

	"gorm.io/gorm"

	"tokendesk/models"
)

// Taken counts one way in which something stays taken away.
type Taken struct {
	What  string
	Count int64
}

// takenAway lists every way in which Tokendesk takes a right away, and how that is carried from the
// database "live" into a restored one. Who adds a way adds a line.
var takenAway = []struct {
	what  string
	carry func(tx *gorm.DB) *gorm.DB
}{
	{"credentials still revoked", func(tx *gorm.DB) *gorm.DB {
		return tx.Exec(`UPDATE credentials SET (revoked_at, revoked_by, revoke_reason, replaced_by) =
			(SELECT l.revoked_at, l.revoked_by, l.revoke_reason, l.replaced_by FROM live.credentials l WHERE l.id = credentials.id)
			WHERE revoked_at IS NULL AND id IN (SELECT id FROM live.credentials WHERE revoked_at IS NOT NULL)`)
	}},
	{"credentials still inactive", func(tx *gorm.DB) *gorm.DB {
		return tx.Exec(`UPDATE credentials SET enabled = 0 WHERE enabled AND id IN (SELECT id FROM live.credentials WHERE NOT enabled)`)
	}},
	{"API tokens still regenerated", func(tx *gorm.DB) *gorm.DB { // the secret that they had in the backup stays dead, and the card has the one that it has now
		res := tx.Exec(`INSERT INTO replaced_secrets (hash, credential_id, prefix, last4, replaced_at, replaced_by)
			SELECT hash, credential_id, prefix, last4, replaced_at, replaced_by FROM live.replaced_secrets
			WHERE credential_id IN (SELECT id FROM credentials) AND hash NOT IN (SELECT hash FROM replaced_secrets)`)
		if res.Error != nil {
			return res
		}
		return tx.Exec(`UPDATE credentials SET (hash, prefix, last4, expires_at) = (SELECT l.hash, l.prefix, l.last4, l.expires_at FROM live.credentials l WHERE l.id = credentials.id)
			WHERE hash IN (SELECT hash FROM live.replaced_secrets) AND id IN (SELECT id FROM live.credentials)`)
	}},
	{"people still deactivated", func(tx *gorm.DB) *gorm.DB {
		return tx.Exec(`UPDATE people SET deactivated_at = (SELECT l.deactivated_at FROM live.people l WHERE l.id = people.id)
			WHERE deactivated_at IS NULL AND id IN (SELECT id FROM live.people WHERE deactivated_at IS NOT NULL)`)
	}},
	{"people still without the Admin role", func(tx *gorm.DB) *gorm.DB {
		return tx.Exec(`UPDATE people SET role = 'Member' WHERE role = 'Admin' AND id IN (SELECT id FROM live.people WHERE role = 'Member')`)
	}},
	{"workspaces still deleted", func(tx *gorm.DB) *gorm.DB {
		res := tx.Exec(`DELETE FROM memberships WHERE workspace_id IN (SELECT id FROM live.workspaces WHERE deleted_at IS NOT NULL)`)
		if res.Error != nil {
			return res
		}
		return tx.Exec(`UPDATE workspaces SET deleted_at = (SELECT l.deleted_at FROM live.workspaces l WHERE l.id = workspaces.id)
			WHERE deleted_at IS NULL AND id IN (SELECT id FROM live.workspaces WHERE deleted_at IS NOT NULL)`)
	}},
	{"members still without a workspace's Admin role", func(tx *gorm.DB) *gorm.DB {
		return tx.Exec(`UPDATE memberships SET role = 'Member'
			WHERE role = 'Admin' AND (workspace_id, person_id) IN (SELECT workspace_id, person_id FROM live.memberships WHERE role = 'Member')`)
	}},
	{"workspaces still handed over", func(tx *gorm.DB) *gorm.DB {
		res := tx.Exec(`UPDATE memberships SET role = 'Admin' WHERE role = 'Owner' AND EXISTS (SELECT 1 FROM live.memberships l JOIN memberships m USING (workspace_id, person_id)
			WHERE l.role = 'Owner' AND l.workspace_id = memberships.workspace_id AND l.person_id <> memberships.person_id)`)
		if res.Error != nil {
			return res
		}
		return tx.Exec(`UPDATE memberships SET role = 'Owner' WHERE (workspace_id, person_id) IN (SELECT workspace_id, person_id FROM live.memberships WHERE role = 'Owner')
			AND workspace_id NOT IN (SELECT workspace_id FROM memberships WHERE role = 'Owner')`)
	}},
	{"members still removed", func(tx *gorm.DB) *gorm.DB {
		return tx.Exec(`DELETE FROM memberships WHERE role <> 'Owner' AND workspace_id IN (SELECT id FROM live.workspaces) AND person_id IN (SELECT id FROM live.people)
			AND (workspace_id, person_id) NOT IN (SELECT workspace_id, person_id FROM live.memberships)`)
	}},
	{"passwords still changed", func(tx *gorm.DB) *gorm.DB {
		return tx.Exec(`UPDATE people SET (password_hash, password_changed_at) =
			(SELECT l.password_hash, l.password_changed_at FROM live.people l WHERE l.id = people.id)
			WHERE EXISTS (SELECT 1 FROM live.people l WHERE l.id = people.id AND l.password_changed_at > people.password_changed_at)`)
	}},
	// The last line is for the case that nobody is left: the role goes back to none from whom it was taken.
	{"people still Admins, because nobody else would be", func(tx *gorm.DB) *gorm.DB {
		return tx.Exec(`UPDATE people SET role = 'Admin'
			WHERE role = 'Member' AND deactivated_at IS NULL AND id IN (SELECT id FROM live.people WHERE role = 'Admin' AND deactivated_at IS NULL)
			AND (SELECT count(*) FROM people WHERE role = 'Admin' AND deactivated_at IS NULL) = 0`)
	}},
}

// settle makes the copy what the database is to be, in one write with its event, and closes it: all of it
// is in its file then, and no connection of it reads the database any more.
func (c *Copy) settle(ctx context.Context, who models.Actor, was former) (Restored, error) {
	done := Restored{Events: c.Holds.Events + 1, Before: was.last.LastSeq, Kept: was.kept}
	err := c.store.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		if was.path != "" {
			if done.StillTaken, err = follow(tx, was); err != nil {
				return event, err
			}
		}
		if err := tx.Exec("DELETE FROM sessions").Error; err != nil {
			return event, err
		}
		if err := tx.Exec("DELETE FROM setup_codes").Error; err != nil { // one may have been used since
			return event, err
		}
		if err := tx.Exec("DELETE FROM replicas").Error; err != nil { // a server that runs begins anew when it does not find itself
			return event, err
		}
		admins, err := countOtherAdmins(tx, "")
		done.NoAdmin = admins == 0
		return c.event(was, done), err
	})
	return done, errors.Join(err, c.store.Close())
}

// follow has the copy come after the database whose place it takes, which is only read.
func follow(tx *gorm.DB, was former) (kept []Taken, err error) {
	if err := tx.Exec("ATTACH ? AS live", fileURI(was.path, url.Values{"mode": {"ro"}})).Error; err != nil {
		return nil, err
	}
	if !was.exact {
		if kept, err = keepTaken(tx); err != nil {
			return nil, err
		}
	}
	// Servers that run know products by their revision: each is a later one than they know.
	return kept, tx.Exec(`UPDATE products SET revision = 1 + max(revision, coalesce((SELECT l.revision FROM live.products l WHERE l.id = products.id), 0))`).Error
}

// keepTaken carries over what was taken away in the database "live".
func keepTaken(tx *gorm.DB) (kept []Taken, err error) {
	for _, way := range takenAway {
		res := way.carry(tx)
		if res.Error != nil {
			return nil, res.Error
		}
		if res.RowsAffected > 0 {
			kept = append(kept, Taken{way.what, res.RowsAffected})
		}
	}
	return kept, nil
}

func (c *Copy) event(was former, done Restored) models.Event {
	changes := []models.Change{{Field: "file", After: c.name}, {Field: "events", Before: strconv.FormatInt(done.Before, 10), After: strconv.FormatInt(done.Events, 10)}}
	if was.path != "" {
		changes = append(changes, models.Change{Field: "hash of the last event", Before: hex.EncodeToString(was.last.LastHash)},
			models.Change{Field: "database from before", After: filepath.Base(was.kept)})
	}
	if was.exact {
		changes = append(changes, models.Change{Field: "exact", After: "yes"})
	}
	for _, t := range done.StillTaken {
		changes = append(changes, models.Change{Field: t.What, After: strconv.FormatInt(t.Count, 10)})
	}
	return models.Event{Action: models.InstallationRestored, SubjectKind: models.OfInstallation}.WithChanges(changes...)
}
