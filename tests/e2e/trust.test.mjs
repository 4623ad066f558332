// What a reader believes of a store that he does not trust (docs/protocol.md sections 2, 4 and 5): old indexes, indexes of two
// faces, mixed entries, strangers' signatures; and the trust that comes from the chain. The hostile documents are made here, with
// the operator's own key where need be.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { createWorld } from './harness.mjs';
import { sha256, signDocument } from './peer.mjs';
import { PLAYER, element, football, manifest } from './season.mjs';

const CURRENT = '2025-10-23';
const INDEX = ['scorevision', 'index.json'];
let world, clip, operator, first, second;

before(async () => {
  world = await createWorld();
  operator = world.keys.operator;
  clip = (await world.clip()).hash;
  first = await world.publish(football(CURRENT, 1, 5000, clip));
  cpSync(world.path('store'), world.path('old'), { recursive: true });
  second = await world.publish(football('2025-10-24', 5000, 6000, clip));
  await world.advance(10);
});
after(() => world.end());

const from = (store) => ({ SCOREVISION_STORE: `file:${world.path(store)}` });
const list = (as, env, expect = 0) => world.sv(['manifest', 'list'], { as, env, expect });

// A copy of the store whose index was changed by @change and signed again by @key.
function forge(name, change, key = operator) {
  cpSync(world.path('store'), world.path(name), { recursive: true });
  const index = JSON.parse(world.read('store', ...INDEX));
  world.write(`${name}/scorevision/index.json`, signDocument(change(index) ?? index, key.seed));
  return from(name);
}

test('an honest copy is read', async () => {
  await list('plain', forge('honest', () => {}));
});

test('an index older than one that was seen is refused, and one older than the chain\'s anchor too', async () => {
  await list('remembering', {});
  const { stderr } = await list('remembering', from('old'), 3);
  assert.match(stderr, /sequence/);
  await list('fresh', from('old'), 3); // has seen nothing, but the chain says that there is a newer one
});

test('an index of the same sequence with another content is refused', async () => {
  await list('equivocation', {});
  const env = forge('equivocation', (index) => { index.updated_at = '2025-01-01T00:00:00Z'; });
  await list('equivocation', env, 3);
});

test('an index signed by a stranger, or for another chain, or of another type, is refused', async () => {
  const stranger = await world.key('stranger');
  await list('s1', forge('by-stranger', (index) => { index.signed_by = `ss58:${stranger.address}`; }, stranger), 3);
  await list('s2', forge('in-his-name', () => {}, stranger), 3);
  await list('s3', forge('other-chain', (index) => { index.chain.genesis = `0x${'00'.repeat(32)}`; }), 3);
  await list('s4', forge('other-netuid', (index) => { index.chain.netuid = 45; }), 3);
  await list('s5', forge('other-type', (index) => { index.type = 'manifest'; }), 3);
});

test('an index that is not canonical, or no JSON, or cut short, is refused', async () => {
  const text = world.read('store', ...INDEX).toString();
  const cases = { spaced: `${text}\n`, pretty: JSON.stringify(JSON.parse(text), null, 1), cut: text.slice(0, -20), empty: '',
    twice: text.replace('{', '{"sequence":2,'), deep: `${'['.repeat(100_000)}` };
  for (const [name, content] of Object.entries(cases)) {
    cpSync(world.path('store'), world.path(name), { recursive: true });
    world.write(`${name}/scorevision/index.json`, content);
    const { stderr } = await list(name, from(name), 3);
    assert.ok(stderr.length < 1000, name);
  }
});

test('an entry that does not agree with its manifest is refused', async () => {
  const changes = {
    summary: (index) => { index.manifests[0].elements_summary[0].beta = 9; },
    expiry: (index) => { index.manifests[0].expiry_block = 4999; },
    mixed: (index) => { index.manifests[0].hash = second.manifest_hash; },
  };
  for (const [name, change] of Object.entries(changes)) {
    await world.sv(['manifest', 'current'], { as: name, env: forge(name, (index) => { index.sequence += 1; change(index); }), expect: 3 });
  }
});

