// Signers that are retired too early, and revoked: what is refused, and that what is advised instead works as it is printed.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { emptyWorld } from './harness.mjs';
import { football } from './season.mjs';

const CLIP = `sha256:${'c1'.repeat(32)}`;
const NOTICE = 10;
let world, owner, first, second;

before(async () => {
  world = emptyWorld();
  [owner, first, second] = await Promise.all(['owner', 'first', 'second'].map((name) => world.key(name)));
  world.env.SCOREVISION_MANIFEST_SIGNERS = `${first.address},${second.address}`;
  await world.sv(['chain', 'create', '--block-time', '0', '--finality', '3', '--owner', owner.address]);
  await world.publish(football('2025-10-23', 1, 5000, CLIP), { as: 'first' });
  await world.advance(10);
});
after(() => world.end());

const best = async () => (await world.json(['chain', 'status'])).head.number;
const signers = (args, options) => world.sv(['manifest', 'signers', ...args], options);
const list = (options) => world.json(['manifest', 'list'], options);

// ── retiring ──

test('who retires himself leaves readers an index, and the time to get another', async () => {
  const { stderr } = await signers(['retire', first.address], { as: 'first', expect: 6 });
  assert.match(stderr, /would leave readers without one/);
  const [, earliest] = /--from-block (\d+) or later/.exec(stderr);
  assert.equal(Number(earliest), (await best()) + NOTICE);
  await signers(['retire', first.address, '--dry-run'], { as: 'first', expect: 6 });
  const asked = await signers(['retire', first.address, '--from-block', earliest], { as: 'first', expect: 2 });
  assert.match(asked.stderr, new RegExp(`from block ${earliest} on, the present one neither unless another signer has published by then: confirm with --yes`));
  const { stdout } = await signers(['retire', first.address, '--from-block', earliest, '--yes'], { as: 'first' });
  assert.match(stdout, new RegExp(`index +signed by ${first.address}: from block ${earliest} on readers refuse it`));
  assert.match(stdout, new RegExp(`sv manifest signers retire ${first.address} --hotkey OTHER`));
  await list({ as: 'reader' });
});

test('where nobody did it in time another signer does it afterwards, without being asked', async () => {
  await world.advance(NOTICE + 5);
  await list({ as: 'late', expect: 3 });
  const file = world.write('next.json', football('2025-10-24', 5000, 6000, CLIP));
  const refused = await world.sv(['manifest', 'publish', file, '--yes'], { as: 'second', expect: 3 });
  assert.match(refused.stderr, /`sv manifest publish FILE --rebuild-index`/);
  const stranger = await signers(['retire', first.address], { as: 'second', expect: 3 });
  assert.match(stranger.stderr, /the index cannot be signed again: .*`sv manifest publish FILE --rebuild-index`/);
  const env = { SCOREVISION_HOME: world.path('homes', 'first') };
  const { stdout } = await signers(['retire', first.address], { as: 'second', env });
  assert.match(stdout, /already; no statement was made/);
  assert.match(stdout, /index +signed again by this wallet/);
  const { manifests, sequence } = await list({ as: 'late' });
  assert.deepEqual([manifests.length, sequence], [1, 2]);
  const again = await signers(['retire', first.address], { as: 'second' });
  assert.doesNotMatch(again.stdout, /signed again/);
});
