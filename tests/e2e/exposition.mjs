// Strict readers of what sv serve tells: Prometheus' text format 0.0.4, and log lines. They take nothing that the formats do not
// allow, and owe nothing to sv.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { root } from './harness.mjs';

// ── metrics ──

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\"n])*"';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (-?[0-9]+(?:\\.[0-9]+)?(?:e[+-]?[0-9]+)?|[+-]Inf|NaN)$`);
const SUFFIXES = { histogram: ['_bucket', '_sum', '_count'], counter: [''], gauge: [''] };

class Families extends Map {
  // The value of one series; labels in any order. Absent is 0.
  value(name, labels = {}) {
    return this.samples.get(series(name, labels)) ?? 0;
  }

  // The values of a family by one label.
  by(name, label) {
    return Object.fromEntries([...this.get(name).samples].map((sample) => [sample.labels[label], sample.value]));
  }
}

const series = (name, labels) => `${name}${JSON.stringify(Object.entries(labels).sort())}`;

function readLabels(text) {
  const pairs = [...text.matchAll(/([a-zA-Z0-9_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, name, value]) => [name, value]);
  const labels = Object.fromEntries(pairs);
  assert.equal(Object.keys(labels).length, pairs.length, `a label twice in {${text}}`);
  return labels;
}

export function readMetrics(text) {
  assert.ok(text.endsWith('\n'), 'the last line ends');
  const families = new Families();
  families.samples = new Map();
  let family, help;
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`).exec(line);
    if (comment?.[1] === 'HELP') {
      assert.ok(!families.has(comment[2]), `${comment[2]} has two HELPs, or its samples are apart`);
      help = comment[2];
    } else if (comment) {
      assert.equal(comment[2], help, 'TYPE follows its HELP');
      assert.ok(comment[3] in SUFFIXES, line);
      family = { name: help, type: comment[3], samples: [] };
      families.set(help, family);
    } else {
      const [, name, labelText, number] = SAMPLE.exec(line) ?? assert.fail(`no sample: ${line}`);
      assert.ok(SUFFIXES[family.type].some((suffix) => name === family.name + suffix), `${name} among the samples of ${family.name}`);
      const labels = readLabels(labelText ?? '');
      const value = Number(number.replace('Inf', 'Infinity'));
      const key = series(name, labels);
      assert.ok(!families.samples.has(key), `twice: ${line}`);
      if (family.type === 'counter') assert.ok(value >= 0 && /_total$/.test(name), line);
      families.samples.set(key, value);
      family.samples.push({ name, labels, value });
    }
  }
  for (const one of families.values()) if (one.type === 'histogram') checkHistogram(families, one);
  return families;
}

// Buckets rise, the last is the count, and the sum lies between what the buckets allow.
function checkHistogram(families, { name, samples }) {
  const groups = Map.groupBy ? Map.groupBy(samples, keyOf) : groupBy(samples, keyOf);
  for (const [key, group] of groups) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => Number(labels.le.replace('Inf', 'Infinity')));
    const counts = buckets.map(({ value }) => value);
    assert.deepEqual(bounds, [...bounds].sort((a, b) => a - b), `${name} ${key}: bounds`);
    assert.deepEqual(counts, [...counts].sort((a, b) => a - b), `${name} ${key}: cumulative`);
    assert.equal(bounds.at(-1), Infinity);
    const { le, ...labels } = buckets[0].labels;
    assert.equal(families.samples.get(series(`${name}_count`, labels)), counts.at(-1), `${name} ${key}: count`);
    const sum = families.samples.get(series(`${name}_sum`, labels));
    const own = counts.map((count, i) => count - (counts[i - 1] ?? 0));
    const least = own.reduce((total, n, i) => total + n * (bounds[i - 1] ?? 0), 0);
    const most = own.reduce((total, n, i) => total + (n > 0 ? n * bounds[i] : 0), 0);
    assert.ok(sum >= least * (1 - 1e-9) && sum <= most * (1 + 1e-9), `${name} ${key}: ${least} <= ${sum} <= ${most}`);
  }
}

function keyOf({ labels }) {
  const { le, ...rest } = labels;
  return JSON.stringify(rest);
}

function groupBy(list, key) {
  const groups = new Map();
  for (const item of list) groups.set(key(item), [...groups.get(key(item)) ?? [], item]);
  return groups;
}

// ── promtool ──

// Prometheus' own tool, where it is installed or scripts/install-deps has fetched it.
export function promtool(args, input) {
  const own = path.join(root, '.tools', 'bin', 'promtool');
  const result = spawnSync(existsSync(own) ? own : 'promtool', args, { input, encoding: 'utf8' });
  return result.error?.code === 'ENOENT' ? null : { status: result.status, text: result.stdout + result.stderr };
}

// ── logs ──

const PAIR = /([a-z_]+)=("(?:[^"\\\x00-\x1f]|\\["\\n]|\\u[0-9a-f]{4}|\\U[0-9a-f]{8})*"|[A-Za-z0-9._:/@+\-,%~]+)( |$)/y;

function readLogfmt(line) {
  const event = {};
  PAIR.lastIndex = 0;
  while (PAIR.lastIndex < line.length) {
    const [, key, value] = PAIR.exec(line) ?? assert.fail(`no logfmt: ${line}`);
    assert.ok(!(key in event), `${key} twice: ${line}`);
    event[key] = value.startsWith('"') ? value.slice(1, -1).replace(/\\(["\\])/g, '$1') : value;
  }
  return event;
}

// Fields that are numbers in every event.
const NUMBERS = new Set(['status', 'ms', 'left_out', 'block', 'head', 'sequence', 'n', 'manifests', 'challenge']);

// All lines of a log, each one event with a time, a level and a name.
export function readLog(text, format) {
  assert.ok(text === '' || text.endsWith('\n'), 'the last line ends');
  return text.split('\n').slice(0, -1).map((line) => {
    assert.doesNotMatch(line, /[\x00-\x1f\x7f-\x9f\u2028\u2029]/, 'no control characters');
    const event = format === 'json' ? JSON.parse(line) : readLogfmt(line);
    assert.match(event.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, line);
    assert.match(event.level, /^(info|warning|error)$/, line);
    assert.ok(event.event.length > 0, line);
    for (const [name, value] of Object.entries(event))
      assert.equal(typeof value, format === 'json' && NUMBERS.has(name) ? 'number' : 'string', `${name} in ${line}`);
    return event;
  });
}
