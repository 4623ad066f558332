// The user's testing checklist, lines 13 to 18: the runner and what a validator makes of its shards. Each test is named after
// its line. "v2 mode" there means the manifest-aware mode, SCOREVISION_USE_CHALLENGE_V3=1 (docs/protocol.md section 10).
//
// The runner is a validator's, the chute the example's, the evaluator the example's; a relay in front of `sv serve` writes down
// what the runner asks.
import { after, before, beforeEach, test } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { createWorld } from './harness.mjs';
import { startRelay } from './relay.mjs';
import { bare, boundNonce, canonical, openDocument, sha256, signDocument, verifies } from './peer.mjs';
import { CHUTE_ID, PLAYER, SLUG, commit, football } from './season.mjs';

const CURRENT = '2025-10-23';
let world, clip, current, proof, serve, relay, chute, runner;

before(async () => {
  world = await createWorld();
  const validator = await world.key('validator');
  await world.key('miner');
  world.env.SCOREVISION_VALIDATORS = validator.address;
  clip = await world.clip();
  current = await world.publish(football(CURRENT, 5, 100_000, clip.hash));
  proof = await commit(world, 'miner', CURRENT, [PLAYER]);
  await world.advanceTo(20);
  relay = await startRelay();
  serve = await world.startServe({ env: { SCOREVISION_API: relay.url } });
  relay.to(serve.url);
  await serve.settle();
  chute = await world.startChute(SLUG);
  runner = {
    SCOREVISION_API: relay.url,
    R2_PUBLIC_URL: relay.url,
    SCOREVISION_RESULTS_STORE: `file:${world.path('results')}`,
    CHUTES_MINER_BASE_URL_TEMPLATE: chute.template,
    SCOREVISION_EVALUATOR: world.evaluator,
  };
});
beforeEach(() => { relay.requests.length = 0; });
after(async () => {
  await world.end();
  await relay?.close();
});

// One challenge by the validator for the miner; returns the shard.
async function runOnce({ v3, home = 'validator', args = [], env = {} }) {
  const mode = v3 === undefined ? {} : { SCOREVISION_USE_CHALLENGE_V3: v3 };
  const forMiner = v3 === '1' || v3 === 'true' || v3 === 'True' ? ['--miner', world.keys.miner.address] : ['--slug', SLUG];
  const { shards } = await world.json(['runner', '--once', ...forMiner, ...args], {
    as: home, env: { BITTENSOR_WALLET_HOT: 'validator', ...runner, ...mode, ...env } });
  assert.equal(shards.length, 1);
  assert.equal(shards[0].error, null);
  return shards[0];
}

function storedShards(folder) {
  const base = world.path('results', 'scorevision', 'shards', folder);
  return readdirSync(base, { recursive: true }).filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(path.join(base, name), 'utf8').split('\n').filter(Boolean));
}

async function audit(lines, expect) {
  const { verdicts, not_accepted: rest, reasons } = await world.json(['validator', 'audit', '-'], {
    as: 'auditor', input: `${lines.join('\n')}\n`, expect });
  return { verdicts, rest, reasons };
}

// 13
test('Runner can switch between endpoints via config', async () => {
  for (const v3 of ['1', 'true', 'True']) {
    relay.requests.length = 0;
    assert.equal((await runOnce({ v3 })).v, 1);
    assert.ok(relay.paths().includes('/api/challenge/v3') && !relay.paths().includes('/api/tasks/next/v2'), v3);
  }
  for (const v3 of [undefined, '0', 'yes']) {
    relay.requests.length = 0;
    assert.equal((await runOnce({ v3 })).v, 0);
    assert.ok(relay.paths().includes('/api/tasks/next/v2') && !relay.paths().includes('/api/challenge/v3'), String(v3));
  }
  relay.requests.length = 0;
  const conf = world.write('sv.conf', '[scorevision]\nSCOREVISION_USE_CHALLENGE_V3 = 1\n');
  await world.sv(['runner', '--once', '--miner', world.keys.miner.address], {
    as: 'validator', env: { ...runner, SCOREVISION_CONFIG: conf } });
  assert.ok(relay.paths().includes('/api/challenge/v3'), 'the configuration file is enough');
});

// 14
test('Runner fetches Manifest before getting challenges (v2 mode)', async () => {
  await runOnce({ v3: '1', home: 'fresh-validator' }); // a home that has cached nothing
  const paths = relay.paths();
  const index = paths.indexOf('/scorevision/index.json');
  const manifest = paths.findIndex((one) => one.includes('/scorevision/manifests/') && one.includes(current.manifest_hash.slice(7)));
  const challenge = paths.indexOf('/api/challenge/v3');
  assert.ok(index >= 0 && index < manifest && manifest < challenge, paths.join('\n'));
});

