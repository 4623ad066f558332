// What the Subtensor node for tests answers (node.mjs lists it): JSON-RPC 2.0 by HTTP POST, worded as a Substrate node words it.
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { compactHex } from '@acala-network/chopsticks-core';
import { hexToU8a, u8aToHex } from '@polkadot/util';
import { decodeAddress } from '@polkadot/util-crypto';
import { Refusal } from './chain.mjs';

const LARGEST = 15 * 1024 * 1024; // bytes of a request, as a node's default

// ── blocks and state ──

const blockOf = (chain, hash) => (hash == null ? chain.head : chain.blocks.get(hash));

function stateOf(chain, hash) {
  const block = blockOf(chain, hash);
  if (!block) throw new Refusal(4003, `Client error: UnknownBlock: Header was not found in the database: ${hash}`);
  return block;
}

async function headerOf(block) {
  const { parentHash, number, stateRoot, extrinsicsRoot, digest } = await block.header;
  return {
    parentHash: parentHash.toHex(), number: `0x${number.toNumber().toString(16)}`, stateRoot: stateRoot.toHex(),
    extrinsicsRoot: extrinsicsRoot.toHex(), digest: { logs: digest.logs.map((log) => log.toHex()) },
  };
}

const hashAt = (chain, number) => chain.best[Number(number)]?.hash ?? null;

const node = {
  chain_getBlockHash: (chain, number) => (Array.isArray(number) ? number.map((n) => hashAt(chain, n)) : hashAt(chain, number ?? chain.head.number)),
  chain_getFinalizedHead: (chain) => hashAt(chain, chain.finalized),
  chain_getHeader: (chain, hash) => { const block = blockOf(chain, hash); return block ? headerOf(block) : null; },
  chain_getBlock: async (chain, hash) => {
    const block = blockOf(chain, hash);
    return block ? { block: { header: await headerOf(block), extrinsics: await block.extrinsics }, justifications: null } : null;
  },
  state_getMetadata: (chain, hash) => stateOf(chain, hash).metadata,
  state_getRuntimeVersion: (chain, hash) => stateOf(chain, hash).runtimeVersion,
  state_getStorage: async (chain, key, hash) => (await stateOf(chain, hash).get(key)) ?? null,
  state_queryStorageAt: async (chain, keys, hash) => {
    const block = stateOf(chain, hash);
    const changes = await Promise.all(keys.map(async (key) => [key, (await block.get(key)) ?? null]));
    return [{ block: block.hash, changes }];
  },
  state_getKeysPaged: (chain, prefix, pageSize, startKey, hash) => {
    if (pageSize > 1000) throw new Refusal(4002, `count exceeds maximum value. value: ${pageSize}, max: 1000`);
    return stateOf(chain, hash).getKeysPaged({ prefix, pageSize, startKey: startKey ?? prefix });
  },
  state_call: async (chain, method, data, hash) => (await stateOf(chain, hash).call(method, [data])).result,
  system_accountNextIndex: (chain, address) => chain.nextNonce(address),
  system_chain: (chain) => chain.machine.api.getSystemChain(),
  system_health: () => ({ peers: 0, isSyncing: false, shouldHavePeers: false }),
  system_name: () => 'Subtensor Node',
  system_properties: (chain) => chain.machine.api.getSystemProperties(),
  system_version: () => 'tests',
  rpc_methods: () => ({ methods: Object.keys(methods).sort() }),
  author_pendingExtrinsics: (chain) => [...chain.pool.values()].map(({ hex }) => hex),
  author_submitExtrinsic: async (chain, hex) => {
    const hash = await chain.submit(hex);
    for (let i = 0; chain.instant && i <= chain.finality; i++) chain.newBlock().catch((error) => console.error(error));
    return hash;
  },
};

// ── for tests ──

const entry = async (chain, pallet, name, ...keys) => compactHex((await chain.head.meta).query[pallet][name](...keys));
const account = (address) => u8aToHex(decodeAddress(address));
const encoded = async (chain, type, value) => u8aToHex((await chain.head.registry).createType(type, value).toU8a());

