// `make demo`, `make demo-s3` and `make demo-subtensor`, as they run after the build: they come to their summary and leave nothing running or
// lying about.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { build, emptyWorld, root } from './harness.mjs';
import { ABSENT, absent } from '../support/subtensor/node.mjs';

const SHOWN = ['sv key new', 'sv manifest publish', 'sv miner elements', 'sv miner commit', 'sv serve', 'sv runner',
  'sv validator audit', 'sv manifest rollback', 'sv store mirror', 'sv store check', 'SCOREVISION_USE_CHALLENGE_V3=0'];

// Runs the demo with @settings and looks at what it leaves: its exit status and its output.
async function demo(settings) {
  const world = emptyWorld();
  try {
    const [home, tmp] = [world.path('home'), world.path('tmp')];
    [home, tmp].forEach((folder) => mkdirSync(folder));
    const { PATH, LANG } = world.env;
    const child = spawn(path.join(root, 'demo', 'run'), [], {
      env: { PATH, LANG, HOME: home, TMPDIR: tmp, SV_BUILD: build, TERM: 'dumb', ...settings }, cwd: root, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => { output += text; });
    const status = await new Promise((resolve) => child.on('close', resolve));
    // The demo is the leader of its process group, and whatever it started is in it.
    assert.throws(() => process.kill(-child.pid, 0), { code: 'ESRCH' }, `nothing is left running\n${output}`);
    assert.deepEqual([readdirSync(tmp), readdirSync(home)], [[], []], 'nothing is left lying about');
    return { status, output };
  } finally {
    await world.end();
  }
}

function assertWholeStory({ status, output }) {
  assert.equal(status, 0, output);
  const summary = output.slice(output.indexOf('Summary'));
  assert.match(summary, /accepted \/ self-run \/ legacy +1 \/ \d \/ \d/, output);
  assert.match(summary, /tampered shard +rejected/);
  assert.match(summary, /commitments in force +3 elements in 2 windows/);
  for (const command of SHOWN) assert.ok(output.includes(command), `${command} is shown`);
}

test('the demo shows the whole way and leaves nothing running, beside another one too', async () => {
  const both = await Promise.all([demo({}), demo({})]);
  for (const shown of both) {
    assertWholeStory(shown);
    assert.match(shown.output, /sv chain create/);
  }
});

const ceph = ['ceph-mon', 'ceph-osd', 'radosgw'].every((program) => spawnSync('which', [program]).status === 0);

test('the demo shows the same way with buckets of a real S3 server', { skip: ceph ? false : 'Ceph is not installed here (scripts/install-deps)' }, async () => {
  const shown = await demo({ DEMO_STORE: 's3' });
  assertWholeStory(shown);
  for (const expected of [/SCOREVISION_STORE=s3:/, /sound: s3:\/\/scorevision, index of sequence 4/]) assert.match(shown.output, expected);
  assert.ok(!shown.output.includes('testsecret'), 'no secret is shown');
});

const shared = process.env.SCOREVISION_SHARED;

test('the demo shows the same way on a Subtensor runtime, whose limits it meets', { skip: absent() ?? false }, async () => {
  const shown = await demo({ DEMO_CHAIN: 'subtensor', ...(shared ? { SCOREVISION_SHARED: shared } : {}) });
  assertWholeStory(shown);
  for (const expected of [/runtime +node-subtensor 218/, /scheme +sr25519/, /is public, not anchored; run the same command again after block/,
    /committed for window .*\n.*1 of 2 parts of the commitment are on the chain; run the same command again for the rest/, /permits +\w{48}\n\s*\n/]) {
    assert.match(shown.output, expected);
  }
});

test('without a Subtensor runtime the demo says what is missing', async () => {
  const { status, output } = await demo({ DEMO_CHAIN: 'subtensor', SCOREVISION_SHARED: '/nowhere' });
  assert.equal(status, ABSENT, output);
  assert.match(output, /\/nowhere\/chain\/subtensor-spec218-genesis\.json is not there/);
  assert.match(output, /scripts\/install-deps[^]*`make demo`/);
});
