// A machine that is not as it should be: key files that others can read, stores that take nothing, ledgers and databases that
// are none, libraries that cannot be loaded, clips that are something else. A clear refusal, and nothing lost.
import { after, before, beforeEach, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createWorld, programs, run } from './harness.mjs';
import { readIndex, snapshot } from './killing.mjs';
import { refused } from './refusing.mjs';
import { CHUTE_ID, PLAYER, SLUG, element, manifest } from './season.mjs';

const WINDOW = '2025-10-23';
const CLIP = `sha256:${'a'.repeat(64)}`;
const LABELS = ['--sport', 'football', '--scenario', 'match', '--challenge-type', 'football'];
let world, next, clipHash;

before(async () => {
  world = await createWorld({ finality: 0 });
  await world.key('miner');
  clipHash = (await world.clip()).hash;
  await world.publish(manifest(WINDOW, 10, 1000, [element(PLAYER, [CLIP])]));
  next = world.write('authored/next.json', manifest('2025-10-24', 1000, 2000, [element(PLAYER, [CLIP])]));
});
after(() => world.end());
beforeEach(async () => assert.equal(readIndex(world).sequence, 1, 'something was published after all'));

const keyFile = () => world.path('wallets', 'default', 'hotkeys', 'operator');

test('key files that others can read, or that are none', async () => {
  const key = readFileSync(keyFile(), 'utf8');
  const fields = JSON.parse(key);
  for (const mode of [0o644, 0o640, 0o606, 0o660]) {
    chmodSync(keyFile(), mode);
    await refused(world, ['manifest', 'publish', next], 6, /chmod/);
  }
  chmodSync(keyFile(), 0o600);
  const other = JSON.parse(readFileSync(world.path('wallets', 'default', 'hotkeys', 'miner'), 'utf8'));
  const cases = ['', '{', '[]', '"x"', '\u0000', key.slice(0, 100), '$NACLgarbage', '['.repeat(100_000), 'x'.repeat(10 * 1024 * 1024),
    JSON.stringify({ ...fields, secretSeed: '0x00' }), JSON.stringify({ ...fields, ss58Address: other.ss58Address }),
    JSON.stringify({ ...fields, publicKey: other.publicKey, accountId: other.accountId }), JSON.stringify({ ...fields, cryptoType: 7 })];
  for (const text of cases) {
    writeFileSync(keyFile(), text);
    const { stderr } = await refused(world, ['manifest', 'publish', next], [3, 6], /hotkeys\/operator/);
    assert.ok(!stderr.includes(fields.secretSeed.slice(2)), 'the message tells the secret');
  }
  writeFileSync(keyFile(), key);
  await world.json(['manifest', 'publish', next, '--dry-run']);
});

// Runs @script where the store lies on a file system made by @mount, and forgets what it did: that file system is gone then.
async function onStore(mount, script) {
  const program = `${mount} && cp -a "$0/store-copy/." "$0/store/" 2>/dev/null; ${script}`;
  const restore = snapshot(world);
  cpSync(world.path('store'), world.path('store-copy'), { recursive: true });
  const result = await run('unshare', ['-m', 'sh', '-c', program, world.dir, next, programs.sv], { env: world.environment(), cwd: world.dir });
  restore();
  restore.forget();
  return result;
}

const mayMount = spawnSync('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs none /mnt']).status === 0;
const skip = mayMount ? false : 'SKIPPED: this machine forbids mounts, so no store can be made read-only or full here';

test('a store that is read-only', { skip }, async () => {
  const { status, stderr } = await onStore('mount --bind "$0/store" "$0/store" && mount -o remount,ro,bind "$0/store"',
    '"$2" manifest list >/dev/null && "$2" manifest publish "$1" --yes');
  assert.ok([1, 5].includes(status), `${status} ${stderr}`);
  assert.match(stderr, /[Rr]ead-only/);
});

