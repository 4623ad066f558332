// An index is rebuilt after a question on a terminal, and a revoked thief who still writes to the store answers it with another index:
// what a person has agreed to is what is published, or nothing is.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createWorld, programs } from './harness.mjs';
import { signDocument } from './peer.mjs';
import { football } from './season.mjs';

const DEADLINE_MS = 60_000;
const CLIP = `sha256:${'c'.repeat(64)}`;
let world, thief, file, good, live, old;

before(async () => {
  world = await createWorld();
  thief = await world.key('thief');
  const first = football('2025-10-24', 5000, 9000, CLIP), second = structuredClone(first);
  second.elements[0].beta = 9;
  await world.publish(football('2025-10-23', 1, 5000, CLIP));
  await world.publish(first);
  await world.publish(second, { args: ['--supersede'] });
  await world.advance(30);
  await world.sv(['manifest', 'list'], { as: 'knows' });
  file = world.write('next.json', football('2025-10-25', 9000, 9900, CLIP));
  good = JSON.parse(readFileSync(indexFile()));
  live = good.manifests[1];
  [old] = good.superseded;
});
after(() => world.end());

const indexFile = () => world.path('store', 'scorevision', 'index.json');
const byThief = (index) => signDocument({ ...index, sequence: 7, signed_by: `ss58:${thief.address}` }, thief.seed);

// The older manifest of the upcoming window for the newer one, and nothing else.
function swapped() {
  const { superseded_by, superseded_at_block, ...revived } = old;
  return { ...good, manifests: [good.manifests[0], revived], superseded: [{ ...live, superseded_by: old.hash, superseded_at_block: 1 }] };
}

// Runs the publication on a terminal, in the home @as, and answers yes after @meanwhile: { status, text }.
function publishAsked(as, meanwhile) {
  const env = world.environment({ as: 'operator', env: { SCOREVISION_HOME: world.path('homes', as) } });
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', `${programs.sv} manifest publish ${file} --rebuild-index`, '/dev/null'],
    { env, cwd: world.dir, timeout: DEADLINE_MS });
  return new Promise((resolve, reject) => {
    let text = '', isAnswered = false;
    child.stdout.on('data', (data) => {
      text += data;
      if (isAnswered || !text.includes('[y/N]')) return;
      isAnswered = true;
      meanwhile();
      child.stdin.write('y\n');
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, text, isAnswered }));
  });
}

test('an index that was exchanged while the question was open is not published', async () => {
  writeFileSync(indexFile(), byThief(good));
  const theirs = byThief(swapped());
  const { status, text, isAnswered } = await publishAsked('asked', () => writeFileSync(indexFile(), theirs));
  assert.ok(isAnswered, text);
  assert.match(text, new RegExp(`${live.hash} \\(live, blocks 5000 to 9000`));
  assert.match(text, new RegExp(`${old.hash} \\(superseded by ${live.hash} at block \\d+, blocks 5000 to 9000`));
  assert.equal(status, 6, text);
  assert.match(text, /nothing was published: since you were asked the index in the store has become another/);
  assert.equal(readFileSync(indexFile(), 'utf8'), theirs.toString());
});

test('agreed to, nothing that the thief alone tells about an open window is in it', async () => {
  const { status, text } = await publishAsked('asked', () => {});
  assert.equal(status, 0, text);
  const { signed_by, manifests, superseded } = JSON.parse(readFileSync(indexFile()));
  assert.deepEqual([signed_by, manifests.map(({ window_id }) => window_id), superseded], [`ss58:${world.keys.operator.address}`, ['2025-10-25'], []]);
});

test('what this home has verified stays as it was, whatever the thief shows', async () => {
  writeFileSync(indexFile(), byThief(swapped()));
  const { status, text } = await publishAsked('knows', () => {});
  assert.equal(status, 0, text);
  const { manifests, superseded } = JSON.parse(readFileSync(indexFile()));
  assert.deepEqual([manifests.map(({ hash }) => hash).slice(0, 2), superseded.map(({ hash }) => hash)], [[good.manifests[0].hash, live.hash], [old.hash]]);
});
