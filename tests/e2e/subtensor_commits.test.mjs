// Commitments on a real Subtensor runtime: what its pallet allows, what other programs do with the same hotkey, what happens
// between signing and inclusion, and a runtime that is replaced on the way.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { waitFor } from './harness.mjs';
import { refused } from './refusing.mjs';
import { BALL, PLAYER } from './season.mjs';
import { NETUID, WINDOW, committing, createSubtensorWorld, skip } from './subtensor_world.mjs';

const KEYS = { miner: 'ed25519', modern: 'sr25519', leaving: 'ed25519', shared: 'sr25519', lost: 'ed25519', moved: 'sr25519', slow: 'ed25519', hasty: 'sr25519', crowded: 'ed25519', upgrading: 'sr25519', signing: 'ed25519' };
let it, world, node, proxy;

before(async () => {
  if (skip) return;
  it = await createSubtensorWorld({ keys: KEYS });
  ({ world, node, proxy } = it);
});
after(() => it?.end());

const addressOf = (name) => world.keys[name].address;
const blockOf = (proof) => Number(proof.split(':')[0]);
const explain = async (proof) => (await world.sv(['chain', 'proof', proof])).stdout;
const receipts = (name) => readdirSync(world.path('homes', name, 'commitments'));

// Another program that has the same hotkey commits @text.
async function commitByAnother(name, text) {
  const [{ ApiPromise, HttpProvider }, { Keyring }] = await Promise.all([import('@polkadot/api'), import('@polkadot/keyring')]);
  const api = await ApiPromise.create({ provider: new HttpProvider(node.endpoint), noInitWarn: true });
  const key = new Keyring({ type: KEYS[name] ?? 'ed25519' }).addFromUri(world.keys[name].seed);
  assert.equal(key.address, addressOf(name));
  await node.outwaitRateLimit(NETUID, key.address);
  const call = api.tx.commitments.setCommitment(NETUID, { fields: [{ [`Raw${text.length}`]: text }] });
  await node.rpc('author_submitExtrinsic', (await call.signAsync(key, { nonce: await node.rpc('system_accountNextIndex', key.address) })).toHex());
  await node.newBlock();
}

// While @work runs, blocks are made by hand.
async function byHand(work) {
  await node.setInstant(false);
  try {
    return await work();
  } finally {
    await node.setInstant(true);
  }
}

const waiting = () => waitFor('an extrinsic in the pool', async () => (await node.rpc('author_pendingExtrinsics')).length > 0);

test('both kinds of keys commit, and their proofs are explained', { skip }, async () => {
  for (const name of ['miner', 'modern']) {
    const text = await explain(await it.commit(name));
    assert.match(text, new RegExp(addressOf(name)));
    assert.match(text, /succeeded/);
  }
});

test('a subnet that is not there shows in the status of the chain', { skip }, async () => {
  assert.match((await world.sv(['chain', 'status', '--netuid', '777'])).stdout, /^owner +none: is SCOREVISION_NETUID right\?$/m);
  const { fallback, owner } = await world.json(['chain', 'status', '--netuid', '777', '--chain-fallback', node.endpoint]);
  assert.deepEqual([fallback, owner], [node.endpoint, null]);
});

test('what the pallet would refuse is refused before it is signed', { skip }, async () => {
  await world.key('stranger');
  const before = proxy.calls.length;
  for (const more of [[], ['--dry-run']]) {
    await refused(world, [...committing(), ...more], 6, /not registered on subnet 1.*btcli subnet register/, { as: 'stranger' });
    await refused(world, [...committing(BALL, 80), ...more], 5, /takes no further commitment of hotkey \w+ before block \d+ \(now \d+\): wait until then/, { as: 'miner' });
  }
  const long = committing(BALL, 80).map((arg) => arg.replace('lynx', 'l'.repeat(60)));
  await refused(world, long, 6, /\d+ bytes on the chain, which has room for 128/, { as: 'modern' });
  assert.ok(!proxy.calls.slice(before).some(({ method }) => method === 'author_submitExtrinsic'));
  await it.commit('miner', { id: BALL, cap: 80 });
});

test('a hotkey that is unregistered after the check is included and fails, and the miner is told why', { skip }, async () => {
  proxy.on('author_submitExtrinsic', async (params, forward) => {
    await node.unregister(NETUID, addressOf('leaving'));
    return forward();
  });
  await refused(world, committing(), 1, /included in block \d+ but failed there: Commitments\.AccountNotAllowedCommit.*register it/s, { as: 'leaving' });
  proxy.behave();
  assert.deepEqual(receipts('leaving'), []);
  await node.register(NETUID, addressOf('leaving'));
  await it.commit('leaving');
});

test('another program that takes the slot of a miner takes nothing from him', { skip }, async () => {
  const proof = await it.commit('shared');
  await commitByAnother('shared', '{"model":"other/program"}');
  assert.match(await explain(proof), /succeeded/);
  await it.commit('shared', { id: BALL, cap: 80 });
  assert.match(await explain(proof), /succeeded/);
});

