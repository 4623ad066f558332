// The user's testing checklist, lines 1 to 5: manifests and commitments. Each test is named after its line.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { statSync, readFileSync, writeFileSync } from 'node:fs';
import { createWorld } from './harness.mjs';
import { askV3 } from './api.mjs';
import { bare, blake2b256, canonical, ledgerExtrinsic, openDocument, publicKey, sha256, signDocument, verifies } from './peer.mjs';
import { BALL, CHUTE_ID, OTHER_CHUTE_ID, OTHER_SLUG, PLAYER, SLUG, element, football, manifest } from './season.mjs';

const CURRENT = '2025-10-23';
const UPCOMING = '2025-10-24';
let world, clip, current, upcoming, serve;

before(async () => {
  world = await createWorld();
  await world.key('miner');
  clip = (await world.clip()).hash;
  current = await world.publish(football(CURRENT, 1, 1000, clip));
  upcoming = await world.publish(manifest(UPCOMING, 1000, 2000, [
    element(PLAYER, [clip]), element('cricket/BatDetect@2.0', [], { beta: 0.5, telemetry: ['frames_processed', 'inference_ms'] })]));
  serve = await world.startServe();
});
after(() => world.end());

async function download(key) {
  const response = await fetch(`${serve.url}/scorevision/${key}`);
  return { response, bytes: Buffer.from(await response.arrayBuffer()) };
}

// 1
test('Manifest can be published to R2 and fetched publicly', async () => {
  await serve.settle();
  const { response, bytes } = await download('index.json'); // no credentials anywhere
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('cache-control'), 'public, max-age=15, must-revalidate');
  const index = openDocument(bytes, { type: 'index', signer: world.keys.operator.address });
  assert.deepEqual(index.manifests.map((entry) => entry.window_id), [CURRENT, UPCOMING]);
  assert.equal(index.version, '1.0');
  assert.equal(index.current_manifest_hash, current.manifest_hash);

  const [entry] = index.manifests;
  assert.equal(entry.hash, current.manifest_hash);
  assert.equal(entry.expiry_block, 1000);
  assert.equal(entry.published_by, `ss58:${world.keys.operator.address}`);
  assert.match(entry.published_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
  assert.deepEqual(entry.elements_summary, [
    { id: BALL, beta: 1.4, baseline_theta: 0.7, service_rate_fps: 0.3 },
    { id: PLAYER, beta: 1, baseline_theta: 0.78, service_rate_fps: 0.25 },
  ]);

  const hex = entry.hash.slice('sha256:'.length);
  for (const name of [`manifests/${hex}.json`, `manifests/${entry.hash}.json`]) {
    const manifestAnswer = await download(name);
    assert.equal(manifestAnswer.response.status, 200, name);
    assert.match(manifestAnswer.response.headers.get('cache-control'), /^public, max-age=31536000, immutable$/);
    const document = openDocument(manifestAnswer.bytes, { type: 'manifest', hash: entry.hash, signer: world.keys.operator.address });
    assert.equal(document.window_id, CURRENT);
    assert.deepEqual(document.elements.map(({ id }) => id), [BALL, PLAYER]);
  }
  const etag = response.headers.get('etag');
  const again = await fetch(`${serve.url}/scorevision/index.json`, { headers: { 'If-None-Match': etag } });
  assert.equal(again.status, 304);
  assert.equal((await download('../private/clips/x')).response.status, 404);
});

