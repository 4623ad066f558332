// sv store check and sv store mirror as an operator runs them: what they say, how they end, and what a kill at any step leaves.
import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createWorld } from './harness.mjs';
import { killAtEachStep } from './killing.mjs';
import { sha256 } from './peer.mjs';
import { BALL, PLAYER, element, manifest } from './season.mjs';

const CURRENT = '2025-10-23';
const CLIP = sha256('a clip, as far as a store knows');
const FEWEST_STEPS = 8; // fewer would mean that the library was not loaded
const season = (windowId, start, expiry, beta = 1) => manifest(windowId, start, expiry, [
  element(PLAYER, [CLIP], { beta }), element(BALL, [CLIP])]);

// A store with a superseded manifest, a live one and a clip.
async function createStore() {
  const world = await createWorld({ finality: 0 });
  const first = await world.publish(season(CURRENT, 1, 1000));
  const second = await world.publish(season(CURRENT, 1, 1000, 2), { args: ['--supersede'] });
  const clip = CLIP.replace('sha256:', '');
  world.write(`store/private/clips/${clip}`, 'a clip, as far as a store knows');
  const manifests = { superseded: first.manifest_hash, live: second.manifest_hash };
  return Object.assign(world, { manifests, clip });
}

const inStore = (world, ...parts) => world.path('store', ...parts);
const manifestFile = (world, hash, prefix = '') => inStore(world, 'scorevision', 'manifests', `${prefix}${hash.replace('sha256:', '')}.json`);
const indexFile = (world, store = 'store') => world.path(store, 'scorevision', 'index.json');
const url = (world, name) => `file:${world.path(name)}`;

// Both names of one manifest and the index are damaged, one name of the other is gone.
function damage(world) {
  rmSync(manifestFile(world, world.manifests.live, 'sha256:'));
  for (const prefix of ['', 'sha256:']) appendFileSync(manifestFile(world, world.manifests.superseded, prefix), ' ');
  writeFileSync(indexFile(world), '{"version":');
}

