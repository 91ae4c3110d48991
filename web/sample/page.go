package sample

import (
	"cmp"
	"context"
	"database/sql"
	"net/url"
	"strconv"
)

const (
	standardItems = 20
	mostItems     = 100
)

// page is the part of a list that was asked for: so many items after the one with an ID.
type page struct {
	limit int
	after string // empty: from the beginning
}

// list is a part of a list, and where the next one begins.
type list[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"` // goes into after; empty at the end
}

func pageOf(query url.Values) (page, error) {
	limit, err := limitOf(query)
	p := page{limit, query.Get("after")}
	if err == nil && p.after != "" && !isID(p.after) {
		err = badRequest("after takes what next said in the page before.")
	}
	return p, err
}

func limitOf(query url.Values) (int, error) {
	text := query.Get("limit")
	if text == "" {
		return standardItems, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > mostItems {
		return 0, badRequest("limit takes a number from 1 to 100.")
	}
	return limit, nil
}

// order is how a list is sorted and where it begins, by a column of IDs.
type order struct{ end, start string }

func newest(id string) order {
	return order{" AND " + id + " < ? ORDER BY " + id + " DESC LIMIT ?", "~"} // which is behind every ID
}

func oldest(id string) order { return order{" AND " + id + " > ? ORDER BY " + id + " LIMIT ?", ""} }

// pageRows reads a page of what a query finds. It asks for one row more than the page has, to know whether there
// is another page.
func pageRows[T any](ctx context.Context, db querier, p page, by order, scan func(*sql.Rows) (id string, item T, err error), query string, args ...any) (list[T], error) {
	l, last := list[T]{Items: []T{}}, ""
	err := each(ctx, db, func(rows *sql.Rows) error {
		if len(l.Items) == p.limit {
			l.Next = last
			return nil
		}
		id, item, err := scan(rows)
		l.Items, last = append(l.Items, item), id
		return err
	}, query+by.end, append(args, cmp.Or(p.after, by.start), p.limit+1)...)
	return l, err
}

// each calls a function for every row of a query.
func each(ctx context.Context, db querier, do func(*sql.Rows) error, query string, args ...any) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := do(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
