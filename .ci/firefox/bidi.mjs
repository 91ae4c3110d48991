// A client for WebDriver BiDi (https://www.w3.org/TR/webdriver-bidi/), as far as this folder needs it, and
// Firefox as a process that can be started again with the profile that it had.
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';
import { start, within } from './child.mjs';

const WebSocket = createRequire(`${process.env.TOKENDESK_WS}/`)('ws');

// What a person would have, but for three: nothing is asked, nothing is fetched from elsewhere, and a form
// that is to be sent again is sent, as after "Resend".
const preferences = {
  'browser.startup.page': 3, // the tabs of last time
  'dom.confirm_repost.testing.always_accept': true,
  'remote.prefs.recommended': false, // what is recommended for tests turns off what is tested
  'app.normandy.enabled': false,
  'app.update.disabledForTesting': true,
  'browser.aboutwelcome.enabled': false,
  'browser.safebrowsing.update.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.tabs.warnOnClose': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,none',
  'signon.rememberSignons': false,
};

export class Firefox {
  constructor(folder) {
    this.folder = folder;
    this.profile = `${folder}/profile`;
    mkdirSync(this.profile, { recursive: true });
    this.scripts = true;
  }

  // keep writes the preferences down, for every start to come.
  keep() {
    const lines = Object.entries({ ...preferences, 'javascript.enabled': this.scripts }).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`);
    writeFileSync(`${this.profile}/user.js`, lines.join(''));
  }

  // withScripts turns the scripts of pages on or off, now and at the next start.
  async withScripts(on) {
    this.scripts = on;
    await this.menu(`Services.prefs.setBoolPref('javascript.enabled', ${on})`);
  }

  async start() {
    this.keep();
    this.process = start(process.env.TOKENDESK_FIREFOX, ['--headless', '--no-remote', '--profile', this.profile, '--remote-debugging-port=0', '--remote-allow-system-access'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, HOME: this.folder, TMPDIR: this.folder, XDG_CACHE_HOME: this.folder, XDG_CONFIG_HOME: this.folder, MOZ_CRASHREPORTER_DISABLE: '1' },
    });
    const address = await within(new Promise((found, failed) => {
      let said = '';
      this.process.stderr.on('data', text => {
        said += text;
        const match = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(said);
        if (match) found(match[1]);
      });
      this.process.ended.then(code => failed(new Error(`Firefox ended with ${code}: ${said}`)));
    }), 'the start of Firefox');
    this.socket = new WebSocket(`${address}/session`, { maxPayload: 1 << 28 });
    await new Promise((open, failed) => this.socket.once('open', open).once('error', failed));
    this.waiting = new Map();
    this.socket.on('message', text => {
      const message = JSON.parse(text);
      this.waiting.get(message.id)?.(message);
      this.waiting.delete(message.id);
    });
    const session = await this.send('session.new', { capabilities: { alwaysMatch: { acceptInsecureCerts: true, unhandledPromptBehavior: { default: 'accept' } } } });
    this.version = session.capabilities.browserVersion;
    const windows = await this.send('browsingContext.getTree', { 'moz:scope': 'chrome' });
    this.window = windows.contexts[0].context;
  }

  async send(method, params = {}) {
    this.count = (this.count ?? 0) + 1;
    const id = this.count;
    const answer = await within(new Promise(done => {
      this.waiting.set(id, done);
      this.socket.send(JSON.stringify({ id, method, params }));
    }), method);
    if (answer.type === 'error') throw new Error(`${method}: ${answer.error}: ${answer.message}`);
    return answer.result;
  }

  // evaluate runs a script in a page, or in the browser's own window.
  async evaluate(context, expression) {
    const { result, exceptionDetails } = await this.send('script.evaluate', { expression, target: { context }, awaitPromise: true });
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.text}`);
    return result.value;
  }

  // menu runs a script with the rights of the browser: what its menus and keys do.
  menu(script) {
    return this.evaluate(this.window, script);
  }

  async contexts() {
    const tree = await this.send('browsingContext.getTree');
    return tree.contexts.map(context => context.context);
  }

  // opened answers the context of the tab that a script opens.
  async opened(script) {
    const before = await this.contexts();
    await this.menu(script);
    for (const late = Date.now() + 30_000; Date.now() < late;) {
      const fresh = (await this.contexts()).filter(context => !before.includes(context));
      if (fresh.length === 1) return fresh[0];
      await pause(50);
    }
    throw new Error(`no tab was opened by ${script}`);
  }

  // quit ends Firefox as a person does, and waits until it has written down what it keeps.
  async quit() {
    this.menu('void Services.startup.quit(Ci.nsIAppStartup.eAttemptQuit)').catch(() => {}); // it goes before it answers
    const code = await within(this.process.ended, 'the end of Firefox');
    if (code !== 0) throw new Error(`Firefox ended with ${code}`);
  }

  // crash ends Firefox from one moment to the next, once it has noted its tabs, as it does every 15 seconds.
  async crash() {
    await this.menu(`(async () => {
      const module = name => ChromeUtils.importESModule('resource:///modules/sessionstore/' + name + '.sys.mjs')[name];
      await module('TabStateFlusher').flushWindow(window);
      await module('SessionSaver').run();
    })()`);
    this.process.kill('SIGKILL');
    await within(this.process.ended, 'the end of Firefox');
  }

  // again starts Firefox with the tabs that it had.
  async again() {
    await this.start();
    await this.menu('SessionStore.promiseAllWindowsRestored.then(() => undefined)');
  }
}
