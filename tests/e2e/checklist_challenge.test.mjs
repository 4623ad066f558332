// The user's testing checklist, lines 6 to 12: the Challenge API. Each test is named after its line. Requests are built and
// signed here, independently of sv; every status and reason, and their order, are in statuses.test.mjs.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createWorld } from './harness.mjs';
import { askV2, askV3 } from './api.mjs';
import { sha256 } from './peer.mjs';
import { CHUTE_ID, PLAYER, SLUG, commit, football } from './season.mjs';

const PAST = '2025-10-22';
const CURRENT = '2025-10-23';
const UPCOMING = '2025-10-24';
let world, clip, past, current, upcoming, proof, serve;

before(async () => {
  world = await createWorld();
  await world.key('miner');
  clip = await world.clip();
  past = await world.publish(football(PAST, 1, 50, clip.hash));
  current = await world.publish(football(CURRENT, 50, 1000, clip.hash));
  upcoming = await world.publish(football(UPCOMING, 1000, 2000, clip.hash));
  await commit(world, 'miner', PAST, [PLAYER]);
  proof = await commit(world, 'miner', CURRENT, [PLAYER]);
  await world.advanceTo(60);
  serve = await world.startServe();
  await serve.settle();
});
after(() => world.end());

const ask = (more) => askV3({ base: serve.url, key: world.keys.miner, manifestHash: current.manifest_hash, elementId: PLAYER, proof, ...more });

// 6
test('New `/api/challenge/v3` endpoint accepts `X-Manifest-Hash` header', async () => {
  const answer = await ask();
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.body.manifest_hash, current.manifest_hash);
  assert.equal(answer.headers.get('cache-control'), 'no-store');

  const bareHash = current.manifest_hash.slice('sha256:'.length);
  const echoed = await ask({ manifestHash: bareHash });
  assert.equal(echoed.body.manifest_hash, bareHash, 'it is echoed as it was sent');

  const missing = await ask({ headers: { 'X-Manifest-Hash': null } });
  assert.equal(missing.status, 400);
  assert.equal(missing.body.error, 'invalid_request');
  assert.equal(missing.body.field, 'X-Manifest-Hash');
});

// 7
test('New endpoint enforces `X-Commitment-Proof` and returns 412 when missing/invalid', async () => {
  const missing = await ask({ proof: undefined });
  assert.equal(missing.status, 412);
  assert.equal(missing.body.error, 'missing_commitment');
  assert.ok(missing.body.message.startsWith(`Miner has no commitment for element ${PLAYER} in window ${CURRENT}`));
  assert.equal(missing.body.hotkey, `ss58:${world.keys.miner.address}`);
  assert.equal(missing.body.window_id, CURRENT);
  assert.equal(missing.body.reason, 'missing');

  const invalid = await ask({ proof: `${proof.split(':')[0]}:0x${'00'.repeat(32)}` });
  assert.equal(invalid.status, 412);
  assert.equal(invalid.body.reason, 'unknown');
  const malformed = await ask({ proof: 'proof' });
  assert.equal(malformed.status, 412);
  assert.equal(malformed.body.reason, 'malformed');
});

// 8
test('New endpoint returns `element_id` and `window_id`', async () => {
  const { status, body } = await ask();
  assert.equal(status, 200);
  assert.equal(body.element_id, PLAYER);
  assert.equal(body.window_id, CURRENT);
  assert.deepEqual(body.meta, {
    duration_ms: 1000, fps: 25, resolution: { width: 480, height: 270 }, sport: 'football', scenario: 'match', challenge_type: 'football',
  });
  assert.equal(body.expiry_block, 1000);
  assert.match(body.challenge_id, /^[1-9]\d*$/);
  assert.equal(body.block, 60);
  assert.equal(body.commitment_finalized, true);
  assert.deepEqual([body.clip_hash, body.clip_bytes], [clip.hash, clip.bytes]);
  assert.deepEqual([body.chute_slug, body.chute_id, body.hf_revision], [SLUG, CHUTE_ID, 'player-v1']);
  assert.ok(Number.isSafeInteger(body.seed) && body.seed >= 0);

  const video = Buffer.from(await (await fetch(body.clip_url)).arrayBuffer());
  assert.equal(sha256(video), clip.hash, 'the clip that is handed out is the one that is named');
  assert.equal((await fetch(body.clip_url.replace(/token=../, 'token=00'))).status, 403);
});

// 9
test('New endpoint returns 410 for expired windows', async () => {
  const { status, body } = await ask({ manifestHash: past.manifest_hash });
  assert.equal(status, 410);
  assert.equal(body.error, 'window_expired');
  assert.equal(body.message, 'Evaluation window expired at block 50');
  assert.equal(body.expired_at_block, 50);
  assert.equal(body.current_block, 60);
});

// 10
test('New endpoint returns 404 for inactive windows', async () => {
  for (const manifestHash of [upcoming.manifest_hash, sha256('a manifest that nobody published')]) {
    const { status, body } = await ask({ manifestHash });
    assert.equal(status, 404);
    assert.deepEqual(body, { error: 'no_active_window', message: 'No evaluation window active for manifest_hash' });
  }
});

// 11
test('New endpoint returns 409 for rate limits', async () => {
  const limited = await world.startServe({
    env: { SCOREVISION_RATE_LIMIT: '3/60s', SCOREVISION_DATABASE: `sqlite:${world.path('limited.sqlite')}` } });
  const asked = { base: limited.url };
  for (let i = 0; i < 3; i++) assert.notEqual((await ask(asked)).status, 409);
  const { status, body, headers } = await ask(asked);
  assert.equal(status, 409);
  assert.equal(body.error, 'rate_limit_exceeded');
  assert.equal(body.message, `Too many requests. Retry after: ${body.retry_after}s`);
  assert.ok(body.retry_after >= 1 && body.retry_after <= 60);
  assert.equal(headers.get('retry-after'), String(body.retry_after));
  await limited.stop();
});

// 12
test('Legacy `/api/tasks/next/v2` endpoint still works unchanged', async () => {
  const stranger = await world.key('stranger'); // no validator list is configured: whoever signs is served
  const { status, body } = await askV2({ base: serve.url, key: stranger });
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(body).sort(), ['challenge_type', 'fps', 'seed', 'task_id', 'video_url']);
  assert.equal(body.fps, 25);
  assert.equal(body.challenge_type, 'football');
  assert.ok(Number.isSafeInteger(body.seed));
  assert.equal(typeof body.task_id, 'string');
  assert.equal(sha256(Buffer.from(await (await fetch(body.video_url)).arrayBuffer())), clip.hash);

  const forged = await askV2({ base: serve.url, key: stranger, parameters: { signature: '00'.repeat(64) } });
  assert.equal(forged.status, 401);
  assert.deepEqual(forged.body, { error: 'invalid_signature', message: 'Ed25519 signature verification failed', reason: 'bad_signature' });
  const wrapped = await askV2({ base: serve.url, key: stranger, parameters: { unknown: 'kept for the future' } });
  assert.equal(wrapped.status, 200, 'parameters that it does not know are ignored');
});
