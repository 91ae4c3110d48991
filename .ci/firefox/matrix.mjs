// Every way back to a page that showed a secret, in Firefox, over plain HTTP and over TLS, with scripts and
// without (docs/reveal.md). Run by ./.ci/firefox/run, which says what it needs.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Firefox } from './bidi.mjs';
import { files, finder, memory, prove } from './search.mjs';
import { Server } from './server.mjs';
import { Tab } from './tab.mjs';

const [work, ...only] = process.argv.slice(2);
const password = 'copper lantern over the quiet harbour';
const schemes = ['http', 'https'].filter(scheme => only.length === 0 || only.includes(scheme));
const modes = schemes.flatMap(scheme => [`${scheme}, scripts`, `${scheme}, none`]);
const table = {}; // what was done, then in which mode: how it went
const came = {}; // the same: what came back instead of the secret
const searches = [];
const notes = new Set();
let failures = 0;

// Each begins on the page that shows a secret, and looks at every page on its way.
const ways = {
  'closing the dialog': async (tab, look) => { await tab.click('#reveal form button'); await look(tab); },
  'Reload, twice': async (tab, look) => { for (let n = 0; n < 2; n++) { await tab.reload(); await look(tab); } },
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
  'Unload Tab, back to it, Reload': async (tab, look) => { await tab.unload(); await look(tab); await tab.reload(); await look(tab); },
  'the same form sent again': async (tab, look, _, form) => {
    await tab.back();
    await look(tab);
    await send(tab, form);
    await look(tab);
  },
};

const doubleClicked = 'a double click on the button';

function check(what, good, detail = '') {
  if (good) return true;
  failures++;
  console.error(`FAILED: ${what} ${detail}`);
  return false;
}

// attempt does something that ends in the table: once, or FAILED.
async function attempt(what, mode, work) {
  const before = failures;
  try {
    await work();
  } catch (error) {
    check(`${what} (${mode})`, false, error.message);
  }
  enter(table, what, mode, failures === before ? 'once' : 'FAILED');
}

const enter = (into, what, mode, result) => { (into[what] ??= {})[mode] = result; };

// kind names the page in a tab. A page that is not known here fails: on the wrong page there is no secret to see.
async function kind(server, tab) {
  const address = await tab.address(), document = await tab.run('document.documentURI'), { pathname, origin, protocol } = new URL(address);
  if (document.startsWith('about:neterror?')) return `error page (${new URLSearchParams(document.split('?')[1]).get('e')})`;
  const says = await tab.says();
  if (protocol === 'view-source:' && address.startsWith(`view-source:${server.base}/`)) return `source of: ${says.includes('This token was already shown') ? 'already shown' : address.endsWith('/bearer-token') ? 'form' : 'record'}`;
  if (origin === server.base) {
    if (pathname === '/planted') return 'planted';
    if (pathname === server.record) return await tab.run(`document.querySelector('#reveal') !== null`) ? 'record, dialog emptied' : 'record';
    if (says.includes('This token was already shown')) return 'already shown';
    if (pathname === `${server.record}/bearer-token` && await tab.run(`document.querySelector('main [name=form_id]') !== null`)) return 'form';
    if (['/nowhere', '/people'].includes(pathname)) return 'another page';
  }
  throw new Error(`an unknown page came: ${document}: ${says.replace(/\s+/g, ' ').slice(-200)}`);
}

// shows is which of some tokens a page shows, as a whole or in part.
async function shows(tab, tokens) {
  return [...new Set(finder(tokens)(Buffer.from(await tab.all())).map(hit => hit.name))];
}

// look answers what a tab shows: a secret, whichever, which is a failure, or the kind of page it has.
async function look(server, tab, what) {
  if (check(what, (await shows(tab, { ...server.secrets })).length === 0, `shows the secret on ${await tab.address()}`)) return kind(server, tab);
  return 'A SECRET';
}

async function send(tab, form, times = 1) {
  if (form) await tab.fill({ form_id: form });
  await tab.click('main form[action$="/bearer-token"] button[type=submit], main form[action$="/bearer-token"] button:not([type])', times);
}

// press makes a token in a tab and answers it, with the number of its form.
async function press(server, tab, times = 1) {
  await tab.go(`${server.record}/bearer-token`);
  const form = await tab.run(`document.querySelector('main [name=form_id]').value`);
  const before = server.secrets.length;
  await send(tab, null, times);
  if (server.secrets.length !== before + 1) throw new Error(`a press was answered with ${server.secrets.length - before} secrets`);
  return { token: server.secrets.at(-1), form };
}

// reveal is a press in a tab of its own, after which the page shows the secret: the search sees it there.
async function reveal(server, firefox) {
  const tab = await Tab.open(firefox, server.base);
  const { token, form } = await press(server, tab);
  if ((await shows(tab, { token })).length === 0) throw new Error('the page does not show the secret');
  return { tab, form };
}

