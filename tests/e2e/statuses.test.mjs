// Each status and reason of docs/protocol.md section 7, produced over HTTP against a running `sv serve`, with the bodies of the
// user's document; and where several apply, the first in order. The statuses that need a server of their own (rate limit, lag,
// load) are in statuses_servers.test.mjs.
//
// Windows: PAST is over, CURRENT is in force, UPCOMING has not begun. Before CURRENT began, the miner bound, replaced and
// withdrew elements, so that there is a proof for every reason.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createWorld, waitFor } from './harness.mjs';
import { askV2, askV3, freshNonce } from './api.mjs';
import { sha256, sign } from './peer.mjs';
import { BALL, CHUTE_ID, OTHER_SLUG, PLAYER, SLUG, commit, element, football, manifest, withdraw } from './season.mjs';

const PAST = '2025-10-22';
const CURRENT = '2025-10-23';
const UPCOMING = '2025-10-24';
const NO_CLIPS = 'Announced@1', NOT_HERE = 'Unregistered@1', REPLACED = 'Replaced@1', WITHDRAWN = 'Withdrawn@1', BOTH = 'Both@1';
let world, serve, past, current, upcoming;
let miner, rival, validator, stranger;
const proofs = {};

before(async () => {
  world = await createWorld();
  for (const name of ['miner', 'rival', 'validator', 'stranger']) await world.key(name);
  ({ miner, rival, validator, stranger } = world.keys);
  world.env.SCOREVISION_VALIDATORS = validator.address;
  const { hash } = await world.clip();
  past = await world.publish(football(PAST, 1, 100, hash));
  current = await world.publish(manifest(CURRENT, 100, 5000, [
    element(PLAYER, [hash]), element(BALL, [hash]), element(NO_CLIPS, []), element(NOT_HERE, [sha256('a clip of another server')]),
    element(REPLACED, [hash]), element(WITHDRAWN, [hash]), element(BOTH, [hash])]));
  upcoming = await world.publish(football(UPCOMING, 5000, 10_000, hash));
  proofs.past = await commit(world, 'miner', PAST, [PLAYER]);
  proofs.rivalPast = await commit(world, 'rival', PAST, [PLAYER]);
  proofs.rival = await commit(world, 'rival', CURRENT, [PLAYER]);
  proofs.upcomingBall = await commit(world, 'miner', UPCOMING, [BALL]);
  proofs.first = await commit(world, 'miner', CURRENT, [
    PLAYER, NO_CLIPS, NOT_HERE, WITHDRAWN, { id: REPLACED, slug: OTHER_SLUG }, { id: BOTH, slug: OTHER_SLUG }], { cap: 60 });
  proofs.second = await commit(world, 'miner', CURRENT, [REPLACED, BOTH], { cap: 70 });
  proofs.withdrawal = await withdraw(world, 'miner', CURRENT, [WITHDRAWN, BOTH]);
  await world.advanceTo(120);
  serve = await world.startServe({ env: { SCOREVISION_RATE_LIMIT: '10000/60s' } });
  await serve.settle();
});
after(() => world.end());

const ask = (more = {}) => askV3({
  base: serve.url, key: miner, manifestHash: current.manifest_hash, elementId: PLAYER, proof: proofs.first, ...more });

async function expectAnswer(answer, status, error, reason) {
  const { status: got, body } = await answer;
  assert.deepEqual([got, body.error, body.reason], [status, error, reason], JSON.stringify(body));
  assert.equal(typeof body.message, 'string');
  return body;
}
const expect400 = async (answer, field) => assert.equal((await expectAnswer(answer, 400, 'invalid_request')).field, field);
const expect401 = (answer, reason) => expectAnswer(answer, 401, 'invalid_signature', reason);
const expect412 = (answer, reason) => expectAnswer(answer, 412, 'missing_commitment', reason);
const forged = { signature: '00'.repeat(64) };
const unknownProof = `7:0x${'ab'.repeat(32)}`;

test('200: the plain case, so that what follows fails for its own reason', async () => {
  assert.equal((await ask()).status, 200);
  assert.equal((await ask({ key: validator, miner: miner.address, slug: SLUG })).status, 200);
  assert.equal((await ask({ bound: false })).status, 200, 'X-Nonce and X-Signature are optional');
});