test('a store that is full', { skip }, async () => {
  const { status, stderr, stdout } = await onStore('mount -t tmpfs -o size=256k none "$0/store"',
    'cat /dev/zero >"$0/store/filling" 2>/dev/null; "$2" manifest publish "$1" --yes; status=$?; rm "$0/store/filling";'
    + ' "$2" manifest list --json && "$2" manifest publish "$1" --yes --json; echo "again $?"; exit $status');
  assert.ok([1, 5].includes(status), `${status} ${stderr}`);
  assert.match(stderr, /[Nn]o space/);
  assert.match(stdout, /again 0/, 'after making room the same command completes');
});

test('a ledger that is none', async () => {
  const ledger = world.path('ledger.sqlite');
  const good = readFileSync(ledger);
  const asides = ['-wal', '-shm'].map((end) => ledger + end);
  const foreign = readFileSync(world.path('state.sqlite'));
  const cases = [Buffer.alloc(0), Buffer.from('garbage'), good.subarray(0, 100), good.subarray(0, good.length / 2), Buffer.alloc(8192, 0xff), foreign,
    Buffer.concat([good.subarray(0, 4096), Buffer.alloc(good.length - 4096, 0x5a)])];
  for (const [number, bytes] of cases.entries()) {
    for (const file of asides) rmSync(file, { force: true });
    writeFileSync(ledger, bytes);
    for (const args of [['chain', 'status'], ['manifest', 'publish', next], ['miner', 'commit', '--window-id', WINDOW, '--elements', PLAYER,
      '--service-cap-fps', '9', '--bind', `${PLAYER}=r,${SLUG},${CHUTE_ID}`]]) {
      await refused(world, args, [3, 5], /ledger/, { as: 'operator' }).catch((error) => { throw new Error(`case ${number}: ${error.message}`); });
    }
  }
  for (const file of asides) rmSync(file, { force: true });
  rmSync(ledger);
  await refused(world, ['chain', 'status'], 4, /sv chain create/);
  assert.ok(!existsSync(ledger), 'an empty ledger was made');
  writeFileSync(ledger, good);
});

test('a state database that is none', async () => {
  const database = world.path('state.sqlite');
  const good = readFileSync(database);
  const asides = ['-wal', '-shm'].map((end) => database + end);
  const foreign = readFileSync(world.path('ledger.sqlite'));
  for (const bytes of [Buffer.from('garbage'.repeat(100)), good.subarray(0, 5000), Buffer.alloc(8192, 0xff), foreign]) {
    for (const file of asides) rmSync(file, { force: true });
    writeFileSync(database, bytes);
    await refused(world, ['clip', 'list'], 5, /state\.sqlite/);
    await refused(world, ['serve', '--listen', '127.0.0.1:0'], 5, /state\.sqlite/);
    assert.deepEqual(readFileSync(database), bytes, 'the file was changed');
  }
  for (const file of asides) rmSync(file, { force: true });
  writeFileSync(database, good);
  assert.equal((await world.json(['clip', 'list'])).clips.length, 1);
});

test('libraries that cannot be loaded: only what needs them minds, and says what to install', async () => {
  const without = (...names) => {
    for (const name of names) world.write(`without-${names[0]}/${name}`, 'no library');
    return { LD_LIBRARY_PATH: world.path(`without-${names[0]}`) };
  };
  const ffmpeg = ['libavformat.so.59', 'libavcodec.so.59', 'libavutil.so.57'];
  const env = without(...ffmpeg, 'libcurl.so.4', 'libpq.so.5');
  const postgres = { ...without('libpq.so.5'), SCOREVISION_DATABASE: 'postgresql://sv:hush@127.0.0.1:9/x' };
  await world.sv(['--version'], { env });
  assert.equal((await world.json(['clip', 'list'], { env })).clips.length, 1);
  assert.equal((await world.json(['serve', '--check-config'], { env })).starts, true);
  for (const args of [['clip', 'list'], ['serve', '--listen', '127.0.0.1:0'], ['serve', '--check-config', '--json']]) {
    const { stderr, stdout } = await refused(world, args, 1, /SCOREVISION_DATABASE.*libpq\.so\.5.*install .*libpq5/, { env: postgres });
    assert.ok(!`${stderr}${stdout}`.includes('hush'));
  }
  await refused(world, ['chain', 'status', '--chain', 'http://127.0.0.1:9'], 1, /libcurl\.so\.4.*install .*libcurl4/, { env });
  await refused(world, ['clip', 'add', world.path('clip.mp4'), ...LABELS], 1, /libav\w+\.so.*install/, { env });
});

