// The keys that btcli makes by default, sr25519, do everything that ed25519 keys do: a manifest's signer, a miner, a validator
// and a stranger to sv who asks the API, all verified by a second implementation; and a hotkey in an encrypted file.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Keyring } from '@polkadot/keyring';
import { mnemonicGenerate } from '@polkadot/util-crypto';
import { createWorld } from './harness.mjs';
import { askV3 } from './api.mjs';
import { bare, canonical, openDocument, verifies } from './peer.mjs';
import { PLAYER, SLUG, commit, football } from './season.mjs';

const CURRENT = '2025-10-23';
let world, current, proof, serve, runner;

before(async () => {
  world = await createWorld({ finality: 3, scheme: 'sr25519' });
  for (const name of ['validator', 'miner', 'stranger']) await world.key(name, 'sr25519');
  world.env.SCOREVISION_VALIDATORS = world.keys.validator.address;
  const { hash } = await world.clip();
  current = await world.publish(football(CURRENT, 1, 100_000, hash));
  proof = await commit(world, 'miner', CURRENT, [PLAYER]);
  serve = await world.startServe();
  await serve.settle();
  const chute = await world.startChute(SLUG);
  runner = {
    SCOREVISION_USE_CHALLENGE_V3: '1', SCOREVISION_API: serve.url, SCOREVISION_RESULTS_STORE: `file:${world.path('results')}`,
    CHUTES_MINER_BASE_URL_TEMPLATE: chute.template, SCOREVISION_EVALUATOR: world.evaluator,
  };
});
after(() => world.end());

test('a manifest is published and read with an sr25519 signer', async () => {
  const bytes = world.read('store', 'scorevision', 'manifests', `${current.manifest_hash.slice(7)}.json`);
  openDocument(bytes, { type: 'manifest', signer: world.keys.operator.address, hash: current.manifest_hash });
  openDocument(world.read('store', 'scorevision', 'index.json'), { type: 'index', signer: world.keys.operator.address });
  const shown = await world.json(['manifest', 'current'], { as: 'reader' });
  assert.equal(shown.manifest_hash, current.manifest_hash);
});

test('a commitment of an sr25519 miner is proven', async () => {
  const shown = await world.json(['chain', 'proof', proof], { as: 'reader' });
  assert.match(JSON.stringify(shown), new RegExp(world.keys.miner.address));
  const { commitments } = await world.json(['miner', 'commitments'], { as: 'miner' });
  assert.equal(commitments[0].bindings[0].commitment_proof, proof);
});

test('the API answers who signs by sr25519, and nobody who signs for another', async () => {
  const request = { base: serve.url, manifestHash: current.manifest_hash, elementId: PLAYER, proof };
  const { status, text } = await askV3({ ...request, key: world.keys.miner });
  assert.equal(status, 200, text);
  const forged = await askV3({ ...request, key: { ...world.keys.stranger, address: world.keys.miner.address } });
  assert.deepEqual([forged.status, forged.body.reason], [401, 'bad_signature']);
});

test('shards of an sr25519 miner and validator are signed, audited and accepted', async () => {
  const run = async (as, args = []) => (await world.json(['runner', '--once', ...args], { as, env: runner })).shards[0];
  const own = await run('miner');
  const official = await run('validator', ['--miner', world.keys.miner.address]);
  assert.deepEqual([own.lane, official.lane], ['self', 'public']);
  for (const [shard, signer] of [[own, 'miner'], [official, 'validator']]) {
    assert.match(shard.signature, /^sr25519:/);
    openDocument(canonical(shard), { type: 'shard', signer: world.keys[signer].address });
  }
  await world.advance(10);
  const input = [own, official].map(canonical).join('\n');
  const { verdicts } = await world.json(['validator', 'audit', '-'], { as: 'auditor', input: `${input}\n` });
  assert.deepEqual([verdicts.accepted, verdicts.self, verdicts.rejected], [1, 1, 0]);

  const changed = canonical({ ...official, challenge_id: own.challenge_id });
  const { not_accepted: rest } = await world.json(['validator', 'audit', '-'], { as: 'auditor', input: `${changed}\n`, expect: 3 });
  assert.equal(rest[0].reason, 'signature');
});

