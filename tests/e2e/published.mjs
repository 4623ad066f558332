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
      lines.push(line);
      next = line.last + 1;
    }
    assert.equal(next, last + 1, `${name} ends where it says`);
  }
  return { lines, next, files, records: lines.flatMap((line) => line.records), closed: lines.at(-1)?.closed };
}
