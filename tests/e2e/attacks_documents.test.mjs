// What a hostile mirror, a stolen key or a stranger can say in documents (docs/security.md, "Manifests: attacks and answers"):
// each lie is refused by its name with exit status 3, and whoever has verified a manifest before goes on with it.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { createWorld } from './harness.mjs';
import { lastStateKept, refusedAsNew, resigned, say, startMirror } from './mirror.mjs';
import { canonical, sha256, signDocument } from './peer.mjs';
import { refused } from './refusing.mjs';
import { PLAYER, football } from './season.mjs';

const CLIP = `sha256:${'c'.repeat(64)}`;
const INDEX = ['scorevision', 'index.json'];
let world, mirror, operator, stranger, first, second, homes = 0;

before(async () => {
  world = await createWorld();
  operator = world.keys.operator;
  stranger = await world.key('stranger');
  first = await world.publish(football('2025-10-23', 1, 5000, CLIP));
  cpSync(world.path('store'), world.path('old'), { recursive: true });
  second = await world.publish(football('2025-10-24', 5000, 6000, CLIP));
  await world.advance(10);
  mirror = await startMirror(world);
  await world.sv(['manifest', 'current'], { as: 'lasting', env: mirror.env });
});
after(async () => {
  await mirror?.end();
  await world.end();
});

const fresh = () => `fresh-${homes += 1}`;
const index = () => world.read('store', ...INDEX);
const manifestBytes = (published) => world.read('store', 'scorevision', 'manifests', `${published.manifest_hash.slice(7)}.json`);
const list = (as, env = {}, expect = 0) => world.sv(['manifest', 'list'], { as, env: { ...mirror.env, ...env }, expect });

// Both readers of a lie about the index.
async function indexIsRefused(lie, name) {
  mirror.index = lie;
  try {
    await refusedAsNew(world, mirror, fresh(), name);
    await lastStateKept(world, mirror, 'lasting', name, first);
  } finally {
    mirror.tellTruth();
  }
}

test('the truth is believed, and kept as it came', async () => {
  const as = fresh();
  const { stderr } = await world.sv(['manifest', 'current'], { as, env: mirror.env });
  assert.equal(stderr, '');
  const genesis = JSON.parse(index()).chain.genesis.slice(2);
  assert.deepEqual(world.read('homes', as, 'memory', `${genesis}-44`, 'index.json'), index());
  assert.deepEqual(world.read('homes', as, 'cache', 'manifests', `${first.manifest_hash.slice(7)}.json`), manifestBytes(first));
});

// ── the index ──

test('an index by an unknown signer, or in the name of a known one', async () => {
  await indexIsRefused(resigned({ seed: stranger.seed }, (document) => { document.signed_by = `ss58:${stranger.address}`; }),
    new RegExp(`signed by ${stranger.address}, which is not a trusted signer`));
  await indexIsRefused(resigned(stranger, () => {}), /not the signature of/);
  await indexIsRefused(say(index().toString().replace('"sequence":2', '"sequence":3')), /not the signature of/);
});

