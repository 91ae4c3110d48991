package e2e

import (
	"context"
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Choose does something that opens the browser's file chooser, such as a click on a file field, and
// chooses this file there.
func (b *Tab) Choose(path string, open func()) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, b.limit)
	defer cancel()
	opened := make(chan cdp.BackendNodeID, 1)
	err := chromedp.Listen(ctx, func(report any) {
		if e, ok := report.(*page.EventFileChooserOpened); ok {
			select {
			case opened <- e.BackendNodeID:
			default:
			}
		}
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.interceptChooser(true)
	open()
	b.step("choose "+path, func(ctx context.Context) error {
		select {
		case field := <-opened:
			_, err := chromedp.Call(ctx, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{path}, BackendNodeID: field})
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	b.interceptChooser(false)
}

func (b *Tab) interceptChooser(enabled bool) {
	b.t.Helper()
	b.step("take the file chooser's place", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, page.SetInterceptFileChooserDialog, page.SetInterceptFileChooserDialogParams{Enabled: enabled})
		return err
	})
}

// Download is a file that the browser kept.
type Download struct {
	Name    string // what the browser calls it
	Content []byte
}

// Download does something that makes the browser keep a file, and returns the file. Nothing of a file
// is shown: a step that leads to a page instead ends the test.
func (b *Tab) Download(start func()) Download {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, b.limit)
	defer cancel()
	folder, target := b.t.TempDir(), chromedp.FromContext(b.ctx)
	var begun *browser.EventDownloadWillBegin // of this tab: others of this browser may keep files, too
	ended := make(chan browser.DownloadProgressState, 1)
	err := chromedp.ListenBrowser(ctx, func(report any) {
		switch e := report.(type) {
		case *browser.EventDownloadWillBegin:
			if string(e.FrameID) == string(target.Target.TargetID) {
				begun = e
				b.watch.stayed()
			}
		case *browser.EventDownloadProgress:
			if begun != nil && e.GUID == begun.GUID && e.State != browser.DownloadProgressStateInProgress {
				ended <- e.State
			}
		}
	})
	if err != nil {
		b.t.Fatal(err)
	}
	yes := true
	_, err = chromedp.CallBrowser(ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllowAndName, BrowserContextID: target.BrowserContextID, DownloadPath: folder, EventsEnabled: &yes,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	start()
	select {
	case state := <-ended:
		content, err := os.ReadFile(filepath.Join(folder, begun.GUID))
		if err != nil || state != browser.DownloadProgressStateCompleted {
			b.t.Fatalf("the download of %s is %s (%v)", begun.URL, state, err)
		}
		return Download{begun.SuggestedFilename, content}
	case <-ctx.Done():
		b.t.Fatalf("no file came\n%s", b.here())
		return Download{}
	}
}

// Slow has the page send so many bytes a second and no more; 0 lets it go as fast as it can.
func (b *Tab) Slow(bytesPerSecond float64) {
	b.t.Helper()
	if bytesPerSecond == 0 {
		bytesPerSecond = -1
	}
	b.step("slow the connection down", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, slowDown, slowDownParams{
			MatchedNetworkConditions: []*network.Conditions{{DownloadThroughput: -1, UploadThroughput: bytesPerSecond}},
		})
		return err
	})
}

// slowDown is network.EmulateNetworkConditionsByRule, for older Chromiums too: those want to be told that the page is not offline.
var slowDown = cdp.Command[slowDownParams, network.EmulateNetworkConditionsByRuleResult]{Method: network.CommandEmulateNetworkConditionsByRule}

type slowDownParams struct {
	Offline                  bool                  `json:"offline"`
	MatchedNetworkConditions []*network.Conditions `json:"matchedNetworkConditions"`
}
