// Every way back to a page that showed a secret, in Firefox, over plain HTTP and over TLS, with scripts and
// without (docs/reveal.md). Run by ./.ci/firefox/run, which says what it needs.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Firefox } from './bidi.mjs';
import { files, found, memory } from './search.mjs';
import { Server } from './server.mjs';
import { Tab } from './tab.mjs';

const work = process.argv[2];
const password = 'copper lantern over the quiet harbour';
const modes = ['http, scripts', 'http, none', 'https, scripts', 'https, none'];
const table = {}; // what was done, then in which mode: how it went
const notes = [];
let failures = 0;

// resent is the way on which, without scripts, Firefox sends the form again.
const resent = 'Reload, twice';

// Each begins on the page that shows a secret, and looks at every page on its way.
const ways = {
  'closing the dialog': async (tab, look) => { await tab.click('#reveal form button'); await look(tab); },
  [resent]: async (tab, look) => { for (let n = 0; n < 2; n++) { await tab.reload(); await look(tab); } },
  'Back, Forward, Reload': async (tab, look) => { await tab.back(); await look(tab); await tab.forward(); await look(tab); await tab.reload(); await look(tab); },
  'another page, Back, Forward, Back, Reload': async (tab, look) => {
    await tab.go('/people');
    await tab.back();
    await look(tab);
    await tab.forward();
    await tab.back();
    await look(tab);
    await tab.reload();
    await look(tab);
  },
  'a page that changes no cookie, Back': async (tab, look) => { await tab.go('/nowhere'); await tab.back(); await look(tab); },
  'its address in another tab': async (tab, look, firefox) => {
    const other = await Tab.open(firefox, tab.base);
    await other.go(await tab.address());
    await look(other);
    await other.close();
  },
  'View Page Source': async (tab, look) => { const source = await tab.viewSource(); await look(source); await source.close(); },
  'Duplicate Tab, Reload': async (tab, look) => { const twin = await tab.duplicate(); await look(twin); await twin.reload(); await look(twin); await twin.close(); },
  'Reopen Closed Tab, Reload': async (tab, look) => {
    const again = await tab.closeAndReopen();
    tab.context = again.context;
    await look(tab);
    await tab.reload();
    await look(tab);
  },
};

function check(what, good, detail = '') {
  if (good) return true;
  failures++;
  console.error(`FAILED: ${what} ${detail}`);
  return false;
}

const enter = (what, mode, result) => { (table[what] ??= {})[mode] = result; };

// press makes a token in a tab, and answers it.
async function press(server, tab, times = 1) {
  await tab.go(`${server.record}/bearer-token`);
  const before = server.secrets.length;
  await tab.click('main form[action$="/bearer-token"] button[type=submit], main form[action$="/bearer-token"] button:not([type])', times);
  check('a press', server.secrets.length === before + 1, `was answered with ${server.secrets.length - before} secrets`);
  return server.secrets.at(-1);
}

async function comeBack(server, firefox, way, scripts) {
  const tab = await Tab.open(firefox, server.base);
  const token = await press(server, tab);
  check('the page', (await tab.html()).includes(token), 'does not show the secret');
  let good = true;
  await ways[way](tab, async page => {
    good = check(way, !(await page.html()).includes(token), `shows the secret on ${await page.address()}`) && good;
  }, firefox);
  good = check(way, server.secrets.at(-1) === token && new Set(server.secrets).size === server.secrets.length && server.tokens() === server.secrets.length,
    `made ${server.tokens()} tokens, and ${server.secrets.length} answers held one`) && good;
  if (way === resent && !scripts) good = check(way, (await tab.says()).includes('This token was already shown'), await tab.says()) && good;
  await tab.close();
  return good;
}

async function doubleClick(server, firefox, scripts) {
  const tab = await Tab.open(firefox, server.base);
  const token = await press(server, tab, 2);
  const shown = (await tab.html()).includes(token);
  const good = check('a double click', shown || (!scripts && (await tab.says()).includes('already shown')), await tab.says());
  await tab.close();
  return good && check('a double click', server.tokens() === server.secrets.length);
}

// cacheIsOn answers whether a page comes back alive.
async function cacheIsOn(server, firefox, path) {
  const tab = await Tab.open(firefox, server.base);
  await tab.go(path);
  await tab.run('window.alive = true');
  await tab.go('/people');
  await tab.back();
  const alive = await tab.run('window.alive === true');
  await tab.close();
  return alive;
}

async function setUp(server, firefox) {
  const tab = await Tab.open(firefox, server.base);
  await tab.go(server.setup);
  await tab.fill({ name: 'Ines Moreau', email: 'ines@marlowe.example', password, workspace: 'Marlowe Press' });
  await tab.click('main form button[type=submit], main form button:not([type])');
  await tab.go('/people');
  server.record = await tab.run(`document.querySelector('main a[href^="/people/"]:not([href="/people/new"])').pathname`);
  server.style = await tab.run(`new URL(document.querySelector('link[rel=stylesheet]').href).pathname`);
  await tab.close();
}

