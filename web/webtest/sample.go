package webtest

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"testing"

	"tokendesk/models/store/storetest"
	"tokendesk/web/gateway"
	"tokendesk/web/sample"
)

// startSample runs the sample product in memory, as the console does.
func startSample(t testing.TB, w storetest.World) gateway.Upstream {
	t.Helper()
	s, err := sample.Open(t.Context(), filepath.Join(t.TempDir(), "sample.db"), sample.Options{Clock: w.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	listener, server := sample.NewListener(), &http.Server{Handler: s}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-served
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return listener.Dial(ctx) }
	return gateway.Upstream{URL: &url.URL{Scheme: "http", Host: "sample"}, Dial: dial, Key: make([]byte, 32)}
}
