// The command line as a whole: help, suggestions, --json, exit statuses (docs/protocol.md section 11), and that what help and
// documents show is true. The list of commands is the one that `sv --help` prints.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createWorld, programs } from './harness.mjs';
import { sha256 } from './peer.mjs';
import { PLAYER, SLUG, CHUTE_ID, element, football, manifest } from './season.mjs';

const CURRENT = '2025-10-23';
let world, clip, published;
const commands = [...spawnSync(programs.sv, ['--help'], { encoding: 'utf8' }).stdout.matchAll(/^ {2}sv ([a-z]+)(?: ([a-z]+))? {2,}\S/gm)]
  .map(([, group, name]) => (name ? [group, name] : [group]));

before(async () => {
  world = await createWorld();
  await world.key('miner');
  clip = (await world.clip()).hash;
  published = await world.publish(football(CURRENT, 1, 5000, clip));
  world.write('homes/miner/bindings.yaml',
    `bindings:\n  - { element_id: ${PLAYER}, hf_revision: r1, chute_slug: ${SLUG}, chute_id: ${CHUTE_ID} }\n`);
});
after(() => world.end());

test('the commands of the documents are there', () => {
  const names = commands.map((words) => words.join(' '));
  for (const expected of ['manifest publish', 'manifest rollback', 'miner elements', 'miner manifest', 'miner commit',
    'miner commitments', 'clip add', 'serve', 'runner', 'validator audit', 'key new', 'chain create', 'chain proof', 'config show']) {
    assert.ok(names.includes(expected), expected);
  }
});

test('every command has --help with a usage line and an example that it understands', async () => {
  for (const words of commands) {
    const { stdout, stderr } = await world.sv([...words, '--help']);
    assert.equal(stderr, '');
    assert.match(stdout, new RegExp(`^Usage: sv ${words.join(' ')}\\b`, 'm'));
    const examples = stdout.split('\nExample:\n')[1]?.split('\n').filter((line) => line.trim() !== '') ?? [];
    assert.ok(examples.length > 0, `sv ${words.join(' ')} has an example`);
    for (const example of examples) await expectUnderstood(example);
  }
});

// Options are read before help is given, so an example with an option that does not exist ends with 2.
async function expectUnderstood(line) {
  assert.match(line.trim(), /^([A-Z_0-9]+=\S+ )*sv /, line);
  const result = spawnSync('bash', ['-c', `${line.replace(/\s+(#|<).*$/, '')} --help`], { encoding: 'utf8', env: world.environment(), cwd: world.dir });
  assert.equal(result.status, 0, `${line}\n${result.stderr}`);
}

test('unknown options and superfluous arguments end with 2 and lead to help', async () => {
  for (const words of commands) {
    const option = await world.sv([...words, '--no-such-option'], { expect: 2 });
    assert.equal(option.stdout, '');
    assert.match(option.stderr, new RegExp(`--no-such-option.*sv ${words.join(' ')} --help`, 's'));
    await world.sv([...words, 'a', 'b', 'c', 'd'], { expect: 2 });
  }
});

test('unknown commands end with 2 and suggest the nearest one', async () => {
  for (const words of commands) {
    const misspelt = words.map((word, i) => (i === words.length - 1 ? `${word.slice(0, 1)}${word.slice(2)}` : word));
    const { stderr, stdout } = await world.sv(misspelt, { expect: 2 });
    assert.equal(stdout, '');
    assert.ok(stderr.includes(`did you mean \`sv ${words.join(' ')}\`?`), stderr);
  }
  const far = await world.sv(['xylophone'], { expect: 2 });
  assert.ok(!far.stderr.includes('did you mean'), 'what is nowhere near suggests nothing');
  assert.match(far.stderr, /sv --help/);
});

test('--json gives exactly one JSON document on standard output, when all goes well', async () => {
  const file = world.write('one.json', football('2025-10-24', 5000, 6000, clip));
  const message = world.write('message.txt', 'to be signed');
  const { signature } = await world.json(['key', 'sign', message], { as: 'miner' });
  const seed = world.write('seed', '0x'.padEnd(66, '1'), 0o600);
  const proof = (await world.json(['miner', 'commit', '--window-id', CURRENT, '--elements', PLAYER, '--service-cap-fps', '5'], { as: 'miner' })).proofs[0];
  const cases = [
    ['manifest', 'create', '--template', 'cricket', '--window-id', 'W', '--expiry-block', '9'],
    ['manifest', 'validate', file], ['manifest', 'publish', file, '--yes'], ['manifest', 'publish', file, '--dry-run'],
    ['manifest', 'list'], ['manifest', 'current'], ['manifest', 'show', 'active'], ['manifest', 'show', file],
    ['manifest', 'diff', 'active', file], ['manifest', 'rollback', '--to-hash', published.manifest_hash, '--dry-run'],
    ['miner', 'elements'], ['miner', 'elements', '--window', 'upcoming', '--all'], ['miner', 'manifest', '--hash', published.manifest_hash],
    ['miner', 'commit', '--window-id', CURRENT, '--elements', PLAYER, '--service-cap-fps', '5', '--dry-run'], ['miner', 'commitments'],
    ['clip', 'list'], ['store', 'check'], ['store', 'mirror', `file:${world.path('copy')}`], ['key', 'show'], ['key', 'sign', message],
    ['key', 'verify', '--account', world.keys.miner.address, '--signature', signature, message],
    ['key', 'import', seed, '--hotkey', 'imported'], ['chain', 'status'], ['chain', 'advance'], ['chain', 'proof', proof], ['config', 'show'],
  ];
  for (const args of cases) {
    const { stdout } = await world.sv([...args, '--json'], { as: ['miner', 'key'].includes(args[0]) ? 'miner' : 'operator' });
    assert.doesNotThrow(() => JSON.parse(stdout), `sv ${args.join(' ')} --json printed\n${stdout}`);
  }
});

