//go:build !linux

package storetest

import (
	"context"
	"fmt"
)

// server is here only so that the package compiles: the one that is started runs on Linux.
type server struct{}

func startServer(context.Context) (*server, error) {
	return nil, fmt.Errorf("%w: the tests start their own server on Linux only", errNotInstalled)
}

func (*server) url(string) string { return "" }
func (*server) stop()             {}
