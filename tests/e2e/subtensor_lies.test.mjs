// Lies about a real chain that are not seen in a single answer: blocks of another branch, a chain that is replaced under a running
// server, and heads that are refused. What was checked once must not be taken back, and a lie must leave nothing behind.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { fails, otherGenesis, pruned } from '../support/subtensor/faulty_node.mjs';
import { blake2AsHex, xxhashAsHex } from '@polkadot/util-crypto';
import { BALL } from './season.mjs';
import { refused } from './refusing.mjs';
import { committing, createSubtensorWorld, skip } from './subtensor_world.mjs';
import { waitFor } from './harness.mjs';

let it, world, node;

before(async () => {
  if (skip) return;
  it = await createSubtensorWorld({ keys: { miner: 'sr25519', late: 'ed25519', foreign: 'sr25519', upgraded: 'sr25519', fooled: 'ed25519', hidden: 'sr25519' } });
  ({ world, node } = it);
});
after(() => it?.end());

const hashAt = (number) => node.rpc('chain_getBlockHash', number);
const specVersion = async () => Number((await node.rpc('state_getRuntimeVersion')).specVersion);
const headNumber = async () => Number((await node.rpc('chain_getHeader')).number);
const proofOf = (proof) => ['chain', 'proof', proof];
const serveBehind = (proxy, name) => world.startServe({ env: { ...proxy.env, SCOREVISION_DATABASE: `sqlite:${world.path(`${name}.sqlite`)}` } });
const blockOf = async (serve) => (await (await fetch(`${serve.url}/readyz`)).json()).block;

// The node takes a block of an abandoned branch for the one at its height.
const abandoned = (number, hash) => ({
  chain_getBlockHash: async (params, forward) => {
    const told = await forward();
    return Array.isArray(told) ? told.map((one, i) => (Number(params[0][i]) === number ? hash : one)) : Number(params[0]) === number ? hash : told;
  },
});

// A commitment in a block that a reorganisation has dropped: { proof, number, hash }, with one block above its place.
async function dropCommitment() {
  await node.outwaitRateLimit(1, world.keys.miner.address);
  await node.setInstant(false);
  const fork = await node.rpc('chain_getBlockHash');
  const running = world.json([...committing(), '--no-wait'], { as: 'miner' });
  await waitFor('an extrinsic in the pool', async () => (await node.rpc('author_pendingExtrinsics')).length > 0);
  await node.newBlock();
  const { proofs: [proof] } = await running;
  const number = await headNumber(), hash = await hashAt(number);
  await node.setHead(fork);
  await node.clearPool();
  await node.newBlock(2);
  await node.setInstant(true);
  return { proof, number, hash };
}

describe('a block of an abandoned branch', { skip }, () => {
  let dropped, liar;

  test('is not taken for the finalized one', async () => {
    dropped = await dropCommitment();
    assert.notEqual(await hashAt(dropped.number), dropped.hash);
    liar = await it.faulty(abandoned(dropped.number, dropped.hash));
    await refused(world, proofOf(dropped.proof), 5, /was reorganised at block \d+ while it was read/, { env: liar.env });
  });

  test('is not taken for a final one where a second endpoint contradicts', async () => {
    await node.newBlock(3);
    const message = /endpoints do not agree: block \d+, which is final.*find out which of them is right/;
    await refused(world, proofOf(dropped.proof), 3, message, { env: { ...liar.env, BITTENSOR_SUBTENSOR_FALLBACK: node.endpoint } });
  });
});