test('publish warns of unknown fields and keeps them, and with --strict refuses them', async () => {
  const file = world.write('unknown.json', { ...football('2025-10-25', 6000, 7000, clip), colour: 'red' });
  const strict = await world.sv(['manifest', 'publish', file, '--strict', '--dry-run'], { expect: 3 });
  assert.match(strict.stderr, /colour/);
  const { stderr } = await world.sv(['manifest', 'publish', file, '--dry-run']);
  assert.match(stderr, /warning: .*colour/);
});

test('a dry run of what is in force already says so, as the command itself does', async () => {
  const args = ['miner', 'commit', '--window-id', CURRENT, '--elements', PLAYER, '--service-cap-fps', '5'];
  await world.sv(args, { as: 'miner' });
  for (const more of [[], ['--dry-run']]) {
    const { stdout } = await world.sv([...args, ...more], { as: 'miner' });
    assert.match(stdout, /in force already; nothing/);
  }
  assert.deepEqual((await world.json([...args, '--dry-run'], { as: 'miner' })).texts, []);
});

test('--json gives exactly one JSON document on standard output, when it fails', async () => {
  const cases = [
    [4, ['manifest', 'show', sha256('nothing')]], [4, ['miner', 'elements', '--window', 'no-such-window']],
    [2, ['manifest', 'publish']], [6, ['key', 'new']], [2, ['config', 'show', '--no-such-option']], [4, ['chain', 'proof', `1:0x${'0'.repeat(64)}`]],
    [4, ['store', 'check', '--store', `file:${world.path('nowhere')}`]], [2, ['store', 'check', '--repair']], [2, ['validator', 'audit']], [2, ['miner', 'commit']],
  ];
  for (const [status, args] of cases) {
    const { stdout, stderr } = await world.sv([...args, '--json'], { expect: status });
    if (args.includes('--no-such-option')) continue; // whether --json was read before depends on its place
    const { error } = JSON.parse(stdout);
    assert.equal(error.exit_status, status, args.join(' '));
    assert.ok(error.message.length > 0 && stderr.includes(error.message.split('\n')[0]), args.join(' '));
  }
});

test('an address that is no store, or none for this, is told before anything is asked there', async () => {
  const store = 'http://127.0.0.1:9/tree';
  const manifest = world.write('authored/to-nowhere.json', football('2025-11-01', 100_000, 200_000, sha256('a clip')));
  const cases = [
    ...['sv-one', 'r2://bucket', 'S3://bucket', 'HTTP://127.0.0.1:9'].flatMap((url) => [['manifest', 'list'], ['manifest', 'publish', manifest], ['store', 'check']]
      .map((args) => [2, [...args, '--store', url], new RegExp(`"${url}" is not a store`)])),
    [6, ['manifest', 'publish', manifest, '--store', store], /can only be read/],
    [6, ['manifest', 'signers', 'add', world.keys.operator.address, '--store', store], /can only be read/],
    [6, ['store', 'check', '--store', store], new RegExp(`copy it with .sv store mirror ${store} file:PATH.`)],
    [2, ['manifest', 'list', '--store', store], /R2_PUBLIC_URL/],
  ];
  for (const [status, args, message] of cases) {
    const { stderr } = await world.sv(args, { as: 'operator', expect: status });
    assert.match(stderr.replace(/\s+/g, ' '), message, args.join(' '));
  }
});

test('exit status 1: the machine is at fault', () => {
  const result = spawnSync('bash', ['-c', 'sv config show > /dev/full'], { encoding: 'utf8', env: world.environment() });
  assert.equal(result.status, 1);
  assert.match(result.stderr, /standard output/);
});

