package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// watch keeps what the browser reports about one tab: whether a page is on its way, how the last one
// came, and the complaints. The console has no frames, so every report is about the page.
type watch struct {
	mu         sync.Mutex
	asked      time.Time     // when a page was asked for that has not begun to load; zero: none is
	loading    bool          // a page is loading
	arrived    bool          // and has taken the place of the one before
	arrivals   int           // counts what sets asked or loading
	changed    chan struct{} // closed when one of the above changes
	status     int64         // of the last page that came over the network
	restored   bool          // the page came out of the back/forward cache
	notCached  []string      // why the last page reached by Back or Forward did not
	pages      map[network.RequestID]bool
	complaints []string
	expected   []string
	dialog     func() // answers a dialog of the page
	gone       bool   // the tab was closed, or its browser
}

func newWatch() *watch {
	return &watch{changed: make(chan struct{}), pages: map[network.RequestID]bool{}}
}

// neverCame is how long a page that was asked for may take to begin loading. A script can take the
// request back without a report, so it must end; the browser needs a few milliseconds.
const neverCame = 2 * time.Second

// event is called by chromedp in the order in which the browser reports, and must not block.
func (w *watch) event(report any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := report.(type) {
	case *page.EventFrameRequestedNavigation:
		if e.Disposition == page.ClientNavigationDispositionCurrentTab {
			w.asked = time.Now()
			w.moved()
		}
	case *page.EventFrameStartedLoading:
		w.asked, w.loading, w.arrived = time.Time{}, true, false
		w.moved()
	case *page.EventFrameStoppedLoading:
		w.loading = false
		w.tell()
	case *page.EventFrameNavigated:
		w.arrived = true
		w.restored = e.Type == page.NavigationTypeBackForwardCacheRestore
		w.notCached = nil
	case *page.EventBackForwardCacheNotUsed:
		for _, why := range e.NotRestoredExplanations {
			w.notCached = append(w.notCached, why.Reason.String())
		}
	case *network.EventResponseReceived:
		if e.Type == network.ResourceTypeDocument {
			w.status = e.Response.Status
			w.pages[e.RequestID] = true
		}
	case *page.EventJavascriptDialogOpening:
		w.complain("a %s dialog: %s", e.Type, e.Message)
		go w.dialog()
	default:
		w.hear(report)
	}
}

// hear keeps the complaints of the browser and of the page's scripts.
func (w *watch) hear(report any) {
	switch e := report.(type) {
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if thrown := e.ExceptionDetails.Exception; thrown != nil {
			text += " " + thrown.Description
		}
		w.complain("a script failed: %s", text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			var words []string
			for _, arg := range e.Args {
				words = append(words, string(arg.Value)+arg.Description)
			}
			w.complain("console %s: %s", e.Type, strings.Join(words, " "))
		}
	case *log.EventEntryAdded:
		// A page that answers 404 or 422 is a page like others; flows look at Status where it matters.
		if e.Entry.Level == log.EntryLevelError && !w.pages[e.Entry.NetworkRequestID] {
			w.complain("%s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	}
}

// complain keeps a complaint once: the browser repeats them when a page comes out of its cache.
func (w *watch) complain(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(w.complaints, text) {
		w.complaints = append(w.complaints, text)
	}
}

func (w *watch) moved() {
	w.arrivals++
	w.tell()
}

// stayed takes note that the page that was asked for is a file: the browser keeps it and stays.
func (w *watch) stayed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked, w.loading = time.Time{}, false
	w.tell()
}

func (w *watch) tell() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// idle waits until no page is asked for or loading, and returns how many have been so far. Of a page that
// moves on in the moment in which it comes out of the back/forward cache, the browser now and then does not
// report the end: so where nothing is reported for long, the page is asked whether it is complete.
func (w *watch) idle(ctx context.Context, complete func(context.Context) bool) (arrivals int, err error) {
	for {
		w.mu.Lock()
		if !w.loading && time.Since(w.asked) >= neverCame { // zero was long ago
			defer w.mu.Unlock()
			return w.arrivals, nil
		}
		changed, arrived := w.changed, w.arrived
		w.mu.Unlock()
		select {
		case <-changed:
		case <-time.After(neverCame):
			if arrived && complete(ctx) {
				w.mu.Lock()
				w.loading = false
				w.mu.Unlock()
			}
		case <-ctx.Done():
			return 0, errors.New("the page does not finish loading")
		}
	}
}

// close says that there is nobody to ask any more.
func (w *watch) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gone = true
}

func (w *watch) closed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.gone
}

// unexpected returns the complaints that nobody expected, and the expected ones that never came.
func (w *watch) unexpected() (texts []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	came := map[string]bool{}
	for _, text := range w.complaints {
		known := false
		for _, part := range w.expected {
			if strings.Contains(text, part) {
				known, came[part] = true, true
			}
		}
		if !known {
			texts = append(texts, text)
		}
	}
	for _, part := range w.expected {
		if !came[part] {
			texts = append(texts, fmt.Sprintf("nothing, although %q was expected", part))
		}
	}
	return texts
}
