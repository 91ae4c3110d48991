package e2e

import (
	"context"
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Click clicks the one button, link, field or tick box with this accessible name.
func (b *Tab) Click(name string) {
	b.t.Helper()
	b.step("click "+name, func(ctx context.Context) error { return b.clickControl(ctx, name, 1) })
}

// DoubleClick clicks it twice, as fast as a hand that did not mean to.
func (b *Tab) DoubleClick(name string) {
	b.t.Helper()
	b.step("double-click "+name, func(ctx context.Context) error { return b.clickControl(ctx, name, 2) })
}

// ClickCSS clicks the one element that matches a CSS selector, for what is not a control: a secret
// that selects itself.
func (b *Tab) ClickCSS(css string) {
	b.t.Helper()
	b.step("click "+css, func(ctx context.Context) error {
		return click(ctx, 1, func() (runtime.RemoteObjectID, error) { return b.element(ctx, css) })
	})
}

func (b *Tab) clickControl(ctx context.Context, name string, times int64) error {
	return click(ctx, times, func() (runtime.RemoteObjectID, error) { return b.control(ctx, name, usable) })
}

// point is a place in the window, in CSS pixels.
type point struct{ x, y float64 }

// click presses the mouse in the middle of an element, once it can be found and nothing covers it.
func click(ctx context.Context, times int64, find func() (runtime.RemoteObjectID, error)) error {
	at, err := retry(ctx, func() (point, error) {
		object, err := find()
		if err != nil {
			return point{}, err
		}
		return reach(ctx, object)
	})
	if err != nil {
		return err
	}
	if err := mouse(ctx, input.DispatchMouseEventTypeMouseMoved, at, 0); err != nil {
		return err
	}
	for n := int64(1); n <= times; n++ {
		if err := mouse(ctx, input.DispatchMouseEventTypeMousePressed, at, n); err != nil {
			return err
		}
		if err := mouse(ctx, input.DispatchMouseEventTypeMouseReleased, at, n); err != nil {
			return err
		}
	}
	return nil
}

func mouse(ctx context.Context, kind input.DispatchMouseEventType, at point, count int64) error {
	button := input.MouseButtonLeft
	if count == 0 {
		button = input.MouseButtonNone
	}
	_, err := chromedp.Call(ctx, input.DispatchMouseEvent, input.DispatchMouseEventParams{
		Type: kind, X: at.x, Y: at.y, Button: button, ClickCount: count,
	})
	return err
}

// covering says what a click at a point would hit instead of this element; a label hits its field.
const covering = `function(x, y) {
	const hit = document.elementFromPoint(x, y);
	if (hit && (this.contains(hit) || hit.closest("label")?.control === this)) return "";
	return hit ? hit.cloneNode(false).outerHTML : "the edge of the window";
}`

// reach brings an element into view and returns its middle, or what is in the way.
func reach(ctx context.Context, object runtime.RemoteObjectID) (point, error) {
	if _, err := chromedp.Call(ctx, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{ObjectID: object}); err != nil {
		return point{}, err
	}
	shape, err := chromedp.Call(ctx, dom.GetContentQuads, dom.GetContentQuadsParams{ObjectID: object})
	if err != nil {
		return point{}, err
	}
	if len(shape.Quads) == 0 || len(shape.Quads[0]) < 8 {
		return point{}, fmt.Errorf("it has no place on the page")
	}
	corner := shape.Quads[0] // x1, y1 … x4, y4, clockwise: the first and the third are opposite
	at := point{(corner[0] + corner[4]) / 2, (corner[1] + corner[5]) / 2}
	over, err := on[string](ctx, object, covering, at.x, at.y)
	if err == nil && over != "" {
		err = fmt.Errorf("it is covered by %s", over)
	}
	return at, err
}

// replaceAll marks what a field holds, so that what is typed takes its place. Fields for dates take no
// typed text; they are set, and told as the browser would.
const replaceAll = `function(text) {
	this.focus();
	if (!/^(date|datetime-local|month|time|week|color|range)$/.test(this.type)) { this.select(); return true; }
	this.value = text;
	this.dispatchEvent(new Event("input", {bubbles: true}));
	this.dispatchEvent(new Event("change", {bubbles: true}));
	return false;
}`

// Fill puts a value into the one field with this label, in place of what is there.
func (b *Tab) Fill(label, value string) {
	b.t.Helper()
	b.step("fill in "+label, func(ctx context.Context) error {
		field, err := retry(ctx, func() (runtime.RemoteObjectID, error) { return b.control(ctx, label, fillable) })
		if err != nil {
			return err
		}
		typed, err := on[bool](ctx, field, replaceAll, value)
		if err != nil {
			return err
		}
		if typed && value == "" {
			err = press(ctx, "Delete")
		} else if typed {
			_, err = chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: value})
		}
		if err != nil {
			return err
		}
		if holds, err := on[string](ctx, field, "function() { return this.value }"); err != nil || holds != value {
			return fmt.Errorf("it holds %q instead of %q (%v)", holds, value, err)
		}
		return nil
	})
}