test('whatever is refused, the last verified manifest stays usable until it expires', async () => {
  await world.sv(['manifest', 'current'], { as: 'lasting' });
  world.write('broken/scorevision/index.json', 'nonsense');
  for (const env of [from('broken'), from('old'), { R2_PUBLIC_URL: 'http://127.0.0.1:1' }]) {
    const still = await world.json(['manifest', 'current'], { as: 'lasting', env });
    assert.equal(still.manifest_hash, first.manifest_hash);
    const byHash = await world.json(['miner', 'manifest', '--hash', first.manifest_hash], { as: 'lasting', env });
    assert.equal(byHash.window_id, CURRENT);
  }
});

test('of several mirrors the newest index that verifies wins', async () => {
  const good = await world.startServe();
  const stale = await world.startServe({ env: { ...from('old'), SCOREVISION_DATABASE: `sqlite:${world.path('stale.sqlite')}` }, until: '/healthz' });
  const env = { R2_PUBLIC_URL: `http://127.0.0.1:1,${stale.url},${good.url}`, ...from('nowhere') };
  const { stdout } = await list('mirrored', env);
  assert.ok(stdout.includes('2025-10-24'));
});

test('chain:owner is trusted as the chain says', async () => {
  const { manifest_hash: hash } = await world.json(['manifest', 'current'], { as: 'by-owner', env: { SCOREVISION_MANIFEST_SIGNERS: 'chain:owner' } });
  assert.equal(hash, first.manifest_hash);
});

test('the anchor is told, and can be required', async () => {
  const anchored = await world.json(['manifest', 'current', '--require-anchor'], { as: 'anchor' });
  assert.equal(JSON.stringify(anchored).includes('"anchored"'), true, JSON.stringify(anchored));
  // A manifest that is in an index of a right signature, but that no anchor knows.
  const bytes = world.read('store', 'scorevision', 'manifests', `${first.manifest_hash.slice(7)}.json`);
  const secret = signDocument({ ...JSON.parse(bytes), previous: null, elements: [element(PLAYER, [clip], { beta: 3 })] }, operator.seed);
  const hash = sha256(secret);
  const env = forge('unanchored', (index) => {
    Object.assign(index.manifests[0], { hash, elements_summary: [{ id: PLAYER, beta: 3, baseline_theta: 0.78, service_rate_fps: 0.25 }] });
  });
  world.write(`unanchored/scorevision/manifests/${hash.slice(7)}.json`, secret);
  await world.sv(['manifest', 'current'], { as: 'unanchored', env });
  await world.sv(['manifest', 'current', '--require-anchor'], { as: 'unanchored', env, expect: 3 });
  const { stdout } = await world.sv(['manifest', 'current', '--require-anchor', '--json'], { as: 'unanchored', env, expect: 3 });
  assert.equal(JSON.parse(stdout).anchor, 'unanchored', 'one document, also when the command fails after it');
});

test('publishing is idempotent, and completes what is missing', async () => {
  const again = await world.publish(football(CURRENT, 1, 5000, clip));
  assert.deepEqual([again.status, again.manifest_hash, again.anchor.was_there], ['unchanged', first.manifest_hash, true]);
  const name = world.path('store', 'scorevision', 'manifests', `${first.manifest_hash}.json`);
  rmSync(name);
  await world.publish(football(CURRENT, 1, 5000, clip));
  assert.equal(sha256(world.read('store', 'scorevision', 'manifests', `${first.manifest_hash}.json`)), first.manifest_hash);
  const overlapping = world.write('overlapping.json', manifest('2025-10-25', 4000, 7000, [element(PLAYER, [clip])]));
  await world.sv(['manifest', 'publish', overlapping], { expect: 6 });
});
