package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"tokendesk/models"
)

// archivesWhole reads every archive, a chunk at a time, and holds it against its hash and size.
func (s *Store) archivesWhole(ctx context.Context, name string) error {
	var odd int
	err := s.pool.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM collection_versions v JOIN blobs b ON b.sha256 = v.sha256 WHERE v.size <> b.size) +
		(SELECT count(*) FROM blobs b WHERE b.size <> (SELECT coalesce(sum(length(bytes)), 0) FROM blob_chunks c WHERE c.sha256 = b.sha256))`).Scan(&odd)
	if err != nil {
		return err
	}
	if odd > 0 {
		return models.Fail(models.Invalid, "%s is damaged: %d of its archives are not as large as they should be.", name, odd)
	}
	rows, err := s.pool.QueryContext(ctx, "SELECT sha256, bytes FROM blob_chunks ORDER BY sha256, number")
	if err != nil {
		return err
	}
	defer rows.Close()
	of, sum := "", sha256.New()
	whole := func() bool { return of == "" || hex.EncodeToString(sum.Sum(nil)) == of }
	for rows.Next() {
		var key string
		var bytes []byte
		if err := rows.Scan(&key, &bytes); err != nil {
			return err
		}
		if key != of {
			if !whole() {
				break
			}
			of = key
			sum.Reset()
		}
		sum.Write(bytes)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if !whole() {
		return models.Fail(models.Invalid, "%s is damaged: the archive %s is not what was installed.", name, of)
	}
	return nil
}
