// Commitments, headers and events against @polkadot/api, byte for byte, for two real runtimes of Subtensor: the main network's
// of spec 424 (metadata 16), from a file, and spec 218 (metadata 14), which runs here from its genesis.
// `SV_BUILD=build node --test tests/peer/`; without SV_BUILD the folder build/ of the repository. SV_SEED repeats a run. The two
// files of the chain are looked for in ../shared of the repository, or in $SCOREVISION_SHARED.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Keyring } from '@polkadot/keyring';
import { Metadata, TypeRegistry } from '@polkadot/types';
import { expandMetadata } from '@polkadot/types/metadata';
import { hexToU8a, stringToHex, u8aConcat, u8aToHex } from '@polkadot/util';
import { blake2AsHex, blake2AsU8a, cryptoWaitReady, signatureVerify, xxhashAsU8a } from '@polkadot/util-crypto';
import { below, random32, randomBytes, seed } from '../support/random.mjs';
import { start } from '../support/subtensor/node.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '..', '..');
const build = path.resolve(process.env.SV_BUILD ?? path.join(root, 'build'));
const program = path.join(build, 'tests', 'peer', 'print_extrinsics');
const shared = path.resolve(process.env.SCOREVISION_SHARED ?? path.join(root, '..', 'shared'), 'chain');
const scratch = mkdtempSync(path.join(tmpdir(), 'sv-extrinsics-'));
after(() => rmSync(scratch, { recursive: true }));

const randomHex = (n) => u8aToHex(randomBytes(n));
const alphabet = 'abcdefghijklmnopqrstuvwxyz 0123456789\n@._-';
const letters = (n) => Array.from({ length: n }, () => alphabet[below(alphabet.length)]).join('');

const hex = (value) => u8aToHex(typeof value === 'string' ? hexToU8a(value) : value).slice(2);
const text = (value) => stringToHex(value).slice(2);

// ── the runtimes ──

function makeRuntime(name, bytes, facts) {
  const file = path.join(scratch, `${name}.scale`);
  const registry = new TypeRegistry();
  const metadata = new Metadata(registry, u8aToHex(bytes));
  registry.setMetadata(metadata);
  writeFileSync(file, bytes);
  return { registry, metadata, calls: expandMetadata(registry, metadata).tx, file, ...facts };
}

// Asks our program all questions at once.
function ask(runtime, questions) {
  assert.ok(existsSync(program), `${program} is not there; build first, or set SV_BUILD`);
  const run = spawnSync(program, [runtime.file], { input: questions.join('\n') + '\n', maxBuffer: 1 << 30 });
  assert.equal(run.status, 0, `${program} ended with ${run.status ?? run.signal}: ${run.stderr}`);
  const lines = run.stdout.toString('utf8').split('\n');
  assert.equal(lines.pop(), '');
  assert.equal(lines.length, questions.length);
  return lines;
}

// Each case is { question, answer }; the first that differ are named.
function compare(runtime, cases) {
  assert.ok(cases.length > 0);
  const wrong = [];
  ask(runtime, cases.map(({ question }) => question)).forEach((ours, i) => {
    if (ours !== cases[i].answer && wrong.length < 3) wrong.push({ question: cases[i].question.slice(0, 400), ours, theirs: cases[i].answer });
  });
  assert.deepEqual(wrong, [], `seed ${seed}`);
}

// ── what the other implementation says ──

// A text as fields: full ones, then the rest.
function fieldsOf({ bigRaw }, content) {
  const bytes = Buffer.from(content);
  const size = bigRaw ? 512 : 128;
  const fields = [];
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    fields.push(bigRaw ? { BigRaw: u8aToHex(piece) } : { [`Raw${piece.length}`]: u8aToHex(piece) });
  }
  return fields;
}

const commit = (runtime, netuid, fields) => runtime.calls.commitments.setCommitment(netuid, { fields });
const commitText = (runtime, netuid, content) => commit(runtime, netuid, fieldsOf(runtime, content));

function randomContext(runtime, { nonce = [0, 63, 64, 16383, 16384, below(2 ** 31)][below(6)], period = [0, 4, 8, 64, 128, 1024, 2048, 4096, 65536][below(9)] } = {}) {
  const block = below(2 ** 31) & ~15; // a start for the longest era, too
  return { spec: runtime.spec, transaction: runtime.transaction, genesis: randomHex(32), nonce, period, block, hash: randomHex(32) };
}

const contextWords = ({ spec, transaction, genesis, nonce, period, block, hash }) =>
  [spec, transaction, hex(genesis), nonce, period, block, hex(hash)].join(' ');

