// The user's reference reader, written out over HTTP against the public tree of `sv serve`: fetch_index(), fetch_manifest() by
// the name that stands in the index, and Method B. It finds the manifest that `sv manifest current` calls active, before and
// after a supersede and a rollback.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createWorld } from './harness.mjs';
import { askV3 } from './api.mjs';
import { openDocument, sha256 } from './peer.mjs';
import { PLAYER, commit, element, football, manifest } from './season.mjs';

const PAST = '2025-10-22';
const CURRENT = '2025-10-23';
const UPCOMING = '2025-10-24';
let world, clip, serve, R2_PUBLIC_URL, original;

before(async () => {
  world = await createWorld();
  await world.key('miner');
  clip = (await world.clip()).hash;
  await world.publish(football(PAST, 1, 30, clip));
  original = await world.publish(football(CURRENT, 30, 5000, clip));
  await world.publish(football(UPCOMING, 5000, 9000, clip));
  await commit(world, 'miner', CURRENT, [PLAYER]);
  serve = await world.startServe();
  R2_PUBLIC_URL = serve.url;
});
after(() => world.end());

// ── the user's reader ──

async function fetch_index() {
  const response = await fetch(`${R2_PUBLIC_URL}/scorevision/index.json`);
  assert.ok(response.ok);
  return response.json();
}

async function fetch_manifest(manifest_hash) {
  const response = await fetch(`${R2_PUBLIC_URL}/scorevision/manifests/${manifest_hash}.json`);
  assert.ok(response.ok, `${response.url} answers ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

async function get_current_manifest(block_number) {
  const index = await fetch_index();
  for (const m of index.manifests) {
    if (m.expiry_block > block_number) return { hash: m.hash, bytes: await fetch_manifest(m.hash) };
  }
  return null;
}

// Both readers at today's block.
async function expectAgreement() {
  const theirs = await get_current_manifest(await world.head());
  const ours = await world.json(['manifest', 'current'], { as: 'reader' });
  assert.match(theirs.hash, /^sha256:[0-9a-f]{64}$/);
  assert.equal(ours.manifest_hash, theirs.hash);
  const document = openDocument(theirs.bytes, { type: 'manifest', hash: theirs.hash, signer: world.keys.operator.address });
  return { hash: theirs.hash, document };
}

test('Method B finds the active manifest of each window as blocks go by', async () => {
  for (const [block, window] of [[10, PAST], [29, PAST], [30, CURRENT], [40, CURRENT]]) {
    await world.advanceTo(block);
    assert.equal((await expectAgreement()).document.window_id, window, `at block ${block}`);
  }
});

test('Method B finds the new manifest after a supersede, once the overlap is over', async () => {
  const changed = manifest(CURRENT, 30, 5000, [element(PLAYER, [clip], { baseline_theta: 0.8 })]);
  const next = await world.publish(changed, { args: ['--supersede', '--overlap', '5'] });
  await world.advance(6);
  const { hash, document } = await expectAgreement();
  assert.equal(hash, next.manifest_hash);
  assert.notEqual(hash, original.manifest_hash);
  assert.equal(document.elements[0].baseline_theta, 0.8);
  assert.ok((await fetch_manifest(original.manifest_hash)).length > 0, 'the replaced manifest stays readable');
  const index = await fetch_index();
  assert.deepEqual(index.superseded.map((entry) => [entry.hash, entry.superseded_by]), [[original.manifest_hash, next.manifest_hash]]);
});

test('Method B finds the old manifest after a rollback', async () => {
  const back = await world.json(['manifest', 'rollback', '--to-hash', original.manifest_hash, '--overlap', '5', '--yes']);
  assert.equal(back.manifest_hash, original.manifest_hash);
  await world.advance(6);
  assert.equal((await expectAgreement()).hash, original.manifest_hash);
  const index = openDocument(Buffer.from(await (await fetch(`${R2_PUBLIC_URL}/scorevision/index.json`)).arrayBuffer()), {
    type: 'index', signer: world.keys.operator.address });
  assert.equal(index.sequence, 5, 'each change counts');
  assert.notEqual(index.newest, original.manifest_hash, 'a rollback creates no manifest');
});

test('every manifest is reachable from the newest along previous', async () => {
  const index = await fetch_index();
  const windows = [];
  for (let hash = index.newest; hash !== null;) {
    const bytes = await fetch_manifest(hash);
    assert.equal(sha256(bytes), hash);
    const { window_id, previous } = JSON.parse(bytes);
    windows.unshift(window_id);
    hash = previous;
  }
  assert.deepEqual(windows, [PAST, CURRENT, UPCOMING, CURRENT]);
});

test('draw_commit is one hash per manifest', async () => {
  await serve.settle();
  const { commitments: [receipt] } = await world.json(['miner', 'commitments', '--window-id', CURRENT], { as: 'miner' });
  const proof = receipt.bindings[0].commitment_proof;
  const ask = () => askV3({ base: serve.url, key: world.keys.miner, manifestHash: original.manifest_hash, elementId: PLAYER, proof });
  const answers = [await ask(), await ask(), await ask()];
  for (const { status, text } of answers) assert.equal(status, 200, text);
  assert.match(answers[0].body.draw_commit, /^sha256:[0-9a-f]{64}$/);
  assert.equal(new Set(answers.map(({ body }) => body.draw_commit)).size, 1);
  assert.equal(new Set(answers.map(({ body }) => body.seed)).size, 3);
});
