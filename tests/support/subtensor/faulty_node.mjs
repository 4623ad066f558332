// A Subtensor node that misbehaves: an HTTP proxy in front of one, which passes everything on until a test says otherwise.
//
//   const proxy = await startFaultyNode(node.endpoint);
//   proxy.on(pruned(16));            answers of single calls: { method: handler }
//   proxy.wire = status(429);        what happens to whole HTTP requests
//   proxy.behave();                  no faults any more
//
// A handler is (params, forward, request) → result; forward(params) asks the node. To answer with an error it throws one with a
// code, see fails(). A method may be named by a prefix, "state_*"; the exact name goes before it. `proxy.calls` lists what was
// asked, [{ method, params }], `proxy.exchanges` counts HTTP requests. @times limits a fault: until(times, fault).
import { createServer } from 'node:http';
import { call } from './node.mjs';

// On any free @port, where no other is given.
export async function startFaultyNode(target, port = 0) {
  const proxy = { calls: [], exchanges: 0, wire: null, faults: {} };
  const server = createServer((incoming, outgoing) => exchange(proxy, target, incoming, outgoing).catch(() => outgoing.destroy()));
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  proxy.endpoint = `http://127.0.0.1:${server.address().port}`;
  proxy.on = (faults, handler) => Object.assign(proxy.faults, typeof faults === 'string' ? { [faults]: handler } : faults);
  proxy.behave = () => { proxy.faults = {}; proxy.wire = null; };
  proxy.stop = () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); });
  return proxy;
}

async function exchange(proxy, target, incoming, outgoing) {
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const asked = JSON.parse(Buffer.concat(chunks));
  proxy.exchanges++;
  const answers = async () => JSON.stringify(Array.isArray(asked)
    ? await Promise.all(asked.map((request) => answer(proxy, target, request)))
    : await answer(proxy, target, asked));
  const pass = async () => outgoing.writeHead(200, { 'content-type': 'application/json' }).end(await answers());
  if (proxy.wire) await proxy.wire({ asked, outgoing, answers, pass });
  else await pass();
}

function handlerFor(proxy, method) {
  const prefix = Object.keys(proxy.faults).find((name) => name.endsWith('*') && method.startsWith(name.slice(0, -1)));
  return proxy.faults[method] ?? proxy.faults[prefix];
}

async function answer(proxy, target, request) {
  const { id, method, params = [] } = request;
  proxy.calls.push({ method, params });
  const forward = (asked = params, other = method) => call(target, other, asked);
  const handler = handlerFor(proxy, method);
  try {
    return { jsonrpc: '2.0', id, result: await (handler ? handler(params, forward, request) : forward()) };
  } catch ({ code, message, data }) {
    const words = message.startsWith(`${method}: `) ? message.slice(method.length + 2) : message;
    return { jsonrpc: '2.0', id, error: { code: code ?? -32603, message: words, ...(data === undefined ? {} : { data }) } };
  }
}

// ── whole requests (proxy.wire) ──

export const down = ({ outgoing }) => outgoing.destroy();
export const garbage = (text, type = 'text/html') => ({ outgoing }) => outgoing.writeHead(200, { 'content-type': type }).end(text);
export const status = (code, headers = {}, text = '') => ({ outgoing }) => outgoing.writeHead(code, headers).end(text);

// Ends in the middle of the JSON, as if that were all.
export const cut = async ({ outgoing, answers }) => {
  const text = await answers();
  outgoing.writeHead(200, { 'content-type': 'application/json' }).end(text.slice(0, text.length / 2));
};

// Never answers; the connection stays.
export const silent = () => {};

// One byte each @ms milliseconds.
export const dripping = (ms) => async ({ outgoing, answers }) => {
  const text = Buffer.from(await answers());
  outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length });
  for (let i = 0; i < text.length && !outgoing.destroyed; i++) {
    outgoing.write(text.subarray(i, i + 1));
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
  outgoing.end();
};

export const noBatches = ({ asked, outgoing, pass }) => (Array.isArray(asked)
  ? garbage(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32005, message: 'Batched requests are not supported by this server' } }), 'application/json')({ outgoing })
  : pass());

// Answers with the ids mixed up.
export const mixedIds = async ({ outgoing, answers }) => {
  const list = JSON.parse(await answers());
  const mixed = Array.isArray(list) ? list.map((item, i) => ({ ...item, id: list[(i + 1) % list.length].id })) : { ...list, id: 'other' };
  outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(mixed));
};

// The fault for the first @times requests, then none.
export const until = (times, fault) => (wire) => (times-- > 0 ? fault(wire) : wire.pass());

// ── single calls (proxy.on) ──

