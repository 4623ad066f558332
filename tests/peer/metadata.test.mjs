// Runtime metadata, values and storage keys against @polkadot/types, for real runtimes of Subtensor: the main network's of spec
// 424 (metadata 16), from a file, and spec 218 (metadata 14 and 15), which runs here from its genesis.
// `SV_BUILD=build node --test tests/peer/`; without SV_BUILD the folder build/ of the repository. SV_SEED repeats a run. The two
// files of the chain are looked for in ../shared of the repository, or in $SCOREVISION_SHARED.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Metadata, TypeRegistry } from '@polkadot/types';
import { expandMetadata } from '@polkadot/types/metadata';
import { compactStripLength, compactToU8a, hexToU8a, stringToU8a, u8aConcat, u8aToHex } from '@polkadot/util';
import { below, pick, randomBytes, seed } from '../support/random.mjs';
import { start } from '../support/subtensor/node.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '..', '..');
const build = path.resolve(process.env.SV_BUILD ?? path.join(root, 'build'));
const program = path.join(build, 'tests', 'peer', 'print_metadata');
const shared = path.resolve(process.env.SCOREVISION_SHARED ?? path.join(root, '..', 'shared'), 'chain');
const scratch = mkdtempSync(path.join(tmpdir(), 'sv-metadata-'));
after(() => rmSync(scratch, { recursive: true }));

const hex = (bytes) => (bytes.length ? u8aToHex(bytes).slice(2) : '-');

// ── the runtimes ──

function makeRuntime(name, bytes) {
  const file = path.join(scratch, `${name}.scale`);
  const registry = new TypeRegistry();
  const metadata = new Metadata(registry, u8aToHex(bytes));
  registry.setMetadata(metadata);
  writeFileSync(file, bytes);
  return { name, file, registry, metadata, latest: metadata.asLatest, lookup: registry.lookup };
}

// Asks our program all questions at once.
function ask(runtime, questions) {
  assert.ok(existsSync(program), `${program} is not there; build first, or set SV_BUILD`);
  const run = spawnSync(program, [runtime.file], { input: questions.join('\n') + '\n', maxBuffer: 1 << 30 });
  assert.equal(run.status, 0, `${program} ended with ${run.status ?? run.signal}: ${run.stderr}`);
  const lines = run.stdout.toString('utf8').split('\n');
  assert.equal(lines.pop(), '');
  assert.equal(lines.length, questions.length);
  return lines.map((line) => line.slice(1));
}

// Each case is { question, answer }; the first that differ are named.
function compare(runtime, cases, least) {
  assert.ok(cases.length >= least, `only ${cases.length} of ${least} cases`);
  const wrong = [];
  ask(runtime, cases.map(({ question }) => question)).forEach((ours, i) => {
    if (ours === cases[i].answer || wrong.length >= 3) return;
    wrong.push({ question: cases[i].question.slice(0, 400), ours: ours.slice(0, 400), theirs: cases[i].answer.slice(0, 400) });
  });
  assert.deepEqual(wrong, [], `seed ${seed}`);
}

// ── values: made here from the types that the other implementation reads, bytes and JSON together ──

const integers = { U8: 1, U16: 2, U32: 4, U64: 8, U128: 16, U256: 32, I8: 1, I16: 2, I32: 4, I64: 8, I128: 16, I256: 32 };
const texts = ['', 'für', '0xab', '\u{1f600}', 'a "b" \\ \n'];
const limit = BigInt(Number.MAX_SAFE_INTEGER);
const whole = (n) => (n > limit || n < -limit ? String(n) : Number(n));

function randomInteger(size, signed) {
  const bits = below(8 * size + 1);
  const value = bits === 0 ? 0n : BigInt.asUintN(bits, BigInt(u8aToHex(randomBytes(size))));
  return signed && below(2) ? -value / 2n : value / (signed ? 2n : 1n);
}

// The least depth of a value of each type, so that a value that is deep enough can come to an end.
function leastDepths(lookup) {
  const depths = new Map();
  const of = (id) => depths.get(id.toNumber()) ?? Infinity;
  const most = (ids) => ids.reduce((depth, id) => Math.max(depth, of(id)), 0);
  const measure = (def) => {
    if (def.isComposite) return 1 + most(def.asComposite.fields.map(({ type }) => type));
    if (def.isTuple) return 1 + most([...def.asTuple]);
    if (def.isArray) return 1 + of(def.asArray.type);
    if (def.isVariant) return 1 + Math.min(...def.asVariant.variants.map(({ fields }) => most(fields.map(({ type }) => type))));
    return 1;
  };
  for (let changed = true; changed;) {
    changed = false;
    for (const { id, type } of lookup.types) {
      const depth = measure(type.def);
      if (depth < of(id)) { depths.set(id.toNumber(), depth); changed = true; }
    }
  }
  return of;
}

