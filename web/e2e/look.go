package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// screen is a kind of window; the sizes are those of the design.
type screen struct {
	name          string
	width, height int64
}

var (
	desktop = screen{"desktop", 1440, 900}
	mobile  = screen{"mobile", 360, 740} // the smallest that every page must fit into
)

// Viewport gives the window this size, in CSS pixels.
func (b *Tab) Viewport(width, height int64) {
	b.t.Helper()
	b.with.Width, b.with.Height = width, height
	b.step("resize the window", func(ctx context.Context) error {
		return chromedp.Do(ctx, chromedp.EmulateViewport(width, height))
	})
}

// ColorScheme makes the system prefer "light" or "dark". It also prefers no motion, so that a picture
// does not catch a dialog half open.
func (b *Tab) ColorScheme(scheme string) {
	b.t.Helper()
	b.with.Dark = scheme == "dark"
	b.step("prefer "+scheme, func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"},
		}})
		return err
	})
}

// JavaScript switches the page's own scripts on or off, from the next page on.
func (b *Tab) JavaScript(enabled bool) {
	b.t.Helper()
	b.with.NoScript = !enabled
	b.step("switch scripts", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !enabled})
		return err
	})
}

// Look looks at the page on a desktop, light and dark, and on a small screen (NAME.desktop-light, NAME.desktop-dark and
// NAME.mobile-light): it keeps a picture where pictures are wanted, and fails the test for what axe finds in any of
// them, and for a page that is wider than its window.
func (b *Tab) Look(name string) {
	b.t.Helper()
	before := b.with
	for _, view := range []struct {
		on     screen
		scheme string
	}{{desktop, "light"}, {desktop, "dark"}, {mobile, "light"}} { // a narrower window changes no colour
		b.Viewport(view.on.width, view.on.height)
		b.ColorScheme(view.scheme)
		picture := fmt.Sprintf("%s.%s-%s", name, view.on.name, view.scheme)
		b.Screenshot(picture)
		for _, found := range b.Axe() {
			b.t.Errorf("%s: %s", picture, found)
		}
		if b.HorizontalOverflow() {
			b.t.Errorf("%s: the page is wider than the window", picture)
		}
	}
	b.Viewport(before.Width, before.Height)
	b.ColorScheme(map[bool]string{false: "light", true: "dark"}[before.Dark])
}

// HorizontalOverflow says whether the page is wider than its window, so that a person has to scroll
// sideways.
func (b *Tab) HorizontalOverflow() bool {
	b.t.Helper()
	return ask(b, "measure the page", func(ctx context.Context) (bool, error) {
		return evaluate[bool](ctx, "document.documentElement.scrollWidth > document.documentElement.clientWidth")
	})
}

// Screenshot keeps a picture of the page as NAME.png in the folder that TOKENDESK_TEST_SCREENS names. It shows the whole page,
// or the window while a dialog is open. Where no folder is named, nobody looks at pictures, and none is made.
func (b *Tab) Screenshot(name string) {
	b.t.Helper()
	b.step("take a picture of "+name, func(ctx context.Context) error {
		folder := os.Getenv("TOKENDESK_TEST_SCREENS")
		if folder == "" {
			return nil
		}
		_, err := b.keep(ctx, filepath.Join(folder, name+".png"))
		return err
	})
}

// painted waits for what moves or colours a page late: fonts, the frame after the next, which has all of a change of colours
// in it, and transitions that come to an end.
const painted = `(async () => {
	const frame = () => new Promise(requestAnimationFrame)
	await document.fonts.ready
	await frame()
	await frame()
	const ending = document.getAnimations().filter(a => a.effect.getComputedTiming().endTime < Infinity)
	await Promise.allSettled(ending.map(a => a.finished))
	await frame()
})()`

func (b *Tab) keep(ctx context.Context, path string) (string, error) {
	if !b.with.NoScript { // promises need scripts
		if _, err := evaluate[chromedp.Void](ctx, painted, chromedp.EvalAwaitPromise); err != nil {
			return "", err
		}
	}
	open, err := evaluate[bool](ctx, `document.querySelector("dialog[open], :popover-open") !== null`)
	if err != nil {
		return "", err
	}
	yes := true
	picture := page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng, OptimizeForSpeed: &yes}
	if !open {
		size, err := chromedp.Call(ctx, page.GetLayoutMetrics, cdp.Empty{})
		if err != nil {
			return "", err
		}
		picture.CaptureBeyondViewport = &yes
		picture.Clip = &page.Viewport{Width: size.CSSContentSize.Width, Height: size.CSSContentSize.Height, Scale: 1}
	}
	taken, err := still(ctx, picture)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	return path, os.WriteFile(path, taken, 0o644)
}

// still takes pictures until two in a row are the same: right after a change of colours Chromium may
// answer with parts of the page in the old ones. What never stands still is taken as it is.
func still(ctx context.Context, picture page.CaptureScreenshotParams) ([]byte, error) {
	var last []byte
	for range 5 {
		taken, err := chromedp.Call(ctx, page.CaptureScreenshot, picture)
		if err != nil || bytes.Equal(taken.Data, last) {
			return last, err
		}
		last = taken.Data
	}
	return last, nil
}

// failures is the folder for pictures of tests that failed, which git ignores.
func failures() string {
	if folder := os.Getenv("TOKENDESK_TEST_SCREENS"); folder != "" {
		return filepath.Join(folder, "failed")
	}
	_, self, _, _ := runtime.Caller(0) // the root of the module is two folders up from this file's
	return filepath.Join(filepath.Dir(self), "..", "..", "build", "screens", "failed")
}
