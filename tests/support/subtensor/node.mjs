// A Subtensor node for tests: the runtime of ../shared/chain (spec 218) with real signature checks, on a loopback port.
//
//   node tests/support/subtensor/node.mjs [--finality N] [--instant] [--block-time MS]
//
// prints `endpoint http://127.0.0.1:PORT` when it is ready (about 3 s) and ends when its standard input does, or on SIGTERM.
// Without the chain's data or node's packages it prints `absent REASON` and ends with status 77. Blocks are made by dev_newBlock
// only; with --instant an extrinsic is put into a block, and final, by itself; with --block-time they come at that pace. Tests in
// JavaScript use start() below; demo/chain-subtensor shows a whole story on it.
//
// It speaks JSON-RPC by HTTP POST as a Substrate node does: batches; null for a block that is not there (chain_*); -32601 for
// an unknown method, -32602 for bad parameters; 4003 for the state of an unknown block; 1010, 1013, 1014 with a node's words for
// extrinsics that it does not take. Besides, for tests (accounts are SS58 addresses):
//   dev_newBlock [{"count": n}]                    → hash of the new head
//   dev_setStorage [[[key, value or null], …]]     writes come with a new block
//   dev_setHead [hash]                             reorganises
//   dev_register [netuid, account, …]              gives each the next uid; returns the first
//   dev_unregister [netuid, account]               dev_setOwner [netuid, account]
//   dev_setPermits [netuid, [account, …]]          registers them (again), and nobody else has a permit
//   dev_skip [n]                                   n empty blocks, made without the runtime in no time
//   dev_outwaitRateLimit [netuid, account]         skips until the account may commit again
//   dev_setInstant [true or false]                 dev_clearPool []
//   dev_upgrade [spec version]                     the same runtime under another version (needs zstd)
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const self = fileURLToPath(import.meta.url);
const root = path.resolve(path.dirname(self), '..', '..', '..');
const shared = process.env.SCOREVISION_SHARED ?? path.join(root, '..', 'shared');
export const specification = path.join(shared, 'chain', 'subtensor-spec218-genesis.json');
const packages = path.join(root, 'tests', 'node_modules', '@acala-network', 'chopsticks-core');
export const ABSENT = 77;

// Why there can be no node here, or null.
export function absent() {
  if (!existsSync(specification)) return `${specification} is not there (set SCOREVISION_SHARED)`;
  if (!existsSync(packages)) return `${packages} is not there (run scripts/install-deps)`;
  return null;
}

// ── for tests ──

// Starts a node in a process of its own: { endpoint, rpc(method, ...params), newBlock(n), …, stop() }.
export async function start({ finality = 1, instant = false } = {}) {
  const args = [self, '--finality', String(finality), ...(instant ? ['--instant'] : [])];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => { child.on('close', resolve); });
  const line = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.on('error', reject);
    ended.then((status) => reject(new Error(`the Subtensor node ended with ${status} before it was ready`)));
  });
  if (!line.startsWith('endpoint ')) throw new Error(`the Subtensor node: ${line}`);
  const endpoint = line.slice('endpoint '.length);
  const rpc = (method, ...params) => call(endpoint, method, params);
  const node = { endpoint, rpc, stop: () => { child.stdin.end(); return ended; } };
  for (const name of ['setStorage', 'setHead', 'register', 'unregister', 'setOwner', 'setPermits', 'skip', 'outwaitRateLimit', 'setInstant', 'clearPool', 'upgrade']) {
    node[name] = (...params) => rpc(`dev_${name}`, ...params);
  }
  node.newBlock = (count = 1) => rpc('dev_newBlock', { count });
  return node;
}

// One JSON-RPC call; an error that the node answers is thrown with its code and data.
export async function call(endpoint, method, params = []) {
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const { result, error } = await answer.json();
  if (error) throw Object.assign(new Error(`${method}: ${error.message}${error.data ? `: ${error.data}` : ''}`), error);
  return result;
}

// ── the command ──

// A block every @pace ms, or as fast as they can be made.
async function produce(chain, pace) {
  for (;;) {
    const next = Date.now() + pace;
    await chain.newBlock();
    await setTimeout(Math.max(0, next - Date.now()));
  }
}

async function main() {
  const option = (name, fallback) => { const at = process.argv.indexOf(name); return at < 0 ? fallback : process.argv[at + 1]; };
  const reason = absent();
  if (reason) {
    console.log(`absent ${reason}`);
    process.exit(ABSENT);
  }
  process.env.LOG_LEVEL = 'fatal'; // the executor's log would go to standard output
  const { Chain } = await import('./chain.mjs');
  const { serve } = await import('./rpc.mjs');
  const chain = await Chain.create(JSON.parse(readFileSync(specification, 'utf8')), Number(option('--finality', 1)));
  chain.instant = process.argv.includes('--instant');
  console.log(`endpoint http://127.0.0.1:${await serve(chain)}`);
  process.on('SIGTERM', () => process.exit(0));
  process.stdin.on('close', () => process.exit(0)).resume();
  if (process.argv.includes('--block-time')) await produce(chain, Number(option('--block-time')));
}

if (process.argv[1] === self) await main();
