// Publishers on a bucket of a real object gateway: ten at once lose no entry, and one that is killed at any of its requests, sent
// and unsent, leaves a store that is sound after the next publication.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { build, createWorld, programs } from './harness.mjs';
import { startRelay } from './relay.mjs';
import { PLAYER, element, manifest } from './season.mjs';
import { makeBucket, startGateway } from '../support/s3/gateway.mjs';

const N = 10, WINDOWS = 5, FEWEST_REQUESTS = 10; // fewer would mean that they do not pass the relay
const CLIP = `sha256:${'a'.repeat(64)}`;
const gateway = await startGateway();
const skip = gateway.missing ?? false;
const worlds = [];
let relay;

before(async () => { relay = await startRelay(); });
after(async () => {
  for (const world of worlds) await world.end();
  await relay.close();
  await gateway.stop?.();
});

async function worldInBucket(bucket) {
  makeBucket(build, gateway.settings, bucket);
  const world = await createWorld({ finality: 0, env: { ...gateway.settings, SCOREVISION_STORE: `s3://${bucket}`,
    R2_PUBLIC_URL: `${gateway.settings.S3_ENDPOINT}/${bucket}` } });
  worlds.push(world);
  return world;
}

const windowAt = (n, name = `window-${n}`) => manifest(name, 1000 + n * 100, 1100 + n * 100, [element(PLAYER, [CLIP])]);

// What a check of the store says; it fails where anything is wrong with it.
const check = (world) => world.json(['store', 'check', '--without-clips']);

test('ten publishers at once lose no entry', { skip }, async () => {
  const world = await worldInBucket('many');
  const names = [...Array(N).keys()].map((i) => `publisher-${i}`);
  for (const name of names) await world.key(name);
  world.env.SCOREVISION_MANIFEST_SIGNERS = names.map((name) => world.keys[name].address).join();
  await Promise.all(names.map(async (as, publisher) => {
    for (let n = 0; n < WINDOWS; n++) await world.publish(windowAt(publisher * WINDOWS + n), { as });
  }));
  const { manifests, sequence } = await world.json(['manifest', 'list'], { as: 'reader' });
  assert.deepEqual(manifests.map(({ window_id: id }) => id), [...Array(N * WINDOWS).keys()].map((n) => `window-${n}`));
  assert.equal(sequence, N * WINDOWS);
  assert.deepEqual(manifests.map((entry) => entry.added_sequence).sort((a, b) => a - b), [...Array(N * WINDOWS).keys()].map((n) => n + 1));
  await check(world);
});

// Publishes @file through the relay, and kills the program at its @nth request: before that one goes on, or, where it is @sent, when
// the server has answered it. Returns whether it came to that.
async function publishKilledAt(world, file, nth, sent) {
  const env = world.environment({ env: { S3_ENDPOINT: relay.url } });
  const child = spawn(programs.sv, ['manifest', 'publish', file, '--yes'], { env, cwd: world.dir, stdio: 'ignore' });
  const ended = new Promise((resolve, reject) => {
    child.on('close', (status, signal) => resolve(signal ?? status));
    child.on('error', reject);
  });
  let seen = 0;
  const letPass = async () => {
    if (++seen < nth) return true;
    child.kill('SIGKILL');
    await ended;
    return false;
  };
  relay.to(gateway.settings.S3_ENDPOINT);
  Object.assign(relay, { onRequest: sent ? null : letPass, onAnswer: sent ? letPass : null });
  const how = await ended;
  assert.ok(how === 0 || (how === 'SIGKILL' && seen >= nth), `it ended with ${how}`);
  return how !== 0;
}

test('a publisher that is killed at any request leaves a sound store after the next publication', { skip }, async () => {
  const world = await worldInBucket('killed');
  let published = 0;
  for (const sent of [false, true]) {
    for (let nth = 1; ; nth++) {
      const window = windowAt(published);
      const file = world.write('authored/next.json', window);
      rmSync(world.path('homes', 'operator', 'cache'), { recursive: true, force: true }); // the server is probed each time
      const killed = await publishKilledAt(world, file, nth, sent);
      const { sequence } = await world.publish(window);
      published++;
      const where = `killed at request ${nth}, ${sent ? 'sent' : 'unsent'}`;
      const { manifests } = await world.json(['manifest', 'list'], { as: 'reader' });
      assert.equal(sequence, published, where);
      assert.deepEqual(manifests.map(({ window_id: id }) => id), [...Array(published).keys()].map((n) => `window-${n}`), where);
      await check(world).catch((error) => { throw new Error(`${where}: ${error.message}`); });
      if (!killed) {
        assert.ok(nth > FEWEST_REQUESTS, `${nth - 1} requests`);
        break;
      }
    }
  }
});