function valueMaker({ lookup }) {
  const least = leastDepths(lookup);
  const join = (parts, value) => [u8aConcat(...parts.map(([bytes]) => bytes)), value];

  function fields(list, depth) {
    const parts = list.map(({ type }) => make(type, depth));
    const values = parts.map(([, value]) => value);
    if (list.length === 0) return join(parts, null);
    if (list.every(({ name }) => name.isSome)) return join(parts, Object.fromEntries(list.map(({ name }, i) => [name.unwrap().toString(), values[i]])));
    return join(parts, list.length === 1 ? values[0] : values);
  }
  const isByte = (type) => { const { def } = lookup.getSiType(type); return def.isPrimitive && def.asPrimitive.type === 'U8'; };
  function items(type, n, depth) {
    if (isByte(type)) { const bytes = randomBytes(n); return [bytes, u8aToHex(bytes)]; }
    const parts = Array.from({ length: n }, () => make(type, depth));
    return join(parts, parts.map(([, value]) => value));
  }
  function variant({ variants }, depth) {
    const costs = variants.map((one) => Math.max(0, ...one.fields.map(({ type }) => least(type))));
    const chosen = depth > 0 ? pick(variants.filter((_, i) => costs[i] < Infinity)) : variants[costs.indexOf(Math.min(...costs))];
    const [bytes, value] = fields(chosen.fields, depth);
    return [u8aConcat([chosen.index.toNumber()], bytes), { [chosen.name.toString()]: value }];
  }
  function primitive(name) {
    if (name === 'Bool') { const value = below(2); return [[value], value === 1]; }
    if (name === 'Str') { const text = pick(texts); const bytes = stringToU8a(text); return [u8aConcat(compactToU8a(bytes.length), bytes), text]; }
    if (name === 'Char') return [[0xe4, 0, 0, 0], 'ä'];
    const size = integers[name];
    const value = randomInteger(size, name.startsWith('I'));
    return [Array.from({ length: size }, (_, i) => Number(BigInt.asUintN(8, value >> BigInt(8 * i)))), whole(value)];
  }
  function compact(type) {
    let { def } = lookup.getSiType(type);
    while (def.isComposite && def.asComposite.fields.length === 1) ({ def } = lookup.getSiType(def.asComposite.fields[0].type));
    if (!def.isPrimitive) return [[], []];
    const value = randomInteger(integers[def.asPrimitive.type], false);
    return [compactToU8a(value), whole(value)];
  }
  function bits({ bitStoreType }) {
    assert.ok(isByte(bitStoreType));
    const n = below(30);
    const bytes = randomBytes(Math.ceil(n / 8));
    return [u8aConcat(compactToU8a(n), bytes), Array.from({ length: n }, (_, i) => (bytes[i >> 3] >> (i & 7)) & 1).join('')];
  }
  function make(type, depth) {
    const { def } = lookup.getSiType(type);
    if (def.isComposite) return fields(def.asComposite.fields, depth - 1);
    if (def.isTuple) { const parts = def.asTuple.map((one) => make(one, depth - 1)); return join(parts, parts.map(([, value]) => value)); }
    if (def.isVariant) return variant(def.asVariant, depth - 1);
    if (def.isArray) return items(def.asArray.type, def.asArray.len.toNumber(), depth - 1);
    if (def.isSequence) {
      const n = depth > 0 && least(def.asSequence.type) < Infinity ? below(4) : 0;
      const [bytes, value] = items(def.asSequence.type, n, depth - 1);
      return [u8aConcat(compactToU8a(n), bytes), value];
    }
    if (def.isPrimitive) return primitive(def.asPrimitive.type);
    if (def.isCompact) return compact(def.asCompact.type);
    assert.ok(def.isBitSequence, `no values are made of ${def.type}`);
    return bits(def.asBitSequence);
  }
  return { make, hasValues: (type) => least(type) < Infinity };
}

