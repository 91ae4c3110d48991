package e2e

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"tokendesk/models/store/storetest"
)

// Profile is a Chromium with a profile on the disk, as a person has one: it remembers, has menus, and can
// be closed and started again. The browser that Open uses is private and keeps nothing. Its tabs share
// their cookies.
type Profile struct {
	t    testing.TB
	Dir  string // all that the browser writes is in here
	ctx  context.Context
	end  func()
	menu context.Context // an extension: it can do what a person reaches through menus
	tabs []*Tab
}

// NewProfile starts a Chromium with an empty profile. Close ends it.
func NewProfile(t testing.TB) *Profile {
	t.Helper()
	p := &Profile{t: t, Dir: t.TempDir()}
	for name, text := range map[string]string{
		"manifest.json": `{"manifest_version": 3, "name": "Menu", "version": "1", "background": {"service_worker": "menu.js"},
			"permissions": ["tabs", "sessions", "contentSettings", "debugger"]}`,
		"menu.js": "",
	} {
		path := filepath.Join(p.Dir, "menu", name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	p.Start()
	return p
}

// Start starts the browser, again with the tabs that it had when it was closed.
func (p *Profile) Start() {
	p.t.Helper()
	path := program()
	if path == "" {
		storetest.Missing(p.t, "Chromium is not installed")
	}
	home := filepath.Join(p.Dir, "home")
	alloc, _ := chromedp.NewExecAllocator(context.Background(), append(flags(path),
		chromedp.Env("HOME="+home, "TMPDIR="+p.Dir, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home),
		chromedp.UserDataDir(filepath.Join(p.Dir, "profile")),
		chromedp.Flag("restore-last-session", true),
		chromedp.Flag("disable-extensions", false),
		chromedp.Flag("disable-features", "Translate,DisableLoadExtensionCommandLineSwitch"),
		chromedp.Flag("load-extension", filepath.Join(p.Dir, "menu")))...)
	ctx, cancel := chromedp.NewContext(alloc)
	p.ctx, p.end = ctx, func() {
		gently, stop := context.WithTimeout(ctx, patience)
		defer stop()
		_ = chromedp.Cancel(gently)
		cancel()
	}
	p.t.Cleanup(p.Close)
	if err := chromedp.Do(ctx); err != nil {
		p.t.Fatalf("start %s: %v", path, err)
	}
	var err error
	if p.menu, err = p.extension(); err != nil {
		p.t.Fatalf("find the extension: %v", err)
	}
}

// Close closes the browser as a person does, with its tabs as they are, and waits until it has written
// down what it keeps.
func (p *Profile) Close() {
	if p.end == nil {
		return
	}
	for _, tab := range p.tabs {
		tab.watch.close()
	}
	p.end()
	p.tabs, p.end = nil, nil
}

// Open opens a tab.
func (p *Profile) Open(t testing.TB, with Options) *Tab {
	t.Helper()
	return p.open(t, with)
}

func (p *Profile) open(t testing.TB, with Options, how ...chromedp.ContextOption) *Tab {
	t.Helper()
	if with.Width == 0 || with.Height == 0 {
		with.Width, with.Height = desktop.width, desktop.height
	}
	b := open(t, p.ctx, with, how...)
	p.tabs = append(p.tabs, b)
	return b
}

// Scripts switches the scripts of all pages on or off, as a person does in the settings.
func (p *Profile) Scripts(on bool) {
	p.t.Helper()
	setting := map[bool]string{true: "allow", false: "block"}[on]
	menu[any](p, "await chrome.contentSettings.javascript.set({primaryPattern: '<all_urls>', setting: '"+setting+"'})")
}

// Duplicate is the command of that name on a tab's menu.
func (p *Profile) Duplicate(b *Tab) *Tab {
	p.t.Helper()
	return p.take(b, "const tab = await chrome.tabs.duplicate(await tabOf('"+targetOf(b)+"'))")
}

// CloseAndReopen closes a tab, which is not to be used again, and has it back by "Reopen closed tab".
func (p *Profile) CloseAndReopen(b *Tab) *Tab {
	p.t.Helper()
	b.watch.close()
	return p.take(b, "await chrome.tabs.remove(await tabOf('"+targetOf(b)+"')); const {tab} = await chrome.sessions.restore()")
}

// take takes over the tab that a script has opened, once its page is there.
func (p *Profile) take(like *Tab, script string) *Tab {
	p.t.Helper()
	id := menu[target.ID](p, script+`;
		while ((await chrome.tabs.get(tab.id)).status !== "complete") await new Promise(done => setTimeout(done, 20));
		return (await chrome.debugger.getTargets()).find(target => target.tabId === tab.id).id`)
	return p.open(like.t, like.with, chromedp.WithTargetID(id))
}

// Tabs takes over all tabs that have a page of a site, such as those that the browser started with.
func (p *Profile) Tabs(t testing.TB, with Options) (tabs []*Tab) {
	t.Helper()
	ids := menu[[]target.ID](p, `
		const tabs = await chrome.tabs.query({url: "`+with.Base+`/*"});
		while ((await chrome.tabs.query({status: "loading"})).length) await new Promise(done => setTimeout(done, 20));
		return (await chrome.debugger.getTargets()).filter(target => tabs.some(tab => tab.id === target.tabId)).map(target => target.id)`)
	for _, id := range ids {
		tabs = append(tabs, p.open(t, with, chromedp.WithTargetID(id)))
	}
	return tabs
}

func targetOf(b *Tab) string { return string(chromedp.FromContext(b.ctx).Target.TargetID) }

// menu runs a script in the extension.
func menu[T any](p *Profile, script string) T {
	p.t.Helper()
	const tabOf = "const tabOf = async id => (await chrome.debugger.getTargets()).find(target => target.id === id).tabId;"
	ctx, cancel := context.WithTimeout(p.menu, patience)
	defer cancel()
	result, err := chromedp.Run(ctx, chromedp.Evaluate[T]("(async () => {"+tabOf+script+"})()", chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", script, err)
	}
	return result
}

// extension waits for the extension, which the browser starts when it is ready for it.
func (p *Profile) extension() (context.Context, error) {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	return retry(ctx, func() (context.Context, error) {
		list, err := chromedp.CallBrowser(ctx, target.GetTargets, target.GetTargetsParams{})
		if err != nil {
			return nil, err
		}
		for _, info := range list.TargetInfos {
			if info.Type == "service_worker" {
				menu, _ := chromedp.NewContext(p.ctx, chromedp.WithTargetID(info.TargetID))
				return menu, chromedp.Do(menu)
			}
		}
		return nil, errors.New("it does not run")
	})
}