// Other programs use the same pallet, and what they have put over their own texts is lost to a node that keeps no old state.
describe('an endpoint that forgets what became of others', { skip }, () => {
  let forgetful;

  // Hands in a commitment of these fields for each of @fields; returns the extrinsics' hashes.
  async function handIn(name, ...fields) {
    const [{ ApiPromise, HttpProvider }, { Keyring }] = await Promise.all([import('@polkadot/api'), import('@polkadot/keyring')]);
    const api = await ApiPromise.create({ provider: new HttpProvider(node.endpoint), noInitWarn: true });
    const key = new Keyring({ type: world.keys[name].scheme }).addFromUri(world.keys[name].seed);
    const hashes = [];
    for (const field of fields) {
      const nonce = await node.rpc('system_accountNextIndex', key.address);
      const call = api.tx.commitments.setCommitment(1, { fields: [field] });
      hashes.push(await node.rpc('author_submitExtrinsic', (await call.signAsync(key, { nonce })).toHex()));
    }
    return hashes;
  }

  async function commitByAnother(name, ...fields) {
    for (const field of fields) {
      await node.outwaitRateLimit(1, world.keys[name].address);
      await handIn(name, field);
      await node.newBlock();
    }
  }
  const raw = (text) => ({ [`Raw${Buffer.byteLength(text)}`]: text });

  test('lets a server judge all the same where they concern nobody here', async () => {
    await commitByAnother('foreign', raw('{"model":"a"}'), { Raw2: '0xff00' }, { BlakeTwo256: `0x${'11'.repeat(32)}` },
      raw(`sv1 manifest sha256:${'0'.repeat(64)} 9`), { None: null }, raw('sv1 ' + 'x'.repeat(60)), raw('gone'));
    await node.newBlock(3);
    forgetful = await it.faulty(pruned(2));
    const serve = await serveBehind(forgetful, 'forgetful');
    await waitFor('the server to be at the head', async () => (await blockOf(serve)) >= await headNumber());
    assert.doesNotMatch(serve.child.output.stderr, /cannot be read/);
    await serve.stop();
  });

  test('does not take a failed commitment for the one with the same text in the same block', async () => {
    await node.outwaitRateLimit(1, world.keys.foreign.address);
    await node.setInstant(false);
    const hashes = await handIn('foreign', raw('sv1 withdraw 2025-10-22\nA'), raw('sv1 withdraw 2025-10-22\nA'));
    await node.newBlock(5);
    await node.setInstant(true);
    const block = (await headNumber()) - 4;
    assert.match((await world.sv(proofOf(`${block}:${hashes[0]}`))).stdout, /set_commitment, succeeded/);
    assert.match((await world.sv(proofOf(`${block}:${hashes[1]}`), { expect: null })).stdout, /set_commitment, failed/);
    for (const hash of hashes) await refused(world, proofOf(`${block}:${hash}`), 5, /cannot be read/, { env: forgetful.env });
  });

  test('does not keep a miner from committing where others bound themselves to something', async () => {
    await it.commit('late');
    await commitByAnother('foreign', raw('sv1 withdraw 2025-10-23\nA'), raw('gone'));
    await node.newBlock(3);
    await node.outwaitRateLimit(1, world.keys.late.address);
    await world.sv(committing(BALL, 80), { as: 'late', env: { ...forgetful.env, SCOREVISION_HOME: world.path('homes', 'another') } });
  });

  test('is understood where it calls what is gone empty', async () => {
    const proof = await it.commit('miner');
    const events = xxhashAsHex('System', 128) + xxhashAsHex('Events', 128).slice(2);
    const empty = await it.faulty({ state_getStorage: (params, forward) => (params[0] === events ? null : forward()) });
    assert.match((await world.sv(proofOf(proof), { env: empty.env })).stdout, /set_commitment, succeeded/);
  });

  test('leaves a server undecided where they concern somebody', async () => {
    const serve = await serveBehind(forgetful, 'undecided');
    await waitFor('the server to say so', () => /blocks cannot be read any more/.test(serve.child.output.stderr));
    await serve.stop();
  });
});

describe('metadata that an endpoint made up', { skip }, () => {
  test('are noticed where a second endpoint contradicts', async () => {
    const proxy = await it.faulty(withoutCommitments(await specVersion()));
    const message = /endpoints do not agree.*different metadata for the same runtime.*find out which of them is right/;
    await refused(world, ['chain', 'status'], 3, message, { env: { ...proxy.env, BITTENSOR_SUBTENSOR_FALLBACK: node.endpoint } });
  });

  test('are not believed for longer than a day', async () => {
    const proxy = await it.faulty(withoutCommitments(await specVersion()));
    const options = { as: 'fooled', env: proxy.env };
    await node.outwaitRateLimit(1, world.keys.fooled.address);
    await refused(world, committing(), 4, /has no .*Commitments/, options);
    proxy.behave();
    const cache = world.path('homes', 'fooled', 'cache');
    const yesterday = Date.now() / 1000 - 25 * 60 * 60;
    for (const name of readdirSync(cache)) utimesSync(path.join(cache, name), yesterday, yesterday);
    await world.sv(committing(), options);
  });
});

describe('commitments that an endpoint hid', { skip }, () => {
  test('are found again when it is honest, and are not made twice', async () => {
    await it.commit('hidden');
    await node.newBlock(3);
    const prefix = xxhashAsHex('Commitments', 128);
    const proxy = await it.faulty({
      state_getStorage: (params, forward) => (params[0].startsWith(prefix) ? null : forward()),
      author_submitExtrinsic: fails(1016, 'Immediately Dropped'),
    });
    const options = { as: 'hidden', env: { ...proxy.env, SCOREVISION_HOME: world.path('homes', 'elsewhere') } };
    await refused(world, committing(BALL, 80), 5, /takes no extrinsic now/, options);
    proxy.behave();
    await node.outwaitRateLimit(1, world.keys.hidden.address);
    await world.sv(committing(), options);
    assert.equal(proxy.calls.filter(({ method }) => method === 'author_submitExtrinsic').length, 1);
  });
});

