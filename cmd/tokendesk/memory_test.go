package main

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"tokendesk/models/store/storetest"
)

const (
	largeBytes = 64 << 20 // of the archive that memory is measured with
	growthMiB  = 64       // what the server's memory may grow by, and must not reach
)

// A collection of 64 MiB is installed, and downloaded, by a server whose memory grows by less than that: what
// it needs does not depend on the size. Measured is the most that the program as it is shipped ever had in
// memory, before and after, by a process that has done the same with a small collection and nothing else.
func TestMemoryOfCollections(t *testing.T) {
	t.Parallel()
	program := shipped(t)
	each(t, func(t *testing.T, in place) {
		b, token := in.equipped(t)
		s := in.serveShipped(t, program)
		b = b.after(t, s)
		small := installed(t, b.install(t, token))
		before := s.peak(t)
		large := installed(t, b.installLarge(t, token))
		if large.Size < largeBytes {
			t.Errorf("the large archive has %d bytes", large.Size)
		}
		s.wantGrowth(t, "installing", before)
		s.stop(t)

		s = in.serveShipped(t, program)
		b = b.after(t, s)
		b.download(t, small)
		before = s.peak(t)
		b.download(t, large)
		s.wantGrowth(t, "downloading", before)
	})
}

// archived is what an installation says of the archive that is kept.
type archived struct {
	ID      string `json:"collection_id"`
	Version int
	Size    int64
	SHA256  string
}

// installed insists that a collection was installed.
func installed(t *testing.T, a answered) archived {
	t.Helper()
	var said struct{ Data archived }
	if err := json.Unmarshal([]byte(a.body), &said); err != nil || a.status != http.StatusOK {
		t.Fatalf("status %d: %s (%v)", a.status, a.body, err)
	}
	return said.Data
}

// download reads an archive from the console, and insists that it is the one that was installed.
func (b browser) download(t *testing.T, of archived) {
	t.Helper()
	response, err := b.client.Do(b.request(t, http.MethodGet, fmt.Sprintf("/w/marlowe-press/settings/collections/%s/versions/%d/archive", of.ID, of.Version), nil))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	hash := sha256.New()
	if n, err := io.Copy(hash, response.Body); response.StatusCode != http.StatusOK || n != of.Size || err != nil {
		t.Fatalf("status %d with %d bytes of %d (%v)", response.StatusCode, n, of.Size, err)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != of.SHA256 {
		t.Errorf("the archive %.8s comes back as %.8s", of.SHA256, got)
	}
}

// wantGrowth insists that the most memory so far is not much more than it was.
func (s server) wantGrowth(t *testing.T, what string, before int) {
	t.Helper()
	after := s.peak(t)
	t.Logf("%s 64 MiB: the peak of memory was %.1f MiB before and is %.1f MiB after: %.1f MiB more",
		what, float64(before)/1024, float64(after)/1024, float64(after-before)/1024)
	if after-before >= growthMiB<<10 {
		t.Errorf("%s 64 MiB takes %d KiB of memory", what, after-before)
	}
}

// shipped builds the program as it is shipped, once for all tests. The tests' own binary would tell of the race detector's memory.
func shipped(t *testing.T) (path string) {
	t.Helper()
	if _, err := os.Stat("/proc/self/status"); err != nil {
		storetest.Missing(t, "this system does not tell how much memory a process has")
	}
	path, err := buildShipped()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var buildShipped = sync.OnceValues(func() (path string, err error) {
	if shippedIn, err = os.MkdirTemp("", "tokendesk-shipped-"); err != nil {
		return "", err
	}
	path = filepath.Join(shippedIn, "tokendesk")
	build := exec.Command("go", "build", "-trimpath", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

// equipped sets an installation up, and answers the first Admin's browser and token. It is done by another
// process than the one that is measured, because checking a password takes memory.
func (in place) equipped(t *testing.T) (b browser, token string) {
	t.Helper()
	s := in.serve(t)
	b = s.setUp(t)
	token = b.bearerToken(t)
	s.stop(t)
	return b, token
}

// serveShipped starts the shipped program.
func (in place) serveShipped(t *testing.T, program string) server {
	t.Helper()
	return in.runShipped(t, program, "serve")
}

// runShipped starts a command of the shipped program that listens.
func (in place) runShipped(t *testing.T, program string, args ...string) server {
	t.Helper()
	return runShippedIn(t, in.env(), program, args...)
}

// runShippedIn is runShipped with an environment of its own.
func runShippedIn(t *testing.T, env []string, program string, args ...string) server {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env, cmd.Dir = env, t.TempDir()
	p := &process{cmd: cmd, out: newTranscript(), err: newTranscript(), ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.out, p.err
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-p.ended
	})
	return server{p, p.await(t, p.err, listening)[1]}
}

// peak is the most memory that a process has had so far, in KiB (proc(5), VmHWM).
func (p *process) peak(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	kib, err := strconv.Atoi(regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindStringSubmatch(string(status) + "VmHWM: -1 kB")[1])
	if err != nil {
		t.Fatal(err)
	}
	return kib
}

// installLarge sends a collection of largeBytes as it is made, so that the test does not hold it either.
func (b browser) installLarge(t *testing.T, token string) answered {
	t.Helper()
	body, send := io.Pipe()
	form := multipart.NewWriter(send)
	go func() {
		part, err := form.CreateFormFile("collectionFile", "large.zip")
		if err == nil {
			err = writeLarge(part)
		}
		send.CloseWithError(errors.Join(err, form.Close()))
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 4*enough)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.base+"/installCollection", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Authorization", "Bearer "+token)
	b.client.Timeout = 0 // the context's instead
	return b.do(t, r)
}

// writeLarge writes an archive of 64 files, a MiB each, that do not compress.
func writeLarge(to io.Writer) error {
	w, bytes := zip.NewWriter(to), rand.NewChaCha8([32]byte{})
	for i := range 64 {
		file, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("%s%02d.bin", strings.Repeat("folder/", i%5), i), Method: zip.Store})
		if err == nil {
			_, err = io.CopyN(file, bytes, largeBytes/64)
		}
		if err != nil {
			return err
		}
	}
	return w.Close()
}