test('another program that takes the slot of the anchor is noticed, and the anchor put back by the same command', { skip }, async () => {
  const current = async () => (await world.json(['manifest', 'current'])).anchor;
  assert.equal(await current(), 'anchored');
  await commitByAnother('operator', 'somebody else');
  assert.equal(await current(), 'pending');
  const publish = ['manifest', 'publish', world.path('authored', `${WINDOW}.json`), '--yes'];
  await refused(world, publish, 5, /is public, not anchored; run the same command again after block \d+/);
  await node.outwaitRateLimit(NETUID, addressOf('operator'));
  await world.sv(publish);
  await waitFor('the anchor to be final', async () => (await current()) === 'anchored');
});

test('an anchor is not overwritten by the same hotkey\'s commitments', { skip }, async () => {
  await node.outwaitRateLimit(NETUID, addressOf('operator'));
  await refused(world, committing(), 6, /anchor/, { as: 'operator' });
});

test('an answer that is lost after the node took the extrinsic changes nothing', { skip }, async () => {
  let lost = 0;
  proxy.wire = async ({ asked, outgoing, answers, pass }) => {
    if (lost > 0 || ![asked].flat().some(({ method }) => method === 'author_submitExtrinsic')) return pass();
    lost++;
    await answers();
    return outgoing.destroy();
  };
  const proof = await it.commit('lost');
  proxy.behave();
  assert.equal(lost, 1);
  assert.match(await explain(proof), /succeeded/);
});

test('a reorganisation that moves the extrinsic gives the proof of its final place', { skip }, () => byHand(async () => {
  const fork = await node.rpc('chain_getBlockHash');
  const running = it.commit('moved');
  await waiting();
  await node.newBlock();
  const first = Number((await node.rpc('chain_getHeader')).number);
  await waitFor('the miner to look for it to be final', () => proxy.calls.at(-1)?.method === 'chain_getFinalizedHead');
  let goOn; // the miner sees the chain again when it has moved
  const moved = new Promise((resolve) => { goOn = resolve; });
  proxy.wire = async ({ pass }) => { await moved; await pass(); };
  await node.setHead(fork);
  const [hex] = await node.rpc('author_pendingExtrinsics');
  await node.clearPool();
  await node.newBlock(2);
  await node.rpc('author_submitExtrinsic', hex);
  await node.newBlock(3);
  proxy.behave();
  goOn();
  const proof = await running;
  assert.equal(blockOf(proof), first + 2);
  assert.match(await explain(proof), /succeeded/);
}));

test('a commitment that an interrupted run got into a block is waited for by the same command', { skip }, () => byHand(async () => {
  await node.outwaitRateLimit(NETUID, addressOf('hasty'));
  const first = world.sv([...committing(), '--no-wait'], { as: 'hasty' });
  await waiting();
  await node.newBlock();
  await first;
  let isOver = false;
  const seen = proxy.calls.length;
  const second = world.sv(committing(), { as: 'hasty' }).finally(() => { isOver = true; });
  await waitFor('the second run to look for heads and for nothing else', () => {
    const last = proxy.calls.slice(seen).slice(-6);
    return isOver || (last.length === 6 && last.every(({ method }) => /^chain_get(Header|FinalizedHead)$/.test(method)));
  });
  assert.ok(!isOver, 'it has not waited');
  await node.newBlock(2);
  assert.match((await second).stdout, /in force already; nothing was submitted/);
}));

test('an interrupted commit is taken up by the same command, and is on the chain once', { skip }, () => byHand(async () => {
  await node.outwaitRateLimit(NETUID, addressOf('slow'));
  const args = [...committing(), '--no-wait'];
  const first = world.sv(args, { as: 'slow', expect: null });
  await waiting();
  const [hex] = await node.rpc('author_pendingExtrinsics');
  const second = world.sv(args, { as: 'slow' });
  await waitFor('the second run to hand in the same extrinsic', () => (
    proxy.calls.filter(({ method, params }) => method === 'author_submitExtrinsic' && params[0] === hex).length === 2));
  await node.newBlock(2);
  assert.equal((await first).status, 0);
  await second;
  assert.equal((await node.rpc('system_accountNextIndex', addressOf('slow'))), 1);
}));

test('several runs at once put a commitment on the chain once', { skip }, async () => {
  await Promise.all([1, 2, 3].map(() => world.sv(committing(), { as: 'crowded' })));
  assert.equal(await node.rpc('system_accountNextIndex', addressOf('crowded')), 1);
});

test('a runtime that is replaced between two commitments is learnt, and proofs from before it are still read', { skip }, async () => {
  const before = await it.commit('upgrading');
  await node.upgrade(219);
  const after = await it.commit('upgrading', { id: BALL, cap: 80 });
  assert.ok(blockOf(after) > blockOf(before));
  for (const proof of [before, after]) assert.match(await explain(proof), /succeeded/);
  assert.match((await world.sv(['chain', 'status'])).stdout, /node-subtensor 219/);
});

test('a runtime that is replaced after signing refuses the extrinsic, and the same command signs anew', { skip }, async () => {
  let upgraded = false;
  proxy.on('author_submitExtrinsic', async (params, forward) => {
    if (!upgraded) await node.upgrade(220);
    upgraded = true;
    return forward();
  });
  await refused(world, committing(), 6, /does not take this extrinsic any more.*run the same command again/s, { as: 'signing' });
  proxy.behave();
  assert.match(await explain(await it.commit('signing')), /succeeded/);
});
