// Looks for secrets where they must not be. What is looked for is what storetest.Traces looks for: any
// fifteen characters in a row that nobody may know, and the token in hex, base64 and UTF-16.
import { closeSync, openSync, readFileSync, readSync, readdirSync } from 'node:fs';

function traces(token) {
  const hidden = token.slice(8, -4);
  const list = [Buffer.from(hidden).toString('hex'), Buffer.from(hidden).toString('hex').toUpperCase(), Buffer.from(hidden.slice(0, 8), 'utf16le')];
  for (let at = 0; at + 8 <= hidden.length; at += 8) list.push(hidden.slice(at, at + 8));
  for (let shift = 0; shift < 3; shift++) {
    list.push(Buffer.from(hidden.slice(shift, shift + 3 * Math.floor((hidden.length - shift) / 3))).toString('base64'));
  }
  return list;
}

// found counts the traces of tokens in a text.
export function found(text, tokens) {
  return tokens.flatMap(traces).filter(trace => text.includes(trace)).length;
}

// files yields all files in a folder, with what is in them.
export function* files(folder) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) yield readFileSync(`${entry.parentPath ?? entry.path}/${entry.name}`);
  }
}

// memory yields what a process has written to its memory; nothing where this user may not read it.
export function* memory(pid) {
  let file;
  try {
    file = openSync(`/proc/${pid}/mem`, 'r');
  } catch {
    return;
  }
  for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
    const range = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line);
    if (!range || line.includes('[vvar')) continue;
    const [from, to] = [BigInt(`0x${range[1]}`), BigInt(`0x${range[2]}`)];
    const region = Buffer.alloc(Number(to - from));
    for (let at = 0; at < region.length;) at += readSync(file, region, at, region.length - at, from + BigInt(at));
    yield region;
  }
  closeSync(file);
}