// wantNoMore insists that no answer held a secret but those before and one, and no token was made but for those.
function wantNoMore(what, server, before) {
  const made = server.tokens(), answered = new Set(server.secrets).size;
  check(what, server.secrets.length === before + 1 && answered === made, `${server.secrets.length - before} answers held a secret, want 1; ${made} tokens were made, and ${answered} shown`);
}

async function comeBack(server, firefox, way, mode) {
  const before = server.secrets.length;
  const { tab, form } = await reveal(server, firefox);
  const seen = [];
  await ways[way](tab, async page => { seen.push(await look(server, page, `${way} (${mode})`)); }, firefox, form);
  enter(came, way, mode, seen.join(', '));
  wantNoMore(`${way} (${mode})`, server, before);
  // These two send a form that was used: the answer must be the page that says so.
  if (way === 'the same form sent again' || (way === 'Reload, twice' && !firefox.scripts)) check(`${way} (${mode})`, seen.at(-1) === 'already shown', seen.at(-1));
  await tab.close();
}

async function doubleClick(server, firefox, mode) {
  const before = server.secrets.length;
  const tab = await Tab.open(firefox, server.base);
  const { token } = await press(server, tab, 2);
  const now = (await shows(tab, { token })).length > 0 ? 'the secret' : await kind(server, tab);
  check(`a double click (${mode})`, now === 'the secret' || (!firefox.scripts && now === 'already shown'), now);
  wantNoMore(`a double click (${mode})`, server, before);
  await tab.close();
}

// cacheIsOn answers whether a page comes back alive, the second or third time if not the first: Firefox keeps
// none that was left while something was still being fetched for it, such as an icon.
async function cacheIsOn(server, firefox, path) {
  const tab = await Tab.open(firefox, server.base);
  let alive = false;
  for (let n = 0; n < 3 && !alive; n++) {
    await tab.go(path);
    await tab.run('window.alive = true');
    await tab.go('/people');
    await tab.back();
    alive = await tab.run('window.alive === true');
  }
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
  await tab.go('/people/new');
  await tab.fill({ name: server.planted.name, email: 'planted@marlowe.example', password: 'paper boats under the orchard wall' });
  await tab.click('main form button[type=submit], main form button:not([type])');
  check('a name', (await tab.address()).match(/[0-9a-f-]{36}/), `was not planted: ${await tab.says()}`);
  server.style = await tab.run(`new URL(document.querySelector('link[rel=stylesheet]').href).pathname`);
  await tab.close();

  // What the searches must find. This tab stays open, with something typed in it.
  const planted = await Tab.open(firefox, server.base);
  await planted.go(`/planted?${server.planted.address}`);
  const source = await planted.viewSource();
  check('View Page Source', (await shows(source, { page: server.planted.page })).length > 0, 'does not show what is on the page: that nothing is seen there would say nothing');
  await source.close();
  await planted.fill({ field: server.planted.field });
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
  notes.add(axe && existsSync(axe) ? `axe judged ${pages.length} pages over ${server.scheme}.` : 'axe was not run: ./.ci/test fetches it.');
  await tab.close();
}

// restart ends Firefox while a page shows a secret, and starts it again with the tabs of last time.
async function restart(server, firefox, what, mode, killed) {
  const before = server.secrets.length;
  const { tab } = await reveal(server, firefox);
  const address = await tab.address();
  await server.present();
  searchMemory(server, mode);
  if (killed) {
    await firefox.crash();
    searchProfile(server, firefox, `${mode}, killed`);
  } else {
    await firefox.quit();
  }
  await firefox.again();
  const seen = [], others = [];
  for (const context of await firefox.contexts()) {
    const page = new Tab(firefox, server.base, context);
    await page.activate(); // only now does Firefox load it
    await page.settle();
    others.push(await page.address());
    if (others.at(-1) !== address) continue;
    for (let reloaded = 0; reloaded < 2; reloaded++) {
      if (reloaded) await page.reload();
      seen.push(await look(server, page, `${what} (${mode})`));
    }
    await page.close();
  }
  check(`${what} (${mode})`, seen.length === 2, `did not bring the page back, but ${others.join(', ')}`);
  enter(came, what, mode, seen.join(', '));
  wantNoMore(`${what} (${mode})`, server, before);
}