// As RFC 8785 writes it; our program prints it so.
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`;
}

function theirDefault({ registry }, id) {
  try {
    return registry.createType(registry.createLookupType(id)).toU8a();
  } catch (error) {
    // a compact of (), which it does not know
    assert.match(error.message, /toBn is not a function/);
    return null;
  }
}

// Where its default is no value: enums without variants, or without one of index 0, and what holds one of those.
const isNever = ({ def }) => def.isVariant && def.asVariant.variants.length === 0;
const withoutDefault = /^(frame_system::EventRecord|node_subtensor_runtime::Runtime(Event|HoldReason|FreezeReason)|frame_support::traits::tokens::misc::IdAmount|pallet_grandpa::pallet::Call)$/;

// ── the comparisons ──

function defaults(runtime) {
  const cases = [];
  for (const { id, type } of runtime.lookup.types) {
    const bytes = theirDefault(runtime, id);
    if (bytes !== null) cases.push({ question: `value ${id} ${hex(bytes)}`, length: bytes.length, path: type.path.join('::'), never: isNever(type) });
  }
  assert.ok(cases.length >= runtime.lookup.types.length - 1);
  ask(runtime, cases.map(({ question }) => question)).forEach((answer, i) => {
    if (cases[i].never || withoutDefault.test(cases[i].path)) assert.match(answer, /^error: skip: /, cases[i].path);
    else assert.equal(answer.split(' ', 1)[0], String(cases[i].length), `${cases[i].path}: ${cases[i].question}: ${answer}`);
  });
}

// Values that the other implementation reads and writes again as they were show that they are made right.
function randomValues(runtime) {
  const { make, hasValues } = valueMaker(runtime);
  const cases = [];
  let confirmed = 0;
  for (const { id } of runtime.lookup.types) {
    for (let i = 0; i < 5 && hasValues(id); i++) {
      const [bytes, value] = make(id, 6);
      cases.push({ question: `value ${id} ${hex(u8aConcat(bytes))}`, answer: `${bytes.length} ${canonical(value)}` });
      confirmed += isTheirs(runtime, id, u8aConcat(bytes));
    }
  }
  compare(runtime, cases, 5 * (runtime.lookup.types.length - 10));
  assert.ok(confirmed > 0.8 * cases.length, `only ${confirmed} of ${cases.length} values are read by the other implementation`);
}

function isTheirs({ registry }, id, bytes) {
  try {
    return hex(registry.createType(registry.createLookupType(id), bytes).toU8a()) === hex(bytes);
  } catch {
    return false;
  }
}

const hashers = ['Blake2_128', 'Blake2_256', 'Blake2_128Concat', 'Twox128', 'Twox256', 'Twox64Concat', 'Identity'];
const keepsKey = (hasher) => /Concat|Identity/.test(hasher);

// Storage entries with the types of their keys, one for each hasher.
function* entries({ latest, lookup }) {
  for (const pallet of latest.pallets) {
    if (pallet.storage.isNone) continue;
    const { prefix, items } = pallet.storage.unwrap();
    for (const item of items) {
      const map = item.type.isMap ? item.type.asMap : null;
      const own = map === null ? [] : map.hashers.map(({ type }) => type);
      const types = own.length < 2 ? (map === null ? [] : [map.key]) : [...lookup.getSiType(map.key).def.asTuple];
      yield { pallet: pallet.name.toString(), prefix: prefix.toString(), item, hashers: own, types, value: map === null ? item.type.asPlain : map.value };
    }
  }
}

function storageEntries(runtime) {
  const cases = [];
  for (const { pallet, prefix, item, hashers: own, types, value } of entries(runtime)) {
    const keys = types.map((type, i) => ` ${hashers.indexOf(own[i])}:${type}`).join('');
    const fallback = hex(compactStripLength(item.fallback.toU8a())[1]);
    cases.push({ question: `entry ${pallet} ${item.name}`, answer: `${prefix} ${Number(item.modifier.isOptional)} ${value} ${fallback}${keys}` });
  }
  compare(runtime, cases, 200);
}

// Keys of default values, and of random ones where the other implementation reads them.
function storageKeys(runtime) {
  const { query } = expandMetadata(runtime.registry, runtime.metadata);
  const theirs = new Map(Object.values(query).flatMap(Object.values).map((entry) => [`${entry.prefix}.${entry.meta.name}`, entry]));
  const { make } = valueMaker(runtime);
  const cases = [];
  const seen = new Set();
  for (const { pallet, prefix, item, hashers: own, types } of entries(runtime)) {
    const entry = theirs.get(`${prefix}.${item.name}`);
    for (const keys of [types.map((type) => theirDefault(runtime, type)), types.map((type) => u8aConcat(make(type, 4)[0]))]) {
      if (!types.every((type, i) => isTheirs(runtime, type, keys[i]))) continue;
      const values = types.map((type, i) => runtime.registry.createType(runtime.registry.createLookupType(type), keys[i]));
      const key = u8aToHex(compactStripLength(entry(...values))[1]);
      const parts = keys.map((bytes, i) => ` ${keepsKey(own[i]) ? hex(bytes) : 'none'}`).join('');
      cases.push({ question: `key ${pallet} ${item.name}${keys.map((bytes) => ` ${hex(bytes)}`).join('')}`, answer: `${key}${parts}` });
      seen.add(`${pallet}.${item.name}`);
    }
  }
  const all = [...entries(runtime)].map(({ pallet, item }) => `${pallet}.${item.name}`);
  assert.deepEqual(all.filter((name) => !seen.has(name)), [], 'every entry has a key');
  for (const name of ['Commitments.CommitmentOf', 'SubtensorModule.SubnetOwnerHotkey', 'SubtensorModule.ValidatorPermit', 'SubtensorModule.Keys',
    'SubtensorModule.Uids', 'System.Account', 'System.Events', 'Timestamp.Now']) assert.ok(seen.has(name), name);
  compare(runtime, cases, 400);
}

function constants(runtime) {
  const cases = runtime.latest.pallets.flatMap(({ name, constants: list }) => list.map((constant) => ({
    question: `constant ${name} ${constant.name}`, answer: `${constant.type} ${hex(compactStripLength(constant.value.toU8a())[1])}`,
  })));
  compare(runtime, cases, 80);
}

// The variants of a pallet's calls, events or errors, by index.
function variants({ lookup }, option) {
  if (option.isNone) return new Map();
  return new Map(lookup.getSiType(option.unwrap().type).def.asVariant.variants.map((one) => [one.index.toNumber(), one]));
}

function names(runtime) {
  const cases = [];
  for (let index = 0; index < 256; index++) {
    const pallet = runtime.latest.pallets.find((one) => one.index.toNumber() === index);
    const lists = pallet === undefined ? [] : [pallet.calls, pallet.events, pallet.errors].map((option) => variants(runtime, option));
    for (let i = 0; i < 256; i++) {
      const found = [0, 1, 2].map((k) => lists[k]?.get(i)?.name ?? '-');
      cases.push({ question: `names ${index} ${i}`, answer: `${pallet?.name ?? '-'} ${found.join(' ')}` });
    }
    for (const [i, error] of lists[2] ?? []) {
      const docs = error.docs.map((line) => line.toString().trim()).filter((line) => line !== '').join(' ');
      cases.push({ question: `docs ${index} ${i}`, answer: docs });
    }
    for (const [i, call] of lists[0] ?? []) cases.push({ question: `call ${pallet.name} ${call.name}`, answer: `${index} ${i}` });
  }
  compare(runtime, cases, 256 * 256 + 300);
}

// What the metadata's own version says of extrinsics: the newest form, into which the other implementation brings all, leaves
// out what is signed besides.
function extrinsic(runtime) {
  const { metadata, latest, lookup } = runtime;
  const { addressType, callType, signatureType } = latest.extrinsic;
  let extensions;
  if (metadata.version === 16) {
    const { transactionExtensions: all, transactionExtensionsByVersion: byVersion } = metadata.asV16.extrinsic;
    const [places] = [...byVersion.entries()].filter(([version]) => version.toNumber() === 0).map(([, list]) => list);
    extensions = places.map((place) => all[place.toNumber()]).map(({ identifier, type, implicit }) => [identifier, type, implicit]);
  } else {
    const own = metadata.version === 15 ? metadata.asV15 : metadata.asV14;
    extensions = own.extrinsic.signedExtensions.map(({ identifier, type, additionalSigned }) => [identifier, type, additionalSigned]);
  }
  assert.ok(extensions.length >= 11);
  compare(runtime, [
    { question: 'types', answer: String(lookup.types.length) },
    { question: 'extrinsic', answer: [addressType, callType, signatureType, 1, Number(metadata.version === 16), ...extensions.map((one) => one.join(':'))].join(' ') },
  ], 2);
}

const comparisons = [
  ['the default value of every type is passed over and decoded, all its bytes', defaults],
  ['random values of every type are decoded', randomValues],
  ['storage entries are the same: prefix, keys, value, default', storageEntries],
  ['storage keys are the same, byte by byte, and give their keys back', storageKeys],
  ['constants are the same', constants],
  ['pallets, calls, events and errors are the same, by index and by name', names],
  ['extrinsics have the same parts and extensions', extrinsic],
];

const files = { main: path.join(shared, 'subtensor-spec424-metadata-v16.scale'), genesis: path.join(shared, 'subtensor-spec218-genesis.json') };
const missing = Object.values(files).find((file) => !existsSync(file));
const skip = missing && `NOT TESTED: no ${missing}; set SCOREVISION_SHARED`;

describe('metadata of real runtimes', () => {
  const runtimes = {};
  before(async () => {
    if (missing) return;
    const chain = await start();
    try {
      const opaque = hexToU8a(await chain.rpc('state_call', 'Metadata_metadata_at_version', '0x0f000000'));
      runtimes[14] = makeRuntime('spec-218-v14', hexToU8a(await chain.rpc('state_getMetadata')));
      runtimes[15] = makeRuntime('spec-218-v15', compactStripLength(opaque.subarray(1))[1]);
    } finally {
      await chain.stop();
    }
    runtimes[16] = makeRuntime('spec-424-v16', readFileSync(files.main));
    for (const version of [14, 15, 16]) assert.equal(runtimes[version].metadata.version, version);
  });
  for (const version of [14, 15, 16]) {
    for (const [name, check] of comparisons) test(`version ${version}: ${name}`, { skip }, () => check(runtimes[version]));
  }
});