const eraOf = ({ registry }, { period, block }) =>
  (period ? registry.createType('ExtrinsicEra', { current: block, period }) : registry.createType('ExtrinsicEra', '0x00'));

function signatureOptions(runtime, context) {
  return {
    era: eraOf(runtime, context), nonce: context.nonce, tip: 0, mode: 0, metadataHash: null,
    blockHash: context.period ? context.hash : context.genesis, genesisHash: context.genesis,
    runtimeVersion: { specVersion: context.spec, transactionVersion: context.transaction },
    specVersion: context.spec, transactionVersion: context.transaction,
  };
}

function payloadOf(runtime, context, call) {
  const payload = runtime.registry.createType('ExtrinsicPayload', { ...signatureOptions(runtime, context), method: call.toHex() }, { version: 4 });
  const bytes = payload.toU8a({ method: true });
  return bytes.length > 256 ? blake2AsU8a(bytes) : bytes;
}

function sign(runtime, context, call, pair) {
  return runtime.registry.createType('Extrinsic', call, { version: 4 }).sign(pair, signatureOptions(runtime, context));
}

const readAnswer = (signer, netuid, round, content) => `${hex(signer)} ${netuid} ${round} ${content === null ? '-' : text(content)}`;

// ── the tests of one runtime ──

function lengths({ maxFields, bigRaw }) {
  const size = bigRaw ? 512 : 128;
  const list = [1, 2, 3, 63, 64, size - 1, size];
  for (let n = 1; n < maxFields; n++) list.push(n * size + 1, (n + 1) * size - 1, (n + 1) * size);
  return list;
}

function encoding(the) {
  test('calls are the same, of one field and of several', () => {
    const cases = lengths(the()).flatMap((n) => [0, 1, 44, 65535].map((netuid) => ({ netuid, content: letters(n) })));
    cases.push({ netuid: 44, content: 'é€𝄞'.repeat(12) });
    compare(the(), cases.map(({ netuid, content }) => ({
      question: `call ${netuid} ${text(content)}`, answer: hex(commitText(the(), netuid, content).toU8a()),
    })));
  });

  test('a text too long is refused with both numbers', () => {
    const most = the().maxFields * (the().bigRaw ? 512 : 128);
    const [refusal] = ask(the(), [`call 44 ${text(letters(most + 1))}`]);
    assert.match(refusal, new RegExp(`^error: .*${most + 1} bytes.*${most}`));
  });

  test('payloads are the same, short and hashed, of many eras and nonces', () => {
    const cases = [];
    for (let i = 0; i < 150; i++) {
      const all = lengths(the());
      const call = commitText(the(), below(65536), letters(i % 2 ? 1 + below(100) : all[below(all.length)]));
      const context = randomContext(the());
      cases.push({ question: `payload ${contextWords(context)} ${hex(call.toU8a())}`, answer: hex(payloadOf(the(), context, call)) });
    }
    compare(the(), cases);
    const isHash = ({ answer }) => answer.length === 64;
    assert.ok(cases.some((one) => !isHash(one)) && (the().maxFields === 1 || cases.some(isHash)));
  });

  test('payloads of 256 and of 257 bytes are signed as they are, and hashed', () => {
    const context = randomContext(the(), { nonce: 1, period: 64 });
    const around = payloadOf(the(), context, commitText(the(), 44, 'a')).length - 1;
    const remark = (n) => the().calls.system.remark(`0x${'61'.repeat(n)}`);
    const cases = [];
    for (let n = 256 - around - 20; n < 256 - around + 20; n++) {
      const call = remark(n);
      cases.push({ question: `payload ${contextWords(context)} ${hex(call.toU8a())}`, answer: hex(payloadOf(the(), context, call)) });
    }
    assert.ok(cases.some(({ answer }) => answer.length === 512) && cases.some(({ answer }) => answer.length === 64));
    compare(the(), cases);
  });

  test('ed25519 extrinsics and their hashes are the same', () => {
    const cases = [];
    for (let i = 0; i < 40; i++) {
      const secret = randomBytes(32);
      const pair = new Keyring({ type: 'ed25519' }).addFromSeed(secret);
      const all = lengths(the());
      const call = commitText(the(), below(65536), letters(all[below(all.length)]));
      const context = randomContext(the());
      const extrinsic = sign(the(), context, call, pair);
      cases.push({
        question: `sign ed25519 ${hex(secret)} ${contextWords(context)} ${hex(call.toU8a())}`,
        answer: `${hex(extrinsic.toU8a())} ${extrinsic.hash.toHex()}`,
      });
    }
    compare(the(), cases);
  });

  test('sr25519 extrinsics are read by the other implementation, and their signatures verify', () => {
    for (let i = 0; i < 8; i++) {
      const secret = randomBytes(32);
      const pair = new Keyring({ type: 'sr25519' }).addFromSeed(secret);
      const content = letters(1 + below(128));
      const call = commitText(the(), 44, content);
      const context = randomContext(the());
      const [answer] = ask(the(), [`sign sr25519 ${hex(secret)} ${contextWords(context)} ${hex(call.toU8a())}`]);
      const [ours, hash] = answer.split(' ');
      const read = the().registry.createType('Extrinsic', `0x${ours}`);
      assert.equal(read.signer.toString(), pair.address);
      assert.equal(read.nonce.toNumber(), context.nonce);
      assert.equal(read.method.toHex(), call.toHex());
      assert.equal(hash, blake2AsHex(`0x${ours}`));
      assert.equal(hex(read.toU8a()), ours);
      const { isValid, crypto } = signatureVerify(payloadOf(the(), context, call), read.signature.toU8a(), pair.address);
      assert.deepEqual([isValid, crypto], [true, 'sr25519'], `seed ${seed}`);
    }
  });
}

