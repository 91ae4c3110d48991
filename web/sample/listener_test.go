package sample_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"

	"tokendesk/web/sample"
)

// inMemory serves a sample without a port, and answers a client that reaches it.
func inMemory(t *testing.T, p *product) *http.Client {
	t.Helper()
	l := sample.NewListener()
	server := &http.Server{Handler: p.sample}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return l.Dial(ctx) }}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := server.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		if conn, err := l.Dial(context.Background()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed, it still answers: %v, %v", conn, err)
		}
		if conn, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed, it still accepts: %v, %v", conn, err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return &http.Client{Transport: transport}
}

// A chat arrives event by event through the memory too, and a client who leaves is noticed.
func TestListenerStreams(t *testing.T) {
	p := start(t)
	c, client := p.as("w1"), inMemory(t, p)
	c.get("/api/agent-base").want(200)
	step := stepwise(p.sample)
	ctx, leave := context.WithCancel(t.Context())
	response, s := c.chatting(ctx, client, "How do I revoke a token?")
	defer response.Body.Close()
	for range 4 { // start, and three sources
		s.next()
	}
	for range 3 {
		step <- struct{}{}
		if name, piece := s.next(); name != "token" || piece["text"] == "" {
			t.Fatalf("a piece is %s %v", name, piece)
		}
	}
	leave() // and the server's end waits for the answer's, which nobody lets go on
}

// 64 MiB go in and come out as they were.
func TestListenerCarries(t *testing.T) {
	const size = 64 << 20
	p := start(t)
	c, client := p.as("w1"), inMemory(t, p)
	hash := sha256.New()
	content := io.TeeReader(io.LimitReader(rand.NewChaCha8([32]byte{}), size), hash)
	response, err := client.Do(c.request("POST", storage+"?name=large.bin", content))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	f := data[file](answer{t, "upload", response.StatusCode, response.Header, string(body)}, 201)
	want := hex.EncodeToString(hash.Sum(nil))
	if f.Size != size || f.SHA256 != want {
		t.Errorf("%d bytes arrived, with the sum %s", f.Size, f.SHA256)
	}
	response, err = client.Do(c.request("GET", storage+"/"+f.ID, nil))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	hash.Reset()
	if n, err := io.Copy(hash, response.Body); n != size || err != nil || hex.EncodeToString(hash.Sum(nil)) != want {
		t.Errorf("%d bytes came back (%v)", n, err)
	}
}

// A client whose upload is refused half-way learns why.
func TestListenerRefuses(t *testing.T) {
	p := start(t, limited(sample.Limits{FileBytes: 100_000}))
	c, client := p.as("w1"), inMemory(t, p)
	response, err := client.Do(c.request("POST", storage+"?name=large.bin", onlyReader{strings.NewReader(strings.Repeat("x", 10<<20))}))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	answer{t, "upload", response.StatusCode, response.Header, string(body)}.refused(413, "too_large")
}

// Who dials where nobody accepts waits as long as the context lets them.
func TestListenerNobodyAccepts(t *testing.T) {
	l := sample.NewListener()
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough of this")
	cancel(why)
	if conn, err := l.Dial(ctx); !errors.Is(err, why) {
		t.Errorf("%v, %v", conn, err)
	}
	if address := l.Addr(); address.Network() != "memory" || address.String() != "sample" {
		t.Errorf("its address is %v", address)
	}
}
