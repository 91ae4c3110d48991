//go:build !unix || aix

package gateway

import "net"

const canWatch = false

type syscallConn struct{}

func syscallConnOf(net.Conn) syscallConn { return syscallConn{} }

func (syscallConn) silent() bool { return false }
