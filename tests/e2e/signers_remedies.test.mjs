// Signers that are retired too early, and revoked: what is refused, and that what is advised instead works as it is printed.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { emptyWorld, programs, run } from './harness.mjs';
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

test('at a terminal of 80 columns nothing of the list is cut, or wrapped', async () => {
  const env = { ...world.environment({ as: 'second' }), TERM: 'dumb', SHELL: '/bin/sh' };
  const { stdout, status } = await run('script', ['-qec', `stty cols 80; '${programs.sv}' manifest signers`, '/dev/null'], { env, cwd: world.dir });
  assert.equal(status, 0, stdout);
  const lines = stdout.replace(/\x1b\[[0-9;]*m/g, '').split(/\r?\n/);
  lines.forEach((line) => assert.ok(line.length <= 80, line));
  const row = lines.findIndex((line) => line.startsWith(first.address));
  assert.match(lines[row], / retired +\d+$|  retired +\d+ +$/);
  assert.match(lines[row + 1], /^  retired by statement 1 of 5\w{7}…\w{4}\b/);
});

// ── revoking ──

const revoke = (account, args, options) => signers(['revoke', account, ...args], { as: 'owner', ...options });

async function supersede(flags, expect) {
  const content = { ...football('2025-10-23', 1, 5000, CLIP), note: String(flags) };
  return world.sv(['manifest', 'publish', world.write('live.json', content), ...flags, '--yes'], { as: 'second', expect });
}

test('who may not revoke, or has nothing to revoke, is not asked first', async () => {
  const { stderr } = await signers(['revoke', first.address], { as: 'second', expect: 6 });
  assert.match(stderr, /only the subnet's owner can revoke/);
});

test('who revokes somebody that has signed nothing is told of no loss', async () => {
  const stranger = await world.key('stranger');
  const { stdout, stderr } = await revoke(stranger.address, ['--dry-run']);
  assert.match(stdout, /^would be revoked\ntext +sv1 manifest/);
  assert.doesNotMatch(stdout, /refused|next:/);
  assert.equal(stderr, '');
});

test('a live manifest that is lost is named, and replaced by what is printed', async () => {
  const { stderr } = await revoke(first.address, [], { expect: 2 });
  assert.match(stderr, /so that readers refuse the live manifest of 2025-10-23: confirm/);
  const { stdout } = await revoke(first.address, ['--yes']);
  assert.match(stdout, /refused by readers: the live one of 2025-10-23\n/);
  assert.match(stdout, /next: .*`sv manifest publish FILE --supersede` for window 2025-10-23\n/);
  await world.advance(3);
  await world.sv(['manifest', 'current'], { as: 'fresh', expect: 3 });
  assert.match((await supersede([], 3)).stderr, /cannot be compared .*publish with --supersede/);
  await supersede(['--supersede']);
  await world.advance(1 + 3);
  await world.sv(['manifest', 'current'], { as: 'fresh' });
  const again = await revoke(first.address, []);
  assert.match(again.stdout, /^revoked already\n/);
  assert.doesNotMatch(again.stdout, /refused|next:/);
});

test('an index that is lost is replaced by what is printed, also where a window has another manifest', async () => {
  const thief = await world.key('thief');
  await signers(['add', thief.address], { as: 'second' });
  await world.publish(football('2025-10-25', 6000, 7000, CLIP), { as: 'thief' });
  const dry = await revoke(thief.address, ['--dry-run']);
  assert.equal(dry.stderr, '', 'that the index is lost is no news for the log');
  const { stderr } = await revoke(thief.address, [], { expect: 2 });
  assert.match(stderr, /^sv: Revoke 5\w+ for good, and everything signed by it, so that readers refuse the present index until another is published: confirm/);
  const { stdout } = await revoke(thief.address, ['--yes']);
  assert.match(stdout, new RegExp(`index +refused by readers: .*${thief.address}`));
  assert.match(stdout, /next: .*`sv manifest publish FILE --rebuild-index` for each open window/);
  await world.advance(3);
  const refused = await supersede(['--rebuild-index'], 6);
  assert.match(refused.stderr, /publish with --rebuild-index --supersede/);
  await supersede(['--rebuild-index', '--supersede']);
  await list({ as: 'fresh' });
});

test('whoever revokes the last signer is told before and afterwards', async () => {
  const { stderr } = await revoke(second.address, [], { expect: 2 });
  assert.match(stderr, /nobody is left then who can publish, until a new account is named in SCOREVISION_MANIFEST_SIGNERS/);
  for (const args of [['--dry-run'], ['--yes']]) {
    const { stdout } = await revoke(second.address, args);
    assert.match(stdout, /Nobody is left who can publish\.\nnext: name a new account in SCOREVISION_MANIFEST_SIGNERS, on every machine; then with its wallet, `sv manifest publish FILE --rebuild-index`/);
  }
});