// pick chooses an option by its words and tells the page as the browser would.
const pick = `function(words) {
	const all = [...this.options].filter(o => o.label.trim() === words);
	if (all.length !== 1) throw new Error(all.length + " options read " + words + " among " + [...this.options].map(o => o.label.trim()).join(", "));
	this.focus();
	this.value = all[0].value;
	this.dispatchEvent(new Event("input", {bubbles: true}));
	this.dispatchEvent(new Event("change", {bubbles: true}));
}`

// Select chooses the option with these words in the one list with this label.
func (b *Tab) Select(label, words string) {
	b.t.Helper()
	b.step("select "+words+" in "+label, func(ctx context.Context) error {
		_, err := retry(ctx, func() (chromedp.Void, error) {
			list, err := b.control(ctx, label, fillable)
			if err != nil {
				return chromedp.Void{}, err
			}
			return on[chromedp.Void](ctx, list, pick, words)
		})
		return err
	})
}

// keys are the names that Press knows; any single character is a key too.
var keys = map[string]string{
	"Enter": kb.Enter, "Tab": kb.Tab, "Escape": kb.Escape, "Space": " ", "Backspace": kb.Backspace, "Delete": kb.Delete,
	"ArrowUp": kb.ArrowUp, "ArrowDown": kb.ArrowDown, "ArrowLeft": kb.ArrowLeft, "ArrowRight": kb.ArrowRight,
	"Home": kb.Home, "End": kb.End,
}

var modifiers = map[string]chromedp.Modifier{
	"Shift": chromedp.ModifierShift, "Ctrl": chromedp.ModifierCtrl, "Alt": chromedp.ModifierAlt,
}

// Press presses keys one after the other: Press("Tab", "Shift+Tab", "Ctrl+a", "Enter").
func (b *Tab) Press(strokes ...string) {
	b.t.Helper()
	for _, stroke := range strokes {
		b.step("press "+stroke, func(ctx context.Context) error { return press(ctx, stroke) })
	}
}

func press(ctx context.Context, stroke string) error {
	parts := strings.Split(stroke, "+")
	name := parts[len(parts)-1]
	key, known := keys[name]
	if !known && len([]rune(name)) == 1 {
		key, known = name, true
	}
	var held []chromedp.Modifier
	for _, part := range parts[:len(parts)-1] {
		modifier, ok := modifiers[part]
		known = known && ok
		held = append(held, modifier)
	}
	if !known {
		return fmt.Errorf("there is no key %q", stroke)
	}
	return chromedp.Do(ctx, chromedp.KeyEvent(key, chromedp.KeyModifiers(held...), asPressed))
}

// asPressed has a key go down as the system tells it. Chromium then drops the character of a key that has done something
// already, as it does for a person; otherwise Enter on a link would also be typed into what the link has opened.
func asPressed(p *input.DispatchKeyEventParams) {
	if p.Type == input.DispatchKeyEventTypeKeyDown {
		p.Type = input.DispatchKeyEventTypeRawKeyDown
	}
}

// Type types into whatever has the keyboard.
func (b *Tab) Type(text string) {
	b.t.Helper()
	b.step("type", func(ctx context.Context) error { return chromedp.Do(ctx, chromedp.KeyEvent(text, asPressed)) })
}

// TabTo presses Tab until the control with this name has the keyboard; it gives up after a hundred.
func (b *Tab) TabTo(name string) {
	b.t.Helper()
	var passed []string
	for range 100 {
		b.Press("Tab")
		heard := b.Focus()
		if strings.HasSuffix(heard, fmt.Sprintf(" %q", name)) {
			return
		}
		passed = append(passed, heard)
	}
	b.t.Fatalf("Tab does not reach %q; it passed %s", name, strings.Join(passed[:20], ", "))
}
