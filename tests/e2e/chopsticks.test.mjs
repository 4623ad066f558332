// The real runtime behind another server than the tests' own: Chopsticks as it comes, by WebSocket's address. It is looser than a
// node (its finalized head is its head, its extrinsics root is a plain hash, errors lack codes), and commands work on it all the
// same.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import path from 'node:path';
import { absent, call, specification } from '../support/subtensor/node.mjs';
import { emptyWorld, root, waitFor } from './harness.mjs';
import { PLAYER, commit, football } from './season.mjs';

const NETUID = 1, WINDOW = '2025-10-23';
const skip = absent() ?? false;
let world, chopsticks, endpoint;

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function startChopsticks(file) {
  const port = await freePort();
  const config = world.write('chopsticks.yml', `genesis: ${file}\nport: ${port}\nmock-signature-host: false\nbuild-block-mode: Instant\n`);
  const program = path.join(root, 'tests', 'node_modules', '@acala-network', 'chopsticks', 'chopsticks.cjs');
  chopsticks = spawn(process.execPath, [program, '--config', config], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  chopsticks.stdout.on('data', (chunk) => { output += chunk; });
  await waitFor('Chopsticks to listen', () => /listening/.test(output), 120_000);
  return `127.0.0.1:${port}`;
}

// The pallet asks only whether a hotkey has a uid.
async function register(...accounts) {
  const [{ decodeAddress, blake2AsHex, xxhashAsHex }, { u8aToHex }] = await Promise.all([import('@polkadot/util-crypto'), import('@polkadot/util')]);
  const prefix = `${xxhashAsHex('SubtensorModule', 128)}${xxhashAsHex('Uids', 128).slice(2)}0100`;
  const keys = accounts.map((account) => decodeAddress(account)).map((key) => `${prefix}${blake2AsHex(key, 128).slice(2)}${u8aToHex(key).slice(2)}`);
  await call(endpoint, 'dev_setStorage', [keys.map((key, uid) => [key, `0x0${uid}00`])]);
  await call(endpoint, 'dev_newBlock', [{ count: 1 }]);
}

before(async () => {
  if (skip) return;
  world = emptyWorld({ SCOREVISION_NETUID: String(NETUID) });
  const address = await startChopsticks(specification);
  endpoint = `http://${address}`;
  world.env.BITTENSOR_SUBTENSOR_ENDPOINT = `ws://${address}`;
  const operator = await world.key('operator');
  world.env.SCOREVISION_MANIFEST_SIGNERS = operator.address;
  await world.key('ed25519', 'ed25519');
  await world.key('sr25519', 'sr25519');
  await register(...Object.values(world.keys).map(({ address: account }) => account));
});
after(async () => {
  chopsticks?.kill();
  await world?.end();
});

test('a manifest is anchored, and hotkeys of both kinds commit under it', { skip }, async () => {
  const clip = await world.clip();
  await world.publish(football(WINDOW, 1, 100_000, clip.hash));
  for (const as of ['ed25519', 'sr25519']) {
    const proof = await commit(world, as, WINDOW, [{ id: PLAYER, slug: 'lynx' }], { cap: 40 });
    const { stdout } = await world.sv(['chain', 'proof', proof]);
    assert.match(stdout, new RegExp(`signer +${world.keys[as].address}\ncall +set_commitment, succeeded\nfinalized +yes`));
    assert.match(stdout, /binds .*: in force$/m);
  }
  const current = await world.json(['manifest', 'current'], { as: 'sr25519' });
  assert.equal(current.anchor, 'anchored');
});

test('what it is is told', { skip }, async () => {
  const { runtime, genesis, lag } = await world.json(['chain', 'status']);
  assert.match(runtime, /^node-subtensor 218, /);
  assert.equal(genesis, `0x${'45'.repeat(32)}`);
  assert.equal(lag, 0);
});
