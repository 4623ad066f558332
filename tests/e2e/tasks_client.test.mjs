// Today's public client against a real server. The client below is written as that one is: the nonce is the time in nanoseconds,
// signed as it stands by the hotkey, in the query of every request, also where it posts; it takes the task's facts from several
// places, and ground truth by frame. It knows nothing of sv.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Keyring } from '@polkadot/keyring';
import { NETUID, freshNonce } from './api.mjs';
import { createWorld } from './harness.mjs';
import { sha256 } from './peer.mjs';

class Refused extends Error {
  constructor(status, body) {
    super(`HTTP ${status}: ${JSON.stringify(body)}`);
    Object.assign(this, { status, body });
  }
}

class Client {
  constructor(key, element = 'manak0/Detect-petrol-station') {
    this.pair = new Keyring({ type: key.scheme, ss58Format: 42 }).addFromSeed(Buffer.from(key.seed.slice(2), 'hex'));
    this.element = element;
  }

  parameters(nonce = freshNonce()) {
    const signature = `0x${Buffer.from(this.pair.sign(nonce)).toString('hex')}`;
    return { validator_hotkey: this.pair.address, signature, nonce, netuid: String(NETUID), element_id: this.element };
  }

  async ask(path, { parameters = this.parameters(), json } = {}) {
    const options = json === undefined ? {} : {
      method: 'POST', body: JSON.stringify(json), headers: { 'Content-Type': 'application/json' } };
    const response = await fetch(`${this.base}${path}?${new URLSearchParams(parameters)}`, options);
    const body = await response.json();
    if (response.status !== 200) throw new Refused(response.status, body);
    return body;
  }

  async next(parameters = { ...this.parameters(), challenge_type_version: '2' }) {
    const challenge = await this.ask('/api/tasks/next', { parameters });
    const payload = challenge.payload ?? {};
    const sports = { football: 0, soccer: 0, cricket: 1, basketball: 2 };
    return {
      taskId: challenge.task_id ?? challenge.id,
      videoUrl: challenge.video_url ?? challenge.asset_url ?? payload.clip_url ?? payload.video_url,
      fps: Math.trunc(challenge.fps ?? payload.fps),
      type: challenge.challenge_type_id ?? sports[challenge.challenge_type],
      seed: challenge.seed,
      raw: challenge,
    };
  }

  complete(taskId) { return this.ask('/api/tasks/complete', { json: { challenge_id: taskId } }); }

  async groundTruth(taskId) {
    const { ground_truth: truth } = await this.ask(`/api/tasks/${taskId}/ground-truth`);
    const frames = {};
    for (const { bbox, class: name, label, frame_idx: frame, polygon } of truth.annotations) {
      assert.equal(bbox.length, 4);
      (frames[frame] ??= []).push({ box: bbox.map(Math.trunc), label: name || label, polygon: polygon?.map((point) => point.map(Math.trunc)) });
    }
    return frames;
  }
}

const refused = (status, body = {}) => (error) => {
  assert.ok(error instanceof Refused, error.stack);
  assert.equal(error.status, status, error.message);
  for (const [name, value] of Object.entries(body)) assert.equal(error.body[name], value, error.message);
  assert.equal(typeof error.body.message, 'string');
  return true;
};

let world, serve, clip, alice, bob, stranger;

async function startServe() {
  serve = await world.startServe();
  for (const client of [alice, bob, stranger]) client.base = serve.url;
}

async function addTruth() {
  const truth = world.write('annotations.json', { source: 'by hand', annotations: [
    { bbox: [10, 20, 30.9, 40], class: 'player', frame_idx: 0, polygon: [[10, 20], [30, 40.5], [10, 40]] },
    { bbox: [1, 2, 3, 4], label: 'ball', frame_idx: 3 },
    { bbox: [5, 6, 7, 8], class: 'player', frame_idx: 0 },
  ] });
  return world.json(['clip', 'add', world.path('clip.mp4'), '--sport', 'football', '--scenario', 'match', '--challenge-type', 'football',
    '--ground-truth', truth]);
}

before(async () => {
  world = await createWorld();
  alice = new Client(await world.key('alice', 'ed25519'));
  bob = new Client(await world.key('bob', 'sr25519'));
  stranger = new Client(await world.key('stranger'));
  world.env.SCOREVISION_VALIDATORS = [alice, bob].map(({ pair }) => pair.address).join(',');
  clip = await world.clip();
  await startServe();
});
after(() => world.end());

