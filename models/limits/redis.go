// Package limits counts calls for all replicas together in Redis or Valkey.
package limits

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Redis is a server of Redis 6 or later, or of Valkey, that limits are counted in. Safe for concurrent use.
type Redis struct{ client *redis.Client }

// ErrAddress is said of an address that is none. It does not quote it: there may be a password in it.
var ErrAddress = errors.New("use redis://USER:PASSWORD@HOST:PORT/NUMBER, or rediss:// for TLS")

// Open reads an address, redis:// or rediss://, and asks nobody yet.
func Open(address string) (*Redis, error) {
	o, err := redis.ParseURL(address)
	whole := strings.HasPrefix(address, "redis://") || strings.HasPrefix(address, "rediss://") // or redis:6379 would be this machine
	if err != nil || !whole || o.Network != "tcp" {
		return nil, ErrAddress
	}
	redis.SetLogger(&logging.VoidLogger{}) // whoever asks is told of errors, and says so once
	o.MaxRetries = -1                      // a call that was sent may have been counted
	o.DialerRetries = 1
	o.ContextTimeoutEnabled = true // whoever asks says how long it may take
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = 2*time.Second, time.Second, time.Second, time.Second
	o.PoolSize = 16 * runtime.GOMAXPROCS(0)
	o.MinIdleConns = 1
	o.Protocol, o.DisableIdentity = 2, true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	o.Dialer = guarded(redis.NewDialer(o))
	return &Redis{redis.NewClient(o)}, nil
}

// Close ends the connections.
func (r *Redis) Close() error { return r.client.Close() }

// Ping says whether the server answers.
func (r *Redis) Ping(ctx context.Context) (err error) {
	defer recovered(&err)
	return r.client.Ping(ctx).Err()
}

// recovered makes a panic of the client an error: it believes more of what it reads than it should.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", errNonsense, p)
	}
}

// prefix is what the names of keys begin with.
const prefix = "tokendesk:limit:"

// gcra is the generic cell rate algorithm (ITU-T I.371) on one number, the theoretical arrival time, by the clock of Redis, which is the same for all who
// ask. Times are in units of 100 ns, and moments count from 1,700,000,000 s of Unix time: so that a double has them exactly, until 2052. A key
// expires when it says no more than none. ARGV: the pace, and how far ahead of time a caller may be. It answers whether the call passed, and how far ahead the caller is.
var gcra = redis.NewScript(`
local t = redis.call('TIME')
local now = (tonumber(t[1]) - 1700000000) * 10000000 + tonumber(t[2]) * 10
local pace, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local ahead = (tonumber(redis.call('GET', KEYS[1])) or now) - now
if ahead < 0 then ahead = 0 end
if ahead > most then ahead = most end
if ahead + pace > most then return {0, ahead} end
ahead = ahead + pace
redis.call('SET', KEYS[1], string.format('%.0f', now + ahead), 'PX', math.ceil(ahead / 10000))
return {1, ahead}
`)

const unit = 100 * time.Nanosecond

// Take is for access.Together. It is one round trip, but for the first call after the server forgot the script.
func (r *Redis) Take(ctx context.Context, who string, pace, most time.Duration) (ahead time.Duration, passed bool, err error) {
	defer recovered(&err)
	answer, err := gcra.Run(ctx, r.client, []string{prefix + who}, int64(pace/unit), int64(most/unit)).Int64Slice()
	if err != nil {
		return 0, false, err
	}
	if len(answer) != 2 || answer[0] < 0 || answer[0] > 1 || answer[1] < 0 || answer[1] > int64(most/unit) {
		return 0, false, errNonsense
	}
	return time.Duration(answer[1]) * unit, answer[0] == 1, nil
}
