// Several mirrors, of which some are hostile (docs/security.md, "Manifests: attacks and answers"): a good one is enough, and two
// faces of one index are told.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { createWorld } from './harness.mjs';
import { endless, fail, raw, resigned, say, startMirror } from './mirror.mjs';
import { refused } from './refusing.mjs';
import { football } from './season.mjs';

const CLIP = `sha256:${'c'.repeat(64)}`;
let world, mirrors, first, operator, stranger, homes = 0;

before(async () => {
  world = await createWorld();
  operator = world.keys.operator;
  stranger = await world.key('stranger');
  first = await world.publish(football('2025-10-23', 1, 5000, CLIP));
  cpSync(world.path('store'), world.path('old'), { recursive: true });
  await world.publish(football('2025-10-24', 5000, 6000, CLIP));
  await world.advance(10);
  mirrors = await Promise.all([1, 2, 3, 4].map(() => startMirror(world)));
});
after(async () => {
  await Promise.all((mirrors ?? []).map((mirror) => mirror.end()));
  await world.end();
});

const fresh = () => `fresh-${homes += 1}`;
const all = (list = mirrors) => ({ R2_PUBLIC_URL: list.map(({ url }) => url).join(',') });
const tellTruth = () => mirrors.forEach((mirror) => mirror.tellTruth());

const lies = {
  'endless data': [endless, /endless data/],
  'a page': [say('<html>'), /index:1:1/],
  'a stranger': [(out, bytes) => resigned(stranger, (document) => { document.signed_by = `ss58:${stranger.address}`; })(out, bytes), /is not a trusted signer/],
  'a forger': [(out, bytes) => resigned(stranger, () => {})(out, bytes), /not the signature/],
  'a circle': [(out) => fail(302, { Location: '/scorevision/index.json' })(out), /too many/],
  'half an answer': [raw('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{'), /broken answer/],
};

test('one honest mirror among hostile ones is enough, wherever it stands', async () => {
  for (const [what, [lie, name]] of Object.entries(lies)) {
    for (const honest of [0, 3]) {
      mirrors.forEach((mirror, i) => { if (i !== honest) Object.assign(mirror, { index: lie, manifests: say('wrong bytes') }); });
      const { stdout, stderr } = await world.sv(['manifest', 'current', '--json'], { as: fresh(), env: all() });
      assert.equal(JSON.parse(stdout).manifest_hash, first.manifest_hash, what);
      assert.match(stderr, /a mirror is refused/, what);
      assert.match(stderr, name, what);
      tellTruth();
    }
  }
});

test('a hostile mirror among honest ones is told of', async () => {
  const [liar, ...others] = mirrors;
  for (const [what, [lie, name]] of Object.entries(lies)) {
    liar.index = lie;
    const { stderr } = await world.sv(['manifest', 'list'], { as: fresh(), env: all() });
    assert.match(stderr, /a mirror is refused/, what);
    assert.match(stderr, name, what);
  }
  tellTruth();
  const { stderr } = await world.sv(['manifest', 'list'], { as: fresh(), env: all(others) });
  assert.equal(stderr, '');
});

test('mirrors that only fail are not told of while another one answers', async () => {
  mirrors.slice(1).forEach((mirror) => { mirror.index = fail(503); });
  const { stderr } = await world.sv(['manifest', 'list'], { as: fresh(), env: all() });
  assert.equal(stderr, '');
  tellTruth();
});

test('mirrors that show an old index cannot hide a newer one', async () => {
  mirrors.slice(0, 3).forEach((mirror) => { mirror.store = 'old'; });
  const { sequence } = await world.json(['manifest', 'list'], { as: fresh(), env: all() });
  assert.equal(sequence, 2);
  tellTruth();
});

test('all mirrors hostile: refused by the most telling name', async () => {
  mirrors.forEach((mirror, i) => { mirror.index = [fail(404), fail(503), lies['a forger'][0], fail(503)][i]; });
  await refused(world, ['manifest', 'list'], 3, /not the signature/, { as: fresh(), env: all() });
  tellTruth();
});

test('equivocation between two mirrors', async () => {
  mirrors[2].index = resigned(operator, (document) => { document.updated_at = '2025-01-01T00:00:00Z'; });
  await refused(world, ['manifest', 'list'], 3, /equivocation: the mirrors .* show different indexes of sequence 2; the operator has to explain it/, {
    as: fresh(), env: all() });
  tellTruth();
});

test('a manifest that the mirror of the index withholds or falsifies comes from another one', async () => {
  for (const lie of [fail(404), say('wrong bytes'), endless]) {
    mirrors[0].manifests = lie;
    const { stdout } = await world.sv(['manifest', 'current', '--json'], { as: fresh(), env: all() });
    assert.equal(JSON.parse(stdout).manifest_hash, first.manifest_hash);
  }
  tellTruth();
});

test('a silent mirror is not waited for, and a mirror that was right is asked first from then on', async () => {
  await world.publish(football('2025-10-25', 6000, 7000, CLIP));
  const [silent, good] = mirrors;
  const waiting = { index: false, manifests: false }; // a question that neither side has given up
  const keepSilent = (what) => (out) => {
    waiting[what] = true;
    out.socket.on('close', () => { waiting[what] = false; });
  };
  silent.index = keepSilent('index');
  silent.manifests = keepSilent('manifests');
  const seen = [];
  good.manifests = (out, bytes) => { seen.push({ ...waiting }); out.end(bytes); };
  [silent, good].forEach((mirror) => mirror.asked.splice(0));
  await world.sv(['miner', 'elements', '--window', 'upcoming', '--all'], { as: fresh(), env: all([silent, good]) });
  assert.deepEqual(seen[0], { index: true, manifests: true }, 'the good one was asked while the silent one had time left');
  const manifests = (mirror) => mirror.asked.filter((key) => key.includes('/manifests/')).length;
  assert.deepEqual([manifests(silent), manifests(good)], [1, 2]);
  tellTruth();
});
