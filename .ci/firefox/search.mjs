// Looks for secrets where they must not be. What is looked for is what storetest.Traces looks for: any
// fifteen characters in a row that nobody may know, and the token in hex, base64 and UTF-16.
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, readdirSync } from 'node:fs';

const piece = 8; // characters; fifteen in a row have one of the pieces whole

function traces(token) {
  const hidden = Buffer.from(token.slice(8, -4));
  const list = [['hex', hidden.toString('hex')], ['hex', hidden.toString('hex').toUpperCase()]];
  for (let at = 0; at + piece <= hidden.length; at += piece) list.push([`characters ${9 + at} to ${8 + at + piece}`, hidden.subarray(at, at + piece)]);
  for (let shift = 0; shift < 3; shift++) list.push(['base64', hidden.subarray(shift, shift + 3 * Math.floor((hidden.length - shift) / 3)).toString('base64')]);
  list.push(['UTF-16', Buffer.from(hidden.toString(), 'utf16le').subarray(0, 2 * piece - 1)]); // in either order of the bytes
  return list.map(([what, text]) => ({ what, text: Buffer.from(text) }));
}

// finder answers a function that tells what of some tokens a text holds; no answer quotes a token. It reads
// a text once, however many tokens there are. The tokens have names.
export function finder(tokens) {
  const begin = new Map(), pairs = new Uint8Array(1 << 16); // what traces begin with; few other places do
  for (const [name, token] of Object.entries(tokens)) {
    for (const { what, text } of traces(token)) {
      const head = text.toString('latin1', 0, piece);
      begin.set(head, [...(begin.get(head) ?? []), { name, what, text }]);
      pairs[text[0] | text[1] << 8] = 1;
    }
  }
  return text => {
    const found = [];
    for (let at = 0; at + piece <= text.length; at++) {
      if (!pairs[text[at] | text[at + 1] << 8]) continue;
      for (const trace of begin.get(text.toString('latin1', at, at + piece)) ?? []) {
        if (trace.text.equals(text.subarray(at, at + trace.text.length))) found.push({ name: trace.name, what: trace.what });
      }
    }
    return found;
  };
}

// decoy is as long as a token and as hard to guess, and none. It is planted to be found.
export const decoy = () => `test_${randomBytes(64).toString('base64').replace(/[^0-9A-Za-z]/g, '').slice(0, 49)}`;

// prove fails unless a search finds a token in every form that it is for, and not what may be shown.
export function prove() {
  const token = decoy(), find = finder({ token });
  const wide = Buffer.from(`Token: ${token}.`, 'utf16le');
  const forms = [token, `x${token.slice(0, 27)}`, `${token.slice(27)}x`, wide, Buffer.concat([Buffer.alloc(1), wide]), Buffer.from(`a${token}`).toString('hex'),
    Buffer.from(token).toString('hex').toUpperCase(), ...['', 'a', 'ab'].map(before => Buffer.from(`${before}${token}c`).toString('base64'))];
  for (let at = 8; at + 15 <= 50; at++) forms.push(`${'x'.repeat(at)}${token.slice(at, at + 15)}`);
  forms.forEach((form, n) => { if (find(Buffer.from(form)).length === 0) throw new Error(`the search does not find form ${n}`); });
  if (find(Buffer.from(`${token.slice(0, 8)}...${token.slice(-4)}`)).length > 0) throw new Error('the search finds what may be shown');
}

// files yields all files in a folder: the name of each and what is in it.
export function* files(folder) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) yield [entry.name, readFileSync(`${entry.parentPath ?? entry.path}/${entry.name}`)];
  }
}

// memory yields what a process can write of its memory, region by region. The process stands still meanwhile.
export function* memory(pid) {
  process.kill(pid, 'SIGSTOP');
  const file = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const range = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line);
      if (!range || line.includes('[vvar')) continue;
      const [from, to] = [BigInt(`0x${range[1]}`), BigInt(`0x${range[2]}`)];
      const region = Buffer.alloc(Number(to - from));
      for (let at = 0, read; at < region.length; at += read) {
        read = readSync(file, region, at, region.length - at, from + BigInt(at));
        if (read === 0) throw new Error(`the memory ends within ${range[0]}`);
      }
      yield [range[0], region];
    }
  } finally {
    closeSync(file);
    process.kill(pid, 'SIGCONT');
  }
}