describe('sv store', { concurrency: true }, () => {
  test('check tells what it found, for people and as JSON', async () => {
    const world = await createStore();
    try {
      const sound = await world.sv(['store', 'check']);
      assert.match(sound.stdout, /^manifests +4 +[\d.]+ kB +0 +0$/m);
      assert.match(sound.stdout, /^clips +1 +31 B +0 +0$/m);
      assert.match(sound.stdout, /^sound: file:\S+, index of sequence 2$/m);
      assert.equal(sound.stderr, '');
      damage(world);
      const { stdout, stderr } = await world.sv(['store', 'check'], { expect: 3 });
      assert.equal(stderr, '');
      assert.match(stdout, /^fault: scorevision\/index\.json\n(?: {2}.*\n)+ {2}`sv store check --repair` tries to bring it back$/m);
      assert.match(stdout, /^3 faults left: file:/m);
      for (const line of stdout.split('\n')) assert.ok(line.length <= 80 || /\/[0-9a-f]{64}|sha256:|file:/.test(line), line);
      const document = await world.json(['store', 'check'], { expect: 3 });
      assert.equal(document.is_sound, false);
      assert.deepEqual(document.faults.map(({ key }) => key).sort(), ['scorevision/index.json',
        ...['', 'sha256:'].map((prefix) => `scorevision/manifests/${prefix}${world.manifests.superseded.slice(7)}.json`)].sort());
      assert.equal(document.kinds.find(({ kind }) => kind === 'manifests').faults, 2);
    } finally {
      await world.end();
    }
  });

  test('check --repair needs a yes, brings back what it can, and names what it cannot', async () => {
    const world = await createStore();
    try {
      damage(world);
      appendFileSync(inStore(world, 'private', 'clips', world.clip), 'x');
      const before = world.read('store', 'scorevision', 'index.json');
      const refused = await world.sv(['store', 'check', '--repair'], { expect: 2 });
      assert.match(refused.stderr, /--yes/);
      assert.deepEqual(world.read('store', 'scorevision', 'index.json'), before);
      const { stdout } = await world.sv(['store', 'check', '--repair', '--yes'], { expect: 3 });
      assert.match(stdout, /^repaired: scorevision\/index\.json\n(?: {2}.*\n)+ {2}repaired from this home's memory$/m);
      assert.match(stdout, /^1 fault left: /m);
      assert.match(stdout, /`sv clip add FILE`/);
      const { faults } = await world.json(['store', 'check'], { expect: 3 });
      assert.deepEqual(faults.map(({ key }) => key), [`private/clips/${world.clip}`]);
      await world.json(['manifest', 'current']);
    } finally {
      await world.end();
    }
  });

  test('a clip that is lost is told with the windows that name it, until they are over', async () => {
    const world = await createWorld({ finality: 0 });
    try {
      const { hash } = await world.clip();
      const key = `private/clips/${hash.slice(7)}`;
      for (const [id, start, expiry] of [['w1', 1, 4], ['w2', 4, 1000], ['w3', 1000, 2000]])
        await world.publish(manifest(id, start, expiry, [element(PLAYER, [hash]), element(BALL, [hash])]));
      await world.sv(['store', 'check']);
      rmSync(inStore(world, ...key.split('/')));
      await world.advance(8);
      const { faults: [fault, ...more] } = await world.json(['store', 'check'], { expect: 3 });
      assert.deepEqual([fault.key, more], [key, []]);
      assert.equal(fault.what, 'missing: the manifests of windows w2, w3 name it');
      assert.match(fault.advice, /`sv clip add FILE`/);
      await world.sv(['store', 'check', '--without-clips']);
      await world.sv(['clip', 'add', world.path('clip.mp4'), '--sport', 'football', '--scenario', 'match', '--challenge-type', 'football']);
      await world.sv(['store', 'check']);
    } finally {
      await world.end();
    }
  });

  test('what is said of a damaged clip helps, also where its size is right', async () => {
    const world = await createWorld();
    try {
      const { hash } = await world.clip();
      const file = inStore(world, 'private', 'clips', hash.slice(7));
      const bytes = world.read(file.slice(world.dir.length + 1));
      bytes[bytes.length >> 1] ^= 1;
      writeFileSync(file, bytes);
      const { faults: [{ key, advice }] } = await world.json(['store', 'check'], { expect: 3 });
      assert.equal(key, `private/clips/${hash.slice(7)}`);
      for (const [, command] of advice.matchAll(/`sv ([^`]+)`/g)) {
        const args = command.replace('HASH', hash).replace('FILE', world.path('clip.mp4')).split(' ');
        await world.sv([...args, '--yes', ...(args[1] === 'add' ? ['--sport', 'football', '--scenario', 'match', '--challenge-type', 'football'] : [])]);
      }
      await world.sv(['store', 'check']);
    } finally {
      await world.end();
    }
  });

  test('exit statuses of both', async () => {
    const world = await createStore();
    try {
      await world.sv(['store', 'check', '--store', url(world, 'nowhere')], { expect: 4 });
      assert.ok(!existsSync(world.path('nowhere')), 'looking makes no store');
      await world.sv(['store', 'mirror', url(world, 'nowhere'), url(world, 'copy')], { expect: 4 });
      await world.sv(['store', 'check', '--store', 'https://127.0.0.1:1/'], { expect: 6 });
      await world.sv(['store', 'mirror', 'http://127.0.0.1:1/', url(world, 'copy')], { expect: 5 });
      await world.sv(['store', 'mirror', url(world, 'store')], { expect: 2 });
      await world.sv(['store', 'mirror'], { expect: 2 });
      await world.sv(['store', 'check'], { env: { SCOREVISION_MANIFEST_SIGNERS: '' }, expect: 2 });
      await world.sv(['store', 'mirror', url(world, 'copy')]);
      await world.publish(season('2025-10-24', 1000, 2000));
      const known = await world.sv(['store', 'mirror', url(world, 'copy'), url(world, 'store')], { expect: 6 }); // by a home that has seen the newer one
      assert.match(known.stderr, /newer than that of file:\S+copy, 2; a newer index is never replaced \(copy the other way round/);
      const { stderr } = await world.sv(['store', 'mirror', url(world, 'copy'), url(world, 'third')], { expect: 3 });
      assert.match(stderr, /rollback/);
      const newer = await world.sv(['store', 'mirror', url(world, 'copy'), url(world, 'store')], {
        as: 'stranger', env: { BITTENSOR_SUBTENSOR_ENDPOINT: 'http://127.0.0.1:1', SCOREVISION_GENESIS: await genesis(world) }, expect: 6 });
      assert.match(newer.stderr, /never replaced/);
    } finally {
      await world.end();
    }
  });

  const genesis = async (world) => (await world.json(['chain', 'status'])).genesis;

  test('mirror copies a store that another can go on with', async () => {
    const world = await createStore();
    try {
      const first = await world.json(['store', 'mirror', url(world, 'store'), url(world, 'copy'), '--private']);
      assert.deepEqual([first.copied, first.present, first.index], [6, 0, 'written']);
      const again = await world.sv(['store', 'mirror', url(world, 'store'), url(world, 'copy')]);
      assert.match(again.stdout, /^0 objects copied \(0 B\), 4 there already$/m);
      assert.match(again.stdout, /^1 clip left out; --private copies them/m);
      rmSync(inStore(world), { recursive: true });
      cpSync(world.path('copy'), inStore(world), { recursive: true });
      await world.publish(season('2025-10-24', 1000, 2000));
      await world.sv(['store', 'check']);
    } finally {
      await world.end();
    }
  });

  test('mirror from the public tree of a server', async () => {
    const world = await createStore();
    try {
      const serve = await world.startServe();
      const report = await world.json(['store', 'mirror', serve.url, url(world, 'copy')]);
      assert.deepEqual([report.copied, report.index, report.was_listed], [5, 'written', false]);
      const { notes } = await world.json(['store', 'check', '--store', url(world, 'copy'), '--public-url', serve.url, '--without-clips']);
      assert.ok(notes.some((note) => note.includes('shows the same index')), notes.join('\n'));
    } finally {
      await world.end();
    }
  });

  // What lies in a store is what a check finds sound, or, of a copy, nothing that is named yet.
  test('kill -9 at each step of publishing, repairing and copying', async () => {
    const world = await createStore();
    const isSound = () => world.sv(['store', 'check']);
    try {
      const next = world.write('authored/next.json', season('2025-10-24', 1000, 2000));
      const published = await killAtEachStep(world, ['manifest', 'publish', '--yes', next], {
        as: 'operator', invariants: isSound, completed: isSound, stride: 3 });
      assert.ok(published >= FEWEST_STEPS, `${published} steps`);

      const index = world.read('store', 'scorevision', 'index.json');
      damage(world);
      const repaired = await killAtEachStep(world, ['store', 'check', '--repair', '--yes'], {
        as: 'operator', completed: isSound,
        invariants: async () => { // what was sound is sound, and the index is the damaged one or the right one
          assert.equal(sha256(world.read('store', 'scorevision', 'manifests', `${world.manifests.live.slice(7)}.json`)), world.manifests.live);
          assert.ok(['{"version":', String(index)].includes(String(world.read('store', 'scorevision', 'index.json'))));
        },
      });
      assert.ok(repaired >= FEWEST_STEPS, `${repaired} steps`);

      await world.sv(['store', 'check', '--repair', '--yes']);
      const copyIsSound = () => world.sv(['store', 'check', '--store', url(world, 'copy')]);
      const copied = await killAtEachStep(world, ['store', 'mirror', '--private', url(world, 'copy')], {
        as: 'operator',
        invariants: async () => { if (existsSync(indexFile(world, 'copy'))) await copyIsSound(); },
        completed: async () => {
          await copyIsSound();
          assert.deepEqual(readdirSync(world.path('copy', 'private', 'clips')), [world.clip]);
        },
      });
      assert.ok(copied >= FEWEST_STEPS, `${copied} steps`);
    } finally {
      await world.end();
    }
  });
});