test('a task, its completion, and its ground truth, over a restart', async () => {
  assert.equal(clip.has_ground_truth, false);
  const task = await alice.next();
  assert.ok(Number.isSafeInteger(task.taskId));
  assert.equal(task.raw.id, task.taskId);
  assert.equal(task.fps, 25);
  assert.equal(task.type, 0);
  assert.ok(Number.isSafeInteger(task.seed));
  assert.equal(sha256(Buffer.from(await (await fetch(task.videoUrl)).arrayBuffer())), clip.hash);
  const { asset_url: asset, payload } = task.raw;
  assert.deepEqual([asset, payload.clip_url, payload.video_url], Array(3).fill(task.videoUrl), 'wherever it is taken from, it is the same');

  await assert.rejects(alice.groundTruth(task.taskId), refused(403, { error: 'not_completed' }));
  await assert.rejects(bob.groundTruth(task.taskId), refused(404, { error: 'not_found' }));
  await assert.rejects(bob.complete(task.taskId), refused(404, { error: 'not_found' }));
  await serve.stop();
  await startServe();
  const completed = await alice.complete(task.taskId);
  assert.equal(completed.challenge_id, task.taskId);
  await assert.rejects(alice.groundTruth(task.taskId), refused(404, { error: 'no_ground_truth' }));
  assert.equal((await addTruth()).has_ground_truth, true);
  await serve.stop();
  await startServe();
  assert.deepEqual(await alice.complete(task.taskId), completed, 'the first time counts');
  assert.deepEqual(await alice.groundTruth(task.taskId), {
    0: [{ box: [10, 20, 30, 40], label: 'player', polygon: [[10, 20], [30, 40], [10, 40]] },
      { box: [5, 6, 7, 8], label: 'player', polygon: undefined }],
    3: [{ box: [1, 2, 3, 4], label: 'ball', polygon: undefined }],
  });
  await assert.rejects(bob.groundTruth(task.taskId), refused(404, { error: 'not_found' }));
});

test('an sr25519 hotkey is served alike, and ids are never given twice', async () => {
  const [first, second] = [await bob.next(), await alice.next()];
  assert.ok(second.taskId > first.taskId);
  await bob.complete(first.taskId);
  assert.ok((await bob.groundTruth(first.taskId))[0].length > 0);
});

test('a stranger, a replay and another subnet are refused', async () => {
  for (const ask of [() => stranger.next(), () => stranger.complete(1), () => stranger.groundTruth(1)]) {
    await assert.rejects(ask, refused(401, { error: 'invalid_signature', reason: 'not_permitted' }));
  }
  const parameters = alice.parameters();
  const { taskId } = await alice.next(parameters);
  await assert.rejects(alice.next(parameters), refused(401, { reason: 'replayed_nonce' }));
  await assert.rejects(alice.ask('/api/tasks/complete', { parameters, json: { challenge_id: taskId } }), refused(401, { reason: 'replayed_nonce' }));
  await assert.rejects(alice.next({ ...alice.parameters(), netuid: '1' }), refused(400, { field: 'netuid' }));
  const forged = { ...alice.parameters(), validator_hotkey: bob.pair.address };
  await assert.rejects(bob.next(forged), refused(401, { reason: 'bad_signature' }));
});

test('a task that was handed out survives a kill', async () => {
  const { taskId } = await alice.next();
  await serve.stop('SIGKILL');
  await startServe();
  await assert.rejects(alice.groundTruth(taskId), refused(403, { error: 'not_completed' }));
  await alice.complete(taskId);
  await serve.stop('SIGKILL');
  await startServe();
  assert.equal((await alice.groundTruth(taskId))[3][0].label, 'ball', 'and so does its completion');
});

test('a ground truth that no client could read is refused with its place, and nothing changes', async () => {
  const broken = world.write('broken.json', { annotations: [{ bbox: [1, 2, 3], class: 'ball', frame_idx: 0 }] });
  const { stderr } = await world.sv(['clip', 'add', world.path('clip.mp4'), '--sport', 'football', '--scenario', 'training',
    '--challenge-type', 'football', '--ground-truth', broken], { expect: 3 });
  assert.match(stderr, /broken\.json: \/annotations\/0\/bbox: /);
  const [listed] = (await world.json(['clip', 'list'])).clips;
  assert.deepEqual([listed.scenario, listed.has_ground_truth], ['match', true]);
  await world.sv(['clip', 'remove', clip.hash, '--ground-truth-only']);
  assert.equal((await world.json(['clip', 'list'])).clips[0].has_ground_truth, false);
});
