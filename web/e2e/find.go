package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// The roles that the accessibility tree gives to what a person can use, and to what can be filled in.
var (
	fillable = []string{"textbox", "searchbox", "spinbutton", "combobox", "Date", "DateTime", "InputTime"}
	usable   = append([]string{
		"button", "link", "checkbox", "radio", "switch", "tab", "menuitem", "option", "DisclosureTriangle", "slider",
	}, fillable...)
)

// In returns a view of the same tab that finds only what lies within the one element that matches a
// CSS selector, such as one card among many: tab.In("#card-7").Click("Revoke").
func (b *Tab) In(css string) *Tab {
	within := *b
	within.scope = append(slices.Clone(b.scope), css)
	return &within
}

// root is the JavaScript expression for the element in which this view of the tab looks.
func (b *Tab) root() string {
	scope, _ := json.Marshal(append([]string{}, b.scope...))
	return string(scope) + `.reduce((root, css) => {
		const all = root.querySelectorAll(css);
		if (all.length !== 1) throw new Error(all.length + " elements match " + css);
		return all[0];
	}, document)`
}

// control returns the one thing with this accessible name and one of these roles that is open to
// assistive tools: not hidden, not behind a modal dialog.
func (b *Tab) control(ctx context.Context, name string, roles []string) (runtime.RemoteObjectID, error) {
	root, err := evaluate[*runtime.RemoteObject](ctx, b.root())
	if err != nil {
		return "", err
	}
	named, err := b.controls(ctx, root.ObjectID, name, roles)
	if err != nil {
		return "", err
	}
	if len(named) != 1 {
		everything, err := b.controls(ctx, root.ObjectID, "", roles)
		if err != nil {
			return "", err
		}
		if len(named) == 0 { // Chromium's search knows a file field by more than its name
			named = slices.DeleteFunc(slices.Clone(everything), func(node *accessibility.Node) bool { return plain(node.Name) != name })
		}
		if len(named) != 1 {
			return "", fmt.Errorf("%d controls are named %q; here are: %s", len(named), name, describe(everything))
		}
	}
	node, err := chromedp.Call(ctx, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: named[0].BackendDOMNodeID})
	if err != nil {
		return "", err
	}
	return node.Object.ObjectID, nil
}

// controls returns those with a name, or all of them where the name is empty.
func (b *Tab) controls(ctx context.Context, root runtime.RemoteObjectID, name string, roles []string) ([]*accessibility.Node, error) {
	found, err := chromedp.Call(ctx, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{ObjectID: root, AccessibleName: name})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(found.Nodes, func(node *accessibility.Node) bool {
		return node.Ignored || !slices.Contains(roles, plain(node.Role))
	}), nil
}

func describe(nodes []*accessibility.Node) string {
	var words []string
	for _, node := range nodes {
		words = append(words, spoken(node))
	}
	return strings.Join(words, ", ")
}

// spoken is a control as a screen reader says it: `button "Copy"`.
func spoken(node *accessibility.Node) string {
	return fmt.Sprintf("%s %q", plain(node.Role), strings.TrimSpace(plain(node.Name)))
}

func plain(value *accessibility.Value) (text string) {
	if value != nil {
		_ = json.Unmarshal(value.Value, &text)
	}
	return text
}

// element returns the one element that matches a CSS selector.
func (b *Tab) element(ctx context.Context, css string) (runtime.RemoteObjectID, error) {
	object, err := evaluate[*runtime.RemoteObject](ctx, b.In(css).root())
	if err != nil {
		return "", err
	}
	return object.ObjectID, nil
}

// focused returns the node that has the keyboard, or nil where it is nothing but the page.
func focused(ctx context.Context) (*accessibility.Node, error) {
	active, err := evaluate[*runtime.RemoteObject](ctx, "document.activeElement || document.body")
	if err != nil {
		return nil, err
	}
	no := false
	tree, err := chromedp.Call(ctx, accessibility.GetPartialAXTree, accessibility.GetPartialAXTreeParams{ObjectID: active.ObjectID, FetchRelatives: &no})
	if err != nil || len(tree.Nodes) == 0 || !slices.Contains(usable, plain(tree.Nodes[0].Role)) {
		return nil, err
	}
	return tree.Nodes[0], nil
}

// evaluate runs an expression in the page, as the browser's own tools do: the content security policy
// does not apply to it, and it runs where the page's scripts are switched off.
func evaluate[T any](ctx context.Context, expression string, how ...chromedp.EvaluateOption) (T, error) {
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, how...))
}

// on calls a JavaScript function with an object of the page as its `this`.
func on[T any](ctx context.Context, object runtime.RemoteObjectID, function string, args ...any) (T, error) {
	return chromedp.Run(ctx, chromedp.CallFunctionOn[T](function, func(p *runtime.CallFunctionOnParams) { p.ObjectID = object }, args...))
}

// retry asks again until there is an answer without an error, or the time is up: the answer is then
// the last error. Pages come and go under whoever asks.
func retry[T any](ctx context.Context, ask func() (T, error)) (T, error) {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for last := error(nil); ; {
		answer, err := ask()
		if err == nil {
			return answer, nil
		}
		if last == nil || !errors.Is(err, context.DeadlineExceeded) {
			last = err // the time being up says less than what was wrong before
		}
		select {
		case <-ctx.Done():
			return answer, last
		case <-again.C:
		}
	}
}
