// Signatures, phrases, derivation paths and private keys against an independent implementation, @polkadot/util-crypto and
// @polkadot/keyring: in both directions, and with what both have to refuse. SV_BUILD=build node --test tests/peer/; SV_SEED
// repeats a run.
import { before, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Keyring } from '@polkadot/keyring';
import {
  cryptoWaitReady, ed25519PairFromSeed, ed25519Sign, encodeAddress, mnemonicGenerate, mnemonicToMiniSecret, sr25519PairFromSeed,
  sr25519Sign, sr25519Verify, ed25519Verify,
} from '@polkadot/util-crypto';

const here = path.dirname(fileURLToPath(import.meta.url));
const build = path.resolve(process.env.SV_BUILD ?? path.join(here, '..', '..', 'build'));
const program = path.join(build, 'tests', 'peer', 'keys_peer');
const seed = Number(process.env.SV_SEED ?? randomInt(2 ** 31));
const N = 1000;

// Bytes that are the same whenever the seed is.
let drawn = 0;
const draw = (length) => {
  const parts = [];
  for (let n = 0; n < length; n += 64) parts.push(createHash('sha512').update(`${seed}:${drawn++}`).digest());
  return Buffer.concat(parts).subarray(0, length);
};
const below = (n) => draw(6).readUIntBE(0, 6) % n;
const hex = (bytes) => Buffer.from(bytes).toString('hex');

// What our program answers to each question, which is a list of fields.
function ask(questions) {
  assert.ok(existsSync(program), `${program} is not there; build first, or set SV_BUILD`);
  const input = `${questions.map((fields) => fields.join('\t')).join('\n')}\n`;
  const run = spawnSync(program, { input, maxBuffer: 1 << 28 });
  assert.equal(run.status, 0, `${program} ended with ${run.status ?? run.signal}: ${run.stderr}`);
  const lines = run.stdout.toString('utf8').split('\n');
  assert.equal(lines.pop(), '');
  assert.equal(lines.length, questions.length);
  return lines;
}

const schemes = {
  sr25519: { pair: sr25519PairFromSeed, sign: sr25519Sign, verify: sr25519Verify, type: 'sr25519' },
  ed25519: { pair: ed25519PairFromSeed, sign: ed25519Sign, verify: ed25519Verify, type: 'ed25519' },
};

before(cryptoWaitReady);

// Messages of every length about which a sponge could be wrong, and some long ones.
const messages = () => Array.from({ length: N }, (_, i) => draw(i < 400 ? i : below(5000)));
const address = (publicKey) => encodeAddress(publicKey, 42);
function flip(bytes) {
  const changed = Buffer.from(bytes);
  if (changed.length === 0) return Buffer.from([0]);
  changed[below(changed.length)] ^= 1 << below(8);
  return changed;
}

for (const [name, scheme] of Object.entries(schemes)) {
  test(`${N} ${name} signatures of ours are valid for the peer, and none over something else (seed ${seed})`, () => {
    const cases = messages().map((message) => ({ message, seed: draw(32) }));
    const answers = ask(cases.map((one) => ['sign', name, hex(one.seed), hex(one.message)]));
    answers.forEach((answer, i) => {
      const { publicKey } = scheme.pair(cases[i].seed);
      const [, digits] = new RegExp(`^${name}:([0-9a-f]{128})$`).exec(answer);
      const signature = Buffer.from(digits, 'hex');
      assert.ok(scheme.verify(cases[i].message, signature, publicKey), `message ${i}`);
      assert.ok(!scheme.verify(flip(cases[i].message), signature, publicKey), `changed message ${i}`);
    });
  });

  test(`${N} ${name} signatures of the peer's are valid for us, and none that was changed (seed ${seed})`, () => {
    const questions = [];
    for (const message of messages()) {
      const pair = scheme.pair(draw(32));
      const signature = Buffer.from(scheme.sign(message, pair));
      const other = scheme.pair(draw(32));
      const ask = (publicKey, bytes, text) => questions.push(['verify', address(publicKey), hex(bytes), hex(text)]);
      ask(pair.publicKey, signature, message);
      ask(pair.publicKey, signature, flip(message));
      ask(pair.publicKey, flip(signature), message);
      ask(flip(pair.publicKey), signature, message);
      ask(other.publicKey, signature, message);
    }
    ask(questions).forEach((answer, i) => assert.equal(answer, i % 5 === 0 ? 'yes' : 'no', questions[i].join(' ')));
  });

  // From a key's third signature on it is a prepared key that answers (src/keys/prepared_key.c).
  test(`${N} ${name} signatures of eight of the peer's keys, again and again (seed ${seed})`, () => {
    const pairs = Array.from({ length: 8 }, () => scheme.pair(draw(32)));
    const questions = [];
    messages().forEach((message, i) => {
      const { publicKey } = pairs[i % 8];
      const signature = Buffer.from(scheme.sign(message, pairs[i % 8]));
      for (const [key, bytes, text] of [[publicKey, signature, message], [publicKey, signature, flip(message)],
        [publicKey, flip(signature), message], [pairs[(i + 1) % 8].publicKey, signature, message]]) {
        questions.push(['verify', address(key), hex(bytes), hex(text)]);
      }
    });
    ask(questions).forEach((answer, i) => assert.equal(answer, i % 4 === 0 ? 'yes' : 'no', questions[i].join(' ')));
  });
}

