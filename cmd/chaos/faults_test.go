//go:build linux

package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"time"
)

// fault does harm to a replica or to the database for a while, and undoes it.
type fault struct {
	name string
	do   func(d *run, r *replica, random *rand.Rand)
}

// faults are all that there are. The first ones are drawn more often.
var faults = []fault{
	{"stopped", stopped}, {"cut off in silence", silent}, {"killed", killed}, {"stopped", stopped}, {"cut off in silence", silent}, {"killed", killed},
	{"connections closed", closed}, {"slow by 600 ms", slow}, {"slow to close", slowClose},
	{"stopped in mid-click", stoppedInMidClick}, {"stopped while a token ends", stoppedWhileOneEnds}, {"cut off while a token ends", silentWhileOneEnds},
	{"slow while streams' token ends", slowWhileOneEnds},
	{"PostgreSQL restarted, fast", restarted(syscall.SIGINT)}, {"PostgreSQL restarted, at once", restarted(syscall.SIGQUIT)}, {"PostgreSQL killed", crashed},
	{"pgbouncer killed", poolerKilled}, {"led to a standby", misled(500*time.Millisecond, 5*time.Second)},
}

func between(random *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(random.Int64N(int64(to-from)))
}

// stopped has a replica stand still, as a long pause does: it knows nothing of it.
func stopped(_ *run, r *replica, random *rand.Rand) {
	defer r.hurts()()
	r.signal(syscall.SIGSTOP)
	time.Sleep(between(random, 100*time.Millisecond, 6*time.Second))
	r.signal(syscall.SIGCONT)
}

func killed(d *run, r *replica, random *rand.Rand) {
	defer r.hurts()()
	r.kill()
	time.Sleep(between(random, 0, 500*time.Millisecond))
	r.start(d.t)
}

// silent cuts a replica off from the database without a word: connections stay, and bring nothing.
func silent(d *run, r *replica, random *rand.Rand) {
	d.toxic(r, "timeout", `"timeout":0`, between(random, 100*time.Millisecond, 5*time.Second))
}

// nothing leaves everybody alone, for what is wrong when all is well: a fault elsewhere has changes wait, and hides it.
func nothing(_ *run, _ *replica, random *rand.Rand) {
	time.Sleep(between(random, time.Second, 3*time.Second))
}

// silentForLong does that for longer than a change waits.
func silentForLong(d *run, r *replica, random *rand.Rand) {
	d.toxic(r, "timeout", `"timeout":0`, between(random, 5*time.Second, 7*time.Second))
}

// closed cuts it off so that it hears of it.
func closed(_ *run, r *replica, random *rand.Rand) {
	defer r.hurts()()
	r.proxy.Stop()
	time.Sleep(between(random, 50*time.Millisecond, 3*time.Second))
	_ = r.proxy.Start()
}

func slow(d *run, r *replica, random *rand.Rand) {
	d.toxic(r, "latency", `"latency":600,"jitter":50`, between(random, time.Second, 5*time.Second))
}

func slowClose(d *run, r *replica, random *rand.Rand) {
	d.toxic(r, "slow_close", `"delay":1000`, between(random, time.Second, 4*time.Second))
}

// toxic has a replica's proxy do something to both directions for a while.
func (d *desk) toxic(r *replica, kind, attributes string, lasts time.Duration) {
	over := d.poison(r, kind, attributes)
	time.Sleep(lasts)
	over()
}

// cutOff does so in silence, until what it returns is called.
func (d *desk) cutOff(r *replica) (over func()) { return d.poison(r, "timeout", `"timeout":0`) }

func (d *desk) poison(r *replica, kind, attributes string) (over func()) {
	well := r.hurts()
	for _, stream := range []string{"upstream", "downstream"} {
		text := fmt.Sprintf(`{"name":%q,"type":%q,"stream":%q,"attributes":{%s}}`, stream, kind, stream, attributes)
		if _, err := r.proxy.Toxics.AddToxicJson(strings.NewReader(text)); err != nil {
			d.t.Errorf("%s: %v", kind, err)
		}
	}
	return func() {
		defer well()
		for _, stream := range []string{"upstream", "downstream"} {
			if err := r.proxy.Toxics.RemoveToxic(context.Background(), stream); err != nil {
				d.t.Errorf("%s: %v", kind, err)
			}
		}
	}
}

// poolerKilled ends the pooler with all its connections, and starts it again.
func poolerKilled(d *run, _ *replica, random *rand.Rand) {
	for _, r := range d.replicas {
		if r.pooled {
			defer r.hurts()()
		}
	}
	d.pooler.Kill(d.t)
	time.Sleep(between(random, 0, 2*time.Second))
	d.pooler.Start(d.t)
}

// misled has a replica's way to the database end at a standby for a while, which shows what was so some time before. Those behind the pooler go
// together, and keep their connections.
func misled(from, to time.Duration) func(*run, *replica, *rand.Rand) {
	return func(d *run, r *replica, random *rand.Rand) {
		if !r.pooled {
			defer r.hurts()()
			r.leads(d.t, d.second)
			time.Sleep(between(random, from, to))
			r.leads(d.t, d.address)
			return
		}
		for _, other := range d.replicas {
			if other.pooled {
				defer other.hurts()()
			}
		}
		d.pooler.Redirect(d.t, d.standby)
		time.Sleep(between(random, from, to))
		d.pooler.Redirect(d.t, d.own)
	}
}

// restarted ends PostgreSQL as an operator does, and starts it again.
func restarted(by syscall.Signal) func(*run, *replica, *rand.Rand) {
	return func(d *run, _ *replica, random *rand.Rand) {
		d.database(random, func() { d.own.Stop(d.t, by) })
	}
}

// crashed kills all of PostgreSQL's processes at one moment.
func crashed(d *run, _ *replica, random *rand.Rand) {
	d.database(random, func() { d.own.Kill(d.t) })
}

func (d *desk) database(random *rand.Rand, end func()) {
	for _, r := range d.replicas {
		defer r.hurts()()
	}
	end()
	time.Sleep(between(random, 0, time.Second))
	d.own.Start(d.t)
}