test('exit status 2: wrong usage or configuration', async () => {
  await world.sv([], { expect: 2 });
  await world.sv(['chain', 'advance', 'many'], { expect: 2 });
  const conf = world.write('bad.conf', '[scorevision]\nSCOREVISION_STOER = file:/tmp\n');
  const { stderr } = await world.sv(['config', 'show'], { env: { SCOREVISION_CONFIG: conf }, expect: 2 });
  assert.match(stderr, /SCOREVISION_STORE/, 'an unknown key is an error with the nearest known one');
});

test('exit status 3: a verification failed', async () => {
  const faulty = world.write('faulty.json', { ...football('W', 1, 2, clip), expiry_block: 0, elements: [element('a b', ['x'])] });
  const { stdout } = await world.sv(['manifest', 'validate', faulty], { expect: 3 });
  assert.ok(stdout.split('\n').filter((line) => /^error: .*faulty\.json:\d+:\d+/.test(line)).length >= 3, `every fault with its place:\n${stdout}`);
  const message = world.write('message.txt', 'to be signed');
  const other = `ed25519:${'0'.repeat(128)}`;
  await world.sv(['key', 'verify', '--account', world.keys.miner.address, '--signature', other, message], { expect: 3 });
});

test('exit status 4: not found', async () => {
  const env = { BITTENSOR_SUBTENSOR_ENDPOINT: `ledger:${world.path('no-ledger.sqlite')}` };
  const { stderr } = await world.sv(['chain', 'status'], { env, expect: 4 });
  assert.match(stderr, /sv chain create/);
  const noKey = await world.sv(['key', 'show'], { as: 'nobody', expect: 4 });
  assert.match(noKey.stderr, /sv key new/);
});

test('exit status 5: the network cannot be reached', async () => {
  await world.sv(['manifest', 'list'], { as: 'offline', env: { R2_PUBLIC_URL: 'http://127.0.0.1:1' }, expect: 5 });
});

test('exit status 6: a conflict, or refused by policy', async () => {
  const other = world.write('other.json', manifest(CURRENT, 1, 5000, [element(PLAYER, [clip])]));
  const { stderr } = await world.sv(['manifest', 'publish', other], { expect: 6 });
  assert.match(stderr, /--supersede/);
  const { stderr: late } = await world.sv(['miner', 'commit', '--withdraw', '--window-id', CURRENT, '--elements', PLAYER], { as: 'miner', expect: 6 });
  assert.match(late, /start/, 'what folding would make void is refused with the reason');
});

test('what publishes, replaces a live manifest, or deletes a clip, needs --yes where nobody can be asked, and then only', async () => {
  const other = world.write('replacement.json', manifest(CURRENT, 1, 5000, [element(PLAYER, [clip])]));
  const live = async () => (await world.json(['manifest', 'current'])).manifest_hash;
  const before = await live();
  const further = world.write('further.json', football('2025-10-30', 15_000, 16_000, clip));
  const asked = [['manifest', 'publish', other, '--supersede'], ['clip', 'remove', clip, '--delete-object'], ['manifest', 'publish', further]];
  for (const args of asked) assert.match((await world.sv(args, { expect: 2 })).stderr, /--yes/);
  assert.equal(await live(), before);
  assert.equal((await world.json(['clip', 'list'])).clips.length, 1);
  await world.sv([...asked[0], '--dry-run']);
  const { manifest_hash: after } = await world.json([...asked[0], '--yes']);
  assert.match((await world.sv(['manifest', 'rollback', '--to-hash', before], { expect: 2 })).stderr, new RegExp(`${after}.*--yes`));
  await world.sv(['manifest', 'publish', other, '--supersede']); // it is live already: nothing is replaced
  await world.sv(['manifest', 'rollback', '--to-hash', before, '--yes']);
});

test('a manifest with a clip that nobody added is published with a warning', async () => {
  const nowhere = sha256('no clip');
  const file = world.write('unregistered.json', football('2025-11-01', 20_000, 21_000, nowhere));
  const { stderr } = await world.sv(['manifest', 'publish', file, '--yes']);
  assert.match(stderr, new RegExp(`warning: clip ${nowhere} is not in store`));
});

test('help fits into 80 columns, but for its commands', async () => {
  for (const words of commands) {
    const { stdout } = await world.sv([...words, '--help']);
    for (const line of stdout.split('\nExample:\n')[0].split('\n')) {
      if (!line.startsWith('Usage: ')) assert.ok([...line].length <= 80, `sv ${words.join(' ')} --help: ${line}`);
    }
  }
});

test('secrets are masked', async () => {
  const env = { R2_WRITE_SECRET_ACCESS_KEY: 'hush-hush', CHUTES_API_KEY: 'cpk-hush' };
  for (const args of [[], ['--json']]) {
    const { stdout, stderr } = await world.sv(['config', 'show', ...args], { env });
    assert.ok(!`${stdout}${stderr}`.includes('hush'));
  }
});
