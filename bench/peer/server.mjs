// GET /api/challenge/v3 as a careful Node developer would write it: the yardstick of `make bench`. One process, two threads.
//   environment: PEER_PORT, PEER_DATABASE (a SQLite file of its own), PEER_LIMIT and PEER_WINDOW_MS (the rate limit);
//   PEER_MANIFEST, PEER_CLIPS, PEER_STATE, PEER_LEDGER, PEER_OURS: where world.mjs reads
import { createHmac } from 'node:crypto';
import Fastify from 'fastify';
import pino from 'pino';
import { Admission } from './admission.mjs';
import { IssueLog } from './issue_log.mjs';
import { boundNonce, findBadPart, isFresh, verifies } from './request.mjs';
import { readWorld } from './world.mjs';

const MAX_WORKING = 2048;
const CLIP_LINK_SECONDS = 900;
const MAX_LAG_MS = 120000;

const port = Number(process.env.PEER_PORT);
const base = `http://127.0.0.1:${port}`;
const world = await readWorld();
const admission = new Admission(Number(process.env.PEER_LIMIT ?? 60), Number(process.env.PEER_WINDOW_MS ?? 60000));
const issueLog = new IssueLog(process.env.PEER_DATABASE, admission);

// Lines are gathered before they are written, which is the fastest that pino has.
const log = pino({ base: null }, pino.destination({ dest: 2, sync: false, minLength: 4096 }));

const string = { type: 'string' };
const integer = { type: 'integer' };
const object = (properties) => ({ type: 'object', properties });
const meta = object({ duration_ms: integer, fps: { type: 'number' }, resolution: object({ width: integer, height: integer }),
  sport: string, scenario: string, challenge_type: string });
const answer = object({ clip_url: string, element_id: string, window_id: string, meta, manifest_hash: string, expiry_block: integer,
  challenge_id: string, block: integer, commitment_finalized: { type: 'boolean' }, clip_hash: string, clip_bytes: integer,
  chute_slug: string, chute_id: string, hf_revision: string, seed: integer, draw_commit: string });

// ── a request's way ──

class Refusal {
  constructor(status, error, more) {
    Object.assign(this, { status, error, more });
  }
}
const refuse = (status, error, more = {}) => new Refusal(status, error, more);
const unauthorized = (reason) => refuse(401, 'invalid_signature', { reason });

function checkSignatures({ query, headers }, nowMs) {
  const asker = query.validator_hotkey;
  if (!verifies(asker, query.nonce, query.signature)) return unauthorized('bad_signature');
  const second = headers['x-signature'];
  if (second !== undefined && !verifies(asker, `${headers['x-manifest-hash']}:${headers['x-nonce']}`, second))
    return unauthorized('bad_signature');
  return isFresh(query.nonce, nowMs) ? null : unauthorized('stale_nonce');
}

function checkPermission({ query, headers }, miner) {
  const asker = query.validator_hotkey;
  if (miner === asker) return null;
  if (!world.permits.has(asker)) return unauthorized('not_permitted');
  const expected = boundNonce(base, asker, query, miner, headers['x-commitment-proof'] ?? '');
  return headers['x-signature'] !== undefined && headers['x-nonce'] === expected ? null : unauthorized('unbound_nonce');
}

function admit({ query, headers }, miner, isKnown, nowMs) {
  const asker = query.validator_hotkey;
  const xNonce = headers['x-nonce'];
  if (isKnown && admission.isReplay(asker, query.nonce, xNonce)) return unauthorized('replayed_nonce');
  const refusal = checkPermission({ query, headers }, miner);
  if (refusal !== null || !isKnown) return refusal;
  const seconds = admission.admit(asker, query.nonce, xNonce, nowMs);
  return seconds === 0 ? null : refuse(409, 'rate_limit_exceeded', { retry_after: seconds });
}

function checkWindow(headers, nowMs) {
  const { head, manifest } = world;
  const hash = headers['x-manifest-hash'];
  if (nowMs - head.timeMs > MAX_LAG_MS) return refuse(503, 'chain_unavailable');
  if ((hash.length === 64 ? `sha256:${hash}` : hash) !== world.manifestHash || head.number < manifest.start_block)
    return refuse(404, 'no_active_window');
  return head.number < manifest.expiry_block ? null : refuse(410, 'window_expired', { current_block: head.number });
}

function findBinding(query, proof, miner, isKnown) {
  const missing = (reason) => refuse(412, 'missing_commitment', { reason, hotkey: `ss58:${miner}` });
  if (proof === undefined) return missing('missing');
  if (!/^(?:0|[1-9][0-9]{0,15}):0x[0-9a-f]{64}$/.test(proof)) return missing('malformed');
  if (!world.elements.has(query.element_id)) return missing('unknown_element');
  const binding = isKnown ? world.bindings.get(miner)?.get(query.element_id) : undefined;
  if (binding === undefined) return missing('unknown');
  if (binding.commitment_proof !== proof) return missing('not_in_force');
  return query.chute_slug === undefined || query.chute_slug === binding.chute_slug ? binding : missing('wrong_slug');
}

