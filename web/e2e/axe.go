package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"tokendesk/models/store/storetest"
)

// AxeVersion is the version of axe-core that .ci/test fetches; it names the folder of the file.
const AxeVersion = "4.14.1"

// Violation is one thing that axe found wrong with a page.
type Violation struct {
	ID     string   `json:"id"`     // axe's name of the rule, such as "color-contrast"
	Impact string   `json:"impact"` // minor, moderate, serious, critical
	Help   string   `json:"help"`   // the rule in a sentence
	Nodes  []string `json:"nodes"`  // where, and what to do about it
}

func (v Violation) String() string {
	return fmt.Sprintf("axe %s (%s): %s\n\t%s", v.ID, v.Impact, v.Help, strings.Join(v.Nodes, "\n\t"))
}

// runAxe asks for WCAG 2.0 to 2.2, A and AA, and axe's best practices. The size of targets is a rule
// of WCAG 2.2 AA that axe leaves off unless it is named.
const runAxe = `axe.run(document, {
	resultTypes: ["violations"],
	runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
	rules: {"target-size": {enabled: true}},
}).then(found => found.violations.map(v => ({
	id: v.id, impact: v.impact || "", help: v.help,
	nodes: v.nodes.map(n => n.target.join(" ") + ": " + (n.failureSummary || "").replace(/\s+/g, " ")),
})))`

// Axe checks the page as it is now, in this window and colour scheme, and returns what is wrong with
// it. axe runs in a world of its own: it sees the page, and the page's policy and scripts do not see
// it. It needs scripts, so a tab that has none gets them for this moment.
func (b *Tab) Axe() []Violation {
	b.t.Helper()
	source, err := axeSource()
	if err != nil {
		storetest.Missing(b.t, fmt.Sprintf("axe-core %s is not there: %v", AxeVersion, err))
	}
	if b.with.NoScript {
		b.JavaScript(true)
		defer b.JavaScript(false)
	}
	return ask(b, "check with axe", func(ctx context.Context) ([]Violation, error) {
		frames, err := chromedp.Call(ctx, page.GetFrameTree, cdp.Empty{})
		if err != nil {
			return nil, err
		}
		world, err := chromedp.Call(ctx, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{
			FrameID: frames.FrameTree.Frame.ID, WorldName: "axe",
		})
		if err != nil {
			return nil, err
		}
		there := func(p *runtime.EvaluateParams) { p.ContextID = world.ExecutionContextID }
		loaded, err := evaluate[bool](ctx, "typeof axe === 'object'", there) // the world stays as long as the page
		if err == nil && !loaded {
			_, err = evaluate[chromedp.Void](ctx, source, there)
		}
		if err != nil {
			return nil, err
		}
		// Right after a change of colours Chromium may tell of parts of the page in the old ones. What is wrong stays wrong.
		var found []Violation
		for try := 0; try == 0 || try < 5 && err == nil && len(found) > 0; try++ {
			if _, err = evaluate[chromedp.Void](ctx, painted, there, chromedp.EvalAwaitPromise); err == nil {
				found, err = evaluate[[]Violation](ctx, runAxe, there, chromedp.EvalAwaitPromise)
			}
		}
		return found, err
	})
}

// axeSource reads the file that TOKENDESK_TEST_AXE names, or the one that .ci/test left in the cache.
var axeSource = sync.OnceValues(func() (string, error) {
	path := os.Getenv("TOKENDESK_TEST_AXE")
	if path == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		path = filepath.Join(cache, "tokendesk", "axe-core-"+AxeVersion, "axe.min.js")
	}
	source, err := os.ReadFile(path)
	return string(source), err
})
