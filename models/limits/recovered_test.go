package limits

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// falls is a client that falls over whatever it reads.
type falls struct{ redis.Hook }

func (falls) DialHook(next redis.DialHook) redis.DialHook { return next }
func (falls) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(context.Context, redis.Cmder) error { panic("makeslice: len out of range") }
}
func (falls) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// Whoever asks does not fall with the client.
func TestAPanicIsAnError(t *testing.T) {
	t.Parallel()
	r, err := Open("redis://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	r.client.AddHook(falls{})
	if _, passed, err := r.Take(t.Context(), "a", time.Second, time.Minute); passed || !errors.Is(err, errNonsense) {
		t.Errorf("it passed: %t, %v", passed, err)
	}
	if err := r.Ping(t.Context()); !errors.Is(err, errNonsense) {
		t.Error(err)
	}
}
