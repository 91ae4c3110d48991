package gateway

import (
	"net"
	"time"

	"tokendesk/models"
)

// pacedConn is a connection whose writes fail when the other side takes nothing for a while.
type pacedConn struct {
	net.Conn
	within time.Duration
	set    time.Time // when the deadline was; writes come one after the other
}

func (c *pacedConn) Write(b []byte) (int, error) {
	if due(&c.set, c.within) {
		if err := c.SetWriteDeadline(c.set.Add(c.within)); err != nil {
			return 0, err
		}
	}
	return c.Conn.Write(b)
}

// CloseWrite ends one direction, as WebSockets do when one side is done.
func (c *pacedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Close()
}

// switchedConn is the connection to the caller of a WebSocket.
type switchedConn struct {
	pacedConn
	exchange *exchange
}

func (c *switchedConn) Read(b []byte) (int, error) {
	n, err := c.pacedConn.Read(b)
	if ended := c.exchange.over(); ended != nil {
		return 0, *ended
	}
	return n, err
}

func (c *switchedConn) Write(b []byte) (int, error) {
	if ended := c.exchange.over(); ended != nil {
		return 0, *ended
	}
	return c.pacedConn.Write(b)
}

// due says whether a deadline that was set some time ago is to be set anew, and notes that it is. Once in a while is enough: setting
// one costs more than a look at the clock.
func due(set *time.Time, within time.Duration) bool {
	now := models.Ticks()
	if !set.IsZero() && now.Sub(*set) < within/60 {
		return false
	}
	*set = now
	return true
}
