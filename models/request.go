package models

import "context"

type requestIDKey struct{}

// WithRequestID is a context in which a request's ID can be found by whoever logs beneath it, where no ID is passed as an argument: a slow
// statement, for one. It is for the log alone; nothing is decided by it.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestIDOf is the ID of the request that a context belongs to; empty where there is none.
func RequestIDOf(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}