function decoding(the) {
  const signed = (call, context = {}) => {
    const pair = new Keyring({ type: below(2) ? 'sr25519' : 'ed25519' }).addFromSeed(randomBytes(32));
    return { pair, bytes: sign(the(), randomContext(the(), context), call, pair).toU8a() };
  };

  test('commitments are found in blocks with their signer, netuid and text', () => {
    compare(the(), lengths(the()).map((n) => {
      const content = letters(n);
      const netuid = below(65536);
      const { pair, bytes } = signed(commitText(the(), netuid, content));
      return { question: `read ${hex(bytes)}`, answer: readAnswer(pair.publicKey, netuid, 0, content) };
    }));
  });

  test('fields that are no plain text give no text, and a time lock its round', () => {
    const fields = ['None', 'ResetBondsFlag', { BlakeTwo256: randomHex(32) }, { Sha256: randomHex(32) }, { Raw3: '0x610062' }, { Raw2: '0xc328' },
      { TimelockEncrypted: { encrypted: randomHex(99), reveal_round: 77 } }];
    const isKnown = (field) => the().data.includes(typeof field === 'string' ? field : Object.keys(field)[0]);
    compare(the(), [[], ...fields.filter(isKnown).map((field) => [field])].map((list) => {
      const { pair, bytes } = signed(commit(the(), 44, list));
      return { question: `read ${hex(bytes)}`, answer: readAnswer(pair.publicKey, 44, list[0]?.TimelockEncrypted ? 77 : 0, null) };
    }));
  });

  test('other calls, and commitments inside other calls, are not counted', () => {
    const { calls } = the();
    const ours = commitText(the(), 44, 'sv1 commit');
    const other = new Keyring({ type: 'sr25519' }).addFromSeed(randomBytes(32)).address;
    const others = [
      calls.system.remark('0x1200'), calls.balances.transferAllowDeath(other, 1), calls.subtensorModule.burnedRegister(44, other),
      calls.utility.batch([ours]), calls.utility.batchAll([ours, ours]), calls.utility.forceBatch([ours]), calls.utility.asDerivative(0, ours),
      calls.proxy.proxy(other, null, ours), calls.multisig.asMultiThreshold1([other], ours), calls.sudo.sudo(ours),
      calls.utility.batch([calls.utility.batch([ours])]),
    ];
    const cases = others.map((call) => ({ question: `read ${hex(signed(call).bytes)}`, answer: 'none' }));
    const bare = (call) => the().registry.createType('Extrinsic', call, { version: 4 }).toU8a();
    cases.push({ question: `read ${hex(bare(calls.timestamp.set(1)))}`, answer: 'none' }, { question: `read ${hex(bare(ours))}`, answer: 'none' });
    compare(the(), cases);
  });

  test('registrations are read with block, text and the round of a time lock', () => {
    const { registry, maxFields } = the();
    const registration = (block, fields) => hex(registry.createType(the().registrationType, { deposit: below(2 ** 31), block, info: { fields } }).toU8a());
    const cases = lengths(the()).map((n) => {
      const content = letters(n);
      const block = below(2 ** 31);
      return { question: `registration ${registration(block, fieldsOf(the(), content))}`, answer: `${block} 0 ${text(content)}` };
    });
    const lock = (reveal_round) => ({ TimelockEncrypted: { encrypted: randomHex(200), reveal_round } });
    if (the().data.includes('TimelockEncrypted')) {
      cases.push({ question: `registration ${registration(7, [lock(123456789)])}`, answer: '7 123456789 -' });
      cases.push({ question: `registration ${registration(7, [lock('9007199254740993')])}`, answer: '7 9007199254740993 -' });
      if (maxFields > 2) cases.push({ question: `registration ${registration(8, [lock(5), { Raw1: '0x61' }, lock(4)])}`, answer: '8 5 -' });
    }
    cases.push({ question: `registration ${registration(9, [])}`, answer: '9 0 -' });
    compare(the(), cases);
  });
}