// 2
test('Manifest signature verification works', async () => {
  const { operator } = world.keys;
  const hex = current.manifest_hash.slice('sha256:'.length);
  const bytes = world.read('store', 'scorevision', 'manifests', `${hex}.json`);
  const { signature, ...rest } = JSON.parse(bytes);
  assert.ok(verifies(operator.address, canonical(rest), signature), 'an independent verification agrees');
  assert.ok(!verifies(operator.address, canonical({ ...rest, expiry_block: 1001 }), signature));
  assert.equal(publicKey(operator.address).asymmetricKeyType, 'ed25519');

  await world.sv(['miner', 'manifest', '--hash', current.manifest_hash], { as: 'reader' });
  const stranger = await world.key('stranger');
  const untrusting = { SCOREVISION_MANIFEST_SIGNERS: stranger.address };
  await world.sv(['miner', 'manifest', '--hash', current.manifest_hash], { as: 'reader2', env: untrusting, expect: 3 });
  const trustless = await world.sv(['miner', 'elements'], { as: 'reader3', env: { SCOREVISION_MANIFEST_SIGNERS: '' }, expect: 2 });
  assert.match(trustless.stderr, /SCOREVISION_MANIFEST_SIGNERS/);

  // Bytes that were changed, whose name says otherwise; then the same under their right name, with the old signature, and with
  // a stranger's.
  const tampered = { ...JSON.parse(bytes), expiry_block: 999_999 };
  const cases = [
    ['changed-bytes', hex, canonical(tampered), /sha256|hash/i],
    ['changed-field', null, canonical(tampered), /signature/],
    ['by-a-stranger', null, signDocument({ ...tampered, signed_by: `ss58:${stranger.address}` }, stranger.seed), /trusted/],
    ['by-a-stranger-in-the-operators-name', null, signDocument(tampered, stranger.seed), /signature/],
  ];
  for (const [mirror, name, text, reason] of cases) {
    const stored = name ?? sha256(text).slice('sha256:'.length);
    world.write(`${mirror}/scorevision/manifests/${stored}.json`, text);
    const { stderr } = await world.sv(['miner', 'manifest', '--hash', stored], {
      as: mirror, env: { SCOREVISION_STORE: `file:${world.path(mirror)}` }, expect: 3 });
    assert.match(stderr, reason, mirror);
  }
});

// 3
test('Miner CLI lists current + upcoming Elements directly from manifest index', async () => {
  await world.advanceTo(2);
  const options = { as: 'reader4', env: { R2_PUBLIC_URL: serve.url, SCOREVISION_STORE: `file:${world.path('nowhere')}` } };
  const now = await world.json(['miner', 'elements', '--window', 'current'], options);
  assert.equal(now.windows.length, 1);
  assert.equal(now.windows[0].window_id, CURRENT);
  assert.deepEqual(now.windows[0].elements.map((e) => e.element_id), [BALL, PLAYER]);
  const next = await world.json(['miner', 'elements', '--window', 'upcoming'], options);
  assert.equal(next.windows[0].window_id, UPCOMING);

  const { stdout } = await world.sv(['miner', 'elements', '--window', 'upcoming'], options);
  for (const expected of ['cricket/BatDetect@2.0', PLAYER, '0.78', '0.5', 'frames_processed, inference_ms', upcoming.manifest_hash]) {
    assert.ok(stdout.includes(expected), `${expected} in\n${stdout}`);
  }
  assert.match(stdout, /blocks 1000 to 2000/);
  assert.match(stdout, /RATE.*θ.*β.*CLIPS.*TELEMETRY/);

  const planned = await world.json(['miner', 'manifest', '--hash', upcoming.manifest_hash], options);
  assert.equal(planned.window_id, UPCOMING);
});

