// The published issue log of a window in a store's folder, as its readers find it: from signpost to signpost.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { openDocument } from './peer.mjs';

export const END = 2 ** 53 - 1;

export const logFolder = (world, window) => world.path('store', 'scorevision', 'issued', window);

export function logNames(world, window) {
  const folder = logFolder(world, window);
  return existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith('.')) : [];
}

const FIELDS = ['id', 'asker', 'miner', 'manifest_hash', 'element_id', 'clip_hash', 'seed', 'nonce', 'block', 'time'];
const NAMED = FIELDS.slice(1, 6);

// A line's records as objects, and a line with other ones.
export const recordsOf = ({ names, records }) => records.map((values) => Object.fromEntries(values.map(
  (value, i) => [FIELDS[i], NAMED.includes(FIELDS[i]) ? names[value] : value])));

export function withRecords(line, records) {
  const names = [...new Set(records.flatMap((record) => NAMED.map((field) => record[field])))];
  const valueOf = (record, field) => (NAMED.includes(field) ? names.indexOf(record[field]) : record[field]);
  return { ...line, names, records: records.map((record) => FIELDS.map((field) => valueOf(record, field))) };
}

// { lines, next, files, records, closed }; every line is right by itself and follows on the one before.
export function publicLog(world, window, signer = world.keys.operator.address) {
  const names = new Set(logNames(world, window));
  const read = (name) => readFileSync(`${logFolder(world, window)}/${name}`, 'utf8');
  const lines = [];
  let next = 1, files = 0;
  while (next <= END && names.has(`${next}.json`)) {
    const { last } = JSON.parse(read(`${next}.json`));
    const name = `${next}-${last}.jsonl`;
    if (!names.has(name)) break;
    files += 1;
    for (const text of read(name).trimEnd().split('\n')) {
      const line = openDocument(Buffer.from(text), { type: 'issued', signer });
      assert.deepEqual([line.window_id, line.first], [window, next]);
      assert.deepEqual(withRecords(line, recordsOf(line)), line, 'there is one way to write records');
      lines.push(line);
      next = line.last + 1;
    }
    assert.equal(next, last + 1, `${name} ends where it says`);
  }
  return { lines, next, files, records: lines.flatMap(recordsOf), closed: lines.at(-1)?.closed };
}