function events(the) {
  const account = () => new Keyring({ type: 'sr25519' }).addFromSeed(randomBytes(32)).address;

  // The value of System.Events of [[phase, pallet, event, data]].
  function encode(records) {
    const { registry, metadata } = the();
    const parts = records.map(([phase, pallet, event, ...data]) => {
      const of = metadata.asLatest.pallets.find(({ name }) => name.toString() === pallet);
      const variant = registry.lookup.getSiType(of.events.unwrap().type).def.asVariant.variants.find(({ name }) => name.toString() === event);
      assert.equal(variant.fields.length, data.length, `${pallet}.${event}`);
      const fields = variant.fields.map(({ type }, i) => registry.createType(registry.createLookupType(type), data[i]).toU8a());
      const topics = registry.createType('Vec<Hash>', below(3) ? [] : [randomHex(32)]).toU8a();
      return u8aConcat(registry.createType('Phase', phase).toU8a(), [of.index.toNumber(), variant.index.toNumber()], ...fields, topics);
    });
    return hex(u8aConcat(registry.createType('Compact<u32>', parts.length).toU8a(), ...parts));
  }

  const info = () => ({ weight: { refTime: random32(), proofSize: below(2 ** 20) }, class: ['Normal', 'Operational', 'Mandatory'][below(3)], paysFee: below(2) ? 'Yes' : 'No' });
  const success = (i) => [{ ApplyExtrinsic: i }, 'System', 'ExtrinsicSuccess', info()];
  const failure = (i, error) => [{ ApplyExtrinsic: i }, 'System', 'ExtrinsicFailed', error, info()];
  const commitment = (i) => [{ ApplyExtrinsic: i }, 'Commitments', 'Commitment', 44, account()];
  const transfer = (i) => [{ ApplyExtrinsic: i }, 'Balances', 'Transfer', account(), account(), 5];
  const newAccount = (phase) => [phase, 'System', 'NewAccount', account()];

  test('the outcomes of a block are read among other events', () => {
    const records = [newAccount('Initialization'), success(0), commitment(1), transfer(1), success(1), transfer(2), failure(2, 'BadOrigin'), success(4), newAccount('Finalization')];
    compare(the(), [{ question: `events 5 ${encode(records)}`, answer: ['success', 'success', 'BadOrigin', 'unknown', 'success'].join('\t') }]);
  });

  test('every error of every pallet has its name and docs', () => {
    const { registry, metadata } = the();
    const cases = [];
    for (const pallet of metadata.asLatest.pallets) {
      if (pallet.errors.isNone) continue;
      for (const { index, name, docs } of registry.lookup.getSiType(pallet.errors.unwrap().type).def.asVariant.variants) {
        const said = docs.map((line) => line.toString().trim()).filter((line) => line !== '').join(' ');
        const words = Array.from(`${pallet.name}.${name}${said ? `: ${said}` : ''}`);
        const value = encode([failure(0, { Module: { index: pallet.index.toNumber(), error: [index.toNumber(), 0, 0, 0] } })]);
        cases.push({ question: `events 1 ${value}`, answer: words.length > 200 ? `${words.slice(0, 200).join('')}…` : words.join('') });
      }
    }
    assert.ok(cases.length > 200);
    assert.ok(cases.some(({ answer }) => answer.startsWith('Commitments.AccountNotAllowedCommit: ')));
    compare(the(), cases);
  });

  test('other errors are the names in each other', () => {
    const errors = ['Other', 'CannotLookup', 'BadOrigin', 'ConsumerRemaining', 'Exhausted', { Token: 'FundsUnavailable' }, { Token: 'Frozen' }, { Arithmetic: 'Overflow' }, { Transactional: 'LimitReached' }];
    compare(the(), errors.map((error) => ({
      question: `events 1 ${encode([failure(0, error)])}`, answer: typeof error === 'string' ? error : Object.entries(error)[0].join('.'),
    })));
  });
}

