// A Challenge API that lies, seen by the runner: each lie is refused with exit status 3 and leaves no shard. And a chute that
// is busy for a while, which is not a failure.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { existsSync } from 'node:fs';
import { createWorld, programs } from './harness.mjs';
import { sha256 } from './peer.mjs';
import { refused } from './refusing.mjs';
import { CHUTE_ID, OTHER_CHUTE_ID, OTHER_SLUG, PLAYER, SLUG, commit, football } from './season.mjs';

const CURRENT = '2025-10-23';
let world, serve, liar, lie, truth, runner, chute;

const listen = async (handle) => {
  const server = createServer(handle);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.url = `http://127.0.0.1:${server.address().port}`;
  server.end = () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); });
  return server;
};

before(async () => {
  world = await createWorld();
  await world.key('miner');
  const { hash } = await world.clip();
  await world.publish(football(CURRENT, 1, 100_000, hash));
  await commit(world, 'miner', CURRENT, [PLAYER]);
  liar = await listen(async (incoming, outgoing) => {
    const { pathname } = new URL(incoming.url, liar.url);
    const answer = await fetch(serve.url + incoming.url, { headers: incoming.headers });
    const body = Buffer.from(await answer.arrayBuffer());
    if (pathname !== '/api/challenge/v3') return outgoing.writeHead(answer.status).end(body);
    truth = JSON.parse(body);
    return lie(outgoing, truth, body);
  });
  serve = await world.startServe({ env: { SCOREVISION_API: liar.url } });
  await serve.settle();
  chute = await world.startChute(SLUG);
  runner = {
    SCOREVISION_USE_CHALLENGE_V3: '1', SCOREVISION_API: liar.url, SCOREVISION_RESULTS_STORE: `file:${world.path('results')}`,
    CHUTES_MINER_BASE_URL_TEMPLATE: chute.template,
  };
});
after(async () => {
  await world.end();
  await liar?.end();
});

const shards = () => existsSync(world.path('results', 'scorevision', 'shards'));
const run = (status, message) => refused(world, ['runner', '--once'], status, message, { as: 'miner', env: runner });

test('an answer that is not what was asked for', async () => {
  const changes = [
    { window_id: '2025-10-24' }, { manifest_hash: `sha256:${'0'.repeat(64)}` }, { element_id: 'BallDetect_v1@1.0' }, { expiry_block: 99 },
    { clip_hash: `sha256:${'0'.repeat(64)}` }, { chute_slug: OTHER_SLUG }, { chute_id: OTHER_CHUTE_ID }, { hf_revision: 'evil' },
    { block: 200_000 }, { window_id: '../../x' }, { element_id: '../../x' }, { clip_hash: 'sha256:../../../etc/passwd' },
    { challenge_id: '../../x' }, { challenge_id: 7 }, { seed: -1 }, { seed: 9007199254740992 }, { clip_bytes: 0 }, { clip_bytes: 'many' },
    { meta: null }, { clip_url: 7 }, { clip_url: 'a\nb' }, { clip_url: undefined }, { commitment_finalized: 'yes' },
  ];
  for (const change of changes) {
    lie = (out, answer) => out.end(JSON.stringify({ ...answer, ...change }));
    await run(3, /challenge/).catch((error) => { throw new Error(`${JSON.stringify(change)}: ${error.message}`); });
  }
  assert.ok(!shards());
  assert.equal(truth.chute_id, CHUTE_ID);
});

test('an answer that is no answer', async () => {
  const bodies = {
    empty: () => '', 'cut short': (body) => body.subarray(0, 100), html: () => '<html>', 'an array': () => '[]', nested: () => '['.repeat(100_000),
    'duplicate keys': (body) => body.toString().replace('{', '{"seed":1,'), 'invalid UTF-8': (body) => Buffer.concat([body, Buffer.from([0xff])]),
    '1e400': (body) => body.toString().replace(/"seed":\s*\d+/, '"seed":1e400'),
  };
  for (const [what, body] of Object.entries(bodies)) {
    lie = (out, answer, bytes) => out.end(body(bytes));
    await run(3, /./).catch((error) => { throw new Error(`${what}: ${error.message}`); });
  }
  lie = (out) => { out.writeHead(200); const more = () => { while (out.write(Buffer.alloc(65536, 0x20))); }; out.on('drain', more); more(); };
  await run([3, 5, 6], /./);
  lie = (out) => out.writeHead(302, { Location: serve.url }).end();
  await run([3, 5, 6], /./);
  lie = (out) => out.writeHead(418, { 'Content-Type': 'application/json' }).end(JSON.stringify({ error: 'x\u001b[31m', message: 'y\u001b[31m' }));
  await run([1, 3, 5], /418/);
  assert.ok(!shards());
});