describe('a block number beyond all chains', { skip }, () => {
  test('is refused, and does not end a command in the middle', async () => {
    const head = await node.rpc('chain_getHeader');
    for (const number of ['0x100000000', '0x20000000000001', '0xffffffffffffffff']) {
      const far = { ...head, number, digest: { logs: [] } };
      const known = (params) => params.filter((param) => param !== hashOfHeader(far));
      const proxy = await it.faulty({
        chain_getFinalizedHead: () => hashOfHeader(far),
        chain_getHeader: (params, forward) => (known(params).length === 0 ? far : forward()),
        'state_*': (params, forward) => forward(known(params)),
      });
      await refused(world, committing(), 3, /block header: number.*32 bits/, { as: 'miner', env: proxy.env });
    }
  });
});

describe('a server', { skip }, () => {
  test('notices that its endpoint is put before another chain, and goes on when it is put back', async () => {
    const proxy = await it.faulty();
    const serve = await serveBehind(proxy, 'replaced');
    proxy.on(otherGenesis());
    await node.newBlock();
    await waitFor('the server to notice', () => /is of another chain now: its genesis is 0x9999/.test(serve.child.output.stderr));
    proxy.behave();
    await node.newBlock();
    const head = await headNumber();
    await waitFor('the server to follow again', async () => (await blockOf(serve)) >= head);
    await serve.stop();
  });

  test('does not follow a chain on which something else was final', async () => {
    const proxy = await it.faulty();
    const serve = await serveBehind(proxy, 'rewritten');
    const final = (await blockOf(serve)) - 1;
    proxy.on(abandoned(final, `0x${'77'.repeat(32)}`));
    await node.newBlock(3);
    const message = new RegExp(`contradicts itself: finalized block ${final} was 0x\\w{64} and is 0x7777`);
    await waitFor('the server to notice', () => message.test(serve.child.output.stderr));
    assert.ok((await blockOf(serve)) <= final + 1);
    await serve.stop();
  });

  // The runtime that such a head names would else be taken for that of all blocks up to it, and these would be read by the wrong
  // metadata for as long as the server runs. Here the first runtime's metadata know no commitments, and the next one's do.
  test('remembers nothing of a head that it refused', async () => {
    const proxy = await it.faulty();
    const fine = { ...proxy.faults, ...withoutCommitments(await specVersion()) };
    proxy.on(fine);
    const serve = await serveBehind(proxy, 'refused');
    const head = await node.rpc('chain_getHeader');
    const far = { ...head, number: '0xfffffff0', digest: { logs: [] } };
    const farHash = hashOfHeader(far);
    const known = (params) => params.map((param) => (param === farHash ? null : param)).filter((param) => param !== null);
    proxy.on({
      ...fine,
      chain_getFinalizedHead: () => farHash,
      chain_getHeader: (params, forward) => (params[0] === farHash ? far : forward()),
      state_getRuntimeVersion: (params, forward) => forward(known(params)),
    });
    await node.newBlock();
    await waitFor('the server to refuse it', () => /4294967280 as final and \d+ as its best/.test(serve.child.output.stderr));
    proxy.behave();
    proxy.on(fine);
    await node.upgrade(231);
    const proof = await it.commit('upgraded');
    await node.newBlock(3);
    await waitFor('the server to have read the commitment', async () => {
      const { commitments } = await (await fetch(`${serve.url}/api/commitments?hotkey=${world.keys.upgraded.address}`)).json();
      return commitments[0].bindings[0].commitment_proof === proof;
    });
    await serve.stop();
  });
});

// BLAKE2b-256 of a header without a digest, encoded.
function hashOfHeader({ parentHash, number, stateRoot, extrinsicsRoot }) {
  const digits = BigInt(number).toString(16).padStart(16, '0');
  const bytes = Buffer.from(digits, 'hex').reverse();
  const length = bytes.findLastIndex((byte) => byte !== 0) + 1;
  const compact = Buffer.concat([Buffer.from([((length - 4) << 2) | 3]), bytes.subarray(0, length)]).toString('hex');
  const hex = [parentHash, `0x${compact}`, stateRoot, extrinsicsRoot, '0x00'].map((text) => text.slice(2)).join('');
  return blake2AsHex(`0x${hex}`, 256);
}

// Metadata of runtime @spec in which the pallet has another name.
function withoutCommitments(spec) {
  const rename = (hex) => hex.replaceAll(Buffer.from('Commitments').toString('hex'), Buffer.from('Cummitments').toString('hex'));
  const change = async (told, at, forward) => (
    Number((await forward([at], 'state_getRuntimeVersion')).specVersion) === spec ? rename(told) : told);
  return {
    state_getMetadata: async ([at], forward) => change(await forward(), at, forward),
    state_call: async (params, forward) => change(await forward(), params[2], forward),
  };
}
