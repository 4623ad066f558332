// A world on a real Subtensor runtime: a node, a proxy before it that can be told to misbehave, an operator who owns subnet 1
// and has published a window, and a miner who may commit. The world speaks to the proxy; another proxy is one call away.
import { absent, start } from '../support/subtensor/node.mjs';
import { startFaultyNode } from '../support/subtensor/faulty_node.mjs';
import { emptyWorld } from './harness.mjs';
import { PLAYER, commit, football } from './season.mjs';

export const NETUID = 1;
export const WINDOW = '2025-10-23';
export const skip = absent() ?? false; // the tests say so, loudly

const START = 5, EXPIRY = 100_000;

export async function createSubtensorWorld({ finality = 1, keys = { miner: 'ed25519' }, expiry = EXPIRY, env = {} } = {}) {
  const node = await start({ finality, instant: true });
  const proxy = await startFaultyNode(node.endpoint);
  const proxies = [proxy];
  const world = emptyWorld({ BITTENSOR_SUBTENSOR_ENDPOINT: proxy.endpoint, SCOREVISION_NETUID: String(NETUID), ...env });
  const operator = await world.key('operator');
  world.env.SCOREVISION_MANIFEST_SIGNERS = operator.address;
  for (const [name, scheme] of Object.entries(keys)) await world.key(name, scheme);
  await node.register(NETUID, ...Object.values(world.keys).map(({ address }) => address));
  await node.setPermits(NETUID, [operator.address]);
  await node.setOwner(NETUID, operator.address);
  await node.newBlock(2);
  const clip = await world.clip();
  const published = await world.publish(football(WINDOW, START, expiry, clip.hash));
  return {
    node, proxy, world, clip, published,
    // A further proxy with faults of its own, for commands with the environment env.
    async faulty(faults = {}, wire = null, port = 0) {
      const another = await startFaultyNode(node.endpoint, port);
      proxies.push(another);
      another.on(faults);
      another.wire = wire;
      return Object.assign(another, { env: { BITTENSOR_SUBTENSOR_ENDPOINT: another.endpoint } });
    },
    // Commits by `sv miner commit` as soon as the pallet takes it; returns the proof. This runtime has room for 128 bytes.
    async commit(as, { id = PLAYER, cap = 40, ...options } = {}) {
      await node.outwaitRateLimit(NETUID, world.keys[as].address);
      return commit(world, as, WINDOW, [{ id, slug: 'lynx' }], { cap, ...options });
    },
    async end() {
      await Promise.all([...proxies.map((one) => one.stop()), node.stop()]);
      await world.end();
    },
  };
}

// What `sv miner commit` takes for one element.
export const committing = (id = PLAYER, cap = 40) => ['miner', 'commit', '--window-id', WINDOW, '--elements', id, '--service-cap-fps', String(cap),
  '--bind', `${id}=player-v1,lynx,87f7d0c5-0000-4000-8000-000000000001`];
