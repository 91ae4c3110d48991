package handlers

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"tokendesk/models"
)

// Browser is the Kind of a Transfer to somebody who signed in with a browser.
const Browser = "browser"

// Transfer is a file that somebody is being sent, by what lets them have it.
type Transfer struct {
	Kind       string // of the credential that it was asked for with, or Browser
	Credential string // its ID; of a browser, and of a program that signed in, the session's
	Person     string // empty: nobody's, as an access key of a collection is
	Workspace  string // what is sent belongs to; empty: to none
	Collection string // what is sent is of; empty: of none
	ByRole     bool   // only some of the workspace's members may have it
	Found      bool   // the last three are known; until then it may be of any
}

// Downloads are the files that are being sent, and how many each person is. The zero value has none.
type Downloads struct {
	mu       sync.Mutex
	running  map[string]int
	underWay map[*steadyWriter]struct{}
}

// mostDownloads is how many files a person is sent at once, as many as a browser asks one server for; each keeps a
// part of a file, or of the log, in memory for as long as its reader takes.
const mostDownloads = 6

// enter puts a file of somebody's among those that are being sent, until leave; or refuses it, with models.TooMany.
func (d *Downloads) enter(whose string, w *steadyWriter) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running[whose] >= mostDownloads {
		full := models.Fail(models.TooMany, "%d of your downloads are running. Wait until one is done, then try again.", mostDownloads)
		full.RetryAfterSeconds = 5
		return full
	}
	if d.running == nil {
		d.running, d.underWay = map[string]int{}, map[*steadyWriter]struct{}{}
	}
	d.running[whose]++
	d.underWay[w] = struct{}{}
	return nil
}

func (d *Downloads) leave(whose string, w *steadyWriter) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.underWay, w)
	if d.running[whose]--; d.running[whose] == 0 {
		delete(d.running, whose)
	}
}

// Cut ends some of the files that are being sent, so that none outlives the right to it. It returns how many there were; when it does, nothing more
// of them goes out.
func (d *Downloads) Cut(whose func(Transfer) bool) (ended int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for w := range d.underWay {
		if whose(w.transfer) {
			w.end()
			ended++
		}
	}
	return ended
}

var errRightEnded = models.Fail(models.Unauthorized, "What this was sent for has ended, or may have. Sign in, or use a token that is good, then ask for it again.")

var longAgo = time.Unix(1, 0)

// steadyWriter writes an answer for as long as it goes on and its reader may have it.
type steadyWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	now     models.Clock
	asked   time.Time
	may     func() error
	goesOn  func() bool // says whether anything may

	list     *Downloads
	transfer Transfer    // guarded by the list
	begun    atomic.Bool // something of it may be on its way
	cut      atomic.Bool
}

// found tells what is sent, once that is known.
func (s *steadyWriter) found(workspace, collection string, byRole bool) {
	s.list.mu.Lock()
	defer s.list.mu.Unlock()
	s.transfer.Workspace, s.transfer.Collection, s.transfer.ByRole, s.transfer.Found = workspace, collection, byRole, true
}

// end has nothing more of it go out, also of what waits for the reader to take it. Of what has not begun the reader can still be told why.
func (s *steadyWriter) end() {
	s.cut.Store(true)
	if s.begun.Load() {
		_ = s.control.SetWriteDeadline(longAgo)
	}
}
