// Bad days of the endpoint of a real chain: it is down, slow, talks nonsense, counts requests, lies, or is not what it seems. Each
// ends well where waiting helps or a second endpoint does, and else with a message that says whose fault it is and what to do.
import { after, before, describe, test } from 'node:test';
import {
  answers, budgetSpent, changedHeader, cut, down, dripping, fails, finalizedBack, first, frozenAt, garbage, hiddenExtrinsics, lyingHash, mixedIds,
  noBatches, otherGenesis, otherStorage, pruned, shiftedTime, silent, spoiledExtrinsics, status, swappedBlock, until,
} from '../support/subtensor/faulty_node.mjs';
import assert from 'node:assert/strict';
import { xxhashAsHex } from '@polkadot/util-crypto';
import { refused } from './refusing.mjs';
import { committing, createSubtensorWorld, skip } from './subtensor_world.mjs';
import { waitFor } from './harness.mjs';

const STATUS = ['chain', 'status'];
const OWNER_OF_1 = '0x658faa385070e074c85bf6b568cf055568b7553499633fe05caf4d8a51aefe5c0100'; // SubtensorModule.SubnetOwnerHotkey(1)
const PERMITS_OF_1 = '0x658faa385070e074c85bf6b568cf055556af5b07ace59da2c9d7f0d48bc931430100'; // SubtensorModule.ValidatorPermit(1)
const SECOND_ENDPOINT = /(http|ws):\/\/127\.0\.0\.1:\d+.*BITTENSOR_SUBTENSOR_FALLBACK/s;
let it, world, node, proof, block;

before(async () => {
  if (skip) return;
  it = await createSubtensorWorld({ keys: { miner: 'sr25519', other: 'ed25519' } });
  ({ world, node } = it);
  proof = await it.commit('miner');
  block = Number(proof.split(':')[0]);
  await node.newBlock(3);
});
after(() => it?.end());

const hashAt = (number) => node.rpc('chain_getBlockHash', number);

// Runs @args against a node with these faults; the proxy is returned, too.
async function asked(faults, wire, args = STATUS, { env, ...options } = {}) {
  const proxy = await it.faulty(faults, wire);
  return { proxy, ...await world.sv(args, { ...options, env: { ...proxy.env, ...env } }) };
}

async function refusedBy(faults, wire, code, message, args = STATUS, { env, ...options } = {}) {
  const proxy = await it.faulty(faults, wire);
  await refused(world, args, code, message, { ...options, env: { ...proxy.env, ...env } });
  return proxy;
}

describe('an endpoint that does not answer as it should', { skip, concurrency: 4 }, () => {
  test('is asked again, and then named with what to do: it is down', () => refusedBy({}, down, 5, SECOND_ENDPOINT));
  test('… nobody listens there', () => refused(world, STATUS, 5, SECOND_ENDPOINT, { env: { BITTENSOR_SUBTENSOR_ENDPOINT: 'ws://127.0.0.1:1' } }));
  test('… it answers with a page', () => refusedBy({}, garbage('<html>welcome</html>'), 5, SECOND_ENDPOINT));
  test('… its answers are cut off', () => refusedBy({}, cut, 5, SECOND_ENDPOINT));
  test('… it answers other questions than those asked', () => refusedBy({}, mixedIds, 5, SECOND_ENDPOINT));
  test('… its gateway has no node behind it', () => refusedBy({}, status(503), 5, /503.*BITTENSOR_SUBTENSOR_FALLBACK/));
  test('… too many requests, for ever', () => refusedBy({}, status(429, { 'retry-after': '5' }), 5, /429, too many requests.*BITTENSOR_SUBTENSOR_FALLBACK/));
  test('… its budget is spent, for ever', () => refusedBy(budgetSpent, null, 5, /the budget of this address is spent.*BITTENSOR_SUBTENSOR_FALLBACK/));
  test('… it drips', () => refusedBy({}, dripping(400), 5, SECOND_ENDPOINT));

  test('is waited for where that helps: it comes back', () => asked({}, until(2, down)));
  test('… too many requests, for a moment', async () => {
    const { proxy } = await asked({}, until(2, status(429, { 'retry-after': '1' })));
    assert.ok(proxy.exchanges > 2);
  });
  test('… its budget is spent, for a moment', () => asked({ '*': first(3, fails(-32004, 'budget spent')) }));
  test('… it takes no batches', () => asked({}, noBatches));
  test('… of several nodes behind it one has not come as far', () => asked({
    state_getRuntimeVersion: first(3, fails(4003, 'Client error: UnknownBlock: Header was not found in the database')),
  }));

  test('is left for a second endpoint', async () => {
    const second = await it.faulty();
    const { stderr } = await asked({}, silent, STATUS, { env: { BITTENSOR_SUBTENSOR_FALLBACK: second.endpoint } });
    assert.match(stderr, /another chain endpoint is used now/);
  });
});

