package store

import (
	"context"
	"errors"

	"gorm.io/gorm"
)

// watch has each statement told of. GORM's own plugin for OpenTelemetry would do it with the statement's text, in which a search has what was
// searched for, and with the drivers of two other databases.
func watch(db *gorm.DB, begin func(ctx context.Context, operation, table string) (end func(failed bool))) error {
	const key = "watched"
	before := func(operation string) func(*gorm.DB) {
		return func(tx *gorm.DB) {
			tx.InstanceSet(key, begin(tx.Statement.Context, operation, tx.Statement.Table))
		}
	}
	after := func(tx *gorm.DB) {
		if end, ok := tx.InstanceGet(key); ok {
			end.(func(bool))(tx.Error != nil && !errors.Is(tx.Error, gorm.ErrRecordNotFound))
		}
	}
	on := db.Callback()
	return errors.Join(
		on.Create().Before("*").Register("watch:create", before("insert")), on.Create().After("*").Register("watched:create", after),
		on.Query().Before("*").Register("watch:query", before("select")), on.Query().After("*").Register("watched:query", after),
		on.Update().Before("*").Register("watch:update", before("update")), on.Update().After("*").Register("watched:update", after),
		on.Delete().Before("*").Register("watch:delete", before("delete")), on.Delete().After("*").Register("watched:delete", after),
		on.Row().Before("*").Register("watch:row", before("select")), on.Row().After("*").Register("watched:row", after),
		on.Raw().Before("*").Register("watch:raw", before("statement")), on.Raw().After("*").Register("watched:raw", after),
	)
}
