// Whether the peer is an honest yardstick: it must refuse what sv refuses, draw what sv draws, and lose nothing when it is killed.
//   usage: node check.mjs OURS_URL MANIFEST_HASH ELEMENT KEY_FILE PROOF, with the environment of server.mjs
// Starts a peer of its own on PEER_PORT, with a database of its own; anything unexpected ends it with a message and status 1.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import sodium from 'sodium-native';

const READY_MS = 20000;
const LIMIT = 8;
const [ours, manifestHash, elementId, keyFile, proof] = process.argv.slice(2);
const peer = `http://127.0.0.1:${process.env.PEER_PORT}`;
const folder = mkdtempSync(join(tmpdir(), 'sv-peer-'));
const database = join(folder, 'peer.sqlite');
let child;

// ── a client ──

const { secretSeed, ss58Address: asker } = JSON.parse(readFileSync(keyFile));
const publicKey = Buffer.alloc(sodium.crypto_sign_PUBLICKEYBYTES);
const secretKey = Buffer.alloc(sodium.crypto_sign_SECRETKEYBYTES);
sodium.crypto_sign_seed_keypair(publicKey, secretKey, Buffer.from(secretSeed.slice(2), 'hex'));

function sign(text) {
  const signature = Buffer.alloc(sodium.crypto_sign_BYTES);
  sodium.crypto_sign_detached(signature, Buffer.from(text), secretKey);
  return signature.toString('hex');
}

let counter = 0n;
const freshNonce = (agoMs = 0) => String(BigInt(Date.now() - agoMs) * 1_000_000n + ++counter);

async function ask(base, { nonce = freshNonce(), xNonce = `check-${nonce}`, parameters = {}, headers = {}, more = '' } = {}) {
  const query = new URLSearchParams({ validator_hotkey: asker, signature: sign(nonce), nonce, netuid: '44', element_id: elementId,
    ...parameters });
  const response = await fetch(`${base}/api/challenge/v3?${query}${more}`, { headers: { 'X-Manifest-Hash': manifestHash,
    'X-Commitment-Proof': proof, 'X-Nonce': xNonce, 'X-Signature': sign(`${manifestHash}:${xNonce}`), ...headers } });
  return { status: response.status, body: await response.json() };
}

async function refuses(what, request, status, reason) {
  for (const base of [ours, peer]) {
    const answer = await ask(base, request);
    const got = `${answer.status} ${answer.body.reason ?? answer.body.error}`;
    assert.equal(got, `${status} ${reason}`, `${what}, asked of ${base}`);
  }
}

// ── the peer ──

async function start() {
  child = spawn(process.execPath, [fileURLToPath(new URL('server.mjs', import.meta.url))], {
    env: { ...process.env, PEER_DATABASE: database, PEER_LIMIT: String(LIMIT) }, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (data) => (said += data));
  const deadline = Date.now() + READY_MS;
  while (!(await fetch(`${peer}/readyz`).catch(() => null))?.ok) {
    assert.ok(child.exitCode === null && Date.now() < deadline, `the peer does not start: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function kill() {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

// ── what must hold ──

async function answersTheSame() {
  const request = { nonce: freshNonce() };
  const [one, other] = [await ask(ours, request), await ask(peer, request)];
  assert.deepEqual([one.status, other.status], [200, 200], JSON.stringify([one.body, other.body]));
  const shape = (value) => (typeof value !== 'object' ? typeof value
    : Object.fromEntries(Object.keys(value).sort().map((key) => [key, shape(value[key])])));
  assert.deepEqual(shape(other.body), shape(one.body), 'the peer answers with the same fields');
  const drawn = ({ seed, clip_hash, draw_commit, chute_id, hf_revision, meta, expiry_block, window_id }) =>
    ({ seed, clip_hash, draw_commit, chute_id, hf_revision, meta, expiry_block, window_id });
  assert.deepEqual(drawn(other.body), drawn(one.body), 'the peer draws the same');
  const link = (url) => new URL(url).pathname;
  assert.equal(link(other.body.clip_url), link(one.body.clip_url));
  return request;
}

async function refusesTheSame(used) {
  const wrong = 'ab'.repeat(63) + '0a'; // the form of an Ed25519 signature, and nobody's
  await refuses('a nonce used before', used, 401, 'replayed_nonce');
  await refuses('an X-Nonce used before', { xNonce: `check-${used.nonce}` }, 401, 'replayed_nonce');
  await refuses('a wrong signature', { parameters: { signature: wrong } }, 401, 'bad_signature');
  await refuses('a wrong second signature', { headers: { 'X-Signature': wrong } }, 401, 'bad_signature');
  await refuses('an old nonce', { nonce: freshNonce(61000) }, 401, 'stale_nonce');
  await refuses('another account', { parameters: { miner_hotkey: '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY' } }, 401,
    'not_permitted');
  await refuses('a repeated parameter', { more: '&nonce=1' }, 400, 'invalid_request');
  await refuses('another subnet', { parameters: { netuid: '45' } }, 400, 'invalid_request');
  const unknown = `sha256:${'0'.repeat(64)}`;
  const xNonce = `check-unknown-${used.nonce}`;
  const headers = { 'X-Manifest-Hash': unknown, 'X-Signature': sign(`${unknown}:${xNonce}`) };
  await refuses('an unknown manifest', { xNonce, headers }, 404, 'no_active_window');
  await refuses('another proof', { headers: { 'X-Commitment-Proof': 'no proof' } }, 412, 'malformed');
  await refuses('no proof of this element', { parameters: { element_id: 'Unknown_v1@1.0' } }, 412, 'unknown_element');
}

// What the peer has let through: one challenge and three that ended later.
async function limits() {
  const answers = [];
  for (let i = 0; i < LIMIT; i++) answers.push((await ask(peer)).status);
  assert.deepEqual(answers, [...Array(LIMIT - 4).fill(200), ...Array(4).fill(409)], 'the rate limit');
}

async function keepsWhatItAnswered(used) {
  await kill();
  const db = new Database(database, { readonly: true });
  assert.equal(db.prepare('SELECT count(*) FROM issued').pluck().get(), 1 + LIMIT - 4, 'every challenge answered is recorded');
  assert.equal(db.pragma('journal_mode', { simple: true }), 'wal');
  db.close();
  await start();
  assert.equal((await ask(peer, used)).body.reason, 'replayed_nonce', 'a nonce is used up over a kill');
  await kill();
}

try {
  await start();
  const used = await answersTheSame();
  await refusesTheSame(used);
  await limits();
  await keepsWhatItAnswered(used);
} finally {
  if (child?.exitCode === null) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
}
