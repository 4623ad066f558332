// `sv serve` over its life: commitments and clips that come while it runs, reorganisations, kills, and an end in the middle of
// a download.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { get } from 'node:http';
import { createWorld, waitFor } from './harness.mjs';
import { askV3, freshNonce } from './api.mjs';
import { sha256 } from './peer.mjs';
import { BALL, PLAYER, commit, football } from './season.mjs';

const CURRENT = '2025-10-23';
let world, clip, current, serve;

before(async () => {
  world = await createWorld({ finality: 3, env: { SCOREVISION_API: 'http://api.example.org', SCOREVISION_RATE_LIMIT: '1000/60s' } });
  await world.key('miner');
  await world.key('late');
  clip = await world.clip();
  current = await world.publish(football(CURRENT, 1, 5000, clip.hash));
  await world.advance(5);
  serve = await world.startServe();
  await serve.settle();
});
after(() => world.end());

// The server's own name is api.example.org, whatever its address.
function ask(key, proof, more = {}) {
  return askV3({ base: serve.url, key, manifestHash: current.manifest_hash, elementId: PLAYER, proof, ...more });
}

test('a commitment that is made while it runs is served', async () => {
  const proof = await commit(world, 'miner', CURRENT, [PLAYER]);
  await serve.settle();
  const { status, body } = await ask(world.keys.miner, proof);
  assert.equal(status, 200);
  assert.equal(body.commitment_finalized, false);
  // A known asker need not wait until the server has followed the chain: an unseen proof is looked up.
  const another = await commit(world, 'miner', CURRENT, [BALL], { cap: 80 });
  const fresh = await ask(world.keys.miner, another, { elementId: BALL });
  assert.equal(fresh.status, 200, fresh.text);
  await world.advance(4);
  await serve.settle();
  assert.equal((await ask(world.keys.miner, proof)).body.commitment_finalized, true);
});

test('a commitment that a reorganisation drops binds no more', async () => {
  const { late } = world.keys;
  const proof = await commit(world, 'late', CURRENT, [PLAYER]);
  await serve.settle();
  assert.equal((await ask(late, proof)).status, 200);
  await world.sv(['chain', 'advance', '2', '--reorg', '1']);
  await serve.settle();
  const { status, body } = await ask(late, proof);
  assert.deepEqual([status, body.reason], [412, 'unknown']);
  await world.sv(['chain', 'proof', proof], { expect: 4 });
  const again = await commit(world, 'late', CURRENT, [PLAYER]);
  await serve.settle();
  assert.equal((await ask(late, again)).status, 200);
});

test('a clip that is taken out and put back while it runs', async () => {
  const { commitments: [receipt] } = await world.json(['miner', 'commitments'], { as: 'miner' });
  const proof = receipt.bindings.find((one) => one.element_id === PLAYER).commitment_proof;
  const seesClips = (n) => waitFor(`the server to see ${n} clips`, async () => (
    (await (await fetch(`${serve.url}/metrics`)).text()).includes(`\nsv_clips ${n}\n`)));
  await world.sv(['clip', 'remove', clip.hash]);
  await seesClips(0);
  assert.equal((await ask(world.keys.miner, proof)).body.error, 'no_challenge');
  const readiness = async () => (await fetch(`${serve.url}/readyz`)).json();
  // Another instance has the same clips: none is taken out, and whoever reads /readyz or /metrics is told.
  const { status, warnings } = await waitFor('a warning', async () => { const body = await readiness(); return body.warnings?.length > 0 && body; });
  assert.equal(status, 'ready');
  assert.match(warnings[0], /^1 clips of the windows in force are not registered/);
  assert.match(await (await fetch(`${serve.url}/metrics`)).text(), /\nsv_clips_missing 1\n/);
  await waitFor('the log to tell of it', async () => serve.child.output.stderr.includes(`not registered here (1, among them ${clip.hash} of window`));
  await world.clip();
  await seesClips(1);
  assert.equal((await ask(world.keys.miner, proof)).status, 200);
});

test('of many requests at once each has its own challenge, and of one request sent many times one is answered', async () => {
  const { commitments: [receipt] } = await world.json(['miner', 'commitments'], { as: 'miner' });
  const proof = receipt.bindings.find((one) => one.element_id === PLAYER).commitment_proof;
  const many = await Promise.all(Array.from({ length: 200 }, () => ask(world.keys.miner, proof)));
  assert.ok(many.every(({ status }) => status === 200), many.find(({ status }) => status !== 200)?.text);
  assert.equal(new Set(many.map(({ body }) => body.challenge_id)).size, many.length);
  const nonce = freshNonce();
  const same = await Promise.all(Array.from({ length: 50 }, () => ask(world.keys.miner, proof, { nonce })));
  assert.equal(same.filter(({ status }) => status === 200).length, 1);
  assert.equal(same.filter(({ body }) => body.reason === 'replayed_nonce').length, 49);
});

test('kill -9 loses no challenge that was answered', async () => {
  const { commitments: [receipt] } = await world.json(['miner', 'commitments'], { as: 'miner' });
  const proof = receipt.bindings.find((one) => one.element_id === PLAYER).commitment_proof;
  const nonce = freshNonce();
  const last = await ask(world.keys.miner, proof, { nonce });
  assert.equal(last.status, 200);
  await serve.stop('SIGKILL');
  serve = await world.startServe();
  await serve.settle();
  assert.equal((await ask(world.keys.miner, proof, { nonce })).body.reason, 'replayed_nonce');
  const next = await ask(world.keys.miner, proof);
  assert.equal(next.status, 200);
  assert.ok(BigInt(next.body.challenge_id) > BigInt(last.body.challenge_id));
  assert.equal(next.body.draw_commit, last.body.draw_commit, 'the manifest keeps its draw');
});

test('SIGTERM finishes a download that is in flight', async () => {
  const { commitments: [receipt] } = await world.json(['miner', 'commitments'], { as: 'miner' });
  const proof = receipt.bindings.find((one) => one.element_id === PLAYER).commitment_proof;
  const { body } = await ask(world.keys.miner, proof);
  assert.ok(body.clip_url.startsWith('http://api.example.org/clips/'), 'clip URLs begin with the server\'s public base');
  const url = body.clip_url.replace('http://api.example.org', serve.url);
  const response = await new Promise((resolve, reject) => get(url, resolve).on('error', reject));
  response.pause();
  const ended = serve.stop();
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  assert.equal(sha256(Buffer.concat(chunks)), clip.hash);
  assert.equal((await ended).status, 0);
});
