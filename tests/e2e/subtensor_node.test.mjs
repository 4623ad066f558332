// The node that the tests of the real chain stand on keeps what support/subtensor promises, so that those tests prove something
// about our program and not about their own support. Read with other code than ours: @polkadot's.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { absent, start } from '../support/subtensor/node.mjs';

const skip = absent() ?? false;
let node, api, keys, signed, connect;

before(async () => {
  if (skip) return;
  const [{ ApiPromise, HttpProvider }, { Keyring }] = await Promise.all([import('@polkadot/api'), import('@polkadot/keyring')]);
  node = await start();
  connect = () => ApiPromise.create({ provider: new HttpProvider(node.endpoint), noInitWarn: true });
  api = await connect();
  keys = Object.fromEntries(['ed25519', 'sr25519', 'stranger'].map((name) => [name, new Keyring({ type: name === 'ed25519' ? name : 'sr25519' }).addFromUri(`//${name}`)]));
  await node.register(1, keys.ed25519.address, keys.sr25519.address);
  signed = async (key, text, { by = api, nonce } = {}) => {
    const call = by.tx.commitments.setCommitment(1, { fields: [{ [`Raw${text.length}`]: text }] });
    return (await call.signAsync(key, { nonce: nonce ?? await node.rpc('system_accountNextIndex', key.address) })).toHex();
  };
});
after(() => node?.stop());

const submit = (hex) => node.rpc('author_submitExtrinsic', hex);
const held = async (key) => (await api.query.commitments.commitmentOf(1, key.address)).unwrapOr(null)?.info.fields[0].inner.toUtf8();
const outcome = async () => (await api.query.system.events()).at(-1).event;

test('every hash is the hash of its header, and parents link up to the genesis block', { skip }, async () => {
  await node.newBlock(2);
  await node.skip(3);
  let { number } = await node.rpc('chain_getHeader');
  for (number = Number(number); number >= 0; number--) {
    const hash = await node.rpc('chain_getBlockHash', number);
    const header = api.registry.createType('Header', await node.rpc('chain_getHeader', hash));
    assert.equal(header.hash.toHex(), hash);
    assert.equal(header.number.toNumber(), number);
    if (number > 0) assert.equal(header.parentHash.toHex(), await node.rpc('chain_getBlockHash', number - 1));
  }
});

test('a block has the time of the clock', { skip }, async () => {
  const began = Date.now();
  await node.newBlock();
  const time = (await api.query.timestamp.now()).toNumber();
  assert.ok(began <= time && time <= Date.now() + 1000, `${time} after ${began}`);
});

test('commitments of both kinds of keys are included, once each', { skip }, async () => {
  for (const name of ['ed25519', 'sr25519']) {
    const hex = await signed(keys[name], `hello ${name}`);
    await submit(hex);
    await assert.rejects(submit(hex), { code: 1013 });
    await node.newBlock();
    assert.equal(await held(keys[name]), `hello ${name}`);
    await assert.rejects(submit(hex), { code: 1010, data: 'Transaction is outdated' });
  }
});

test('what is not signed as it says is refused, and so is a second extrinsic for one nonce', { skip }, async () => {
  const hex = await signed(keys.ed25519, 'tampered');
  await assert.rejects(submit(`${hex.slice(0, -1)}0`), { code: 1010, data: 'Transaction has a bad signature' });
  await submit(hex);
  await assert.rejects(submit(await signed(keys.ed25519, 'another', { nonce: 1 })), { code: 1014 });
  await node.newBlock();
});

test('the pallet includes and fails what it does not allow', { skip }, async () => {
  const failure = async (key) => {
    await submit(await signed(key, 'refused'));
    await node.newBlock();
    const { method, data } = await outcome();
    return `${method} ${api.registry.findMetaError(data[0].asModule).name}`;
  };
  assert.equal(await failure(keys.stranger), 'ExtrinsicFailed AccountNotAllowedCommit');
  assert.equal(await failure(keys.sr25519), 'ExtrinsicFailed CommitmentSetRateLimitExceeded');
  await node.outwaitRateLimit(1, keys.sr25519.address);
  await submit(await signed(keys.sr25519, 'allowed'));
  await node.newBlock();
  assert.equal((await outcome()).method, 'ExtrinsicSuccess');
});

test('what is not there is told as a node tells it, and disturbs nothing', { skip }, async () => {
  const unknown = `0x${'12'.repeat(32)}`;
  const genesis = await node.rpc('chain_getBlockHash', 0);
  assert.equal(await node.rpc('chain_getHeader', unknown), null);
  assert.equal(await node.rpc('chain_getBlock', unknown), null);
  assert.deepEqual((await node.rpc('chain_getBlockHash', [0, 1_000_000])), [genesis, null]);
  await assert.rejects(node.rpc('state_getStorage', '0x00', unknown), { code: 4003 });
  await assert.rejects(node.rpc('no_such_method'), { code: -32601 });
  assert.equal(await node.rpc('chain_getBlockHash', 0), genesis);
});

test('a reorganisation gives the extrinsics back, and the finalized head stays', { skip }, async () => {
  await node.outwaitRateLimit(1, keys.ed25519.address);
  await node.newBlock();
  const fork = await node.rpc('chain_getBlockHash');
  const finalized = await node.rpc('chain_getFinalizedHead');
  const hex = await signed(keys.ed25519, 'moved');
  await submit(hex);
  await node.newBlock();
  const dropped = await node.rpc('chain_getBlockHash');
  await node.setHead(fork);
  assert.deepEqual(await node.rpc('author_pendingExtrinsics'), [hex]);
  await node.newBlock();
  assert.notEqual(await node.rpc('chain_getBlockHash'), dropped);
  assert.equal(await held(keys.ed25519), 'moved');
  assert.equal(await node.rpc('chain_getFinalizedHead'), await node.rpc('chain_getBlockHash', Number((await node.rpc('chain_getHeader', fork)).number)));
  assert.notEqual(finalized, null);
});

test('owner and permits are in the storage where a client looks', { skip }, async () => {
  await node.setOwner(1, keys.ed25519.address);
  await node.setPermits(1, [keys.sr25519.address]);
  await node.newBlock();
  assert.equal((await api.query.subtensorModule.subnetOwnerHotkey(1)).toString(), keys.ed25519.address);
  const permits = (await api.query.subtensorModule.validatorPermit(1)).toJSON();
  const holders = await Promise.all(permits.flatMap((has, uid) => (has ? [api.query.subtensorModule.keys(1, uid)] : [])));
  assert.deepEqual(holders.map(String), [keys.sr25519.address]);
});

test('an upgraded runtime takes only what was signed for it', { skip }, async () => {
  await node.outwaitRateLimit(1, keys.sr25519.address);
  const before = await node.rpc('chain_getBlockHash');
  const upgraded = await node.upgrade(219);
  assert.ok((await node.rpc('chain_getHeader', upgraded)).digest.logs.includes('0x08'));
  assert.equal((await node.rpc('state_getRuntimeVersion', before)).specVersion, 218);
  assert.equal((await node.rpc('state_getRuntimeVersion')).specVersion, 219);
  await assert.rejects(submit(await signed(keys.sr25519, 'for the old')), { code: 1010, data: 'Transaction has a bad signature' });
  await submit(await signed(keys.sr25519, 'for the new', { by: await connect() }));
  await node.newBlock();
  assert.equal((await outcome()).method, 'ExtrinsicSuccess');
  assert.ok(!(await node.rpc('chain_getHeader')).digest.logs.includes('0x08'));
});