test('an index for another chain or subnet, and another type of document', async () => {
  await indexIsRefused(resigned(operator, (document) => { document.chain.genesis = `0x${'00'.repeat(32)}`; }), /is for subnet 44 of chain 0x0000/);
  await indexIsRefused(resigned(operator, (document) => { document.chain.netuid = 45; }), /is for subnet 45/);
  await indexIsRefused(resigned(operator, (document) => { document.type = 'manifest'; }), /not a document of type \\?"index/);
  await indexIsRefused(say(manifestBytes(first)), /not a document of type \\?"index/);
});

test('bytes that are not canonical, under a right signature', async () => {
  const text = index().toString();
  await indexIsRefused(say(JSON.stringify(JSON.parse(text), null, 1)), /not canonical/);
  await indexIsRefused(say(`${text}\n`), /not canonical/);
  await indexIsRefused(say(text.replace('"sequence":2', '"sequence":2.0')), /not canonical/);
  await indexIsRefused(say(text.replace('"window_id"', '"window\\u005fid"')), /not canonical/);
});

test('duplicate keys, HTML, an empty text, half a text, and other things that are no JSON', async () => {
  const text = index().toString();
  await indexIsRefused(say(text.replace('"sequence":2', '"sequence":2,"sequence":9')), /duplicate/);
  await indexIsRefused(say('<!DOCTYPE html><html><body>Welcome to the hotel network</body></html>'), /invalid token/);
  await indexIsRefused(say(''), /empty/);
  await indexIsRefused(say(text.slice(0, text.length / 2)), /index:1:/);
  await indexIsRefused(say('['.repeat(200_000)), /nesting/);
});

test('a field that a right index does not have in this form', async () => {
  await indexIsRefused(resigned(operator, (document) => { document.version = '2.0'; }), /this program knows version/);
  await indexIsRefused(resigned(operator, (document) => { delete document.manifests; }), /is missing/);
  await indexIsRefused(resigned(operator, (document) => { document.sequence = -1; }), /sequence/);
});

test('a field that nobody knows yet is no fault', async () => {
  const as = fresh();
  mirror.index = resigned(operator, (document) => { document.sequence = 3; document.news = { of: 'tomorrow' }; });
  await list(as);
  mirror.tellTruth();
});

test('rollback: an index older than one that was seen', async () => {
  mirror.store = 'old';
  await lastStateKept(world, mirror, 'lasting', /rollback/, first);
  const { stderr } = await list('lasting', {}, 3);
  assert.match(stderr, /rollback: .* sequence 1, and 2 was seen here before.*another mirror/);
  mirror.tellTruth();
});

test('freeze: an index older than the anchor on the chain, before any memory', async () => {
  mirror.store = 'old';
  await refusedAsNew(world, mirror, fresh(), /freeze: .* sequence 1, and 2 is anchored on the chain/);
  mirror.tellTruth();
});

test('freeze: an index that is gone', async () => {
  mirror.store = 'nowhere';
  await refusedAsNew(world, mirror, fresh(), /freeze: the index is gone, of which sequence 2 is anchored/);
  await lastStateKept(world, mirror, 'lasting', /freeze: the index is gone, of which sequence 2 was seen here/, first);
  mirror.tellTruth();
});

test('freeze: a manifest that is in the index and is withheld', async () => {
  mirror.manifests = (out) => out.writeHead(404).end();
  await refusedAsNew(world, mirror, fresh(), /freeze: the manifest of window 2025-10-23 is in the index, and nowhere/, { args: ['manifest', 'current'] });
  mirror.tellTruth();
});

test('equivocation: another index of a sequence that was seen', async () => {
  mirror.index = resigned(operator, (document) => { document.updated_at = '2025-01-01T00:00:00Z'; });
  await lastStateKept(world, mirror, 'lasting', /equivocation/, first);
  const { stderr } = await list('lasting', {}, 3);
  assert.match(stderr, /equivocation: .* shows another index of sequence 2 .*the operator has to explain it/);
  mirror.tellTruth();
});

test('mix-and-match: an entry that differs from its manifest, in whatever field', async () => {
  const changes = {
    window_id: (entry) => { entry.window_id = 'another'; },
    start_block: (entry) => { entry.start_block = 2; },
    expiry_block: (entry) => { entry.expiry_block = 4999; },
    published_by: (entry) => { entry.published_by = `ss58:${stranger.address}`; },
    elements_summary: (entry) => { entry.elements_summary[0].beta = 9; },
    'window_id ': (entry) => { entry.hash = second.manifest_hash; },
  };
  for (const [field, change] of Object.entries(changes)) {
    const name = new RegExp(`mix-and-match: .* differ in ${field.trim()}`);
    mirror.index = resigned(operator, (document) => { document.sequence = 3; change(document.manifests[0]); });
    await refusedAsNew(world, mirror, fresh(), name, { args: ['manifest', 'current'] });
    const as = fresh();
    cpSync(world.path('homes', 'lasting'), world.path('homes', as), { recursive: true });
    await lastStateKept(world, mirror, as, name, first);
  }
  mirror.tellTruth();
});

// ── keys ──

test('a signer who is not in the setting any more, or is crossed out there', async () => {
  const trust = (text) => ({ SCOREVISION_MANIFEST_SIGNERS: text });
  await refusedAsNew(world, mirror, fresh(), /is not a trusted signer/, { env: trust(stranger.address) });
  await refusedAsNew(world, mirror, fresh(), /is not a trusted signer/, { env: trust(`${operator.address},${stranger.address},!${operator.address}`) });
  const revoked = await refused(world, ['manifest', 'current'], 3, /is not a trusted signer/, { as: 'lasting', env: { ...mirror.env, ...trust(stranger.address) } });
  assert.doesNotMatch(revoked.stderr, /using the last verified/, 'what he signed is not gone on with');
  await refused(world, ['manifest', 'list'], 3, /is revoked; ask the operator/, { as: fresh(), env: { ...mirror.env, ...trust(`${operator.address},!${operator.address}`) } });
});

test('fast-forward by a stolen key, and the way back', async () => {
  const successor = await world.key('successor');
  const as = fresh();
  mirror.index = resigned(operator, (document) => { document.sequence = 2 ** 53 - 1; });
  await list(as);
  mirror.index = resigned(operator, (document) => { document.sequence = 3; });
  const { stderr } = await list(as, {}, 3);
  assert.match(stderr, /rollback: .*fast-forward.*SCOREVISION_MANIFEST_SIGNERS/);
  mirror.index = resigned(successor, (document) => { document.sequence = 3; document.signed_by = `ss58:${successor.address}`; });
  await list(as, { SCOREVISION_MANIFEST_SIGNERS: `${successor.address},!${operator.address}` });
  mirror.tellTruth();
});

// ── manifests ──

// A manifest whose bytes have their hash, made from the first one.
function makeManifest(change, key = operator) {
  const document = JSON.parse(manifestBytes(first));
  const bytes = signDocument(change(document) ?? document, key.seed);
  return { bytes, hash: sha256(bytes) };
}

const byHash = async (hash, bytes, name) => {
  mirror.manifests = say(bytes);
  try {
    return await refused(world, ['miner', 'manifest', '--hash', hash], 3, name, { as: fresh(), env: mirror.env });
  } finally {
    mirror.tellTruth();
  }
};

test('wrong bytes for a hash', async () => {
  const { stderr } = await byHash(first.manifest_hash, manifestBytes(second), /wrong bytes: .* does not hash to its name/);
  assert.match(stderr, /another mirror/);
  await byHash(first.manifest_hash, '', /wrong bytes/);
  mirror.manifests = say(manifestBytes(second));
  await refusedAsNew(world, mirror, fresh(), /wrong bytes/, { args: ['manifest', 'current'] });
  mirror.tellTruth();
});

test('a right hash does not make a right manifest', async () => {
  const cases = [
    [makeManifest((document) => { document.signed_by = `ss58:${stranger.address}`; }, stranger), /is not a trusted signer/],
    [makeManifest(() => {}, stranger), /not the signature of/],
    [makeManifest((document) => { document.type = 'index'; }), /not a document of type "manifest"/],
    [makeManifest((document) => { document.chain.genesis = `0x${'00'.repeat(32)}`; }), /of chain 0x0000/],
    [makeManifest((document) => { document.chain.netuid = 45; }), /is for subnet 45/],
    [makeManifest((document) => { document.elements = []; }), /elements/],
  ];
  for (const [{ hash, bytes }, name] of cases) {
    const { stderr } = await byHash(hash, bytes, name);
    assert.match(stderr, /not to be used/);
  }
  const spaced = JSON.stringify(JSON.parse(manifestBytes(first)), null, 1);
  await byHash(sha256(spaced), spaced, /not canonical/);
  const twice = manifestBytes(first).toString().replace('"version":"1.3"', '"version":"1.3","version":"1.3"');
  await byHash(sha256(twice), twice, /duplicate/);
});

test('a manifest past the limit of its size', async () => {
  const { hash, bytes } = makeManifest((document) => { document.note = 'x'.repeat(4 * 1024 * 1024); });
  await byHash(hash, bytes, /endless data: the answer is larger than 4194304 bytes/);
  const large = makeManifest((document) => { document.note = 'x'.repeat(4 * 1024 * 1024 - 4096); });
  mirror.manifests = say(large.bytes);
  await world.sv(['miner', 'manifest', '--hash', large.hash], { as: fresh(), env: mirror.env });
  mirror.tellTruth();
});

test('the index of one moment and the manifests of another', async () => {
  const later = await world.publish(football('2025-10-23', 1, 5000, CLIP, { elements: football('', 1, 2, CLIP).elements.filter(({ id }) => id === PLAYER) }), { args: ['--supersede', '--overlap', '1'] });
  await world.advance(5);
  mirror.manifests = (out, bytes, incoming) => (incoming.url.includes(later.manifest_hash.slice(7)) ? out.end(manifestBytes(first)) : out.end(bytes));
  await refusedAsNew(world, mirror, fresh(), /wrong bytes/, { args: ['manifest', 'current'] });
  mirror.manifests = (out, bytes, incoming) => (incoming.url.includes(later.manifest_hash.slice(7)) ? out.writeHead(404).end() : out.end(bytes));
  await refusedAsNew(world, mirror, fresh(), /freeze/, { args: ['manifest', 'current'] });
  mirror.tellTruth();
  const { stdout } = await world.sv(['manifest', 'current', '--json'], { as: fresh(), env: mirror.env });
  assert.equal(JSON.parse(stdout).manifest_hash, later.manifest_hash);
});

// ── what lies in a home ──

test('a poisoned or stale cache of manifests is never believed', async () => {
  const as = fresh();
  const env = { ...mirror.env };
  const { stdout } = await world.sv(['manifest', 'current', '--json'], { as, env });
  const { manifest_hash: hash } = JSON.parse(stdout);
  const poison = () => world.write(`homes/${as}/cache/manifests/${hash.slice(7)}.json`, makeManifest((document) => { document.start_block = 2; }).bytes);
  poison();
  const again = await world.sv(['miner', 'manifest', '--hash', hash, '--json'], { as, env });
  assert.equal(sha256(canonical(JSON.parse(again.stdout))), hash, 'fetched anew');
  poison();
  mirror.manifests = say('nothing of the kind');
  await refused(world, ['miner', 'manifest', '--hash', hash], 3, /wrong bytes/, { as, env });
  mirror.tellTruth();
});

test('a memory that was damaged is an error, and one that was put back is no way to an old index', async () => {
  const as = fresh();
  const { env } = mirror;
  const genesis = JSON.parse(index()).chain.genesis.slice(2);
  const memory = (name) => ['homes', as, 'memory', `${genesis}-44`, name];
  await world.sv(['manifest', 'current'], { as, env });
  world.write(memory('index.json').join('/'), world.read('old', ...INDEX));
  mirror.index = say('nonsense');
  const { stdout, stderr } = await world.sv(['manifest', 'current', '--json'], { as, env });
  assert.match(stderr, /using the last verified manifest/);
  assert.notEqual(JSON.parse(stdout).manifest_hash, first.manifest_hash, 'the old index said so');
  world.write(memory('reader.json').join('/'), '{}');
  mirror.tellTruth();
  await refused(world, ['manifest', 'current'], 3, /reader\.json is damaged .* bring it back from a backup/, { as, env });
});
