// A mirror of a world's store that lies on command: an HTTP server that hands out the store's files until a test gives it a lie
// for the index, for manifests or for statements on signers. It is what stands between an honest publisher and a reader.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { signDocument } from './peer.mjs';
import { refused } from './refusing.mjs';

const honest = (out, bytes) => (bytes ? out.end(bytes) : out.writeHead(404).end());

// A lie is called with the answer, the honest bytes (null where there are none), and the request; see the plays below.
export async function startMirror(world, store = 'store') {
  const mirror = { store, index: honest, manifests: honest, statements: honest, asked: [] };
  const server = createServer((incoming, out) => {
    const key = new URL(incoming.url, 'http://mirror').pathname.slice(1);
    let bytes = null;
    try { bytes = readFileSync(world.path(mirror.store, key)); } catch { /* 404 */ }
    mirror.asked.push(key);
    out.on('error', () => {});
    (key.endsWith('/index.json') ? mirror.index : key.includes('/signers/') ? mirror.statements : mirror.manifests)(out, bytes, incoming);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  mirror.url = `http://127.0.0.1:${server.address().port}`;
  mirror.env = { R2_PUBLIC_URL: mirror.url };
  mirror.tellTruth = () => { mirror.index = mirror.manifests = mirror.statements = honest; mirror.store = store; };
  mirror.end = () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); });
  return mirror;
}

// ── plays ──

export const say = (content) => (out) => out.end(content);
export const fail = (status, headers = {}, body = '') => (out) => out.writeHead(status, headers).end(body);

// The honest document after @change, signed again by @key.
export const resigned = (key, change) => (out, bytes) => {
  const document = JSON.parse(bytes);
  out.end(signDocument(change(document) ?? document, key.seed));
};

export function endless(out) {
  const chunk = Buffer.alloc(65536, 0x20);
  const more = () => { while (!out.destroyed && out.write(chunk)); };
  out.on('drain', more);
  more();
}

// Writes what stands on the wire itself.
export const raw = (text) => (out) => out.socket.end(text);

// @start at once, and then @drop ten times a second for as long as somebody listens.
export const drip = (start, drop) => (out) => {
  out.socket.write(start);
  const timer = setInterval(() => out.socket.write(drop), 100);
  out.socket.on('close', () => clearInterval(timer)).on('error', () => {});
};

// ── what has to come of it ──

// Who has seen nothing yet gets exit status 3 and the attack's name, and is told what to do.
export async function refusedAsNew(world, mirror, as, name, { env = {}, args = ['manifest', 'list'] } = {}) {
  const { stderr } = await refused(world, args, 3, name, { as, env: { ...mirror.env, ...env } });
  assert.match(stderr, /another mirror|ask the operator|the operator has to|SCOREVISION_MANIFEST_SIGNERS/, 'the message says what to do');
  return stderr;
}

// Who has verified @manifest before goes on with it, and is warned by the attack's name.
export async function lastStateKept(world, mirror, as, name, manifest, env = {}) {
  const { stdout, stderr } = await world.sv(['manifest', 'current', '--json'], { as, env: { ...mirror.env, ...env } });
  assert.equal(JSON.parse(stdout).manifest_hash, manifest.manifest_hash);
  assert.match(stderr, /using the last verified manifest/);
  assert.match(stderr, name);
}
