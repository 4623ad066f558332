// The statuses of docs/protocol.md section 7 that need a server of their own: rate limits, a chain that stands still, load; and
// what outlives a server.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createWorld, waitFor } from './harness.mjs';
import { askV2, askV3, freshNonce, send, v2Request, v3Request } from './api.mjs';
import { sha256 } from './peer.mjs';
import { PLAYER, commit, football } from './season.mjs';

const CURRENT = '2025-10-23';
let world, current, proof, miner, validator;

before(async () => {
  world = await createWorld();
  miner = await world.key('miner');
  validator = await world.key('validator');
  world.env.SCOREVISION_VALIDATORS = validator.address;
  const { hash } = await world.clip();
  current = await world.publish(football(CURRENT, 5, 5000, hash));
  proof = await commit(world, 'miner', CURRENT, [PLAYER]);
  await world.advanceTo(20);
});
after(() => world.end());

const request = (base, more) => ({ base, key: miner, manifestHash: current.manifest_hash, elementId: PLAYER, proof, ...more });
const limitedBy = (limit, name) => ({
  env: { SCOREVISION_RATE_LIMIT: limit, SCOREVISION_DATABASE: `sqlite:${world.path(`${name}.sqlite`)}` } });

test('409: v2 and v3 count together, per asker; replays and what 401 refuses cost nothing', async () => {
  const serve = await world.startServe(limitedBy('4/60s', 'together'));
  await serve.settle();
  const nonce = freshNonce();
  const statuses = [];
  const note = async (answer) => statuses.push((await answer).status);
  await note(askV3(request(serve.url, { nonce }))); // counts, though this state has no clip: 503
  for (let i = 0; i < 6; i++) await note(askV3(request(serve.url, { nonce }))); // replays
  for (let i = 0; i < 6; i++) await note(askV3(request(serve.url, { parameters: { signature: '00'.repeat(64) } })));
  await note(askV2({ base: serve.url, key: miner }));
  await note(askV3(request(serve.url, { proof: undefined })));
  await note(askV3(request(serve.url, {})));
  assert.deepEqual(statuses, [503, ...Array(12).fill(401), 503, 412, 503]);

  const { status, body, headers } = await askV2({ base: serve.url, key: miner });
  assert.equal(status, 409);
  assert.deepEqual(Object.keys(body).sort(), ['error', 'message', 'retry_after']);
  assert.equal(headers.get('retry-after'), String(body.retry_after));
  assert.equal((await askV3(request(serve.url, { key: validator }))).status, 412, 'another asker has a limit of his own');

  // 401 comes before 409, and 409 before 404 and 412.
  assert.equal((await askV3(request(serve.url, { nonce }))).body.reason, 'replayed_nonce');
  assert.equal((await askV3(request(serve.url, { miner: validator.address }))).body.reason, 'not_permitted');
  assert.equal((await askV3(request(serve.url, { manifestHash: sha256('unknown') }))).status, 409);
  assert.equal((await askV3(request(serve.url, { proof: undefined }))).status, 409);
  await serve.stop();
});

test('401 unbound_nonce comes before 409', async () => {
  const serve = await world.startServe(limitedBy('1/60s', 'unbound'));
  await serve.settle();
  const forMiner = { key: validator, miner: miner.address };
  assert.equal((await askV3(request(serve.url, forMiner))).body.error, 'no_challenge');
  assert.equal((await askV3(request(serve.url, forMiner))).status, 409);
  assert.equal((await askV3(request(serve.url, { ...forMiner, bound: false }))).body.reason, 'unbound_nonce');
  await serve.stop();
});

test('a bound nonce made for another server does not hold here', async () => {
  const serve = await world.startServe();
  await serve.settle();
  const nonce = freshNonce();
  const relayed = v3Request(request('http://another.example:8080', { key: validator, miner: miner.address, nonce }));
  relayed.url = relayed.url.replace('http://another.example:8080', serve.url);
  assert.equal((await send(relayed)).body.reason, 'unbound_nonce');
  await serve.stop();
});

test('nonces and rates outlive the server', async () => {
  const options = limitedBy('2/60s', 'restart');
  const first = await world.startServe(options);
  await first.settle();
  const nonce = freshNonce();
  assert.equal((await askV3(request(first.url, { nonce }))).body.error, 'no_challenge');
  assert.equal((await askV2({ base: first.url, key: miner })).status, 503);
  const { status } = await first.stop();
  assert.equal(status, 0, 'SIGTERM ends it well');
  const second = await world.startServe(options);
  await second.settle();
  // The bound nonce names the server's address, so the same request is replayed with the first one's.
  assert.equal((await askV3(request(second.url, { nonce, bound: false }))).body.reason, 'replayed_nonce');
  assert.equal((await askV2({ base: second.url, key: miner })).status, 409);
  await second.stop();
});

test('503 chain_unavailable: after 409, before 404', async () => {
  const slow = await createWorld({ blockTime: '3600s' });
  try {
    const asker = await slow.key('validator');
    const serve = await slow.startServe({ until: '/healthz', env: {
      SCOREVISION_VALIDATORS: asker.address, SCOREVISION_CHAIN_MAX_LAG: '1', SCOREVISION_RATE_LIMIT: '1/60s' } });
    await waitFor('the head to be older than a second', async () => {
      const metrics = await (await fetch(`${serve.url}/metrics`)).text();
      return Number(/^sv_chain_head_age_seconds ([\d.]+)/m.exec(metrics)?.[1]) > 1;
    });
    const unknown = { base: serve.url, key: asker, manifestHash: sha256('unknown'), elementId: PLAYER };
    const { status, body, headers } = await askV3(unknown);
    assert.deepEqual([status, body.error], [503, 'chain_unavailable']);
    assert.match(headers.get('retry-after'), /^[1-9]\d*$/);
    assert.equal((await askV3(unknown)).status, 409);
    assert.equal((await fetch(`${serve.url}/readyz`)).status, 503);
    assert.equal((await fetch(`${serve.url}/healthz`)).status, 200);
  } finally {
    await slow.end();
  }
});

test('503 overloaded: an address that asks too fast, before 400', async () => {
  const serve = await world.startServe({ env: { SCOREVISION_TRUSTED_PROXIES: '127.0.0.1' } });
  const from = (address) => ({ 'X-Forwarded-For': address });
  const malformed = v2Request({ base: serve.url, key: miner, parameters: { netuid: null } });
  let refused;
  await waitFor('an address to be refused', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => send({ ...malformed, headers: from('203.0.113.7') })));
    refused = answers.find(({ status }) => status !== 400);
    return refused;
  });
  assert.deepEqual([refused.status, refused.body.error], [503, 'overloaded']);
  assert.match(refused.headers.get('retry-after'), /^[1-9]\d*$/);
  assert.equal((await send({ ...malformed, headers: from('203.0.113.8') })).status, 400, 'other addresses are served');
  await serve.stop();
});

test('a second instance on the same port says so', async () => {
  const serve = await world.startServe();
  const { stderr } = await world.sv(['serve', '--listen', new URL(serve.url).host], { expect: 6 });
  assert.match(stderr, /address in use/);
  await serve.stop();
});
