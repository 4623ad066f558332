// kill -9 at each step of adding, retiring and revoking a signer: readers have an index at any time, no statement is made twice, and
// the same command run again completes.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { emptyWorld } from './harness.mjs';
import { killAtEachStep, readIndex, textsOf } from './killing.mjs';
import { football } from './season.mjs';

const CLIP = `sha256:${'a'.repeat(64)}`;
const FEWEST_STEPS = 8; // fewer would mean that the library was not loaded

async function withWorld(use) {
  const world = emptyWorld();
  try {
    const [owner, old, next] = [await world.key('owner'), await world.key('old'), await world.key('next')];
    world.env.SCOREVISION_MANIFEST_SIGNERS = old.address;
    await world.sv(['chain', 'create', '--block-time', '0', '--finality', '0', '--owner', owner.address]);
    await world.publish(football('2025-10-23', 1, 1000, CLIP), { as: 'old' });
    await use(world, { owner, old, next });
  } finally {
    await world.end();
  }
}

const hasStatement = (world, n) => existsSync(world.path('store', 'scorevision', 'signers', `${n}.json`));
const stateOf = async (world, { address }) =>
  (await world.json(['manifest', 'signers'], { as: 'reader' })).signers.find(({ account }) => account === address)?.state;

test('killed while a signer is added, and while one is retired', () => withWorld(async (world, { old, next }) => {
  const invariants = () => world.sv(['manifest', 'list'], { as: 'reader' });
  const added = async () => {
    assert.equal(await stateOf(world, next), 'trusted');
    assert.equal(hasStatement(world, 2), false, 'one statement');
  };
  let steps = await killAtEachStep(world, ['manifest', 'signers', 'add', next.address], { as: 'old', invariants, completed: added });
  assert.ok(steps >= FEWEST_STEPS, `only ${steps} steps`);
  const retired = async () => {
    assert.equal(await stateOf(world, old), 'retired');
    assert.equal(hasStatement(world, 3), false, 'one statement');
    const { signed_by, sequence } = readIndex(world);
    assert.deepEqual([signed_by, sequence], [`ss58:${next.address}`, 2]);
    await invariants();
  };
  steps = await killAtEachStep(world, ['manifest', 'signers', 'retire', old.address, '--yes'], { as: 'next', invariants, completed: retired, stride: 2 });
  assert.ok(steps >= FEWEST_STEPS, `only ${steps} steps`);
}));

test('killed while a signer is revoked', () => withWorld(async (world, { old }) => {
  const completed = async () => {
    assert.deepEqual(await textsOf(world, 'owner'), [`sv1 revoke\n${old.address}`], 'one text');
    assert.equal(await stateOf(world, old), 'revoked');
  };
  const steps = await killAtEachStep(world, ['manifest', 'signers', 'revoke', old.address, '--yes'], { as: 'owner', invariants: () => {}, completed });
  assert.ok(steps >= FEWEST_STEPS, `only ${steps} steps`);
}));