// 4
test('`sv miner commit` submits on-chain commitments and caches proof locally', async () => {
  const { miner } = world.keys;
  world.write('homes/miner/bindings.yaml', [
    'bindings:',
    `  - { element_id: ${PLAYER}, hf_revision: player-v1, chute_slug: ${SLUG}, chute_id: ${CHUTE_ID}, service_cap_fps: 25 }`,
    `  - { element_id: ${BALL}, hf_revision: ball-v1, chute_slug: ${OTHER_SLUG}, chute_id: ${OTHER_CHUTE_ID}, service_cap_fps: 20 }`,
    ''].join('\n'));
  const args = ['miner', 'commit', '--window-id', CURRENT, '--elements', `${PLAYER},${BALL}`, '--service-cap-fps', '45'];
  const dry = await world.json([...args, '--dry-run'], { as: 'miner' });
  const before = await world.head();
  const { proofs: [proof] } = await world.json(args, { as: 'miner' });
  assert.equal(await world.head(), before + 1, 'the dry run submitted nothing, the commitment one block');

  const onChain = await world.json(['chain', 'proof', proof]);
  assert.equal(onChain.signer, `ss58:${miner.address}`);
  assert.equal(onChain.succeeded, true);
  const [first, ...lines] = onChain.text.split('\n');
  assert.equal(first, `sv1 commit ${CURRENT} 45`);
  assert.deepEqual(lines.sort(), [
    `${BALL} ball-v1 ${OTHER_SLUG} ${OTHER_CHUTE_ID} 20`, `${PLAYER} player-v1 ${SLUG} ${CHUTE_ID} 25`]);
  assert.deepEqual(dry.texts, [onChain.text]);

  const { genesis, netuid } = await world.json(['chain', 'status']);
  const extrinsic = ledgerExtrinsic({ text: onChain.text, chain: { genesis, netuid }, nonce: 0, key: miner });
  assert.equal(proof, `${onChain.block}:${blake2b256(extrinsic)}`, 'the proof names block and BLAKE2b-256 of the extrinsic');

  const file = world.path('homes', 'miner', 'commitments', `${CURRENT}.json`);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.ok(readFileSync(file, 'utf8').includes(proof));
  await world.json(args, { as: 'miner' });
  assert.equal(await world.head(), before + 1, 'the same command again commits nothing');

  // Losing the receipts loses nothing.
  await serve.settle();
  const receipts = readFileSync(file, 'utf8');
  writeFileSync(file, '', { mode: 0o600 });
  await world.json(['miner', 'commitments', '--refresh'], { as: 'miner', env: { SCOREVISION_API: serve.url } });
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), JSON.parse(receipts));
});

// 5
test('Commitment payload stores `hf_revision`, `chute_slug`, and `chute_id` per Element and backend returns them when challenges are requested', async () => {
  const { commitments: [receipt] } = await world.json(['miner', 'commitments'], { as: 'miner' });
  assert.equal(bare(receipt.miner_hotkey), world.keys.miner.address);
  assert.equal(receipt.window_id, CURRENT);
  assert.deepEqual([...receipt.element_ids].sort(), [BALL, PLAYER]);
  assert.equal(receipt.service_cap_fps, 45);
  assert.equal(receipt.expires_at_block, 1000);
  const expected = {
    [PLAYER]: { hf_revision: 'player-v1', chute_slug: SLUG, chute_id: CHUTE_ID, service_cap_fps: 25 },
    [BALL]: { hf_revision: 'ball-v1', chute_slug: OTHER_SLUG, chute_id: OTHER_CHUTE_ID, service_cap_fps: 20 },
  };
  await serve.settle();
  for (const binding of receipt.bindings) {
    const { hf_revision, chute_slug, chute_id, service_cap_fps } = expected[binding.element_id];
    assert.deepEqual([binding.hf_revision, binding.chute_slug, binding.chute_id, binding.service_cap_fps],
      [hf_revision, chute_slug, chute_id, service_cap_fps]);
    const answer = await askV3({ base: serve.url, key: world.keys.miner, manifestHash: current.manifest_hash,
      elementId: binding.element_id, proof: binding.commitment_proof });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual([answer.body.hf_revision, answer.body.chute_slug, answer.body.chute_id], [hf_revision, chute_slug, chute_id]);
  }
  const listed = await (await fetch(`${serve.url}/api/commitments?hotkey=${world.keys.miner.address}&window_id=${CURRENT}`)).json();
  assert.deepEqual(listed.commitments[0].bindings.map((b) => b.chute_slug).sort(), [SLUG, OTHER_SLUG].sort());
});
