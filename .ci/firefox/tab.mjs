// A tab of Firefox, with the steps that a person takes in it.
import { setTimeout as pause } from 'node:timers/promises';

export class Tab {
  constructor(firefox, base, context) {
    Object.assign(this, { firefox, base, context });
  }

  static async open(firefox, base) {
    const { context } = await firefox.send('browsingContext.create', { type: 'tab' });
    return new Tab(firefox, base, context);
  }

  run(expression) {
    return this.firefox.evaluate(this.context, expression);
  }

  async go(path) {
    await this.firefox.send('browsingContext.navigate', { context: this.context, url: path.startsWith('/') ? this.base + path : path, wait: 'complete' });
    await this.settle();
  }

  async reload() {
    await this.firefox.send('browsingContext.reload', { context: this.context, wait: 'complete' });
    await this.settle();
  }

  async move(delta) {
    await this.firefox.send('browsingContext.traverseHistory', { context: this.context, delta });
    await this.settle();
  }

  back() { return this.move(-1); }

  forward() { return this.move(1); }

  // settle waits until no page is on its way and the tab has had the same one, whole, for a while: a page
  // may move on by itself. Firefox's own page about an error is never whole.
  async settle() {
    const late = Date.now() + 60_000;
    for (let same = 0, last = ''; same < 4;) {
      if (Date.now() > late) throw new Error(`the page is not complete: ${last}`);
      await pause(75);
      const busy = await this.firefox.menu('gBrowser.browsers.some(browser => browser.webProgress?.isLoadingDocument)');
      const now = await this.run('`${document.documentURI} ${performance.timeOrigin} ${document.readyState}`').catch(String);
      same = !busy && now === last && /^about:neterror| complete$/.test(now) ? same + 1 : 0;
      last = now;
    }
  }

  // all is what a page has: what is written in it, with what is in its fields, its title and its address.
  all() {
    return this.run(`[document.documentElement.outerHTML, document.documentElement.textContent, document.title, document.documentURI,
      ...[...document.querySelectorAll('input, textarea')].map(field => field.value)].join('\\n')`);
  }

  says() { return this.run('document.body.innerText'); }

  address() { return this.run('location.href'); }

  // fill puts values into fields, by their names.
  async fill(values) {
    for (const [name, value] of Object.entries(values)) {
      await this.run(`{
        const field = document.querySelector(${JSON.stringify(`main [name=${name}]`)});
        field.value = ${JSON.stringify(value)};
        field.dispatchEvent(new Event('input', { bubbles: true })); // Firefox keeps what was typed, for the next start
      }`);
    }
  }

  // click presses the mouse on the one element that matches, once or twice.
  async click(css, times = 1) {
    const { nodes } = await this.firefox.send('browsingContext.locateNodes', { context: this.context, locator: { type: 'css', value: css } });
    if (nodes.length !== 1) throw new Error(`${nodes.length} elements match ${css} on ${await this.address()}: ${await this.says()}`);
    await this.run(`document.querySelector(${JSON.stringify(css)}).scrollIntoView({ block: 'center', behavior: 'instant' })`);
    const strokes = Array.from({ length: times }, () => [{ type: 'pointerDown', button: 0 }, { type: 'pointerUp', button: 0 }]).flat();
    const origin = { type: 'element', element: { sharedId: nodes[0].sharedId } };
    await this.firefox.send('input.performActions', { context: this.context, actions: [{ type: 'pointer', id: 'mouse', actions: [{ type: 'pointerMove', x: 0, y: 0, origin }, ...strokes] }] });
    await this.settle();
  }

  async activate() {
    await this.firefox.send('browsingContext.activate', { context: this.context });
  }

  // The commands of a tab's menu.
  async duplicate() {
    await this.activate();
    return this.taken('gBrowser.duplicateTab(gBrowser.selectedTab)');
  }

  async closeAndReopen() {
    await this.activate();
    await this.firefox.menu('gBrowser.removeTab(gBrowser.selectedTab)');
    await this.firefox.menu('new Promise(done => setTimeout(done, 500))'); // Firefox gathers what it needs for the way back
    return this.taken('SessionStore.undoCloseTab(window, 0)');
  }

  // unload has Firefox drop the page from memory, and come back to its tab.
  async unload() {
    await this.activate();
    const was = await this.firefox.menu(`(async () => {
      const tab = gBrowser.selectedTab, other = gBrowser.addTrustedTab('about:blank');
      gBrowser.selectedTab = other;
      await gBrowser.explicitUnloadTabs([tab]);
      const dropped = !tab.linkedPanel;
      gBrowser.selectedTab = tab;
      gBrowser.removeTab(other);
      return dropped;
    })()`);
    if (!was) throw new Error('the tab was not unloaded');
    await this.settle();
  }

  async viewSource() {
    await this.activate();
    return this.taken('BrowserCommands.viewSource(gBrowser.selectedBrowser)');
  }

  async taken(script) {
    const tab = new Tab(this.firefox, this.base, await this.firefox.opened(`void (${script})`));
    await tab.settle();
    return tab;
  }

  async close() {
    await this.firefox.send('browsingContext.close', { context: this.context });
  }
}
