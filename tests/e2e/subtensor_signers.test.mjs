// Changing signers on a real Subtensor runtime: anchors of an added signer, and a revocation in the owner's slot, which has room for
// 128 bytes on this runtime.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { football } from './season.mjs';
import { NETUID, createSubtensorWorld, skip } from './subtensor_world.mjs';

let it, world, node;

before(async () => {
  if (skip) return;
  it = await createSubtensorWorld({ keys: { next: 'sr25519', stolen: 'ed25519' } });
  ({ world, node } = it);
});
after(() => it?.end());

const addressOf = (name) => world.keys[name].address;

test('an added key publishes and anchors; the old one retires', { skip }, async () => {
  await world.json(['manifest', 'signers', 'add', addressOf('next')]);
  await world.json(['manifest', 'signers', 'add', addressOf('stolen')], { as: 'next' });
  await node.outwaitRateLimit(NETUID, addressOf('next'));
  const published = await world.publish(football('2025-10-24', 100_000, 100_100, it.clip.hash), { as: 'next' });
  assert.equal(published.anchor.sequence, 2);
  await node.newBlock(2);
  const current = await world.json(['manifest', 'current', '--require-anchor'], { as: 'reader' });
  assert.deepEqual([current.signed_by, current.anchor], [addressOf('operator'), 'anchored']);
  const retired = await world.json(['manifest', 'signers', 'retire', addressOf('operator'), '--yes'], { as: 'next' });
  assert.equal(retired.n, 3);
  const again = await world.json(['manifest', 'current'], { as: 'reader' });
  assert.equal(again.manifest_hash, current.manifest_hash);
});

test('the owner revokes in his slot, and is told when the pallet takes it', { skip }, async () => {
  await node.outwaitRateLimit(NETUID, addressOf('operator'));
  const refused = await world.sv(['manifest', 'signers', 'revoke', addressOf('stolen'), '--yes'], { as: 'next', expect: 6 });
  assert.match(refused.stderr, new RegExp(addressOf('operator')));
  const revoked = await world.json(['manifest', 'signers', 'revoke', addressOf('stolen'), '--yes']);
  assert.deepEqual([revoked.text, revoked.final], [`sv1 revoke\n${addressOf('stolen')}`, true]);
  const { signers } = await world.json(['manifest', 'signers'], { as: 'reader' });
  assert.deepEqual(signers.map(({ account, state }) => [account, state]),
    [[addressOf('operator'), 'retired'], [addressOf('next'), 'trusted'], [addressOf('stolen'), 'revoked']]);
  const later = await world.sv(['manifest', 'signers', 'revoke', addressOf('next'), '--yes'], { expect: null });
  assert.equal(later.status, 5, later.stderr);
  assert.match(later.stderr, /run the same command again after block \d+/);
});
