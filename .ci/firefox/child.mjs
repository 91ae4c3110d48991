// Programs that are started here, and that end when this one does, however it ends.
import { spawn } from 'node:child_process';

const running = new Set();
process.once('exit', () => running.forEach(child => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));

export function start(program, args, options) {
  const child = spawn(program, args, options);
  running.add(child);
  child.ended = new Promise(done => child.once('exit', (code, signal) => { running.delete(child); done(code ?? signal); }));
  child.once('error', error => { throw error; });
  return child;
}

// within fails when something takes longer than it may on a slow machine.
export async function within(promise, what, seconds = 120) {
  let timer;
  const late = new Promise((_, failed) => { timer = setTimeout(() => failed(new Error(`${what}: nothing for ${seconds} seconds`)), 1000 * seconds); });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