test('400: each part that is missing, malformed or repeated is named', async () => {
  const required = ['validator_hotkey', 'signature', 'nonce', 'netuid', 'element_id'];
  for (const name of required) await expect400(ask({ parameters: { [name]: null } }), name);
  const malformed = { validator_hotkey: 'somebody', signature: 'zz', nonce: '12', netuid: '45', element_id: '../etc/passwd',
    miner_hotkey: `ss58:${miner.address}`, chute_slug: 'api' };
  for (const [name, value] of Object.entries(malformed)) await expect400(ask({ parameters: { [name]: value } }), name);
  for (const name of ['netuid', 'element_id']) await expect400(ask({ parameters: { [name]: ['44', '44'] } }), name);
  const headers = { 'X-Manifest-Hash': 'sha256:abc123', 'X-Client-Id': 'a b', 'X-Nonce': 'short', 'X-Signature': 'ed25519:00' };
  for (const [name, value] of Object.entries(headers)) await expect400(ask({ headers: { [name]: value } }), name);
  await expect400(ask({ headers: { 'X-Manifest-Hash': null } }), 'X-Manifest-Hash');
  await expect400(ask({ headers: { 'X-Nonce': null } }), 'X-Nonce'); // a signature without its nonce
  await expect400(askV2({ base: serve.url, key: validator, parameters: { nonce: null } }), 'nonce');
});

test('400 comes before 401', async () => {
  await expect400(ask({ parameters: { ...forged, element_id: null } }), 'element_id');
});

test('401: each reason', async () => {
  const body = await expect401(ask({ parameters: forged }), 'bad_signature');
  assert.equal(body.message, 'Ed25519 signature verification failed');
  await expect401(ask({ headers: { 'X-Signature': `ed25519:${sign(rival.seed, 'x')}` } }), 'bad_signature');
  await expect401(ask({ nonce: freshNonce(61_000) }), 'stale_nonce');
  await expect401(ask({ nonce: freshNonce(-65_000) }), 'stale_nonce');
  const nonce = freshNonce();
  assert.equal((await ask({ nonce })).status, 200);
  await expect401(ask({ nonce }), 'replayed_nonce');
  const xNonce = 'an-x-nonce-used-once';
  assert.equal((await ask({ bound: false, xNonce })).status, 200);
  await expect401(ask({ bound: false, xNonce }), 'replayed_nonce');
  await expect401(ask({ key: rival, miner: miner.address }), 'not_permitted');
  await expect401(ask({ key: validator, miner: miner.address, bound: false }), 'unbound_nonce');
  await expect401(ask({ key: validator, miner: miner.address, bound: false, xNonce: '01234567-89ab-4def-8123-456789abcdef' }), 'unbound_nonce');
  await expect401(askV2({ base: serve.url, key: validator, parameters: forged }), 'bad_signature');
  await expect401(askV2({ base: serve.url, key: stranger }), 'not_permitted'); // a validator list is configured
});

test('401: bad_signature comes before stale_nonce', async () => {
  await expect401(ask({ nonce: freshNonce(61_000), parameters: forged }), 'bad_signature');
});

test('401: stale_nonce comes before replayed_nonce', async () => {
  const nonce = freshNonce(57_500); // accepted once, a replay at first, too old soon after
  assert.equal((await ask({ nonce })).status, 200);
  await expect401(ask({ nonce }), 'replayed_nonce');
  await waitFor('the nonce to grow stale', async () => (await ask({ nonce })).body.reason === 'stale_nonce');
});

test('401: replayed_nonce comes before not_permitted, which comes before unbound_nonce', async () => {
  const nonce = freshNonce();
  assert.notEqual((await ask({ key: rival, nonce })).body.reason, 'replayed_nonce');
  await expect401(ask({ key: rival, nonce, miner: miner.address }), 'replayed_nonce');
  await expect401(ask({ key: rival, miner: miner.address, bound: false }), 'not_permitted');
  const used = freshNonce();
  await ask({ key: validator, nonce: used, miner: miner.address });
  await expect401(ask({ key: validator, nonce: used, miner: miner.address, bound: false }), 'replayed_nonce');
});

test('401 comes before 404', async () => {
  await expect401(ask({ key: rival, miner: miner.address, manifestHash: sha256('unknown') }), 'not_permitted');
});

test('404 and 410: windows that are unknown, not yet begun, or over', async () => {
  for (const manifestHash of [sha256('unknown'), upcoming.manifest_hash]) {
    const body = await expectAnswer(ask({ manifestHash }), 404, 'no_active_window');
    assert.equal(body.message, 'No evaluation window active for manifest_hash');
  }
  const body = await expectAnswer(ask({ manifestHash: past.manifest_hash }), 410, 'window_expired');
  assert.deepEqual([body.message, body.expired_at_block, body.current_block], ['Evaluation window expired at block 100', 100, 120]);
});

test('404 and 410 come before 412', async () => {
  await expectAnswer(ask({ manifestHash: upcoming.manifest_hash, proof: undefined }), 404, 'no_active_window');
  await expectAnswer(ask({ manifestHash: past.manifest_hash, proof: undefined }), 410, 'window_expired');
});