test('clips that are something else', async () => {
  const clip = readFileSync(world.path('clip.mp4'));
  world.write('secret.txt', 'the secret');
  const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
  const cases = {
    'a playlist': ['list.m3u8', `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://${world.path('secret.txt')}\n#EXT-X-ENDLIST\n`],
    'a playlist named .mp4': ['list.mp4', `#EXTM3U\n#EXTINF:1,\n${world.path('clip.mp4')}\n#EXT-X-ENDLIST\n`],
    'a concatenation': ['list.ffconcat', `ffconcat version 1.0\nfile '${world.path('clip.mp4')}'\n`],
    'a concatenation named .mp4': ['concat.mp4', `ffconcat version 1.0\nfile '${world.path('clip.mp4')}'\n`],
    'text named .mp4': ['text.mp4', 'hello '.repeat(1000)],
    'a picture named .mp4': ['picture.mp4', png],
    'an empty file': ['empty.mp4', ''],
    'the first half of a clip': ['half.mp4', clip.subarray(0, clip.length / 2)],
    'its first bytes': ['head.mp4', clip.subarray(0, 40)],
    'a clip with its middle overwritten': ['holes.mp4', Buffer.concat([clip.subarray(0, 64), Buffer.alloc(clip.length - 64, 0xff)])],
    'subtitles': ['x.srt', '1\n00:00:00,000 --> 00:00:01,000\nhello\n'],
    'SDP': ['x.sdp', 'v=0\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n'],
    'XML of a stream': ['x.mpd', '<?xml version="1.0"?><MPD><Period><BaseURL>http://127.0.0.1:9/</BaseURL></Period></MPD>'],
  };
  for (const [what, [name, content]] of Object.entries(cases)) {
    await refused(world, ['clip', 'add', world.write(`clips/${name}`, content), ...LABELS], [2, 3], new RegExp(name))
      .catch((error) => { throw new Error(`${what}: ${error.message}`); });
  }
  for (const [name, status] of [[world.dir, [2, 3]], [world.path('nothing.mp4'), 4], ['/dev/zero', [2, 3]], ['http://127.0.0.1:9/x.mp4', 4],
    ['concat:/etc/passwd', 4]]) {
    await refused(world, ['clip', 'add', name, ...LABELS], status, /./);
  }
  symlinkSync(world.path('secret.txt'), world.path('clips', 'link.mp4'));
  await refused(world, ['clip', 'add', world.path('clips', 'link.mp4'), ...LABELS], [2, 3], /link/);
  assert.deepEqual(readdirSync(world.path('store', 'private', 'clips')).filter((name) => !name.startsWith('.')), [clipHash.slice(7)]);
});

test('a home that cannot be written', async () => {
  const home = world.write('homes/file', 'a file where a folder should be');
  const args = ['miner', 'commit', '--window-id', WINDOW, '--elements', PLAYER, '--service-cap-fps', '9', '--bind', `${PLAYER}=r,${SLUG},${CHUTE_ID}`];
  await refused(world, args, [1, 5], /homes\/file: .*SCOREVISION_HOME/, { as: 'miner', env: { SCOREVISION_HOME: home } });
  mkdirSync(world.path('homes', 'odd', 'commitments', `${WINDOW}.pending`), { recursive: true });
  await refused(world, args, [1, 5], /pending/, { as: 'miner', env: { SCOREVISION_HOME: world.path('homes', 'odd') } });
  truncateSync(home, 0);
});
