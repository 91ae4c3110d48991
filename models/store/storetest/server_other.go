//go:build !linux

package storetest

import (
	"context"
	"fmt"
	"os"
)

// server is here only so that the package compiles: the one that is started runs on Linux.
type server struct{}

var errElsewhere = fmt.Errorf("%w: the tests start their own server on Linux only", errNotInstalled)

func startServer(context.Context) (*server, error)        { return nil, errElsewhere }
func startLastingServer(context.Context) (*server, error) { return nil, errElsewhere }

func (*server) url(string) string                { return "" }
func (*server) stop()                            {}
func (*server) killAll() error                   { return errElsewhere }
func (*server) killFirst() error                 { return errElsewhere }
func (*server) endBy(os.Signal) error            { return errElsewhere }
func (*server) startAgain(context.Context) error { return errElsewhere }