function drawSeed(query, miner) {
  const strings = ['sv1/draw', world.manifestHash, query.element_id, query.validator_hotkey, miner, query.nonce];
  const tag = createHmac('sha256', world.drawKey).update(JSON.stringify(strings)).digest();
  return tag.readUInt32BE(0) * 2 ** 21 + (tag.readUInt32BE(4) >>> 11);
}

function drawClip(element, seed) {
  const threshold = (seed / 2 ** 53) * element.total;
  return (element.drawn.find(({ sum }) => sum > threshold) ?? element.drawn.at(-1))?.clip;
}

function clipLink(hash, nowMs) {
  const hex = hash.slice('sha256:'.length);
  const expires = Math.floor(nowMs / 1000) + CLIP_LINK_SECONDS;
  const token = createHmac('sha256', world.clipKey).update(`sv1/clip:${hex}:${expires}`).digest('hex');
  return `${base}/clips/${hex}?expires=${expires}&token=${token}`;
}

function makeAnswer({ query, headers }, binding, clip, seed, nowMs) {
  const { head, manifest } = world;
  const { duration_ms, fps, resolution, sport, scenario, challenge_type } = clip;
  return {
    clip_url: clipLink(clip.hash, nowMs), element_id: query.element_id, window_id: manifest.window_id,
    meta: { duration_ms, fps, resolution, sport, scenario, challenge_type },
    manifest_hash: headers['x-manifest-hash'], expiry_block: manifest.expiry_block, challenge_id: '', block: head.number,
    commitment_finalized: binding.block <= head.finalized, clip_hash: clip.hash, clip_bytes: clip.bytes,
    chute_slug: binding.chute_slug, chute_id: binding.chute_id, hf_revision: binding.hf_revision, seed,
    draw_commit: world.drawCommit,
  };
}

// Returns a refusal, or the answer without its id and what is to be recorded.
function judge(request, miner, isKnown, nowMs) {
  const { query, headers } = request;
  const windowFault = checkWindow(headers, nowMs);
  if (windowFault !== null) return { refusal: windowFault };
  const binding = findBinding(query, headers['x-commitment-proof'], miner, isKnown);
  if (binding instanceof Refusal) return { refusal: binding };
  const seed = drawSeed(query, miner);
  const clip = drawClip(world.elements.get(query.element_id), seed);
  if (clip === undefined) return { refusal: refuse(503, 'no_challenge') };
  const record = { miner, windowId: world.manifest.window_id, manifestHash: world.manifestHash, elementId: query.element_id,
    clipHash: clip.hash, seed, block: world.head.number };
  return { answer: makeAnswer(request, binding, clip, seed, nowMs), record };
}

// ── the server ──

let working = 0;

function sendRefusal(reply, { status, error, more }) {
  reply.outcome = more.reason ?? error;
  reply.code(status);
  if (more.retry_after !== undefined) reply.header('Retry-After', more.retry_after);
  reply.send({ error, message: error, ...more });
}

// It returns nothing: what it returned Fastify would wait for.
function handle(request, reply) {
  const { query, headers } = request;
  reply.header('Cache-Control', 'no-store');
  if (working >= MAX_WORKING) return sendRefusal(reply, refuse(503, 'overloaded'));
  const field = findBadPart(query, headers);
  if (field !== null) return sendRefusal(reply, refuse(400, 'invalid_request', { field }));
  const nowMs = Date.now();
  const asker = query.validator_hotkey;
  const miner = query.miner_hotkey ?? asker;
  const isKnown = world.bindings.has(asker) || world.permits.has(asker);
  const refusal = checkSignatures(request, nowMs) ?? admit(request, miner, isKnown, nowMs);
  if (refusal !== null) return sendRefusal(reply, refusal);
  const judged = judge(request, miner, isKnown, nowMs);
  const entry = { asker, nonce: query.nonce, xNonce: headers['x-nonce'], timeMs: nowMs, record: judged.record ?? null };
  if (judged.refusal !== undefined) {
    if (isKnown) issueLog.submit(entry, () => {});
    return sendRefusal(reply, judged.refusal);
  }
  working++;
  issueLog.submit(entry, (fault, id) => {
    working--;
    if (fault !== null) return sendRefusal(reply, refuse(503, 'overloaded'));
    judged.answer.challenge_id = String(id);
    reply.outcome = 'issued';
    reply.send(judged.answer);
  });
}

const app = Fastify({ logger: false, keepAliveTimeout: 30000, exposeHeadRoutes: false });
app.addHook('onResponse', (request, reply, done) => {
  log.info({ id: request.id, method: request.method, path: request.routeOptions.url, status: reply.statusCode,
    outcome: reply.outcome, ms: reply.elapsedTime, client: request.ip, asker: request.query.validator_hotkey }, 'request');
  done();
});
app.get('/readyz', (request, reply) => reply.send({ status: 'ready' }));
app.get('/api/challenge/v3', { schema: { response: { 200: answer } } }, handle);

process.on('SIGTERM', async () => {
  await app.close();
  await issueLog.close();
  log.flush(() => process.exit(0));
});
await app.listen({ port, host: '127.0.0.1' });