async function write(chain, writes) { return (await chain.newBlock(writes)).hash; }

const subtensor = (chain, name, ...keys) => entry(chain, 'subtensorModule', name, ...keys);

// What the runtime keeps for each uid of a subnet besides its key: a list that is too short stops the chain.
const BY_UID = ['active', 'consensus', 'dividends', 'emission', 'incentive', 'lastUpdate', 'pruningScores', 'rank', 'trust', 'validatorPermit', 'validatorTrust'];

async function listByUid(chain, name, netuid) {
  const [registry, meta] = await Promise.all([chain.head.registry, chain.head.meta]);
  const key = await subtensor(chain, name, netuid);
  const type = registry.createLookupType(meta.query.subtensorModule[name].meta.type.asMap.value);
  const items = registry.createType(type, await chain.head.get(key)).toJSON();
  return { key, items, encode: (values) => u8aToHex(registry.createType(type, values).toU8a()) };
}

// The writes that give @addresses the next uids.
async function joining(chain, netuid, addresses) {
  const known = await chain.head.get(await subtensor(chain, 'subnetworkN', netuid));
  const first = (await chain.head.registry).createType('u16', hexToU8a(known ?? '0x0000')).toNumber();
  const count = first + addresses.length;
  const writes = [[await subtensor(chain, 'subnetworkN', netuid), await encoded(chain, 'u16', count)]];
  for (const [i, address] of addresses.entries()) {
    writes.push([await subtensor(chain, 'uids', netuid, address), await encoded(chain, 'u16', first + i)]);
    writes.push([await subtensor(chain, 'keys', netuid, first + i), account(address)]);
  }
  for (const name of BY_UID) {
    const { key, items, encode } = await listByUid(chain, name, netuid);
    while (items.length < count) items.push(/^(active|validatorPermit)$/.test(name) ? false : 0);
    writes.push([key, encode(items)]);
    if (chain.standing.has(key)) chain.standing.set(key, encode(items));
  }
  return { first, writes };
}

async function register(chain, netuid, ...addresses) {
  const { first, writes } = await joining(chain, netuid, addresses);
  await write(chain, writes);
  return first;
}

// Gives permits to these and no others. This runtime has an epoch with every block, which would give them anew by stake, so
// these stand.
async function setPermits(chain, netuid, addresses) {
  const { first, writes } = await joining(chain, netuid, addresses);
  const { key, encode } = await listByUid(chain, 'validatorPermit', netuid);
  chain.standing.set(key, encode(Array.from({ length: first + addresses.length }, (_, uid) => uid >= first)));
  return write(chain, writes);
}

// Goes on until the pallet takes another commitment of the account in the next block.
async function outwaitRateLimit(chain, netuid, address) {
  const [meta, registry] = await Promise.all([chain.head.meta, chain.head.registry]);
  const last = await chain.head.get(await entry(chain, 'commitments', 'lastCommitment', netuid, address));
  const next = last ? registry.createType('u32', hexToU8a(last)).toNumber() + meta.consts.commitments.rateLimit.toNumber() : 0;
  return (await chain.skip(Math.max(0, next - 1 - chain.head.number))).hash;
}

// Every @from in @bytes becomes @to (of the same length); how many there were.
function replaceAll(bytes, from, to) {
  let count = 0;
  for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + to.length), count++) to.copy(bytes, at);
  return count;
}

const numbers = (...values) => Buffer.from(Uint32Array.from(values).buffer);
// i64.const with @spec (128 to 16383) as its lower and 1, the transaction version, as its upper half
const instruction = (spec) => Buffer.from([0x42, (spec & 0x7f) | 0x80, (spec >> 7) | 0x80, 0x80, 0x80, 0x10]);