test('what both refuse: signatures without the mark, unreduced scalars, points that are none, everybody\'s key', () => {
  const message = Buffer.from('message');
  const pair = sr25519PairFromSeed(draw(32));
  const signature = Buffer.from(sr25519Sign(message, pair));
  const unmarked = Buffer.from(signature);
  unmarked[63] &= 0x7f;
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const scalar = BigInt(`0x${hex(Buffer.from(unmarked.subarray(32)).reverse())}`) + order;
  const unreduced = Buffer.concat([signature.subarray(0, 32), Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex').reverse()]);
  unreduced[63] |= 0x80;
  const noPoint = Buffer.concat([Buffer.alloc(32, 0xff), signature.subarray(32)]);
  for (const changed of [unmarked, unreduced, noPoint]) {
    let accepted = false;
    try { accepted = sr25519Verify(message, changed, pair.publicKey); } catch { /* a refusal as well */ }
    assert.equal(accepted, false);
    assert.deepEqual(ask([['verify', address(pair.publicKey), hex(changed), hex(message)]]), ['no']);
  }
  assert.deepEqual(ask([['verify', address(pair.publicKey), hex(signature), hex(message)]]), ['yes']);

  // With the neutral element as the key, R = s·B holds for any message; nobody may sign so.
  const free = sr25519PairFromSeed(draw(32)).publicKey;
  assert.deepEqual(ask([['verify', address(Buffer.alloc(32)), hex(Buffer.concat([free, signature.subarray(32)])), hex(message)]]), ['no']);
  const zero = Buffer.alloc(64);
  zero[63] = 0x80;
  assert.deepEqual(ask([['verify', address(Buffer.alloc(32)), hex(zero), hex(message)]]), ['no']);
});

// ── phrases and paths ──

const keyring = { sr25519: () => new Keyring({ type: 'sr25519', ss58Format: 42 }), ed25519: () => new Keyring({ type: 'ed25519', ss58Format: 42 }) };
function expected(scheme, uri) {
  const pair = keyring[scheme]().createFromUri(uri);
  return `${hex(pair.publicKey)} ${pair.address}`;
}
function compare(cases) {
  const answers = ask(cases.map(([scheme, uri]) => ['key', scheme, uri]));
  cases.forEach(([scheme, uri], i) => assert.equal(answers[i], expected(scheme, uri), `${scheme} ${uri}`));
}

test('phrases of every length give the peer\'s seeds, accounts and keys, with and without a password', () => {
  const cases = [];
  for (const words of [12, 15, 18, 21, 24]) {
    for (let i = 0; i < 6; i++) {
      const phrase = mnemonicGenerate(words);
      for (const scheme of ['sr25519', 'ed25519']) {
        cases.push([scheme, phrase], [scheme, `${phrase}///a pass/word//ä`], [scheme, `0x${hex(mnemonicToMiniSecret(phrase))}`]);
      }
    }
  }
  compare(cases);
});

const longText = 'a-name-that-does-not-fit-into-a-chain-code-of-32-bytes';
const hardPaths = ['//Alice', '//0', '//1', '//42', '//007', '//18446744073709551615', '//a//b//c', `//${longText}`, `//${'x'.repeat(31)}`,
  `//${'x'.repeat(32)}`, `//${'x'.repeat(63)}`, `//${'x'.repeat(64)}`, `//${'x'.repeat(300)}`, '//ünï', '//with space', '//12a', '//-1', '//1//x///pw', '//a///pw//x'];
const softPaths = ['/soft', '/0', '/7/8', '//hard/soft', '/soft//hard', `/${longText}`, '/soft/7//9/ä///pw'];

test('derivation paths, hard and soft, of numbers, texts and long texts', () => {
  const phrase = mnemonicGenerate(12);
  const hexSeed = `0x${hex(draw(32))}`;
  const cases = [];
  for (const path of hardPaths) cases.push(['sr25519', phrase + path], ['ed25519', phrase + path]);
  for (const path of softPaths) cases.push(['sr25519', phrase + path]);
  for (const path of [...hardPaths, ...softPaths].filter((one) => !one.includes('///'))) cases.push(['sr25519', hexSeed + path]);
  for (let i = 0; i < 100; i++) {
    const steps = Array.from({ length: 1 + below(4) }, () => `${below(2) ? '/' : '//'}${below(2) ? below(1e9) : hex(draw(1 + below(40)))}`);
    cases.push(['sr25519', phrase + steps.join('')]);
  }
  compare(cases);
});

test('a mistyped phrase is refused by the position of the word, and never repeated', () => {
  const words = mnemonicGenerate(12).split(' ');
  const mistyped = words.with(4, 'zebrra');
  const swapped = words.toReversed();
  const [unknown, short, soft, empty, big] = ask([['key', 'sr25519', mistyped.join(' ')], ['key', 'sr25519', words.slice(1).join(' ')],
    ['key', 'ed25519', `${words.join(' ')}//a/b`], ['key', 'sr25519', `${words.join(' ')}//`], ['key', 'sr25519', `${words.join(' ')}//18446744073709551616`]]);
  assert.match(unknown, /word 5 of the phrase is not in BIP-39's English list/);
  assert.match(short, /12, 15, 18, 21 or 24 words, not 11/);
  assert.match(soft, /step 2 of the derivation path is soft/);
  assert.match(empty, /step 1 of the derivation path is empty/);
  assert.match(big, /step 1 of the derivation path is a number that does not fit/);
  assert.ok(!unknown.includes('zebrra'));
  const [checksum] = ask([['key', 'sr25519', Array(12).fill('zoo').join(' ')]]);
  assert.match(checksum, /checksum/);
  let reversed = true; // by chance once in 16 a phrase that is right
  try { mnemonicToMiniSecret(swapped.join(' ')); } catch { reversed = false; }
  assert.equal(ask([['key', 'sr25519', swapped.join(' ')]])[0].startsWith('error'), !reversed);
});

// ── private keys ──

const orderBytes = (bytes) => BigInt(`0x${hex(Buffer.from(bytes).reverse())}`);
const toBytes = (number) => Buffer.from(number.toString(16).padStart(64, '0'), 'hex').reverse();

test('private keys in both forms: the scalar, and the scalar times 8 as the peer has it', () => {
  const questions = [];
  const wanted = [];
  for (let i = 0; i < 100; i++) {
    const pair = i % 2 === 0 ? sr25519PairFromSeed(draw(32)) : keyring.sr25519().createFromUri(`0x${hex(draw(32))}/soft`);
    const secret = Buffer.from(i % 2 === 0 ? pair.secretKey : pair.encodePkcs8().subarray(16, 80));
    const scalar = orderBytes(secret.subarray(0, 32));
    assert.equal(scalar % 8n, 0n, 'the peer writes the scalar times 8');
    const plain = Buffer.concat([toBytes(scalar / 8n), secret.subarray(32)]);
    for (const form of [secret, plain]) {
      questions.push(['private', hex(form), hex(pair.publicKey)]);
      wanted.push(`${hex(pair.publicKey)} ${encodeAddress(pair.publicKey, 42)}`);
    }
    // without the public key: the right one, or a refusal to guess, but never another
    questions.push(['private', hex(secret), '-'], ['private', hex(plain), '-']);
    wanted.push(null, null);
  }
  ask(questions).forEach((answer, i) => {
    const right = wanted[i] ?? wanted[i - (i % 4)];
    if (wanted[i] === null && answer.startsWith('error')) assert.match(answer, /can be read in btcli's form or in JavaScript programs'/);
    else assert.equal(answer, right);
  });
  assert.match(ask([['private', hex(Buffer.alloc(64, 0xff)), '-']])[0], /not an sr25519 private key/);
  assert.match(ask([['private', hex(Buffer.alloc(64, 0)), '-']])[0], /not an sr25519 private key/);
  const [a, b] = [sr25519PairFromSeed(draw(32)), sr25519PairFromSeed(draw(32))];
  assert.match(ask([['private', hex(a.secretKey), hex(b.publicKey)]])[0], /another account's/);
});
