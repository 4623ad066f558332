// What is said to the operator who reads his own store, and to who has mistaken an address: what can be done, and that it works.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { emptyWorld, run, programs } from './harness.mjs';
import { sha256 } from './peer.mjs';
import { football } from './season.mjs';

const CONTENT = 'a clip, as far as a store knows';
const CLIP = sha256(CONTENT);
const INDEX = 'store/scorevision/index.json';
let world, old, file;

before(async () => {
  world = emptyWorld();
  const owner = await world.key('operator');
  world.env.SCOREVISION_MANIFEST_SIGNERS = owner.address;
  await world.sv(['chain', 'create', '--block-time', '0', '--finality', '0', '--owner', owner.address]);
  await world.publish(football('2025-10-23', 1, 5000, CLIP));
  world.write(`store/private/clips/${CLIP.slice('sha256:'.length)}`, CONTENT);
  old = world.read(INDEX);
  await world.publish(football('2025-10-24', 5000, 9000, CLIP));
  file = world.write('next.json', football('2025-10-25', 9000, 9100, CLIP));
});
after(() => world.end());

// The command that @stderr prints, as it is printed, brings the index back.
async function bringsBack(stderr) {
  assert.doesNotMatch(stderr, /another mirror|ask the operator/);
  const [, args] = /try `sv (store check --repair --store \S+)`/.exec(stderr);
  const { status, stdout } = await run(programs.sv, [...args.split(' '), '--yes'], { env: world.environment({}), cwd: world.dir });
  assert.equal(status, 0, stdout);
  await world.sv(['manifest', 'list']);
}

test('his index is gone: the operator is told how to bring it back', async () => {
  for (const args of [['manifest', 'list'], ['manifest', 'publish', file, '--yes']]) {
    rmSync(world.path(INDEX));
    const { stderr } = await world.sv(args, { expect: 3 });
    assert.match(stderr, /see that file:\S+ is the right store \(SCOREVISION_STORE\), or try/);
    await bringsBack(stderr);
  }
});

test('his index is old: the operator is told how to bring the new one back', async () => {
  for (const as of ['operator', 'fresh']) {
    world.write(INDEX, old);
    const { stderr } = await world.sv(['manifest', 'list'], { as, expect: 3 });
    assert.match(stderr, as === 'fresh' ? /freeze: / : /rollback: /);
    await bringsBack(stderr);
  }
});

test('a check of the store sends nobody to himself', async () => {
  world.write(INDEX, old);
  const { stdout, stderr } = await world.sv(['store', 'check'], { expect: 3 });
  assert.doesNotMatch(stdout + stderr, /another mirror|ask the operator/);
  await world.sv(['store', 'check', '--repair', '--yes']);
});

test('an address that ends one folder too deep is told before a freeze is', async () => {
  const { url } = await world.startServe();
  const { stderr } = await world.sv(['manifest', 'list'], { as: 'reader', env: { R2_PUBLIC_URL: `${url}/scorevision` }, expect: 3 });
  assert.match(stderr, /^sv: there is no scorevision\/index\.json at http\S+\/scorevision: check R2_PUBLIC_URL, which must not end in \/scorevision; .*freeze/);
  await world.sv(['manifest', 'list'], { as: 'reader', env: { R2_PUBLIC_URL: url } });
});

test('a document of another subnet names the settings that decide it', async () => {
  const { stderr } = await world.sv(['manifest', 'list'], { as: 'elsewhere', env: { SCOREVISION_NETUID: '45' }, expect: 3 });
  assert.match(stderr, /is for subnet 44 of .*; check --netuid, --chain \(BITTENSOR_SUBTENSOR_ENDPOINT\) or the store/);
});
