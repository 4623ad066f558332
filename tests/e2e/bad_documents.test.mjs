// Documents and identifiers as nobody should write them: each is refused with its place and the right exit status, and leaves
// nothing behind.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { createWorld, run } from './harness.mjs';
import { canonical, sha256, signDocument } from './peer.mjs';
import { refused } from './refusing.mjs';
import { BALL, CHUTE_ID, PLAYER, SLUG, element, manifest } from './season.mjs';

const WINDOW = '2025-10-23';
const CLIP = `sha256:${'a'.repeat(64)}`;
let world, good, index;

before(async () => {
  world = await createWorld({ finality: 0 });
  await world.key('miner');
  await world.publish(manifest(WINDOW, 10, 1000, [element(PLAYER, [CLIP])]));
  good = JSON.stringify(manifest('2025-10-24', 1000, 2000, [element(PLAYER, [CLIP])]));
  index = world.read('store', 'scorevision', 'index.json');
});
after(() => world.end());

const swap = (from, to) => {
  assert.ok(good.includes(from), from);
  return good.replace(from, to);
};

test('authored manifests: size, shape, numbers, encodings', async () => {
  const cases = [
    ['too large', `{"x":"${'x'.repeat(5 * 1024 * 1024)}"}`, /4194304|4 MiB|too large|larger/i],
    ['cut short', good.slice(0, good.length / 2), /\d/],
    ['empty', '', /./],
    ['deeply nested JSON', '['.repeat(100_000), /deep|nest/i],
    ['deeply nested YAML', `a: ${'['.repeat(50_000)}`, /./],
    ['duplicate keys', swap('"version"', '"version":"1.3","version"'), /version/],
    ['duplicate keys in YAML', 'version: 1.3\nversion: 1.3\n', /version|uplicate/],
    ['an alias', 'a: &x [1]\nb: *x\n', /alias|anchor/i],
    ['a bomb of aliases', `a0: &a0 [x]\n${Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i},*a${i}]`).join('\n')}\n`, /alias|anchor/i],
    ['a tag', 'version: !!python/object/apply:os.system [id]\n', /tag/i],
    ['two documents', 'a: 1\n---\nb: 2\n', /document/i],
    ['1e400', swap('"expiry_block":2000', '"expiry_block":1e400'), /./],
    ['1e-400', swap('"fps":5', '"fps":1e-400'), /fps/],
    ['an integer that is no double', swap('"expiry_block":2000', '"expiry_block":9007199254740993'), /./],
    ['a negative block', swap('"start_block":1000', '"start_block":-1'), /start_block/],
    ['a fraction', swap('"expiry_block":2000', '"expiry_block":2000.5'), /expiry_block/],
    ['a string for a number', swap('"expiry_block":2000', '"expiry_block":"2000"'), /expiry_block/],
    ['a number for a string', swap('"window_id":"2025-10-24"', '"window_id":20251024'), /window_id/],
    ['null', swap('"elements":[', '"elements":null,"more":['), /elements/],
    ['NaN', swap('"beta":1', '"beta":NaN'), /./],
    ['invalid UTF-8', Buffer.concat([Buffer.from('{"x":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]), /UTF-8|utf/i],
    ['a lone surrogate', swap('"norm":"rgb-01"', '"norm":"\\ud800"'), /./],
    ['NUL', Buffer.from('{"version":\0"1.3"}'), /./],
    ['a path as window', swap('2025-10-24', '../../../etc/cron.d/x'), /window_id/],
    ['a newline in the window', swap('2025-10-24', 'a\\nb'), /window_id/],
    ['a path as element', swap(PLAYER, '../../x@1.0'), /\/?id/],
    ['a path as clip', swap(CLIP, 'sha256:../../../../etc/passwd'), /hash/],
    ['a signature of its own', swap('"version"', '"signature":"ed25519:00","version"'), /signature/],
  ];
  for (const [what, text, message] of cases) {
    const file = world.write(/[Yy]AML|alias|tag|documents/.test(what) ? 'authored/bad.yaml' : 'authored/bad.json', text);
    await refused(world, ['manifest', 'validate', file], 3, message).catch((error) => { throw new Error(`${what}: ${error.message}`); });
    await refused(world, ['manifest', 'publish', file], 3, message);
  }
  assert.deepEqual(world.read('store', 'scorevision', 'index.json'), index, 'the index has changed');
  // A file name need not be UTF-8; what is said of it is.
  const odd = await run('sh', ['-c', 'sv manifest validate "$(printf "\\377\\033[31m")" --json'], { env: world.environment() });
  assert.equal(JSON.parse(odd.stdout).error.exit_status, 4, odd.stderr);
  assert.doesNotMatch(odd.stderr, /\u001b\[31m/);
  for (const file of [world.path('none.json'), world.dir]) await refused(world, ['manifest', 'publish', file], [3, 4], /./);
});

test('documents in the store: an index and manifests that do not hold together', async () => {
  const document = JSON.parse(index);
  const seed = world.keys.operator.seed;
  const place = (content) => world.write('store/scorevision/index.json', content);
  const cases = [
    ['cut short', index.subarray(0, 500)],
    ['empty', Buffer.alloc(0)],
    ['garbage', Buffer.from('<html>')],
    ['not canonical', Buffer.from(JSON.stringify(document, null, 1))],
    ['with a newline', Buffer.concat([index, Buffer.from('\n')])],
    ['tampered', Buffer.from(index.toString().replace('"sequence":1', '"sequence":2'))],
    ['deeply nested', Buffer.from('{"a":'.repeat(70) + '1' + '}'.repeat(70))],
    ['duplicate keys', Buffer.from(index.toString().replace('{', '{"archive":null,"archive":null,'))],
    ['too large', Buffer.concat([index, Buffer.alloc(17 * 1024 * 1024, 0x20)])],
    ['another type', canonical(signDocument({ ...document, type: 'manifest' }, seed))],
    ['a path in a hash', canonical(signDocument({ ...document, newest: 'sha256:../../x' }, seed))],
    ['a hostile sequence', canonical(signDocument({ ...document, sequence: -1 }, seed))],
  ];
  for (const [what, content] of cases) {
    place(content);
    for (const [number, args] of [['list'], ['current']].entries()) {
      await refused(world, ['manifest', ...args], 3, /index/, { as: `reader${number}` })
        .catch((error) => { throw new Error(`${what}: ${error.message}`); });
    }
    await refused(world, ['manifest', 'publish', world.write('authored/next.json', good)], 3, /index/);
  }
  place(index);
  await world.json(['manifest', 'publish', world.path('authored', 'next.json'), '--dry-run']);
  const [{ hash }] = document.manifests;
  const key = `store/scorevision/manifests/${hash.slice(7)}.json`;
  const bytes = world.read(key);
  for (const content of [bytes.subarray(0, 100), Buffer.concat([bytes, Buffer.from(' ')]), Buffer.alloc(5 * 1024 * 1024, 0x7b)]) {
    world.write(key, content);
    world.write(`store/scorevision/manifests/${hash}.json`, content);
    assert.notEqual(sha256(content), hash);
    await refused(world, ['miner', 'manifest', '--hash', hash], 3, /./, { as: 'reader9' });
  }
  world.write(key, bytes);
  world.write(`store/scorevision/manifests/${hash}.json`, bytes);
});

test('a bindings file that is not one', async () => {
  const args = ['miner', 'commit', '--window-id', WINDOW, '--elements', PLAYER, '--service-cap-fps', '10', '--bindings'];
  const binding = `{element_id: ${PLAYER}, hf_revision: r, chute_slug: ${SLUG}, chute_id: ${CHUTE_ID}`;
  const cases = [
    ['bindings: [', 3], ['bindings: 7', 2], ['[]', 2], ['\xff', [2, 3]],
    [`x: ${'x'.repeat(2 * 1024 * 1024)}`, 3],
    [`bindings: [${binding}, service_cap_fps: 1e400}]`, 3],
    [`bindings: [${binding}, service_cap_fps: -0}]`, 2],
    [`bindings: [${binding}, service_cap_fps: 0.0001}]`, 2],
    [`bindings: [${binding}, service_cap_fps: 9007199254740993}]`, [2, 3]],
    [`bindings: [${binding.replace(SLUG, '../x')}}]`, 2],
    [`bindings: [${binding.replace(CHUTE_ID, '"../x"')}}]`, 2],
    [`bindings: [${binding}}, ${binding}}]`, 2],
  ];
  for (const [text, status] of cases) {
    const file = world.write('bindings.yaml', Buffer.from(text, 'latin1'));
    await refused(world, [...args, file], status, /./, { as: 'miner' });
  }
  await refused(world, [...args, world.path('no-such-file.yaml')], 4, /no-such-file/, { as: 'miner' });
});

test('path tricks in every identifier on the command line', async () => {
  const tricks = ['../../../etc/passwd', '/etc/passwd', '..', '.', 'a\nb', 'a b', 'a\u202eb', '\u00e9', 'x'.repeat(100_000), '%2e%2e%2f', '-', ''];
  const commit = ['--elements', PLAYER, '--service-cap-fps', '10', '--bind', `${PLAYER}=r,${SLUG},${CHUTE_ID}`];
  const places = [
    (trick) => [['miner', 'commit', '--window-id', trick, ...commit], [2, 4]],
    (trick) => [['miner', 'commit', '--window-id', WINDOW, '--service-cap-fps', '9', '--elements', trick], 2],
    (trick) => [['miner', 'commit', '--window-id', WINDOW, '--service-cap-fps', '9', '--elements', PLAYER, '--bind', `${PLAYER}=${trick},${SLUG},${CHUTE_ID}`], 2],
    (trick) => [['miner', 'commit', '--window-id', WINDOW, '--service-cap-fps', '9', '--elements', PLAYER, '--bind', `${PLAYER}=r,${trick},${CHUTE_ID}`], 2],
    (trick) => [['miner', 'commit', '--window-id', WINDOW, '--service-cap-fps', '9', '--elements', PLAYER, '--bind', `${PLAYER}=r,${SLUG},${trick}`], 2],
    (trick) => [['miner', 'commitments', '--window-id', trick], 2],
    (trick) => [['miner', 'manifest', '--hash', trick], 2],
    (trick) => [['manifest', 'rollback', '--to-hash', trick, '--yes'], [2, 4]],
    (trick) => [['clip', 'remove', trick, '--yes'], [2, 4]],
    (trick) => [['chain', 'proof', trick], [2, 3, 4]],
    (trick) => [['runner', '--once', '--element', trick], 2],
    (trick) => [['runner', '--once', '--slug', trick], 2],
    (trick) => [['runner', '--once', '--miner', trick], 2],
    (trick) => names.includes(trick) && [['key', 'show', '--hotkey', trick], [2, 4]],
    (trick) => names.includes(trick) && [['key', 'show', '--wallet', trick], [2, 4]],
  ];
  // These two become file names, where an empty one means the default and a long one is the machine's to refuse.
  const names = tricks.filter((trick) => trick !== '' && trick.length < 1000);
  const failures = [];
  await Promise.all(places.map(async (place) => {
    for (const trick of tricks) {
      const [args, status] = place(trick) || [];
      if (args) await refused(world, args, status, /./, { as: 'miner' }).catch((error) => failures.push(error.message));
    }
  }));
  assert.deepEqual(failures, []);
  assert.ok(!existsSync(world.path('homes', 'miner', 'commitments')), readdirSync(world.path('homes', 'miner')).join());
});
