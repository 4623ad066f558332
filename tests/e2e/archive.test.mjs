// Windows of long ago: 50,400 blocks after its expiry a window has left the index for an archive. Its shards are judged as
// before, its manifests are found by name and by hash, its id is never used again; and where the archive cannot be had nothing
// is rejected for that.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readdirSync, renameSync } from 'node:fs';
import { createWorld } from './harness.mjs';
import { canonical, sha256, signDocument } from './peer.mjs';
import { OTHER_SLUG, PLAYER, SLUG, commit, football } from './season.mjs';

const OLD = '2025-10-23';
const NEW = '2025-11-01';
const NEXT = '2025-11-08';
const EXPIRY = 2000;
const ARCHIVE_AFTER = 50_400;
let world, clip, serve, first, second, proof, input, verdictsBefore, listBefore;

const index = () => JSON.parse(world.read('store', 'scorevision', 'index.json'));
const archivePath = () => world.path('store', 'scorevision', 'archive', `${index().archive.slice('sha256:'.length)}.json`);
const audit = (as, { expect, env } = {}) => world.json(['validator', 'audit', '-'], { as, input, expect, env });
const verdictsOf = ({ verdicts, reasons, not_accepted: rest }) => ({ verdicts, reasons, rest: rest.map(({ rule, reason, detail }) => [rule, reason, detail]) });

before(async () => {
  world = await createWorld({ finality: 3 });
  for (const name of ['validator', 'miner', 'stranger']) await world.key(name);
  world.env.SCOREVISION_VALIDATORS = world.keys.validator.address;
  ({ hash: clip } = await world.clip());
  first = await world.publish(football(OLD, 1, EXPIRY, clip));
  proof = await commit(world, 'miner', OLD, [PLAYER]);
  serve = await world.startServe();
  await serve.settle();
  const chute = await world.startChute(SLUG);
  const runner = {
    SCOREVISION_USE_CHALLENGE_V3: '1', SCOREVISION_API: serve.url, SCOREVISION_RESULTS_STORE: `file:${world.path('results')}`,
    CHUTES_MINER_BASE_URL_TEMPLATE: chute.template, SCOREVISION_EVALUATOR: world.evaluator,
  };
  const { shards: [shard] } = await world.json(['runner', '--once', '--miner', world.keys.miner.address], { as: 'validator', env: runner });
  await world.advance(20);
  second = await world.publish(football(OLD, 1, EXPIRY, clip, { tee: { trusted_share_gamma: 0.5 } }), { args: ['--supersede'] });
  await world.advance(20);
  const { validator, stranger } = world.keys;
  const variants = [
    {}, { block: shard.block + 30 }, { manifest_hash: second.manifest_hash }, { manifest_hash: second.manifest_hash, block: shard.block + 30 },
    { chute_slug: OTHER_SLUG }, { clip_hash: sha256('no clip') }, { miner_hotkey: `ss58:${stranger.address}` }, { manifest_hash: sha256('no manifest') },
    { composite_score: shard.composite_score / 2 },
  ];
  input = variants.map((change, i) => `${signDocument({ ...shard, challenge_id: String(1000 + i), ...change }, validator.seed)}\n`).join('');
  verdictsBefore = verdictsOf(await audit('auditor', { expect: 3 }));
  listBefore = (await world.json(['manifest', 'list'])).manifests;
});
after(() => world.end());

test('a window moves into the archive with the first change of the index 50,400 blocks after its expiry', async () => {
  assert.deepEqual([verdictsBefore.verdicts.accepted, verdictsBefore.verdicts.rejected], [2, 7], JSON.stringify(verdictsBefore));
  await world.advanceTo(EXPIRY + ARCHIVE_AFTER + 2); // the finalized head is 3 behind
  const start = await world.head();
  await world.publish(football(NEW, start, start + 60_000, clip));
  assert.deepEqual([index().archive, index().manifests.length, index().superseded.length], [null, 2, 1]);
  await world.advance(1);
  await world.publish(football(NEXT, start + 60_000, start + 70_000, clip));
  const { archive, manifests, superseded } = index();
  assert.deepEqual([manifests.map(({ window_id: id }) => id), superseded], [[NEW, NEXT], []]);
  const bytes = world.read('store', 'scorevision', 'archive', `${archive.slice('sha256:'.length)}.json`);
  assert.equal(sha256(bytes), archive);
  const content = JSON.parse(bytes);
  assert.equal(bytes.toString(), canonical(content));
  assert.deepEqual([content.manifests.map(({ hash }) => hash), content.superseded.map(({ hash }) => hash), content.previous],
    [[second.manifest_hash], [first.manifest_hash], null]);
  await serve.settle(); // the server goes on with the shorter index
});

