package store

import (
	"context"
	"errors"
	"fmt"
	"io"

	"gorm.io/gorm"

	"tokendesk/models"
)

// chunkBytes is how much of an archive one row holds.
const chunkBytes = 256 << 10

// keepBlob stores the archive's bytes in chunks, once: the same bytes under another name or in
// another workspace share them. The row is kept from others to the end of the transaction, so that
// nobody drops the bytes before the version that needs them is there.
func (s *Store) keepBlob(tx *gorm.DB, n models.NewInstall) error {
	err := tx.Exec("INSERT INTO blobs (sha256, size, created_at) VALUES (?, ?, ?) ON CONFLICT (sha256) DO UPDATE SET size = excluded.size", n.SHA256, n.Size, s.now()).Error
	if err != nil {
		return err
	}
	var kept []int
	if err := tx.Table("blob_chunks").Where("sha256 = ?", n.SHA256).Limit(1).Pluck("number", &kept).Error; err != nil || len(kept) > 0 {
		return err
	}
	chunk, content := make([]byte, min(n.Size, chunkBytes)), io.NewSectionReader(n.Content, 0, n.Size)
	for number, left := 0, n.Size; left > 0; number, left = number+1, left-int64(len(chunk)) {
		chunk = chunk[:min(left, chunkBytes)]
		if _, err := io.ReadFull(content, chunk); err != nil {
			return fmt.Errorf("read the archive, %d bytes before its end: %w", left, err)
		}
		if err := tx.Exec("INSERT INTO blob_chunks (sha256, number, bytes) VALUES (?, ?, ?)", n.SHA256, number, chunk).Error; err != nil {
			return err
		}
	}
	return nil
}

// dropBlob removes an archive's bytes unless a version still has them.
func dropBlob(tx *gorm.DB, sha256 string) error {
	var locked []string
	if err := lock(tx.Table("blobs")).Where("sha256 = ?", sha256).Pluck("sha256", &locked).Error; err != nil {
		return err
	}
	var used []string
	err := tx.Model(&models.CollectionVersion{}).Where("sha256 = ?", sha256).Limit(1).Pluck("id", &used).Error
	if err != nil || len(used) > 0 {
		return err
	}
	if err := tx.Exec("DELETE FROM blob_chunks WHERE sha256 = ?", sha256).Error; err != nil {
		return err
	}
	return tx.Exec("DELETE FROM blobs WHERE sha256 = ?", sha256).Error
}

// Archive reads the bytes of a version's archive, of which one chunk at a time is in memory. It is
// good for as long as ctx, for one reader at a time.
func (s *Store) Archive(ctx context.Context, v models.CollectionVersion) *io.SectionReader {
	return io.NewSectionReader(&blob{ctx: ctx, db: s.db, sha256: v.SHA256, number: -1}, 0, v.Size)
}

// blob reads the chunks of an archive, and remembers the last one.
type blob struct {
	ctx    context.Context
	db     *gorm.DB
	sha256 string
	number int64 // of the chunk in memory; -1: none
	bytes  []byte
}

func (b *blob) ReadAt(p []byte, offset int64) (n int, err error) {
	for n < len(p) {
		number, within := (offset+int64(n))/chunkBytes, (offset+int64(n))%chunkBytes
		if err := b.load(number); err != nil {
			return n, err
		}
		if within >= int64(len(b.bytes)) {
			return n, io.ErrUnexpectedEOF // the section ends before the archive does
		}
		n += copy(p[n:], b.bytes[within:])
	}
	return n, nil
}

func (b *blob) load(number int64) error {
	if number == b.number {
		return nil
	}
	var row struct{ Bytes []byte }
	err := b.db.WithContext(b.ctx).Table("blob_chunks").Select("bytes").Where("sha256 = ? AND number = ?", b.sha256, number).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) { // not the reader's mistake: the bytes of a version are there as long as it is
		return fmt.Errorf("chunk %d of the archive %s is missing", number, b.sha256)
	}
	if err != nil {
		return translate(err)
	}
	b.number, b.bytes = number, row.Bytes
	return nil
}