// search looks for all secrets in a place, and in the same pass for what was planted there. A search that
// does not find what was planted fails.
function search(place, when, texts, looked, server, planted) {
  const secrets = Object.fromEntries(server.secrets.map((token, n) => [`secret ${n + 1}`, token]));
  const decoys = Object.fromEntries(Object.entries(planted).map(([what, way]) => [what, server.planted[way]]));
  const find = finder({ ...secrets, ...decoys });
  const found = new Set();
  let count = 0, bytes = 0, traces = 0;
  for (const [name, text] of texts) {
    count++;
    bytes += text.length;
    for (const { what, name: whose } of find(text)) {
      if (whose in planted) found.add(whose);
      else if (++traces <= 5) check(`${place} (${when})`, false, `has ${what} of ${whose} in ${name}`);
    }
  }
  if (traces > 5) check(`${place} (${when})`, false, `has ${traces} traces in all`);
  for (const what of Object.keys(planted)) check(`${place} (${when})`, found.has(what), `does not have what was planted as ${what}: this search could find nothing`);
  searches.push(`| ${place} | ${when} | ${count} ${looked}, ${(bytes / 1e6).toFixed(2)} MB | ${server.secrets.length} | ${traces} | ${[...found].join(', ')} |`);
}

function searchProfile(server, firefox, when) {
  search("Firefox's profile", when, files(firefox.folder), 'files', server, { 'a page that may be kept': 'page', 'an address': 'address', 'a text in a field': 'field' });
}

// searchMemory searches the memory of the server while a page shows a secret.
function searchMemory(server, when) {
  if (process.platform !== 'linux' || process.getuid() !== 0) {
    notes.add("The server's memory was not looked at, which needs Linux and root.");
    return;
  }
  search("the server's memory", when, memory(server.process.pid), 'regions', server, { 'a header': 'header' });
}

function searchServer(server) {
  const kept = [...files(server.data)];
  search('the data directory', server.scheme, kept, 'files', server, { 'a name': 'name' });
  const last = server.secrets.at(-1).slice(0, 8);
  check('the data directory', kept.some(([name, text]) => name.endsWith('-wal') && text.includes(last)), 'has no write-ahead log with the beginning of the last token');
  search('every address that was asked', server.scheme, server.asked.map(address => ['one', Buffer.from(address)]), 'addresses', server, { 'an address': 'address' });
  // Nothing that a browser may choose comes into the log, so nothing can be planted: it must have the presses.
  const lines = server.log.split('\n').filter(Boolean);
  search('the log', server.scheme, lines.map(line => ['a line', Buffer.from(line)]), 'lines', server, {});
  const presses = lines.filter(line => line.includes('POST') && line.includes('/people/:id/bearer-token')).length;
  check('the log', presses >= server.secrets.length, `has ${presses} presses of ${server.secrets.length}`);
}

async function all(scheme) {
  const server = new Server(work, scheme);
  await server.start();
  const firefox = new Firefox(`${work}/${scheme}-firefox`);
  await firefox.start();
  await setUp(server, firefox);
  for (const mode of modes.filter(mode => mode.startsWith(`${scheme},`))) {
    await firefox.withScripts(mode.endsWith('scripts'));
    const cached = await cacheIsOn(server, firefox, server.style);
    check('the back/forward cache', cached, 'is off: the rest says nothing');
    enter(table, 'a style sheet, another page, Back', mode, cached ? 'alive' : 'FAILED');
    enter(table, 'a page of the console, another page, Back', mode, await cacheIsOn(server, firefox, '/audit') ? 'alive' : 'fetched');
    for (const way of Object.keys(ways)) await attempt(way, mode, () => comeBack(server, firefox, way, mode));
    await attempt(doubleClicked, mode, () => doubleClick(server, firefox, mode));
    for (const [what, killed] of [['closing Firefox, starting it again, Reload', false], ['killing Firefox, starting it again, Reload', true]]) {
      await attempt(what, mode, () => restart(server, firefox, what, mode, killed));
    }
  }
  await firefox.withScripts(true);
  await lookAround(server, firefox);
  await firefox.quit();
  searchProfile(server, firefox, `${scheme}, closed`);
  searchServer(server);
  await server.stop();
  return firefox.version;
}

function print(title, results) {
  console.log(`\n${title}\n\n| | ${modes.join(' | ')} |\n|---|${modes.map(() => '---|').join('')}`);
  for (const [what, result] of Object.entries(results)) console.log(`| ${what} | ${modes.map(mode => result[mode] ?? 'NOT DONE').join(' | ')} |`);
}

prove();
let version;
try {
  for (const scheme of schemes) version = await all(scheme);
} catch (error) {
  check('the run', false, error.stack);
}
console.log(`Firefox ${version}`);
print('How often the secret was shown', table);
print('What came instead', came);
console.log(`\nThe searches\n\n| | when | looked at | secrets | traces | planted, and found |\n|---|---|---|---|---|---|\n${searches.join('\n')}\n\n${[...notes].join('\n')}`);
console.log(failures ? `\nFAILED: ${failures} checks` : '\nAll is well.');
process.exit(failures ? 1 : 0);
