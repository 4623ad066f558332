// What a season of evaluation windows looks like: manifests with elements that are served, announced, or broken on purpose,
// and miners who bind themselves to them.
export const SLUG = 'scorevision-turbovision-hfuser-lynx';
export const OTHER_SLUG = 'scorevision-turbovision-hfuser-orca';
export const CHUTE_ID = '87f7d0c5-0000-4000-8000-000000000001';
export const OTHER_CHUTE_ID = '63e8aa01-0000-4000-8000-000000000002';
export const PLAYER = 'PlayerDetect_v1@1.0';
export const BALL = 'BallDetect_v1@1.0';

export function element(id, clips, more = {}) {
  return {
    id,
    clips: clips.map((hash) => ({ hash, weight: 1 })),
    preproc: { fps: 5, resize_long: 640, norm: 'rgb-01' },
    metrics: { pillars: { iou: 0.6, count: 0.4 } },
    latency_p95_ms: 10_000, // generous: what is tested is the way of a challenge, not this machine
    service_rate_fps: 0.25,
    baseline_theta: 0.78,
    delta_floor: 0.01,
    beta: 1,
    telemetry: ['inference_ms'],
    challenge_type: 'football',
    ...more,
  };
}

export function manifest(windowId, startBlock, expiryBlock, elements, more = {}) {
  return { version: '1.3', window_id: windowId, start_block: startBlock, expiry_block: expiryBlock, elements, ...more };
}

// The user's two elements, both served with @clip.
export function football(windowId, startBlock, expiryBlock, clip, more = {}) {
  const elements = [element(PLAYER, [clip]), element(BALL, [clip], { beta: 1.4, baseline_theta: 0.7, service_rate_fps: 0.3 })];
  return manifest(windowId, startBlock, expiryBlock, elements, more);
}

// Commits by `sv miner commit`; @elements are ids, or { id, revision, slug, chuteId }. Returns the proof of the (last) text.
export async function commit(world, as, windowId, elements, { cap = 40, args = [], expect } = {}) {
  const full = elements.map((item) => (typeof item === 'string' ? { id: item } : item));
  const binds = full.flatMap(({ id, revision = 'player-v1', slug = SLUG, chuteId = CHUTE_ID }) => [
    '--bind', `${id}=${revision},${slug},${chuteId}`]);
  const result = await world.json(['miner', 'commit', '--window-id', windowId, '--elements', full.map(({ id }) => id).join(','),
    '--service-cap-fps', String(cap), ...binds, ...args], { as, expect });
  return result.proofs?.at(-1);
}

export async function withdraw(world, as, windowId, elements) {
  const result = await world.json(['miner', 'commit', '--withdraw', '--window-id', windowId, '--elements', elements.join(',')], { as });
  return result.proofs.at(-1);
}
