// Canonical JSON against an independent implementation: Node's own JSON.stringify() for numbers and strings, and RFC 8785 in
// ten lines of JavaScript for documents. `SV_BUILD=build node --test tests/peer/`; without SV_BUILD the folder build/ of the
// repository. SV_SEED repeats a run.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { below, pick, random32, seed } from '../support/random.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const build = path.resolve(process.env.SV_BUILD ?? path.join(here, '..', '..', 'build'));
const program = path.join(build, 'tests', 'peer', 'print_canonical');

// Compares what our program prints for each text with what is expected, and names the first that differ.
function compare(texts, expected) {
  assert.ok(existsSync(program), `${program} is not there; build first, or set SV_BUILD`);
  const run = spawnSync(program, { input: texts.join('\n') + '\n', maxBuffer: 1 << 30 });
  assert.equal(run.status, 0, `${program} ended with ${run.status ?? run.signal}: ${run.stderr}`);
  const lines = run.stdout.toString('utf8').split('\n');
  assert.equal(lines.pop(), '');
  assert.equal(lines.length, texts.length);
  const wrong = [];
  for (let i = 0; i < lines.length && wrong.length < 5; i++) {
    if (lines[i] !== expected[i]) wrong.push({ text: texts[i], ours: lines[i], theirs: expected[i] });
  }
  assert.deepEqual(wrong, [], `seed ${seed}`);
}

const view = new DataView(new ArrayBuffer(8));
function fromBits(high, low) {
  view.setUint32(0, high >>> 0);
  view.setUint32(4, low >>> 0);
  return view.getFloat64(0);
}
function neighbour(number, step) {
  view.setFloat64(0, number);
  view.setBigUint64(0, BigInt.asUintN(64, view.getBigUint64(0) + BigInt(step)));
  return view.getFloat64(0);
}

// Digits enough for any double (17 significant ones), in a form that always has an exponent, so that our reader's rule on
// integer literals, which Node does not have, stays out of it.
const exact = (number) => (Object.is(number, -0) ? '-0' : number.toExponential(20));

function compareNumbers(numbers) {
  const finite = numbers.filter(Number.isFinite);
  compare(finite.map(exact), finite.map((n) => JSON.stringify(n)));
  return finite.length;
}

test('200,000 random doubles are written as JSON.stringify() writes them', () => {
  const numbers = [];
  while (numbers.length < 200_000) {
    const number = fromBits(random32(), random32());
    if (Number.isFinite(number)) numbers.push(number);
  }
  assert.ok(compareNumbers(numbers) >= 100_000);
});

test('subnormals are written as JSON.stringify() writes them', () => {
  const numbers = [Number.MIN_VALUE, fromBits(0x000fffff, 0xffffffff), fromBits(0x00100000, 0)];
  for (let i = 1; i <= 1000; i++) numbers.push(fromBits(0, i));
  for (let i = 0; i < 20_000; i++) numbers.push(fromBits(random32() >>> (12 + below(20)), random32()));
  compareNumbers(numbers);
});

test('powers of two and of ten and their neighbours are written as JSON.stringify() writes them', () => {
  const numbers = [];
  for (let e = -1074; e <= 1023; e++) numbers.push(2 ** e);
  for (let e = -323; e <= 308; e++) for (let d = 1; d <= 9; d++) numbers.push(Number(`${d}e${e}`));
  for (const n of [...numbers]) for (let step = -3; step <= 3; step++) numbers.push(neighbour(n, step));
  compareNumbers(numbers.concat(numbers.map((n) => -n)));
});

test('integers around 2^53, halves and short decimals are written as JSON.stringify() writes them', () => {
  const numbers = [0, -0, Number.MAX_VALUE, Number.EPSILON, 0.1 + 0.2];
  for (let i = -2000; i <= 2000; i++) numbers.push(2 ** 53 + i, 2 ** 52 + i / 2, 2 ** 51 + i / 4, 1e21 + i * 131072, i / 2, i / 1000);
  for (let i = 0; i < 50_000; i++) numbers.push(random32() / 10 ** below(20), (random32() * 2 ** 21 + below(2 ** 21)) / 10 ** below(25));
  compareNumbers(numbers);
});

test('numbers as JSON.stringify() writes them are read and come out the same', () => {
  const texts = [];
  for (let i = 0; i < 50_000; i++) {
    const number = pick([() => fromBits(random32(), random32()), () => random32() * 2 ** below(60), () => random32() / 1000])();
    if (Number.isFinite(number)) texts.push(JSON.stringify(number));
  }
  compare(texts, texts);
});

test('integer literals are refused if and only if reading loses something', () => {
  const texts = [];
  const expected = [];
  for (let i = 0; i < 20_000; i++) {
    const integer = (BigInt(random32()) * BigInt(random32()) * BigInt(random32())) >> BigInt(below(64));
    const number = Number(integer);
    const kept = BigInt(number) === integer || String(number) === String(integer);
    texts.push(String(integer));
    expected.push(kept ? JSON.stringify(number) : 'error: line:1:1: the integer is not exact as a double; write it as a string');
  }
  compare(texts, expected);
});

// RFC 8785. JavaScript's sort() compares UTF-16 code units, which is the order wanted.
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
  return `{${members.join(',')}}`;
}

const ranges = [[0x01, 0x1f], [0x20, 0x7e], [0x7f, 0xff], [0x100, 0xd7ff], [0xe000, 0xffff], [0x10000, 0x10ffff]];
function randomString(max) {
  let text = '';
  for (let n = below(max); n > 0; n--) {
    const [first, last] = pick(ranges);
    text += String.fromCodePoint(first + below(last - first + 1));
  }
  return text;
}
function randomValue(depth) {
  const kinds = depth > 0 ? 8 : 5;
  switch (below(kinds)) {
    case 0: return pick([null, true, false]);
    case 1: return randomString(12);
    case 2: return below(1000);
    case 3: { const n = fromBits(random32(), random32()); return Number.isFinite(n) ? n : 0.5; }
    case 4: return random32() / 1000;
    case 5: return Array.from({ length: below(6) }, () => randomValue(depth - 1));
    default: {
      const object = {};
      for (let n = below(8); n > 0; n--) object[randomString(4)] = randomValue(depth - 1);
      return object;
    }
  }
}

test('20,000 random documents have the same canonical form', () => {
  const documents = Array.from({ length: 20_000 }, () => ({ [randomString(3)]: randomValue(5), [randomString(3)]: randomValue(3) }));
  compare(documents.map((d) => JSON.stringify(d)), documents.map(canonical));
});

test('keys are sorted by UTF-16 code units, not by code points', () => {
  const keys = ['\u{1f600}', '\u{10000}', '\u{10ffff}', '\ue000', '\uf8ff', '\uffff', '\ud7ff', 'a', 'é', ''];
  const documents = [];
  for (let i = 0; i < 2000; i++) {
    const object = {};
    for (let n = 2 + below(6); n > 0; n--) object[pick(keys) + pick(keys)] = n;
    documents.push(object);
  }
  compare(documents.map((d) => JSON.stringify(d)), documents.map(canonical));
  assert.equal(canonical({ '\ue000': 1, '\u{1f600}': 2 }), '{"\u{1f600}":2,"\ue000":1}');
});
