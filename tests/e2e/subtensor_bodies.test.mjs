// A node cannot hide, invent or change commitments: what it gives as a block's extrinsics must be what the block's header
// commits to. The blocks are a real runtime's.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build, run } from './harness.mjs';
import { changedExtrinsics, hiddenExtrinsics, spoiledExtrinsics, startFaultyNode } from '../support/subtensor/faulty_node.mjs';
import { absent, start } from '../support/subtensor/node.mjs';

const skip = absent() ?? false;
const dir = mkdtempSync(path.join(tmpdir(), 'sv-bodies-'));
const NETUID = 1;
let node, proxy, block, number, waiting;

before(async () => {
  if (skip) return;
  const [{ ApiPromise, HttpProvider }, { Keyring }] = await Promise.all([import('@polkadot/api'), import('@polkadot/keyring')]);
  node = await start();
  proxy = await startFaultyNode(node.endpoint);
  const api = await ApiPromise.create({ provider: new HttpProvider(node.endpoint), noInitWarn: true });
  const keys = ['first', 'second', 'third'].map((name) => new Keyring({ type: 'sr25519' }).addFromUri(`//${name}`));
  await node.register(NETUID, ...keys.map(({ address }) => address));
  const commit = async (key) => (await api.tx.commitments.setCommitment(NETUID, { fields: [{ Raw5: 'hello' }] }).signAsync(key, { nonce: 0 })).toHex();
  for (const key of keys.slice(0, 2)) await node.rpc('author_submitExtrinsic', await commit(key));
  block = await node.newBlock();
  number = Number((await node.rpc('chain_getHeader')).number);
  waiting = await commit(keys[2]);
  await node.newBlock(2);
});
after(async () => {
  rmSync(dir, { recursive: true });
  await proxy?.stop();
  await node?.stop();
});

const list = () => run(path.join(build, 'tests', 'support', 'list_records'), ['chain'], {
  env: { ...process.env, HOME: dir, SCOREVISION_HOME: path.join(dir, 'home'), BITTENSOR_SUBTENSOR_ENDPOINT: proxy.endpoint, SCOREVISION_NETUID: String(NETUID) },
  cwd: dir,
});

// The blocks of the commitments that are read while the node behaves as @faults say.
async function readBlocks(faults = {}) {
  proxy.behave();
  proxy.on(faults);
  const { status, stdout, stderr } = await list();
  assert.equal(status, 0, stderr);
  return stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line).block);
}

async function assertRefused(faults, at = number) {
  proxy.behave();
  proxy.on(faults);
  const { status, stdout, stderr } = await list();
  assert.equal(status, 1, stdout);
  assert.ok(stderr.includes(`lies about block ${at}: the extrinsics it gives are not those that the block's header commits to; do not trust this endpoint, use another one`), stderr);
}

// Every block as it is but for those with commitments.
const changed = (change) => changedExtrinsics((extrinsics) => (extrinsics.length > 1 ? change(extrinsics) : extrinsics));

test('what the node gives as it is is read', { skip }, async () => {
  assert.deepEqual(await readBlocks(), [number, number]);
});

test('a body that lacks extrinsics is refused', { skip }, async () => {
  await assertRefused(hiddenExtrinsics);
  await assertRefused(changed((extrinsics) => extrinsics.slice(0, -1)));
  await assertRefused(changed(([time, , ...others]) => [time, ...others]));
  await assertRefused(changed(() => []));
  await assertRefused(changedExtrinsics(() => []), 1);
});

test('a body with more extrinsics is refused, valid ones too', { skip }, async () => {
  await assertRefused(changed((extrinsics) => [...extrinsics, waiting]));
  await assertRefused(changed((extrinsics) => [...extrinsics, extrinsics.at(-1)]));
  await assertRefused(changedExtrinsics((extrinsics) => [...extrinsics, waiting]), 1);
});

test('a body with other extrinsics, or in another order, is refused', { skip }, async () => {
  await assertRefused(spoiledExtrinsics);
  await assertRefused(changed(([time, one]) => [time, one, waiting]));
  await assertRefused(changed(([time, one, other]) => [time, other, one]));
});

test('a genesis block holds no commitments, whatever the node says', { skip }, async () => {
  const genesis = await node.rpc('chain_getBlockHash', 0);
  const { block: { extrinsics } } = await node.rpc('chain_getBlock', block);
  const invented = {
    chain_getBlock: async ([hash], forward) => {
      const told = await forward();
      return hash === genesis ? { ...told, block: { ...told.block, extrinsics } } : told;
    },
  };
  assert.deepEqual(await readBlocks(invented), [number, number]);
  assert.ok(proxy.calls.some(({ method, params }) => method === 'chain_getBlock' && params[0] === genesis), 'the genesis block was not asked for');
});
