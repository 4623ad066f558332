// `make demo`, as it runs after the build: it comes to its summary and leaves nothing running or lying about.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { build, emptyWorld, root } from './harness.mjs';

test('the demo shows the whole way and leaves nothing running', async () => {
  const world = emptyWorld();
  try {
    const [home, tmp] = [world.path('home'), world.path('tmp')];
    [home, tmp].forEach((folder) => mkdirSync(folder));
    const { PATH, LANG } = world.env;
    const child = spawn(path.join(root, 'demo', 'run'), [], {
      env: { PATH, LANG, HOME: home, TMPDIR: tmp, SV_BUILD: build, TERM: 'dumb' }, cwd: root, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => { output += text; });
    const status = await new Promise((resolve) => child.on('close', resolve));
    assert.equal(status, 0, output);
    const summary = output.slice(output.indexOf('Summary'));
    assert.match(summary, /accepted \/ self-run \/ legacy +1 \/ \d \/ \d/, output);
    assert.match(summary, /tampered shard +rejected/);
    for (const command of ['sv key new', 'sv chain create', 'sv manifest publish', 'sv miner elements', 'sv miner commit', 'sv serve',
      'sv runner', 'sv validator audit', 'sv manifest rollback', 'SCOREVISION_USE_CHALLENGE_V3=0']) {
      assert.ok(output.includes(command), `${command} is shown`);
    }
    // The demo is the leader of its process group, and whatever it started is in it.
    assert.throws(() => process.kill(-child.pid, 0), { code: 'ESRCH' }, 'nothing is left running');
    assert.deepEqual([readdirSync(tmp), readdirSync(home)], [[], []], 'nothing is left lying about');
  } finally {
    await world.end();
  }
});