export const answers = (value) => () => value;
export const fails = (code, message, data) => () => { throw Object.assign(new Error(message), { code, data }); };
export const budgetSpent = { '*': fails(-32004, 'Too many requests: the budget of this address is spent') };

// The handler for the first @times calls, then none.
export const first = (times, handler) => (params, forward, request) => (times-- > 0 ? handler(params, forward, request) : forward());

const flipped = (hex) => hex.slice(0, -1) + (hex.endsWith('0') ? '1' : '0');

// Changes the hash that the node tells for block @number.
const hashOf = (isMeant, change) => ({
  chain_getBlockHash: async (params, forward) => {
    const told = await forward();
    const one = (number, hash) => (hash !== null && isMeant(Number(number)) ? change(hash) : hash);
    return Array.isArray(params[0]) ? told.map((hash, i) => one(params[0][i], hash)) : one(params[0] ?? NaN, told);
  },
});
export const otherGenesis = (hash = `0x${'99'.repeat(32)}`) => hashOf((number) => number === 0, () => hash);
export const lyingHash = (number) => hashOf((n) => n === number, flipped);

// The header of @hash, or of every block, with another state root.
export const changedHeader = (hash) => ({
  chain_getHeader: async (params, forward) => {
    const header = await forward();
    return header && (!hash || params[0] === hash) ? { ...header, stateRoot: flipped(header.stateRoot) } : header;
  },
});

// Every block with @change(extrinsics) in place of its extrinsics.
export const changedExtrinsics = (change) => ({
  chain_getBlock: async (params, forward) => {
    const told = await forward();
    return told && { ...told, block: { ...told.block, extrinsics: change(told.block.extrinsics) } };
  },
});
export const spoiledExtrinsics = changedExtrinsics((list) => list.map((hex, i) => (i === 0 ? hex : flipped(hex))));
export const hiddenExtrinsics = changedExtrinsics((list) => list.slice(0, 1));

// Another block than the one asked for.
export const swappedBlock = (hash) => ({ chain_getBlock: (params, forward) => forward([hash]) });

// Where state_* methods take the block's hash.
const AT = { state_getMetadata: 0, state_getRuntimeVersion: 0, state_getStorage: 1, state_queryStorageAt: 1, state_call: 2, state_getKeysPaged: 3 };

// No state of blocks more than @keep below the head.
export const pruned = (keep) => ({
  'state_*': async (params, forward, { method }) => {
    const hash = params[AT[method]];
    if (!hash) return forward();
    const [head, block] = await Promise.all([forward([], 'chain_getHeader'), forward([hash], 'chain_getHeader')]);
    if (block && Number(block.number) + keep >= Number(head.number)) return forward();
    return fails(4003, `Client error: Api called for an unknown Block: State already discarded for ${hash}`)();
  },
});

// Other values in the storage, by key: { key: value or null, or (value) → value }.
export const otherStorage = (values) => {
  const one = (key, told) => (!(key in values) ? told : typeof values[key] === 'function' ? values[key](told) : values[key]);
  return {
    state_getStorage: async (params, forward) => one(params[0], await forward()),
    state_queryStorageAt: async (params, forward) => (await forward())
      .map(({ block, changes }) => ({ block, changes: changes.map(([key, told]) => [key, one(key, told)]) })),
  };
};

const TIMESTAMP_NOW = '0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb';

// Blocks whose time is @ms later (or earlier, below 0) than it is.
export const shiftedTime = (ms) => otherStorage({
  [TIMESTAMP_NOW]: (told) => {
    if (told === null) return null;
    const bytes = Buffer.from(told.slice(2), 'hex');
    bytes.writeBigUInt64LE(bytes.readBigUInt64LE() + BigInt(ms));
    return `0x${bytes.toString('hex')}`;
  },
});

// A node that stands still at block @number, with its finalized head @behind below.
export const frozenAt = (number, behind = 0) => ({
  chain_getHeader: async (params, forward) => forward(params[0] ? params : await forward([[number]], 'chain_getBlockHash')),
  chain_getFinalizedHead: (params, forward) => forward([number - behind], 'chain_getBlockHash'),
  chain_getBlockHash: async ([asked = number], forward) => (Array.isArray(asked)
    ? (await forward([asked])).map((hash, i) => (Number(asked[i]) > number ? null : hash))
    : Number(asked) > number ? null : forward([asked])),
});

// A finalized head that lies @blocks lower than it does.
export const finalizedBack = (blocks) => ({
  chain_getFinalizedHead: async (params, forward) => {
    const { number } = await forward([await forward()], 'chain_getHeader');
    return forward([Math.max(0, Number(number) - blocks)], 'chain_getBlockHash');
  },
});
