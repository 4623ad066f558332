// Who owns the subnet is one value in the chain's state, on a node's word where there is only one. Whoever it names for a moment, by a
// lie or by a change that does not last, must not shut a reader out for good.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { NETUID, createSubtensorWorld, skip } from './subtensor_world.mjs';

let it, world, node;

before(async () => {
  if (skip) return;
  it = await createSubtensorWorld({ keys: { impostor: 'ed25519' } });
  ({ world, node } = it);
});
after(() => it?.end());

const list = (as, options) => world.sv(['manifest', 'list'], { as, ...options });
const publicKey = (name) => JSON.parse(readFileSync(world.path('wallets', 'default', 'hotkeys', name))).publicKey.toLowerCase();

async function setOwner(name) {
  await node.setOwner(NETUID, world.keys[name].address);
  await node.newBlock(3);
}

// A node that tells the impostor's key where the state has the operator's.
async function startLiar() {
  const [truth, lie] = [publicKey('operator'), publicKey('impostor')];
  const told = (value) => (String(value).toLowerCase() === truth ? lie : value);
  return it.faulty({
    state_getStorage: async (params, forward) => told(await forward()),
    state_queryStorageAt: async (params, forward) => (await forward())
      .map((set) => ({ ...set, changes: set.changes.map(([key, value]) => [key, told(value)]) })),
  });
}

test('an owner for a moment revokes nothing at a reader who knows another', { skip }, async () => {
  const { operator, impostor } = world.keys;
  await list('before');
  await setOwner('impostor');
  await node.outwaitRateLimit(NETUID, impostor.address);
  await world.sv(['manifest', 'signers', 'revoke', operator.address, '--yes'], { as: 'impostor' });
  const { stderr } = await list('before');
  for (const part of [operator.address, impostor.address, '--accept-owner']) assert.ok(stderr.includes(part), stderr);
  await list('convinced', { expect: 3 });
  await setOwner('operator');
  assert.equal((await list('before')).stderr, '');
});

test('nor does one that a node has made up', { skip }, async () => {
  const liar = await startLiar();
  const { stderr } = await list('before', { env: liar.env });
  assert.ok(stderr.includes(world.keys.impostor.address), `the lie was told: ${stderr}`);
  assert.equal((await list('before')).stderr, '');
  await list('fresh');
});

test('where a node has lied from the first, the message says what to take out', { skip }, async () => {
  const { impostor, operator } = world.keys;
  const { stderr } = await list('convinced', { expect: 3 });
  const [, file] = /`revoked_by` and `revoked` in (\S+),/.exec(stderr) ?? assert.fail(stderr);
  assert.deepEqual(JSON.parse(readFileSync(file)).revoked_by, { [impostor.address]: [operator.address] });
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file)), revoked_by: {} }));
  assert.match((await list('convinced')).stderr, /--accept-owner/);
  await world.sv(['manifest', 'list', '--accept-owner'], { as: 'convinced' });
  assert.equal((await list('convinced')).stderr, '');
});
