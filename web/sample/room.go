package sample

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
)

// room counts the bytes of all files, those that are just being sent among them, and says when there is no room
// for more.
type room struct {
	limits Limits
	mu     sync.Mutex
	used   map[int64]int64 // by tenant
	total  int64
}

// measureRoom begins with what is kept already.
func measureRoom(ctx context.Context, db querier, limits Limits) (*room, error) {
	r := &room{limits: limits, used: map[int64]int64{}}
	err := each(ctx, db, func(rows *sql.Rows) error {
		var tenant, size int64
		err := rows.Scan(&tenant, &size)
		r.used[tenant] = size
		r.total += size
		return err
	}, "SELECT tenant, sum(size) FROM files GROUP BY tenant")
	return r, err
}

// take takes room for some more bytes of a tenant, or says that there is none.
func (r *room) take(tenant, bytes int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.used[tenant]+bytes > r.limits.TenantBytes {
		return limitReached(fmt.Sprintf("The files of a workspace may have %d bytes together, and these would have more. Delete one first.", r.limits.TenantBytes))
	}
	if r.total+bytes > r.limits.TotalBytes {
		return errFull
	}
	r.used[tenant] += bytes
	r.total += bytes
	return nil
}

// give gives room back.
func (r *room) give(tenant, bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used[tenant] -= bytes
	r.total -= bytes
}