// The code of the running runtime under another version. What tells the version has authoring, spec and implementation version
// as numbers in a row; where signatures are checked the compiler made a constant of the versions that are signed.
async function upgrade(chain, to) {
  const { specVersion: from } = await chain.head.runtimeVersion;
  const code = Buffer.from((await chain.head.wasm).slice(2), 'hex');
  const isCompressed = code.subarray(0, 4).toString('hex') === '52bc5376'; // 8 bytes, then zstd
  const { status, stdout: plain } = isCompressed ? spawnSync('zstd', ['-dcq'], { input: code.subarray(8), maxBuffer: 1 << 28 }) : { status: 0, stdout: code };
  if (status !== 0) throw new Refusal(1, 'the runtime cannot be decompressed: is zstd installed?');
  const told = replaceAll(plain, numbers(1, from, 1), numbers(1, to, 1));
  const checked = replaceAll(plain, instruction(from), instruction(to));
  if (told === 0 || checked === 0) throw new Refusal(1, `the runtime's version ${from} was not found in its code`);
  return write(chain, [['0x3a636f6465', `0x${plain.toString('hex')}`]]);
}

const dev = {
  dev_newBlock: async (chain, { count = 1 } = {}) => {
    for (let i = 0; i < count; i++) await chain.newBlock();
    return chain.head.hash;
  },
  dev_setStorage: write,
  dev_setHead: async (chain, hash) => (await chain.setHead(hash)).hash,
  dev_register: register,
  dev_unregister: async (chain, netuid, address) => write(chain, [[await subtensor(chain, 'uids', netuid, address), null]]),
  dev_setOwner: async (chain, netuid, address) => write(chain, [[await subtensor(chain, 'subnetOwnerHotkey', netuid), account(address)]]),
  dev_setPermits: setPermits,
  dev_skip: async (chain, count) => (await chain.skip(count)).hash,
  dev_outwaitRateLimit: outwaitRateLimit,
  dev_setInstant: (chain, instant) => { chain.instant = instant; return null; },
  dev_clearPool: (chain) => { chain.pool.clear(); return null; },
  dev_upgrade: upgrade,
};

const methods = { ...node, ...dev };

// ── JSON-RPC ──

const failure = (id, code, message, data) => ({ jsonrpc: '2.0', id, error: { code, message, ...(data === undefined ? {} : { data }) } });

async function answer(chain, request) {
  const { id = null, method, params = [] } = request ?? {};
  if (typeof method !== 'string') return failure(id, -32600, 'Invalid request');
  if (!methods[method]) return failure(id, -32601, 'Method not found');
  if (!Array.isArray(params)) return failure(id, -32602, 'Invalid params');
  try {
    return { jsonrpc: '2.0', id, result: (await methods[method](chain, ...params)) ?? null };
  } catch (error) {
    return error instanceof Refusal ? failure(id, error.code, error.message, error.data) : failure(id, -32602, 'Invalid params', error.message);
  }
}

async function respond(chain, incoming, outgoing) {
  const plain = (status, text) => outgoing.writeHead(status, { 'content-type': 'text/plain' }).end(text);
  if (incoming.method !== 'POST') return plain(405, 'Used HTTP Method is not allowed. POST is required');
  if (!/^application\/json\b/.test(incoming.headers['content-type'])) return plain(415, 'Supplied content type is not allowed. Content-Type: application/json is required');
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  if (body.length > LARGEST) return plain(413, 'Request body too large');
  let parsed;
  try {
    parsed = JSON.parse(body);
  } catch {
    parsed = null;
  }
  let result;
  if (parsed === null) result = failure(null, -32700, 'Parse error');
  else if (Array.isArray(parsed) && parsed.length > 0) result = await Promise.all(parsed.map((request) => answer(chain, request)));
  else result = await answer(chain, parsed);
  return outgoing.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(result));
}

// Serves @chain on a free port of loopback; returns the port.
export async function serve(chain) {
  const server = createServer((incoming, outgoing) => respond(chain, incoming, outgoing).catch((error) => outgoing.destroy(error)));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server.address().port;
}
