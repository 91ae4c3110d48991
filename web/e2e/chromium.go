// Package e2e drives a real Chromium through the console as a person would: it finds things by the
// names that a screen reader says, and uses the mouse and the keyboard. It never reaches around a
// rule of the page: the content security policy stands, the back/forward cache is on, and without
// scripts there are none.
package e2e

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"tokendesk/models/store/storetest"
)

// shared is the one browser process of this test process.
var shared struct {
	once  sync.Once
	ctx   context.Context
	err   error
	close func()
}

// Run is for TestMain: it runs the tests, then ends the browser and whatever storetest started.
//
//	func TestMain(m *testing.M) { os.Exit(e2e.Run(m)) }
func Run(m *testing.M) int {
	defer func() {
		if shared.close != nil {
			shared.close()
		}
	}()
	return storetest.Run(m)
}

// program returns the browser to start: TOKENDESK_TEST_CHROMIUM, or the first of the usual names in
// the PATH. It is empty where there is none.
func program() string {
	names := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}
	if own := os.Getenv("TOKENDESK_TEST_CHROMIUM"); own != "" {
		names = []string{own}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// chromium starts the browser, once. It gets an empty profile, which is removed when it ends, and
// dies with this process: chromedp sees to both. What else it writes goes to a home of its own.
func chromium(t testing.TB) context.Context {
	t.Helper()
	path := program()
	if path == "" {
		storetest.Missing(t, "Chromium is not installed")
	}
	shared.once.Do(func() {
		home, err := os.MkdirTemp("", "tokendesk-chromium")
		if err != nil {
			shared.err = err
			return
		}
		own := chromedp.Env("HOME="+home, "TMPDIR="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home)
		alloc, _ := chromedp.NewExecAllocator(context.Background(), append(flags(path), own)...)
		ctx, cancel := chromedp.NewContext(alloc)
		shared.ctx, shared.err = ctx, chromedp.Do(ctx)
		shared.close = func() {
			gently, stop := context.WithTimeout(ctx, 10*time.Second)
			defer stop()
			_ = chromedp.Cancel(gently)
			cancel()
			_ = os.RemoveAll(home)
		}
	})
	if shared.err != nil {
		t.Fatalf("start %s: %v", path, shared.err)
	}
	return shared.ctx
}

// flags keep the browser on this machine and quiet. The last one is never to be changed: what the
// back/forward cache brings back is what several of the flows are about, and other tools turn it off.
func flags(path string) []chromedp.ExecAllocatorOption {
	return append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // it opens our own pages only, and containers rarely allow the sandbox
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("lang", "en-GB"),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"),
		chromedp.Flag("disable-back-forward-cache", false),
	)
}