test('412: each reason', async () => {
  const cases = {
    missing: { proof: undefined },
    malformed: { proof: '0123:0xdeadbeef' },
    unknown_element: { elementId: 'NoSuchElement@1' },
    unknown: { proof: unknownProof },
    wrong_hotkey: { proof: proofs.rival },
    expired: { proof: proofs.past },
    wrong_window: { proof: proofs.upcomingBall, elementId: BALL },
    wrong_element: { proof: proofs.first, elementId: BALL },
    withdrawn: { proof: proofs.first, elementId: WITHDRAWN },
    not_in_force: { proof: proofs.first, elementId: REPLACED },
    wrong_slug: { slug: OTHER_SLUG },
  };
  for (const [reason, more] of Object.entries(cases)) {
    const body = await expect412(ask(more), reason);
    const id = more.elementId ?? PLAYER;
    assert.ok(body.message.startsWith(`Miner has no commitment for element ${id} in window ${CURRENT}`), body.message);
    assert.equal(body.hotkey, `ss58:${miner.address}`);
    assert.equal(body.window_id, CURRENT);
  }
  await expect412(ask({ proof: proofs.withdrawal, elementId: WITHDRAWN }), 'withdrawn');
  await expect412(ask({ proof: `999999:${proofs.first.split(':')[1]}` }), 'unknown');
  assert.equal((await ask({ proof: proofs.second, elementId: REPLACED, slug: SLUG })).status, 200);
});

test('412: the first reason in order wins', async () => {
  const cases = [
    ['missing', 'unknown_element', { proof: undefined, elementId: 'NoSuchElement@1' }],
    ['malformed', 'unknown_element', { proof: 'malformed', elementId: 'NoSuchElement@1' }],
    ['unknown_element', 'unknown', { proof: unknownProof, elementId: 'NoSuchElement@1' }],
    ['unknown', 'wrong_hotkey', { key: stranger, proof: proofs.first }], // he is not known
    ['wrong_hotkey', 'expired', { proof: proofs.rivalPast }],
    ['expired', 'wrong_window', { proof: proofs.past, elementId: BALL }],
    ['wrong_window', 'wrong_element', { proof: proofs.upcomingBall, elementId: PLAYER }],
    ['wrong_element', 'withdrawn', { proof: proofs.withdrawal, elementId: PLAYER }],
    ['withdrawn', 'not_in_force', { proof: proofs.first, elementId: BOTH }],
    ['not_in_force', 'wrong_slug', { proof: proofs.first, elementId: REPLACED, slug: SLUG }],
  ];
  for (const [reason, over, more] of cases) {
    const { status, body } = await ask(more);
    assert.deepEqual([status, body.reason], [412, reason], `${reason} comes before ${over}`);
  }
});

test('412 comes before 503 no_challenge', async () => {
  await expect412(ask({ elementId: NO_CLIPS, slug: OTHER_SLUG }), 'wrong_slug');
});

test('503 no_challenge: the element has no clips, or the drawn one is not registered here', async () => {
  for (const elementId of [NO_CLIPS, NOT_HERE]) await expectAnswer(ask({ elementId }), 503, 'no_challenge');
});

test('draw_commit is one hash per manifest, and the draw is by request', async () => {
  const answers = [];
  for (let i = 0; i < 4; i++) answers.push((await ask()).body);
  answers.push((await ask({ key: validator, miner: miner.address })).body);
  answers.push((await ask({ proof: proofs.second, elementId: REPLACED })).body);
  assert.equal(new Set(answers.map((one) => one.draw_commit)).size, 1);
  assert.match(answers[0].draw_commit, /^sha256:[0-9a-f]{64}$/);
  assert.notEqual(answers[0].draw_commit, current.manifest_hash);
  assert.equal(new Set(answers.map((one) => one.seed)).size, answers.length, 'each nonce has its own seed');
  assert.equal(new Set(answers.map((one) => one.challenge_id)).size, answers.length);
  assert.ok(answers.every((one) => one.chute_id === CHUTE_ID));
});

// Last, because it ends the manifest that the others ask for.
test('404: a superseded manifest, once its overlap is over; until then both are served', async () => {
  const { hash } = (await world.json(['clip', 'list'])).clips[0];
  const replacement = await world.publish(manifest(CURRENT, 100, 5000, [element(PLAYER, [hash], { beta: 2 })]), {
    args: ['--supersede', '--overlap', '10'] });
  await serve.settle();
  const old = await ask();
  const fresh = await ask({ manifestHash: replacement.manifest_hash });
  assert.deepEqual([old.status, fresh.status], [200, 200]);
  assert.notEqual(fresh.body.draw_commit, old.body.draw_commit, 'each manifest has a draw of its own');
  await world.advance(10);
  await serve.settle();
  await expectAnswer(ask(), 404, 'no_active_window');
  assert.equal((await ask({ manifestHash: replacement.manifest_hash })).status, 200);
});
