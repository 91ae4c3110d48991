// The program, with a witness before it that keeps every address that was asked and every secret that was
// answered: a proxy, over plain HTTP or over TLS, as the program is run.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { start, within } from './child.mjs';
import { decoy } from './search.mjs';

const credential = /\buser_[0-9A-Za-z]{49}\b/g;

export class Server {
  constructor(work, scheme) {
    Object.assign(this, { work, scheme, data: `${work}/${scheme}-data`, log: '', asked: [], secrets: [], planted: {} });
    for (const way of ['page', 'address', 'field', 'name', 'header']) this.planted[way] = decoy();
  }

  async start() {
    const tls = { key: readFileSync(`${this.work}/key.pem`), cert: readFileSync(`${this.work}/cert.pem`) };
    const pass = (request, response) => this.pass(request, response);
    this.proxy = this.scheme === 'https' ? https.createServer(tls, pass) : http.createServer(pass);
    this.base = `${this.scheme}://localhost:${await listen(this.proxy)}`;
    const unused = http.createServer();
    this.port = await listen(unused);
    await new Promise(done => unused.close(done));
    this.env = { TOKENDESK_DATA_DIR: this.data, TOKENDESK_LISTEN: `127.0.0.1:${this.port}`, TOKENDESK_BASE_URL: this.base };
    this.process = start(`${this.work}/tokendesk`, ['serve'], { env: this.env, cwd: this.work, stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stderr.on('data', text => { this.log += text; });
    this.setup = await within(new Promise((found, failed) => {
      let printed = '';
      this.process.stdout.on('data', text => {
        printed += text;
        const match = /\/setup\?code=\S+/.exec(printed);
        if (match) found(match[0]);
      });
      this.process.ended.then(code => failed(new Error(`the server ended with ${code}: ${this.log}`)));
    }), 'the start of the server');
  }

  pass(request, response) {
    this.asked.push(request.url);
    if (request.url.startsWith('/planted')) { // a page that may be kept, with a decoy
      response.writeHead(200, { 'Content-Type': 'text/html', 'Cache-Control': 'max-age=3600' });
      response.end(`<!doctype html><title>Planted</title><main><output>${this.planted.page}</output><input name=field></main>`);
      return;
    }
    const onward = http.request({ host: '127.0.0.1', port: this.port, method: request.method, path: request.url, headers: request.headers }, answer => {
      const parts = [];
      answer.on('data', part => parts.push(part));
      answer.on('end', () => {
        const body = Buffer.concat(parts);
        this.secrets.push(...(body.toString('latin1').match(credential) ?? []));
        const headers = { ...answer.headers };
        delete headers['transfer-encoding'];
        response.writeHead(answer.statusCode, headers).end(body);
      });
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  }

  // present has somebody present a decoy as a token: net/http keeps what callers send in its memory.
  async present() {
    const answer = await fetch(`http://127.0.0.1:${this.port}/installCollection`, { method: 'POST', headers: { Authorization: `Bearer ${this.planted.header}` } });
    if (answer.status !== 401) throw new Error(`a decoy was answered with ${answer.status}`);
    await answer.arrayBuffer();
  }

  // tokens is how many tokens there are, by the command line.
  tokens() {
    const list = execFileSync(`${this.work}/tokendesk`, ['token', 'list'], { env: this.env, cwd: this.work }).toString();
    return (list.match(/\buser_\w{3}\b/g) ?? []).length;
  }

  async stop() {
    this.process.kill('SIGTERM');
    await within(this.process.ended, 'the end of the server');
    this.proxy.closeAllConnections();
    this.proxy.close();
  }
}

async function listen(server) {
  await new Promise(done => server.listen(0, '127.0.0.1', done));
  return server.address().port;
}