// 15
test('Runner passes `element_id` + `X-Commitment-Proof` into challenge requests and shards', async () => {
  const shard = await runOnce({ v3: '1' });
  const { url, headers, status } = relay.requests.find((one) => one.url.pathname === '/api/challenge/v3');
  assert.equal(status, 200);
  const query = Object.fromEntries(url.searchParams);
  const validator = world.keys.validator.address;
  assert.equal(query.element_id, PLAYER);
  assert.equal(query.validator_hotkey, validator);
  assert.equal(query.miner_hotkey, world.keys.miner.address);
  assert.equal(query.netuid, '44');
  assert.ok(verifies(validator, query.nonce, `ed25519:${query.signature.replace(/^(0x|ed25519:)/, '')}`));
  assert.equal(headers['x-commitment-proof'], proof);
  assert.equal(headers['x-manifest-hash'], current.manifest_hash);
  assert.equal(headers['x-nonce'], boundNonce({ base: relay.url, netuid: 44, asker: validator, nonce: query.nonce,
    elementId: PLAYER, miner: query.miner_hotkey, slug: query.chute_slug, proof }), 'the nonce covers the whole request');
  assert.ok(verifies(validator, `${current.manifest_hash}:${headers['x-nonce']}`, headers['x-signature']));

  const line = storedShards(CURRENT).find((text) => JSON.parse(text).challenge_id === shard.challenge_id);
  const stored = openDocument(line, { type: 'shard', signer: validator });
  assert.equal(stored.element_id, PLAYER);
  assert.equal(stored.commitment_proof, proof);
  assert.deepEqual([stored.chute_slug, stored.chute_id, stored.hf_revision], [SLUG, CHUTE_ID, 'player-v1']);
  assert.equal(bare(stored.miner_hotkey), world.keys.miner.address);
  assert.equal(stored.lane, 'public');
  assert.equal(stored.latencies_ms.length, 5);
  const p95 = Math.max(...stored.latencies_ms);
  assert.equal(stored.p95_latency_ms, p95);
  assert.equal(stored.rtf, (p95 / 1000) * (0.25 / 5));
  assert.equal(stored.latency_pass, true);
  assert.deepEqual(Object.keys(stored.metrics).sort(), ['count', 'iou']);
  assert.ok(Math.abs(stored.composite_score - (0.6 * stored.metrics.iou + 0.4 * stored.metrics.count)) < 1e-9);
  assert.ok(stored.composite_score > 0.2, 'the chute really looked at the clip');
});

// 16
test('Runner includes manifest_hash in shards (v2 mode)', async () => {
  const shard = await runOnce({ v3: '1' });
  assert.equal(shard.manifest_hash, current.manifest_hash);
  assert.equal(shard.window_id, CURRENT);
  const bytes = world.read('store', 'scorevision', 'manifests', `${shard.manifest_hash.slice(7)}.json`);
  assert.equal(sha256(bytes), shard.manifest_hash);
  const legacy = await runOnce({ v3: '0' });
  assert.ok(!('manifest_hash' in legacy), 'in legacy mode there is none to name');
});

// 17
test('Validator can verify manifest_hash in shards', async () => {
  const { seed } = world.keys.validator;
  const shard = await runOnce({ v3: '1' });
  await world.advance(10); // past finality
  const good = await audit([canonical(shard)], 0);
  assert.deepEqual([good.verdicts.accepted, good.verdicts.rejected], [1, 0], JSON.stringify(good));

  const unknown = signDocument({ ...shard, manifest_hash: sha256('another manifest') }, seed);
  const otherWindow = signDocument({ ...shard, window_id: '2025-10-25' }, seed);
  for (const line of [unknown, otherWindow]) {
    const { verdicts, rest } = await audit([line], 3);
    assert.equal(verdicts.rejected, 1);
    assert.deepEqual([rest[0].rule, rest[0].reason], [3, 'manifest']);
  }
  const forged = canonical({ ...shard, manifest_hash: sha256('another manifest') });
  assert.equal((await audit([forged], 3)).rest[0].reason, 'signature');
});

// 18
test('Can rollback to legacy endpoint if needed', async () => {
  assert.equal((await runOnce({ v3: '1' })).v, 1);
  // The new way is broken altogether: no index can be had by anybody.
  const index = world.path('store', 'scorevision', 'index.json');
  renameSync(index, `${index}.gone`);
  try {
    const legacy = await runOnce({ v3: '0', home: 'legacy-validator' });
    assert.equal(legacy.v, 0);
    const lines = storedShards('_legacy').map((line) => openDocument(line, { type: 'shard', signer: world.keys.validator.address }));
    assert.ok(lines.some(({ task_id }) => task_id === legacy.task_id));
  } finally {
    renameSync(`${index}.gone`, index);
  }
  const legacyLines = storedShards('_legacy');
  const { verdicts } = await audit(legacyLines, 0);
  assert.deepEqual([verdicts.legacy, verdicts.accepted], [legacyLines.length, 0], 'legacy shards are counted, never accepted');
  assert.equal((await runOnce({ v3: '1' })).v, 1, 'and forward again, by configuration alone');
});