const registrationOf = (registry, metadata) => {
  const entry = metadata.asLatest.pallets.find(({ name }) => name.toString() === 'Commitments').storage.unwrap().items.find(({ name }) => name.toString() === 'CommitmentOf');
  return registry.createLookupType(entry.type.asMap.value);
};
const dataOf = (registry, metadata) => {
  const type = metadata.asLatest.lookup.types.find(({ type: { path: parts } }) => parts.map(String).join('::') === 'pallet_commitments::types::Data');
  return type.type.def.asVariant.variants.map(({ name }) => name.toString());
};

function suite(the) {
  encoding(the);
  decoding(the);
  events(the);
}

// A skipped suite is no test to the one who counts, so a test is skipped in its place.
function describeWith(file, name, body) {
  if (existsSync(file)) return describe(name, body);
  const reason = `${file} is not there: set SCOREVISION_SHARED to the folder that has chain/`;
  console.error(`# SKIPPED: ${reason}`);
  return test(name, { skip: reason });
}

const metadata424 = path.join(shared, 'subtensor-spec424-metadata-v16.scale');
describeWith(metadata424, 'spec 424, metadata 16', () => {
  let runtime;
  before(async () => {
    await cryptoWaitReady();
    runtime = makeRuntime('spec424', readFileSync(metadata424), { spec: 424, transaction: 1, maxFields: 3, bigRaw: true });
    runtime.data = dataOf(runtime.registry, runtime.metadata);
    runtime.registrationType = registrationOf(runtime.registry, runtime.metadata);
  });
  suite(() => runtime);
});

const genesis218 = path.join(shared, 'subtensor-spec218-genesis.json');
describeWith(genesis218, 'spec 218, metadata 14', () => {
  let runtime;
  let chain;
  before(async () => {
    await cryptoWaitReady();
    chain = await start();
    runtime = makeRuntime('spec218', hexToU8a(await chain.rpc('state_getMetadata')), { spec: 218, transaction: 1, maxFields: 1, bigRaw: false });
    runtime.data = dataOf(runtime.registry, runtime.metadata);
    runtime.registrationType = registrationOf(runtime.registry, runtime.metadata);
  });
  after(() => chain?.stop());
  suite(() => runtime);

  test('hashes of headers are those that the node gives', async () => {
    await chain.rpc('dev_newBlock', { count: 3 });
    const cases = [];
    for (let number = 1; number <= 3; number++) {
      const hash = await chain.rpc('chain_getBlockHash', number);
      const header = await chain.rpc('chain_getHeader', hash);
      cases.push({ question: `header ${JSON.stringify(header)}`, answer: `${number} ${hash} ${header.parentHash} 0` });
    }
    compare(runtime, cases);
  });

  test('a commitment of ours is included in a block, succeeds, and is found there and in the storage', async () => {
    const secret = randomBytes(32);
    const pair = new Keyring({ type: 'sr25519' }).addFromSeed(secret);
    const key = (prefix, name, ...keys) => u8aToHex(u8aConcat(xxhashAsU8a(prefix, 128), xxhashAsU8a(name, 128), ...keys));
    await chain.register(1, pair.address);
    const genesis = await chain.rpc('chain_getBlockHash', 0);
    const [call] = ask(runtime, [`call 1 ${text('sv1 commit 2025-10-23 45')}`]);
    const context = { spec: 218, transaction: 1, genesis, nonce: 0, period: 0, block: 0, hash: genesis }; // immortal
    const [answer] = ask(runtime, [`sign sr25519 ${hex(secret)} ${contextWords(context)} ${call}`]);
    const [extrinsic, hash] = answer.split(' ');
    assert.equal(await chain.rpc('author_submitExtrinsic', `0x${extrinsic}`), hash);
    const block = await chain.rpc('dev_newBlock', { count: 1 });
    const { block: { extrinsics, header } } = await chain.rpc('chain_getBlock', block);
    const index = extrinsics.indexOf(`0x${extrinsic}`);
    assert.ok(index > 0, 'the block does not hold the extrinsic');
    const value = await chain.rpc('state_getStorage', key('System', 'Events'), block);
    const registration = await chain.rpc('state_getStorage', key('Commitments', 'CommitmentOf', [1, 0], xxhashAsU8a(pair.publicKey, 64), pair.publicKey), block);
    const [read, outcomes, stored] = ask(runtime, [`read ${extrinsic}`, `events ${extrinsics.length} ${hex(value)}`, `registration ${hex(registration)}`]);
    assert.equal(read, readAnswer(pair.publicKey, 1, 0, 'sv1 commit 2025-10-23 45'));
    assert.equal(outcomes.split('\t')[index], 'success');
    assert.equal(stored, `${Number(header.number)} 0 ${text('sv1 commit 2025-10-23 45')}`);
  });
});