// ── wallets ──

// What btcli's variable holds.
function passphraseVariable(file, passphrase) {
  const name = `BT_PW_${file.toUpperCase().replace(/[/.]/g, '_')}`;
  const masked = Buffer.from(passphrase).map((byte, i) => byte ^ name.charCodeAt(i % name.length));
  return { [name]: Buffer.from(masked).toString('base64') };
}

const hotkey = (name) => world.path('wallets', 'default', 'hotkeys', name);

test('a phrase becomes the account that other wallets show, in a plain and in an encrypted file', async () => {
  const phrase = mnemonicGenerate(12);
  const pair = new Keyring({ type: 'sr25519', ss58Format: 42 }).addFromUri(phrase);
  const plain = await world.json(['key', 'import', '-'], { as: 'plain', input: `${phrase}\n` });
  assert.equal(plain.account, pair.address);
  const stored = JSON.parse(readFileSync(hotkey('plain'), 'utf8'));
  assert.deepEqual([stored.secretPhrase, stored.ss58Address, stored.cryptoType], [phrase, pair.address, undefined]);
  assert.equal(stored.privateKey.length, 2 + 128);

  const env = passphraseVariable(hotkey('boxed'), 'correct horse');
  const boxed = await world.json(['key', 'import', '-', '--encrypt'], { as: 'boxed', env, input: `${phrase}\n` });
  assert.equal(boxed.account, pair.address);
  const bytes = readFileSync(hotkey('boxed'));
  assert.equal(bytes.subarray(0, 5).toString(), '$NACL');
  assert.ok(!bytes.includes('secret'));
  const { stdout } = await world.sv(['key', 'sign', '-'], { as: 'boxed', env, input: 'message' });
  assert.ok(verifies(pair.address, 'message', stdout.trim()));
  const wrong = passphraseVariable(hotkey('boxed'), 'correct hors');
  const { stderr } = await world.sv(['key', 'sign', '-'], { as: 'boxed', env: wrong, input: 'message', expect: 3 });
  assert.match(stderr, /the passphrase is wrong/);
});

test('files as other programs write them', async () => {
  const pair = new Keyring({ type: 'sr25519', ss58Format: 42 }).addFromUri(`${mnemonicGenerate(24)}//miner/7`);
  const secret = Buffer.from(pair.encodePkcs8().subarray(16, 80)).toString('hex'); // the scalar times 8
  mkdirSync(path.dirname(hotkey('foreign')), { recursive: true });
  writeFileSync(hotkey('foreign'), JSON.stringify({ privateKey: `0x${secret}`, ss58Address: pair.address, secretSeed: null }), { mode: 0o600 });
  const { account } = await world.json(['key', 'show'], { as: 'foreign' });
  assert.equal(account, pair.address);
});

test('no output of any sv key command holds a secret', async () => {
  const phrase = mnemonicGenerate(12);
  const outputs = [];
  const keep = async (args, options) => {
    const { stdout, stderr } = await world.sv(args, options);
    outputs.push(stdout, stderr);
  };
  const as = 'quiet';
  await keep(['key', 'import', '-'], { as, input: phrase });
  await keep(['key', 'import', '-'], { as, input: phrase, expect: 6 });
  await keep(['key', 'import', '-'], { as: 'quieter', input: `${phrase} more`, expect: 3 });
  await keep(['key', 'import', phrase], { as, expect: 2 });
  await keep(['key', 'show'], { as });
  await keep(['key', 'show', '--json'], { as });
  await keep(['key', 'sign', '-', '--json'], { as, input: 'message' });
  const { secretSeed, privateKey } = JSON.parse(readFileSync(hotkey(as), 'utf8'));
  const text = outputs.join('\n');
  for (const part of [phrase, phrase.split(' ').slice(0, 3).join(' '), secretSeed.slice(2), privateKey.slice(2, 66), privateKey.slice(66)]) {
    assert.ok(!text.includes(part));
  }
  assert.ok(!readdirSync(path.dirname(hotkey(as))).includes('quieter'));
  assert.ok(text.includes(bare(new Keyring({ type: 'sr25519', ss58Format: 42 }).addFromUri(phrase).address)));
});
