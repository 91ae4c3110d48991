package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"

	"tokendesk/models"
	"tokendesk/web/gateway"
	"tokendesk/web/sample"
)

// sampleInside is the sample product that comes with the console, to which new products point. It has no port: nobody but
// the gateway reaches it.
type sampleInside struct {
	sample   *sample.Sample
	listener *sample.Listener
	server   *http.Server
	served   chan error
}

func openSampleInside(ctx context.Context, c config, log *slog.Logger) (*sampleInside, error) {
	s, err := openSample(ctx, c, "", sample.Options{Clock: models.SystemClock, Pace: samplePace, Log: log})
	if err != nil {
		return nil, err
	}
	in := &sampleInside{sample: s, listener: sample.NewListener(), server: sampleServer(s, log), served: make(chan error, 1)}
	go func() { in.served <- in.server.Serve(in.listener) }()
	return in, nil
}

// upstream is how the gateway reaches it. Its calls are signed as those of any product are, though nobody looks.
func (s *sampleInside) upstream() gateway.Upstream {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return s.listener.Dial(ctx) }
	return gateway.Upstream{URL: &url.URL{Scheme: "http", Host: "sample"}, Dial: dial, Key: key}
}

// close lets finish what runs. It comes when the gateway calls no more.
func (s *sampleInside) close(ctx context.Context) error {
	err := s.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.server.Close()
	}
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return errors.Join(err, s.sample.Close())
}
