package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// Text returns what the one element that matches a CSS selector says to the eye, without the space
// around it. It waits for the element.
func (b *Tab) Text(css string) string {
	b.t.Helper()
	return ask(b, "read "+css, func(ctx context.Context) (string, error) {
		text, err := evaluate[string](ctx, b.In(css).root()+".innerText")
		return strings.TrimSpace(text), err
	})
}

// Count returns how many elements match a CSS selector now.
func (b *Tab) Count(css string) int {
	b.t.Helper()
	return ask(b, "count "+css, func(ctx context.Context) (int, error) {
		return evaluate[int](ctx, fmt.Sprintf("(%s).querySelectorAll(%s).length", b.root(), quote(css)))
	})
}

// Has says whether the page, as it is now, shows a text to the eye.
func (b *Tab) Has(text string) bool {
	b.t.Helper()
	return ask(b, "look for "+text, func(ctx context.Context) (bool, error) { return b.shows(ctx, text) })
}

// Wait waits until the page shows a text; for what a script does a moment later.
func (b *Tab) Wait(text string) {
	b.t.Helper()
	ask(b, "wait for "+text, func(ctx context.Context) (bool, error) {
		there, err := b.shows(ctx, text)
		if err == nil && !there {
			err = fmt.Errorf("the page does not show it")
		}
		return there, err
	})
}

func (b *Tab) shows(ctx context.Context, text string) (bool, error) {
	root := b.root()
	return evaluate[bool](ctx, fmt.Sprintf("((root) => (root.body || root).innerText.includes(%s))(%s)", quote(text), root))
}

// Value returns what the one field with this label holds.
func (b *Tab) Value(label string) string {
	b.t.Helper()
	return property[string](b, label, "value")
}

// Checked says whether the one tick box or choice with this label is on.
func (b *Tab) Checked(label string) bool {
	b.t.Helper()
	return property[bool](b, label, "checked")
}

func property[T any](b *Tab, label, name string) T {
	b.t.Helper()
	return ask(b, "read "+label, func(ctx context.Context) (value T, err error) {
		field, err := b.control(ctx, label, usable)
		if err != nil {
			return value, err
		}
		return on[T](ctx, field, "function(name) { return this[name] }", name)
	})
}

// Focus returns what has the keyboard, as a screen reader says it: `button "Copy"`. It is empty where
// that is no control.
func (b *Tab) Focus() string {
	b.t.Helper()
	return ask(b, "see what has the keyboard", func(ctx context.Context) (string, error) {
		node, err := focused(ctx)
		if err != nil || node == nil {
			return "", err
		}
		return spoken(node), nil
	})
}

// Selection returns the text that is selected on the page.
func (b *Tab) Selection() string {
	b.t.Helper()
	return ask(b, "read the selection", func(ctx context.Context) (string, error) {
		return evaluate[string](ctx, "getSelection().toString()")
	})
}

// Clipboard returns what was copied last. The permission to read is given for this moment only, so a
// page that needs one to write does not find it lying around.
func (b *Tab) Clipboard() string {
	b.t.Helper()
	in := chromedp.FromContext(b.ctx).BrowserContextID
	return ask(b, "read the clipboard", func(ctx context.Context) (text string, err error) {
		_, err = chromedp.CallBrowser(ctx, browser.SetPermission, browser.SetPermissionParams{
			BrowserContextID: in, Setting: browser.PermissionSettingGranted,
			Permission: &browser.PermissionDescriptor{Name: "clipboard-read"},
		})
		if err == nil {
			text, err = evaluate[string](ctx, "navigator.clipboard.readText()", chromedp.EvalAwaitPromise)
		}
		_, _ = chromedp.CallBrowser(ctx, browser.ResetPermissions, browser.ResetPermissionsParams{BrowserContextID: in})
		return text, err
	})
}

// HTML returns the whole document as it is now, with what the fields hold. It is for looking for what
// must not be there.
func (b *Tab) HTML() string {
	b.t.Helper()
	return ask(b, "read the document", func(ctx context.Context) (string, error) {
		return evaluate[string](ctx, `document.documentElement.outerHTML + "\n" +
			[...document.querySelectorAll("input, textarea, select, output")].map(e => e.value).join("\n")`)
	})
}

// URL returns the address of the page.
func (b *Tab) URL() string {
	b.t.Helper()
	return ask(b, "read the address", func(ctx context.Context) (string, error) { return evaluate[string](ctx, "location.href") })
}

// Title returns the title of the page.
func (b *Tab) Title() string {
	b.t.Helper()
	return ask(b, "read the title", func(ctx context.Context) (string, error) { return evaluate[string](ctx, "document.title") })
}

// Status returns the status of the last page that came over the network.
func (b *Tab) Status() int {
	b.watch.mu.Lock()
	defer b.watch.mu.Unlock()
	return int(b.watch.status)
}

// Restored says whether the page came out of the back/forward cache, alive as it was left. Where it
// did not after Back or Forward, the browser says why.
func (b *Tab) Restored() (restored bool, whyNot []string) {
	b.watch.mu.Lock()
	defer b.watch.mu.Unlock()
	return b.watch.restored, b.watch.notCached
}

// Expect says that the browser is going to complain with this text, so that the test does not fail
// for it, and does fail if it never comes.
func (b *Tab) Expect(complaint string) {
	b.watch.mu.Lock()
	defer b.watch.mu.Unlock()
	b.watch.expected = append(b.watch.expected, complaint)
}

// Evaluate runs a JavaScript expression in the page and returns its value as JSON, for what no other
// method can see.
func (b *Tab) Evaluate(expression string) string {
	b.t.Helper()
	return ask(b, "evaluate "+expression, func(ctx context.Context) (string, error) {
		value, err := evaluate[[]byte](ctx, expression, chromedp.EvalAwaitPromise, chromedp.EvalAsValue)
		return string(value), err
	})
}

// ask asks the page until it answers; a page may change while it is being asked.
func ask[T any](b *Tab, what string, question func(context.Context) (T, error)) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, b.limit)
	defer cancel()
	answer, err := retry(ctx, func() (T, error) { return question(ctx) })
	if err != nil {
		b.t.Fatalf("%s: %v\n%s", what, err, b.here())
	}
	return answer
}

func quote(text string) string {
	quoted, _ := json.Marshal(text)
	return string(quoted)
}
