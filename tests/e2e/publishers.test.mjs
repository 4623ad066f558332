// Many at once: ten publishers with ten windows each on one index, ten miners on one ledger. Nobody is lost, nobody counted
// twice.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createWorld } from './harness.mjs';
import { readIndex, receipts, records } from './killing.mjs';
import { CHUTE_ID, PLAYER, SLUG, element, manifest } from './season.mjs';

const N = 10;
const CLIP = `sha256:${'a'.repeat(64)}`;
const range = [...Array(N).keys()];
const windowId = (publisher, n) => `window-${publisher}-${n}`;

test('ten publishers at once, each publishing ten windows of its own', async () => {
  const world = await createWorld({ finality: 0 });
  try {
    const names = range.map((i) => `publisher-${i}`);
    for (const name of names) await world.key(name);
    world.env.SCOREVISION_MANIFEST_SIGNERS = names.map((name) => world.keys[name].address).join();
    await Promise.all(names.map(async (as, publisher) => {
      for (const n of range) {
        const start = 1000 + (publisher * N + n) * 100;
        await world.publish(manifest(windowId(publisher, n), start, start + 100, [element(PLAYER, [CLIP])]), { as });
      }
    }));

    const { manifests } = await world.json(['manifest', 'list'], { as: 'reader' }); // verifies index and signatures
    const wanted = names.flatMap((_, publisher) => range.map((n) => windowId(publisher, n))).sort();
    assert.deepEqual(manifests.map(({ window_id: id }) => id).sort(), wanted);
    const index = readIndex(world);
    assert.equal(index.sequence, N * N);
    assert.deepEqual(index.manifests.map((entry) => entry.added_sequence).sort((a, b) => a - b), [...Array(N * N).keys()].map((i) => i + 1));

    const seen = [];
    for (let hash = index.newest; hash !== null; hash = seen.at(-1).previous) {
      seen.push(JSON.parse(world.read('store', 'scorevision', 'manifests', `${hash}.json`)));
      assert.ok(seen.length <= N * N, 'the chain of manifests does not end');
    }
    assert.deepEqual(seen.map((one) => one.window_id).sort(), wanted);
    const anchored = (await records(world, 'chain')).map(({ text }) => Number(text.split(' ')[3]));
    assert.equal(Math.max(...anchored), N * N, 'the last change is anchored');
  } finally {
    await world.end();
  }
});

test('ten miners at once on one ledger', async () => {
  const world = await createWorld();
  try {
    const names = range.map((i) => `miner-${i}`);
    for (const name of names) await world.key(name);
    await world.publish(manifest('2025-10-23', 1000, 2000, [element(PLAYER, [CLIP])]));
    await Promise.all(names.map((as) => world.json(['miner', 'commit', '--window-id', '2025-10-23', '--elements', PLAYER,
      '--service-cap-fps', '10', '--bind', `${PLAYER}=r,${SLUG},${CHUTE_ID}`], { as })));
    const chain = await records(world, 'chain');
    for (const name of names) {
      const own = chain.filter(({ signer }) => signer === world.keys[name].address);
      assert.equal(own.length, 1, name);
      assert.equal(receipts(world, name, '2025-10-23').bindings[0].commitment_proof, `${own[0].block}:${own[0].hash}`);
    }
  } finally {
    await world.end();
  }
});