// lookAround has axe judge the main pages, and keeps a picture of each.
async function lookAround(server, firefox) {
  const axe = process.env.TOKENDESK_TEST_AXE;
  const tab = await Tab.open(firefox, server.base);
  mkdirSync('build/screens/firefox', { recursive: true });
  const pages = ['/', '/people', server.record, `${server.record}/bearer-token`, '/audit', '/account', '/w/marlowe-press', '/w/marlowe-press/settings', '/nowhere'];
  for (const page of pages) {
    await tab.go(page);
    const { data } = await firefox.send('browsingContext.captureScreenshot', { context: tab.context });
    writeFileSync(`build/screens/firefox/${page.slice(1).replace(/[0-9a-f-]{36}/, 'person').replaceAll('/', '-') || 'overview'}.png`, Buffer.from(data, 'base64'));
    if (!axe || !existsSync(axe)) continue;
    await tab.run(`${readFileSync(axe, 'utf8')}; undefined`);
    const said = JSON.parse(await tab.run('axe.run().then(found => JSON.stringify(found.violations.map(v => [v.id, v.nodes.map(n => n.target)])))'));
    check(`axe on ${page}`, said.length === 0, JSON.stringify(said));
  }
  notes.push(axe && existsSync(axe) ? `${server.scheme}: axe finds nothing on ${pages.length} pages` : `${server.scheme}: axe was not run: ${axe} is not there, ./.ci/test fetches it`);
  await tab.close();
}

// restart closes Firefox while a page shows a secret, and starts it again with the tabs of last time.
async function restart(server, firefox) {
  const tab = await Tab.open(firefox, server.base);
  const token = await press(server, tab);
  await firefox.quit();
  await firefox.start();
  await firefox.menu('SessionStore.promiseAllWindowsRestored.then(() => undefined)');
  let seen = 0;
  for (const context of await firefox.contexts()) {
    const page = new Tab(firefox, server.base, context);
    await page.activate(); // only now does Firefox load it
    await page.settle();
    if (!(await page.address()).startsWith(server.base)) continue;
    seen++;
    check('a restart', !(await page.html()).includes(token), await page.address());
    await page.reload();
    check('a restart', !(await page.html()).includes(token), await page.address());
  }
  check('a restart', seen > 0, 'brought no page back');
  const good = check('a restart', server.secrets.at(-1) === token && server.tokens() === server.secrets.length, `made ${server.tokens()} tokens`);
  enter('closing Firefox, starting it again, Reload', `${server.scheme}, scripts`, good ? 'once' : 'FAILED');
}

function search(server, firefox) {
  const tokens = server.secrets;
  const places = {
    "Firefox's profile": [[...files(firefox.folder)], new URL(server.base).host],
    'the data directory, with the write-ahead log': [[...files(server.data)], tokens.at(-1).slice(0, 8)],
    'the log': [[Buffer.from(server.log)], 'bearer-token'],
    'every address that was asked': [[Buffer.from(server.asked.join('\n'))], server.record],
    "the server's memory": [server.memory, 'Ines Moreau'],
  };
  for (const [place, [texts, must]] of Object.entries(places)) {
    if (texts.length === 0) {
      notes.push(`${server.scheme}: ${place} was not looked at, which needs Linux and root`);
      continue;
    }
    const bytes = texts.reduce((sum, text) => sum + text.length, 0);
    const hits = texts.reduce((sum, text) => sum + found(text, tokens), 0);
    check(place, hits === 0, `has ${hits} traces of secrets`);
    check(place, texts.some(text => text.includes(must)), 'has nothing of what it must: nothing was looked at');
    notes.push(`${server.scheme}: of ${tokens.length} secrets, ${hits} traces in ${place} (${(bytes / 1e6).toFixed(2)} MB)`);
  }
}

let version;
for (const scheme of ['http', 'https']) {
  const server = new Server(work, scheme);
  await server.start();
  const firefox = new Firefox(`${work}/${scheme}-firefox`);
  await firefox.start();
  version = firefox.version;
  await setUp(server, firefox);
  for (const mode of modes.filter(mode => mode.startsWith(`${scheme},`))) {
    const scripts = mode.endsWith('scripts');
    await firefox.menu(`Services.prefs.setBoolPref('javascript.enabled', ${scripts})`);
    const cached = await cacheIsOn(server, firefox, server.style);
    check('the back/forward cache', cached, 'is off: the rest says nothing');
    enter('a style sheet, another page, Back', mode, cached ? 'alive' : 'FAILED');
    enter('a page of the console, another page, Back', mode, await cacheIsOn(server, firefox, '/audit') ? 'alive' : 'fetched');
    for (const way of Object.keys(ways)) enter(way, mode, await comeBack(server, firefox, way, scripts) ? 'once' : 'FAILED');
    enter('a double click on the button', mode, await doubleClick(server, firefox, scripts) ? 'once' : 'FAILED');
  }
  await firefox.menu(`Services.prefs.setBoolPref('javascript.enabled', true)`);
  await lookAround(server, firefox);
  await restart(server, firefox);
  server.memory = [...memory(server.process.pid)];
  await firefox.quit();
  search(server, firefox);
  await server.stop();
}

console.log(`Firefox ${version}\n\n| | ${modes.join(' | ')} |\n|---|---|---|---|---|`);
for (const [what, results] of Object.entries(table)) console.log(`| ${what} | ${modes.map(mode => results[mode] ?? '').join(' | ')} |`);
console.log(`\n${notes.map(note => `- ${note}\n`).join('')}`);
process.exitCode = failures ? 1 : 0;
