package e2e

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// patience is how long one step may take. It is long, because a step that works never waits for it.
const patience = 15 * time.Second

// Options say how a browser is set up; the zero value is a desktop, light, with scripts.
type Options struct {
	Base     string // put before the paths given to Go, such as "http://127.0.0.1:41234"
	NoScript bool
	Dark     bool
	Width    int64 // 1440 unless given
	Height   int64 // 900 unless given
}

// Tab is one page of a browser that shares nothing with those of other tests. Every method ends the
// test when its step cannot be done, and returns when what the step set going, such as the next
// page, is there. A Tab is used by one goroutine at a time.
type Tab struct {
	t     testing.TB
	ctx   context.Context
	with  Options
	limit time.Duration // for one step
	scope []string      // CSS selectors, each within the one before; see In
	watch *watch
}

// Open opens a tab in a browser of its own: no cookies, no storage, no history. When the test ends,
// what the browser complained about (script errors, violations of the content security policy,
// failed requests) fails it, unless Expect has named it.
func Open(t testing.TB, with Options) *Tab {
	t.Helper()
	if with.Width == 0 || with.Height == 0 {
		with.Width, with.Height = desktop.width, desktop.height
	}
	return open(t, chromium(t), with, chromedp.WithNewBrowserContext())
}

// Another opens a second tab beside this one, which shares its cookies, as a person would.
func (b *Tab) Another() *Tab {
	b.t.Helper()
	return open(b.t, b.ctx, b.with)
}

func open(t testing.TB, parent context.Context, with Options, how ...chromedp.ContextOption) *Tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent, how...)
	b := &Tab{t: t, ctx: ctx, with: with, limit: patience, watch: newWatch()}
	t.Cleanup(func() {
		b.atEnd()
		cancel()
	})
	if err := chromedp.Listen(ctx, b.watch.event); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	b.watch.dialog = func() { // in a goroutine of its own: the listener must not call the browser
		_, _ = chromedp.Call(ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
	}
	b.step("set the tab up", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
		return err
	})
	b.JavaScript(!with.NoScript)
	b.ColorScheme(map[bool]string{false: "light", true: "dark"}[with.Dark])
	b.Viewport(with.Width, with.Height)
	return b
}

// atEnd keeps a picture of a test that failed, and fails one during which the browser complained.
func (b *Tab) atEnd() {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if !b.watch.closed() {
		_ = b.settle(ctx) // complaints about what happened last may still be on their way
	}
	for _, complaint := range b.watch.unexpected() {
		b.t.Errorf("the browser complained: %s", complaint)
	}
	if b.t.Failed() && !b.watch.closed() {
		if path, err := b.keep(ctx, filepath.Join(failures(), strings.ReplaceAll(b.t.Name(), "/", "-")+".png")); err == nil {
			b.t.Logf("how the page looked: %s", path)
		}
	}
}

// Go opens a path of Options.Base, or a whole address.
func (b *Tab) Go(path string) {
	b.t.Helper()
	address := path
	if strings.HasPrefix(path, "/") {
		address = b.with.Base + path
	}
	b.step("go to "+path, func(ctx context.Context) error {
		result, err := chromedp.Call(ctx, page.Navigate, page.NavigateParams{URL: address})
		if err == nil && result.ErrorText != "" && !result.IsDownload {
			err = errors.New(result.ErrorText)
		}
		return err
	})
}

// Back is the browser's Back button. The page that it leads to may be an error page of the browser.
func (b *Tab) Back() { b.t.Helper(); b.step("go back", b.move(-1)) }

// Forward is the browser's Forward button.
func (b *Tab) Forward() { b.t.Helper(); b.step("go forward", b.move(1)) }

func (b *Tab) move(by int64) func(context.Context) error {
	return func(ctx context.Context) error {
		history, err := chromedp.Call(ctx, page.GetNavigationHistory, cdp.Empty{})
		if err != nil {
			return err
		}
		to := history.CurrentIndex + by
		if to < 0 || to >= int64(len(history.Entries)) {
			return errors.New("there is no such page in the history of this tab")
		}
		_, err = chromedp.Call(ctx, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: history.Entries[to].ID})
		return err
	}
}

// Reload is the browser's Reload button. A page that a form made is asked for by the same form again,
// without the question that a browser puts to a person first.
func (b *Tab) Reload() {
	b.t.Helper()
	b.step("reload", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, page.Reload, page.ReloadParams{})
		return err
	})
}

// step does something that may lead to another page, and waits for that page.
func (b *Tab) step(what string, do func(context.Context) error) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, b.limit)
	defer cancel()
	err := do(ctx)
	if err == nil {
		err = b.settle(ctx)
	}
	if err != nil {
		b.t.Fatalf("%s: %v\n%s", what, err, b.here())
	}
}

// settle returns when no page is on its way. A round trip to the page comes before each look, because
// the browser reports what the page did before it answers.
func (b *Tab) settle(ctx context.Context) error {
	for seen := -1; ; {
		if err := b.roundTrip(ctx); err != nil {
			return err
		}
		now, err := b.watch.idle(ctx, func(ctx context.Context) bool {
			done, err := evaluate[bool](ctx, "document.readyState === 'complete'")
			return done && err == nil
		})
		if err != nil || now == seen {
			return err
		}
		seen = now
	}
}

func (b *Tab) roundTrip(ctx context.Context) error {
	_, err := retry(ctx, func() (int, error) { return evaluate[int](ctx, "1") })
	return err
}

// here says where the tab is, for the message of a test that failed.
func (b *Tab) here() string {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	text, err := evaluate[string](ctx, `location.href + "\n" + (document.body ? document.body.innerText : "")`)
	if err != nil {
		return fmt.Sprintf("(the page does not answer: %v)", err)
	}
	return "on " + text
}
