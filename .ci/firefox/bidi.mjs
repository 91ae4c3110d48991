// A client for WebDriver BiDi (https://www.w3.org/TR/webdriver-bidi/), as far as this folder needs it, and
// Firefox as a process that can be started again with the profile that it had.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';

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
    const lines = Object.entries(preferences).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`);
    writeFileSync(`${this.profile}/user.js`, lines.join(''));
  }

  async start() {
    this.process = spawn(process.env.TOKENDESK_FIREFOX, ['--headless', '--no-remote', '--profile', this.profile, '--remote-debugging-port=0', '--remote-allow-system-access'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, HOME: this.folder, TMPDIR: this.folder, XDG_CACHE_HOME: this.folder, XDG_CONFIG_HOME: this.folder, MOZ_CRASHREPORTER_DISABLE: '1' },
    });
    this.ended = new Promise(done => this.process.once('exit', done));
    process.once('exit', () => this.process.kill());
    const address = await new Promise((found, failed) => {
      let said = '';
      this.process.stderr.on('data', text => {
        said += text;
        const match = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(said);
        if (match) found(match[1]);
      });
      this.ended.then(code => failed(new Error(`Firefox ended with ${code}: ${said}`)));
    });
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
    const answer = await new Promise((done, failed) => {
      this.waiting.set(id, done);
      this.socket.send(JSON.stringify({ id, method, params }));
      setTimeout(() => failed(new Error(`${method} is not answered`)), 60_000).unref();
    });
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
    await this.ended;
  }
}