test('a clip that is not the one that was drawn', async () => {
  const other = await listen((incoming, out) => out.end('other bytes'));
  const cases = [
    [(answer) => ({ clip_url: new URL('/openapi.json', answer.clip_url).href, clip_bytes: 1e9 }), 3, /hash/],
    [(answer) => ({ clip_bytes: answer.clip_bytes - 1 }), [3, 6], /./],
    [() => ({ clip_url: `${other.url}/clip` }), [3, 6], /./], // loopback, but not ours
    [() => ({ clip_url: 'file:///etc/passwd' }), [2, 3, 6], /./],
    [() => ({ clip_url: 'http://169.254.169.254/latest/meta-data' }), [3, 6], /./],
    [(answer) => ({ clip_url: `${new URL(answer.clip_url).origin}/nothing` }), [4, 5], /404/],
  ];
  try {
    for (const [change, status, message] of cases) {
      lie = (out, answer) => out.end(JSON.stringify({ ...answer, ...change(answer) }));
      await run(status, message);
    }
    assert.ok(!shards());
    assert.notEqual(sha256('other bytes'), truth.clip_hash);
  } finally {
    await other.end();
  }
});

test('a chute that is busy at first, and one that drips, says too much or fails for good', async () => {
  lie = (out, answer, bytes) => out.end(bytes);
  const good = JSON.stringify({ success: true, predictions: { frames: [{ frame_id: 0, boxes: [] }] }, telemetry: { inference_ms: 1 } });
  const boxes = Array(1001).fill({ x1: 0, y1: 0, x2: 1, y2: 1, cls_id: 0, conf: 1 });
  let asked = 0;
  const plays = [
    ['429, then success', (out) => { asked += 1; out.writeHead(asked === 1 ? 429 : 200).end(asked === 1 ? '' : good); }, null],
    ['a little at a time', (out) => { for (const piece of good.match(/.{1,20}/g)) out.write(piece); out.end(); }, null],
    ['too many boxes', (out) => out.end(JSON.stringify({ success: true, predictions: { frames: [{ frame_id: 0, boxes }] } })), /boxes/],
    ['17 MiB', (out) => out.end(Buffer.alloc(17 * 1024 * 1024, 0x20)), /./],
    ['an error of great length', (out) => out.end(JSON.stringify({ success: false, error: '\u00e9'.repeat(5000) })), /\u00e9/],
  ];
  for (const [what, play, error] of plays) {
    const server = await listen((incoming, out) => incoming.resume().on('end', () => play(out)));
    try {
      const { shards: [shard] } = await world.json(['runner', '--once'], {
        as: 'miner', env: { ...runner, CHUTES_MINER_BASE_URL_TEMPLATE: `${server.url}/{slug}` } });
      if (error === null) assert.deepEqual([shard.error, shard.latencies_ms.some((ms) => ms >= 30_000)], [null, false], what);
      else assert.match(shard.error, error, what);
    } finally {
      await server.end();
    }
  }
  assert.ok(shards());
});

test('a runner that is told to end does not wait for a dead chute, and still writes what it has', async () => {
  lie = (out, answer, bytes) => out.end(bytes);
  let child;
  const dead = await listen((incoming, out) => incoming.resume().on('end', () => { child.kill('SIGTERM'); out.writeHead(404).end(); }));
  try {
    const args = ['runner', '--count', '3', '--json'];
    const env = world.environment({ as: 'miner', env: { ...runner, CHUTES_MINER_BASE_URL_TEMPLATE: `${dead.url}/{slug}` } });
    child = spawn(programs.sv, args, { env, cwd: world.dir });
    child.stdout.setEncoding('utf8');
    let said = '';
    child.stdout.on('data', (text) => { said += text; });
    const status = await new Promise((resolve) => child.on('close', resolve));
    assert.equal(status, 0);
    const { shards: [shard, ...more] } = JSON.parse(said);
    assert.deepEqual([shard.latencies_ms, shard.p95_latency_ms, shard.latency_pass, more], [[30_000], null, false, []]);
    assert.match(shard.error, /404/);
  } finally {
    await dead.end();
  }
});
