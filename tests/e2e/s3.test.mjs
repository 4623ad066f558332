// The whole way on a bucket: a real S3 server holds the operator's store and the runner's results. Manifests are read at the
// bucket's public address, by people without a key to it; clips by presigned URLs.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { build, createWorld, waitFor } from './harness.mjs';
import { askV3 } from './api.mjs';
import { canonical, sha256, signDocument } from './peer.mjs';
import { PLAYER, SLUG, commit, element, football, manifest } from './season.mjs';
import { makeBucket, startGateway } from '../support/s3/gateway.mjs';

const CURRENT = '2025-10-23', BUCKET = 'season';
const NO_KEY = { R2_WRITE_ACCESS_KEY_ID: '', R2_WRITE_SECRET_ACCESS_KEY: '' };
const gateway = await startGateway();
const skip = gateway.missing ?? false;
let world, clip, current, proof, serve, publicUrl;

before(async () => {
  if (skip) return;
  makeBucket(build, gateway.settings, BUCKET);
  publicUrl = `${gateway.settings.S3_ENDPOINT}/${BUCKET}`;
  world = await createWorld({ env: { ...gateway.settings, R2_BUCKET: BUCKET, SCOREVISION_STORE: '' } });
  await world.key('miner');
  clip = await world.clip();
  current = await world.publish(football(CURRENT, 1, 100_000, clip.hash));
  Object.assign(world.env, NO_KEY, { R2_PUBLIC_URL: publicUrl }); // from here on everybody is a reader, unless he has the keys
  proof = await commit(world, 'miner', CURRENT, [PLAYER]);
  await world.advance(5);
  serve = await world.startServe({ env: { ...gateway.settings, SCOREVISION_ISSUE_INTERVAL: '1' } });
  await waitFor('the server to know the index', async () => (await (await fetch(`${serve.url}/readyz`)).json()).index_sequence >= 1);
});
after(async () => {
  await world?.end();
  await gateway.stop?.();
});

test('what is public is read without a key, and nothing else', { skip }, async () => {
  const index = await fetch(`${publicUrl}/scorevision/index.json`);
  assert.deepEqual([index.status, index.headers.get('cache-control')], [200, 'public, max-age=15, must-revalidate']);
  assert.equal((await fetch(`${publicUrl}/private/clips/${clip.hash.slice('sha256:'.length)}`)).status, 403);
  for (const env of [{}, { R2_PUBLIC_URL: '' }]) {
    const { manifests } = await world.json(['manifest', 'list'], { as: 'reader', env });
    assert.deepEqual(manifests.map(({ hash }) => hash), [current.manifest_hash]);
  }
});

test('a clip is handed out by a presigned URL', { skip }, async () => {
  const { status, body, text } = await askV3({ base: serve.url, key: world.keys.miner, manifestHash: current.manifest_hash, elementId: PLAYER, proof });
  assert.equal(status, 200, text);
  const url = new URL(body.clip_url);
  assert.equal(url.origin, gateway.settings.S3_ENDPOINT);
  assert.ok(Number(url.searchParams.get('X-Amz-Expires')) <= 900);
  assert.equal(sha256(Buffer.from(await (await fetch(url)).arrayBuffer())), clip.hash);
});

test('a runner puts its shards into the bucket, and they are audited there', { skip }, async () => {
  const chute = await world.startChute(SLUG);
  const env = { ...gateway.settings, SCOREVISION_API: serve.url, SCOREVISION_RESULTS_STORE: `s3://${BUCKET}`, SCOREVISION_USE_CHALLENGE_V3: '1',
    CHUTES_MINER_BASE_URL_TEMPLATE: chute.template, SCOREVISION_EVALUATOR: world.evaluator };
  const { shards } = await world.json(['runner', '--once', '--miner', world.keys.miner.address], { as: 'miner', env });
  assert.deepEqual(shards.map(({ error }) => error), [null]);
  await world.advance(4); // so that its block is final
  const auditor = { SCOREVISION_VALIDATORS: world.keys.operator.address };
  const { verdicts } = await world.json(['validator', 'audit', `s3://${BUCKET}`], { as: 'auditor', env: { ...gateway.settings, ...auditor } });
  assert.equal(verdicts.self, 1, JSON.stringify(verdicts));

  // The issue log is public in the same bucket, where nobody can list it.
  const [shard] = shards;
  const signpost = (first) => fetch(`${publicUrl}/scorevision/issued/${CURRENT}/${first}.json`);
  await waitFor('the challenge in the public issue log', async () => {
    let next = 1;
    for (let found; next <= shard.challenge_id && (found = await signpost(next)).status === 200;) next = (await found.json()).last + 1;
    return next > shard.challenge_id;
  });
  const invented = signDocument({ ...shard, seed: (shard.seed || 2) - 1 }, world.keys.miner.seed);
  const heldAgainst = (line, expect) => world.json(['validator', 'audit', '-'], { as: 'auditor', env: auditor, input: `${line}\n`, expect });
  const { verdicts: good, issue_logs: [log] } = await heldAgainst(canonical(shard), 0);
  assert.deepEqual([good.self, log.faults], [1, []]);
  assert.equal((await heldAgainst(invented, 3)).not_accepted[0].reason, 'not_issued');
});

test('publishers at once lose no window', { skip }, async () => {
  const ids = ['w1', 'w2', 'w3', 'w4', 'w5'];
  await Promise.all(ids.map(async (id, i) => {
    const file = world.write(`authored/${id}.json`, manifest(id, 200_000 + i * 100, 200_100 + i * 100, [element(PLAYER, [clip.hash])]));
    await world.json(['manifest', 'publish', file, '--yes'], { as: `home-${i}`, env: { ...gateway.settings, R2_PUBLIC_URL: '', BITTENSOR_WALLET_HOT: 'operator' } });
  }));
  const { manifests } = await world.json(['manifest', 'list'], { as: 'reader' });
  assert.deepEqual(manifests.map(({ window_id: id }) => id).sort(), [CURRENT, ...ids].sort());
});

test('a bucket is checked, and mirrored to a folder and to another bucket', { skip }, async () => {
  const env = { ...gateway.settings, SCOREVISION_VALIDATORS: world.keys.operator.address };
  await world.sv(['store', 'check'], { env });
  makeBucket(build, gateway.settings, 'mirror');
  for (const to of [`file:${world.path('mirror')}`, 's3://mirror']) {
    await world.sv(['store', 'mirror', to, '--yes'], { env });
    const { manifests } = await world.json(['manifest', 'list'], { as: `reader-of-${to.slice(0, 4)}`, env: { ...env, SCOREVISION_STORE: to, R2_PUBLIC_URL: '' } });
    assert.equal(manifests.length, 6);
  }
});

test('publishing and serving without a key say which settings are missing', { skip }, async () => {
  const file = world.write('authored/w9.json', manifest('w9', 300_000, 300_100, [element(PLAYER, [clip.hash])]));
  const { stderr } = await world.sv(['manifest', 'publish', file, '--yes', '--single-publisher'], { as: 'operator', env: { R2_PUBLIC_URL: '' }, expect: 2 });
  assert.match(stderr, /R2_WRITE_ACCESS_KEY_ID and R2_WRITE_SECRET_ACCESS_KEY/);
  const server = await world.sv(['serve', '--listen', '127.0.0.1:0'], { expect: 2 });
  assert.match(server.stderr, /R2_WRITE_ACCESS_KEY_ID and R2_WRITE_SECRET_ACCESS_KEY/);
});