describe('an endpoint that lies', { skip, concurrency: 4 }, () => {
  const explain = () => ['chain', 'proof', proof];

  test('about the hash of a block', () => refusedBy(lyingHash(block), null, 5, /names block 0x\w{64} and does not have it.*another endpoint/, explain()));
  test('about what a block holds', async () => {
    await refusedBy(swappedBlock(await hashAt(block - 1)), null, 3, /lies about block \d+.*do not trust this endpoint/, explain());
  });
  test('by changing or hiding extrinsics', async () => {
    const message = /lies about block \d+.*do not trust this endpoint/;
    await Promise.all([spoiledExtrinsics, hiddenExtrinsics].map((fault) => refusedBy(fault, null, 3, message, explain())));
  });
  test('about a header', async () => {
    await refusedBy(changedHeader(await hashAt(block)), null, 3, /lies about block \d+.*do not trust this endpoint/, explain());
  });
  test('about the extrinsic it was given', () => refusedBy({ author_submitExtrinsic: answers(`0x${'77'.repeat(32)}`) }, null, 3,
    /lies about the extrinsic it was given.*do not trust this endpoint/, committing(), { as: 'other' }));
  test('about the genesis', async () => {
    const env = { SCOREVISION_GENESIS: await hashAt(0) };
    await refusedBy(otherGenesis(), null, 3, /is another chain.*correct the endpoint or the pin/, STATUS, { env });
  });
  test('or is a second endpoint of another chain', async () => {
    const other = await it.faulty(otherGenesis());
    await refusedBy({}, null, 3, /is of another chain.*BITTENSOR_SUBTENSOR_FALLBACK/, STATUS, { env: { BITTENSOR_SUBTENSOR_FALLBACK: other.endpoint } });
  });
  test('about the owner, and a second endpoint contradicts', async () => {
    const other = await it.faulty(otherStorage({ [OWNER_OF_1]: `0x${'42'.repeat(32)}` }));
    const env = { BITTENSOR_SUBTENSOR_FALLBACK: other.endpoint, SCOREVISION_MANIFEST_SIGNERS: 'chain:owner' };
    await refusedBy({}, null, 3, /endpoints do not agree.*SubnetOwnerHotkey.*find out which of them is right/, ['manifest', 'current'], { as: 'other', env });
  });
  test('about what the owner has revoked, and a second endpoint contradicts', async () => {
    const prefix = xxhashAsHex('Commitments', 128) + xxhashAsHex('CommitmentOf', 128).slice(2);
    const other = await it.faulty({ state_getStorage: (params, forward) => (params[0].startsWith(prefix) ? null : forward()) });
    const env = { BITTENSOR_SUBTENSOR_FALLBACK: other.endpoint };
    await refusedBy({}, null, 3, /endpoints do not agree.*CommitmentOf.*find out which of them is right/, ['manifest', 'list'], { as: 'other', env });
  });
  test('about permits, and a second endpoint contradicts', async () => {
    const other = await it.faulty(otherStorage({ [PERMITS_OF_1]: null }));
    await refusedBy({}, null, 3, /endpoints do not agree.*ValidatorPermit/, STATUS, { env: { BITTENSOR_SUBTENSOR_FALLBACK: other.endpoint } });
  });
  test('about the time, which is told', async () => {
    const { stdout } = await asked(shiftedTime(600_000), null);
    assert.match(stdout, /^head .*\d+ min .*ahead of this machine's clock$/m);
  });
});

describe('an endpoint that forgets', { skip, concurrency: 4 }, () => {
  test('a block of a moment ago is not taken for one whose block is gone', () => refusedBy({ chain_getBlock: answers(null) }, null, 5,
    /names block \d+ and does not have it.*trying again may help/, ['chain', 'proof', proof]));
  test('what happened to a commitment still tells it of the last one of an account', async () => {
    const { stdout } = await asked(pruned(2), null, ['chain', 'proof', proof]);
    assert.match(stdout, /set_commitment, succeeded/);
  });
  test('where a second endpoint remembers', async () => {
    const archive = await it.faulty();
    const { stdout } = await asked(pruned(2), null, ['chain', 'proof', proof], { env: { BITTENSOR_SUBTENSOR_FALLBACK: archive.endpoint } });
    assert.match(stdout, /set_commitment, succeeded/);
  });
  test('does not keep a miner from committing', async () => {
    const { proxy } = await asked(pruned(2), null, committing(), { as: 'other' });
    assert.ok(proxy.calls.some(({ method }) => method === 'author_submitExtrinsic'));
  });
});

describe('a server', { skip }, () => {
  test('does not judge by a head that stands still', async () => {
    const proxy = await it.faulty(shiftedTime(-600_000));
    const serve = await world.startServe({ until: '/healthz', env: { ...proxy.env, SCOREVISION_DATABASE: `sqlite:${world.path('still.sqlite')}` } });
    await waitFor('the server to call the chain old', async () => (await (await fetch(`${serve.url}/readyz`)).text()).match(/old|behind|stands still|lag/i));
    assert.equal((await fetch(`${serve.url}/readyz`)).status, 503);
    await serve.stop();
  });

  test('does not judge by a head from the future', async () => {
    const proxy = await it.faulty(shiftedTime(600_000));
    const serve = await world.startServe({ until: '/healthz', env: { ...proxy.env, SCOREVISION_DATABASE: `sqlite:${world.path('future.sqlite')}` } });
    await waitFor('the server to notice', async () => /in the future/.test(await (await fetch(`${serve.url}/readyz`)).text()));
    assert.equal((await fetch(`${serve.url}/readyz`)).status, 503);
    await serve.stop();
  });

  test('does not go back with a finalized head that does', async () => {
    const proxy = await it.faulty();
    const serve = await world.startServe({ env: { ...proxy.env, SCOREVISION_DATABASE: `sqlite:${world.path('back.sqlite')}` } });
    proxy.on(finalizedBack(3));
    await node.newBlock();
    await waitFor('the server to notice', () => /finalized block/.test(serve.child.output.stderr));
    proxy.behave();
    await node.newBlock();
    const head = await world.head();
    await waitFor('the server to follow again', async () => (await (await fetch(`${serve.url}/readyz`)).json()).block >= head);
    await serve.stop();
  });

  test('goes on where it was when the endpoint falls behind', async () => {
    const proxy = await it.faulty();
    const serve = await world.startServe({ env: { ...proxy.env, SCOREVISION_DATABASE: `sqlite:${world.path('behind.sqlite')}` } });
    const head = await world.head();
    proxy.on(frozenAt(head - 2, 1));
    await waitFor('the server to be asked', () => proxy.calls.length > 0);
    proxy.behave();
    await node.newBlock(2);
    await waitFor('the server to follow again', async () => (await (await fetch(`${serve.url}/readyz`)).json()).block >= head + 2);
    await serve.stop();
  });
});
