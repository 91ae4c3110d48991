package models

import "time"

// Pool is how the connections to the database are used.
type Pool struct {
	Most        int           // connections at once; 0: as many as are asked for
	Busy, Idle  int           // connections that are open
	Waits       int64         // times that somebody had to wait for one, since the start
	WaitedInAll time.Duration // what that took together
}