test('shards of a window in the archive are judged as before, wherever the archive is read', async () => {
  assert.deepEqual(verdictsOf(await audit('auditor', { expect: 3 })), verdictsBefore, 'by who has audited before');
  assert.deepEqual(verdictsOf(await audit('newcomer', { expect: 3 })), verdictsBefore, 'by a new home');
  const online = { R2_PUBLIC_URL: serve.url, SCOREVISION_STORE: '', SCOREVISION_DATABASE: `sqlite:${world.path('online.sqlite')}` };
  assert.deepEqual(verdictsOf(await audit('online', { expect: 3, env: online })), verdictsBefore, 'over HTTP, with a new state');
});

test('manifests of long ago are listed with --all, and found by window and hash', async () => {
  const { stdout } = await world.sv(['manifest', 'list'], { as: 'reader' });
  assert.match(stdout, /archive; --all/);
  assert.ok(!stdout.includes(OLD));
  assert.ok(!existsSync(world.path('homes', 'reader', 'cache', 'archive')), 'who does not ask for it does not read it');
  const short = await world.json(['manifest', 'list'], { as: 'reader' });
  assert.equal(short.archive, index().archive);
  const all = await world.json(['manifest', 'list', '--all'], { as: 'reader' });
  assert.deepEqual(all.manifests.filter(({ window_id: id }) => id === OLD).map(({ hash, state }) => [hash, state]),
    listBefore.map(({ hash }) => [hash, 'EXPIRED']));
  assert.equal(all.manifests.length, short.manifests.length + listBefore.length);
  assert.ok(!(await world.sv(['manifest', 'list', '--all'], { as: 'reader' })).stdout.includes('--all'));
  assert.equal((await world.json(['manifest', 'show', OLD])).tee.trusted_share_gamma, 0.5);
  assert.equal((await world.json(['manifest', 'show', first.manifest_hash])).window_id, OLD);
  const { differences } = await world.json(['manifest', 'diff', first.manifest_hash, OLD]);
  assert.ok(differences.some(({ path }) => path?.startsWith('tee')), JSON.stringify(differences));
  const { stderr } = await world.sv(['manifest', 'show', '2024-01-01'], { expect: 4 });
  assert.match(stderr, /index or its archive/);
  const { stdout: explained } = await world.sv(['chain', 'proof', proof], { as: 'reader' });
  assert.match(explained, new RegExp(OLD));
  assert.ok(!explained.includes('not in the manifest index'), explained);
});

test('a window in the archive is neither used again nor changed', async () => {
  const head = await world.head();
  const again = world.write('again.json', football(OLD, head + 100_000, head + 200_000, clip));
  for (const args of [['--yes'], ['--dry-run']]) {
    const { stderr } = await world.sv(['manifest', 'publish', again, ...args], { expect: 6 });
    assert.match(stderr, /was used before/);
  }
  const { stderr } = await world.sv(['manifest', 'rollback', '--to-hash', first.manifest_hash, '--yes'], { expect: 6 });
  assert.match(stderr, /in the archive.*is over/);
});

test('an archive that cannot be had makes shards undecided, and is named', async () => {
  const aside = world.path('aside.json');
  const file = archivePath();
  renameSync(file, aside);
  try {
    const { verdicts, not_accepted: rest } = await audit('stranger', { expect: 5 });
    assert.deepEqual([verdicts.accepted, verdicts.rejected, verdicts.undecided], [0, 0, 9]);
    assert.ok(rest.every(({ reason }) => reason === 'unreadable'), JSON.stringify(rest));
    for (const args of [['manifest', 'list', '--all'], ['manifest', 'show', OLD]]) {
      const { stderr } = await world.sv(args, { as: 'stranger', expect: 5 });
      assert.ok(stderr.includes(file.slice(world.path('store').length + 1)), stderr);
    }
    await world.sv(['manifest', 'list'], { as: 'stranger' });
    const unknown = world.write('unknown.json', football('2025-12-01', 300_000, 310_000, clip));
    const other = { SCOREVISION_HOME: world.path('homes', 'elsewhere') };
    const { stderr } = await world.sv(['manifest', 'publish', unknown, '--yes'], { env: other, expect: 5 });
    assert.match(stderr, /cannot be told whether window 2025-12-01 was used before/);
  } finally {
    renameSync(aside, file);
  }
});

test('the next window of long ago goes into the same archive', async () => {
  const before = index().archive;
  const { expiry_block: expiry } = index().manifests[1];
  await world.advanceTo(expiry + ARCHIVE_AFTER + 3);
  const head = await world.head();
  await world.publish(football('2025-12-24', head, head + 1000, clip));
  const content = JSON.parse(world.read('store', 'scorevision', 'archive', `${index().archive.slice('sha256:'.length)}.json`));
  assert.notEqual(index().archive, before);
  assert.deepEqual([content.manifests.map(({ window_id: id }) => id), content.previous], [[OLD, NEW, NEXT], null]);
  assert.equal(readdirSync(world.path('store', 'scorevision', 'archive')).length, 2, 'nothing is ever rewritten');
  assert.deepEqual(verdictsOf(await audit('auditor', { expect: 3 })), verdictsBefore);
});
