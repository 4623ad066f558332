// Extrinsics roots against two others' implementations: the trie of Chopsticks' executor (smoldot's), for lists of any length
// and content in both layouts, and a real Subtensor runtime, for the blocks that it makes. `SV_BUILD=build node --test
// tests/peer/`; without SV_BUILD the folder build/ of the repository. SV_SEED repeats a run.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Keyring } from '@polkadot/keyring';
import { compactToU8a, u8aToHex } from '@polkadot/util';
import { blake2AsU8a, cryptoWaitReady, xxhashAsU8a } from '@polkadot/util-crypto';
import { absent, start } from '../support/subtensor/node.mjs';
import { below, pick, seed } from '../support/random.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const build = path.resolve(process.env.SV_BUILD ?? path.join(here, '..', '..', 'build'));
const program = path.join(build, 'tests', 'peer', 'print_extrinsics_root');

const listOf = (n, length) => Array.from({ length: n }, (_, i) => Buffer.from(Uint8Array.from({ length: length(i) }, () => below(256))).toString('hex'));

// [V0, V1] of each list, as our program computes them.
function roots(lists) {
  assert.ok(existsSync(program), `${program} is not there; build first, or set SV_BUILD`);
  const input = lists.map((list) => `${list.map((hex) => `${hex},`).join('')}\n`).join('');
  const run = spawnSync(program, { input, maxBuffer: 1 << 30 });
  assert.equal(run.status, 0, `${program} ended with ${run.status ?? run.signal}: ${run.stderr}`);
  const lines = run.stdout.toString('utf8').split('\n');
  assert.equal(lines.pop(), '');
  assert.equal(lines.length, lists.length);
  return lines.map((line) => line.split(' ').map((hex) => `0x${hex}`));
}

const reason = absent() ?? false;
const say = (why) => { if (why) console.error(`# SKIPPED: ${why}`); return why; };

describe('lists, against another trie', { skip: say(reason) }, () => {
  let theirs, close;
  before(async () => {
    process.env.LOG_LEVEL = 'fatal';
    const { calculateStateRoot, destroyWorker } = await import('@acala-network/chopsticks-core');
    theirs = async (list, layout) => calculateStateRoot(list.map((hex, i) => [u8aToHex(compactToU8a(i)), `0x${hex}`]), layout);
    close = destroyWorker;
  });
  after(() => close?.());

  async function compare(lists) {
    const ours = roots(lists);
    for (const [i, list] of lists.entries()) {
      const expected = [await theirs(list, 0), await theirs(list, 1)];
      const told = `seed ${seed}, list ${i} of ${list.length}: ${list.slice(0, 3)}`.slice(0, 400);
      assert.deepEqual(ours[i], expected, told);
    }
  }

  test('random lists', async () => {
    const lengths = [() => below(4), () => below(34), () => 28 + below(8), () => 60 + below(8), () => 140 + below(200), () => pick([0, 1, 31, 32, 33, 63, 64, 5000])];
    await compare(Array.from({ length: 250 }, () => listOf(pick([below(4), below(20), below(70), below(400)]), pick(lengths))));
  });

  test('each number of extrinsics up to 130, and those around the longer keys', async () => {
    await compare(Array.from({ length: 131 }, (_, n) => listOf(n, (i) => (i % 3 === 0 ? 1 : 40))));
    await compare([255, 256, 257, 300, 1023, 1024, 1025, 4097, 16383, 16384, 16385, 16500].map((n) => listOf(n, (i) => i % 36)));
  });

  test('each length of the only extrinsic, and of all of seventy, around the limits', async () => {
    const lengths = [...Array.from({ length: 70 }, (_, n) => n), 16383, 16384, 100_000];
    await compare(lengths.flatMap((length) => [listOf(1, () => length), ...(length < 70 ? [listOf(70, () => length)] : [])]));
  });
});

describe('blocks, against the runtime that made them', { skip: reason }, () => {
  let node, api, keys;

  before(async () => {
    await cryptoWaitReady();
    const { ApiPromise, HttpProvider } = await import('@polkadot/api');
    node = await start();
    api = await ApiPromise.create({ provider: new HttpProvider(node.endpoint), noInitWarn: true });
    keys = Array.from({ length: 23 }, (_, i) => new Keyring({ type: i % 2 ? 'sr25519' : 'ed25519' }).addFromUri(`//account${i}`));
    const balance = api.createType('AccountInfo', { providers: 1, data: { free: 1_000_000_000_000 } }).toHex();
    await node.setStorage(keys.map(({ publicKey }) => [u8aToHex(Buffer.concat(
      [xxhashAsU8a('System', 128), xxhashAsU8a('Account', 128), blake2AsU8a(publicKey, 128), publicKey])), balance]));
  });
  after(() => node?.stop());

  test('blocks of none to sixteen signed extrinsics', async () => {
    const blocks = [];
    const nonces = keys.map(() => 0);
    for (const count of [0, 1, 15, 16]) {
      for (let i = 0; i < count; i++) {
        const call = api.tx.system.remark(`0x${'ab'.repeat(pick([0, 1, 30, 300, 3000]))}`);
        const at = i % keys.length;
        await node.rpc('author_submitExtrinsic', (await call.signAsync(keys[at], { nonce: nonces[at]++ })).toHex());
      }
      const { block } = await node.rpc('chain_getBlock', await node.newBlock());
      assert.equal(block.extrinsics.length, count + 1); // the time comes first
      blocks.push(block);
    }
    const ours = roots(blocks.map(({ extrinsics }) => extrinsics.map((hex) => hex.slice(2))));
    assert.deepEqual(ours.map(([v0]) => v0), blocks.map(({ header }) => header.extrinsicsRoot), `seed ${seed}`);
  });
});
