//go:build unix && !aix

package gateway

import (
	"net"
	"syscall"
)

// canWatch says that this system tells whether something came on a connection without taking it.
const canWatch = true

// syscallConn is a connection as the system knows it.
type syscallConn struct{ syscall.RawConn }

func syscallConnOf(conn net.Conn) syscallConn {
	if paced, ok := conn.(*pacedConn); ok {
		conn = paced.Conn
	}
	if tcp, ok := conn.(syscall.Conn); ok {
		if raw, err := tcp.SyscallConn(); err == nil {
			return syscallConn{raw}
		}
	}
	return syscallConn{}
}

// silent says that nothing came on the connection, not even its end. Nothing waits.
func (c syscallConn) silent() (silent bool) {
	if c.RawConn == nil {
		return false
	}
	err := c.Read(func(fd uintptr) bool {
		_, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		silent = err == syscall.EAGAIN
		return true
	})
	return silent && err == nil
}
