// Shards from the runner to the audit: one's own run, a validator's, what was tampered with, what is not final, where shards are
// read from, and the exit status; and a runner or a chute that cannot do its work.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { readdirSync, readFileSync } from 'node:fs';
import { createWorld } from './harness.mjs';
import { canonical, sha256, signDocument } from './peer.mjs';
import { BALL, OTHER_SLUG, PLAYER, SLUG, commit, football } from './season.mjs';

const CURRENT = '2025-10-23';
let world, serve, chute, runner, shard, selfShard, lines;

before(async () => {
  world = await createWorld({ finality: 3 });
  for (const name of ['validator', 'miner', 'stranger']) await world.key(name);
  world.env.SCOREVISION_VALIDATORS = world.keys.validator.address;
  const { hash } = await world.clip();
  await world.publish(football(CURRENT, 1, 100_000, hash));
  await commit(world, 'miner', CURRENT, [PLAYER]);
  serve = await world.startServe();
  await serve.settle();
  chute = await world.startChute(SLUG);
  runner = {
    SCOREVISION_USE_CHALLENGE_V3: '1', SCOREVISION_API: serve.url, SCOREVISION_RESULTS_STORE: `file:${world.path('results')}`,
    CHUTES_MINER_BASE_URL_TEMPLATE: chute.template, SCOREVISION_EVALUATOR: world.evaluator,
  };
  [shard] = await run('validator', ['--miner', world.keys.miner.address]);
  [selfShard] = await run('miner');
  lines = [canonical(shard), canonical(selfShard)];
});
after(() => world.end());

const run = async (as, args = [], env = {}) => (await world.json(['runner', '--once', ...args], { as, env: { ...runner, ...env } })).shards;
const audit = (sources, { expect = 0, ...more } = {}) => world.json(['validator', 'audit', ...sources], {
  as: 'auditor', expect, ...more, env: { SCOREVISION_RESULTS_STORE: `file:${world.path('results')}`, ...more.env } });
const signed = (change, key = world.keys.validator) => signDocument({ ...shard, ...change }, key.seed);

test('what is not final yet is undecided', async () => {
  const { verdicts, not_accepted: rest } = await audit([]);
  assert.deepEqual([verdicts.accepted, verdicts.undecided], [0, 2]);
  assert.ok(rest.every(({ reason }) => reason === 'not_final'));
  await world.advance(10);
});

test('a validator\'s run is accepted, a miner\'s own is counted as such', async () => {
  assert.deepEqual([shard.lane, selfShard.lane], ['public', 'self']);
  const { verdicts, lines: read } = await audit([]);
  assert.deepEqual([verdicts.accepted, verdicts.self, verdicts.rejected, verdicts.undecided, read], [1, 1, 0, 0, 2]);
  const { stdout } = await world.sv(['validator', 'audit', '-'], { as: 'auditor', input: `${lines[0]}\n` });
  assert.match(stdout, /accepted\s+1/);
  assert.match(stdout, /issue log: 0 confirmed, 1 unchecked: no published/);
});

test('shards are read from stores, folders, files and standard input', async () => {
  const file = world.write('shards/one.jsonl', `${lines.join('\n')}\n`);
  const input = `${lines.join('\n')}\n`;
  for (const [source, options] of [[`file:${world.path('results')}`, {}], [world.path('shards'), {}], [file, {}], ['-', { input }]]) {
    const { verdicts } = await audit([source], options);
    assert.deepEqual([verdicts.accepted, verdicts.self], [1, 1], source);
  }
  const twice = await audit([file, '-'], { input });
  assert.deepEqual([twice.verdicts.accepted, twice.duplicates], [1, 2], 'the same shard counts once');
  assert.equal((await audit(['--window-id', '2025-10-24'])).lines, 0);
  for (const absent of [world.path('no-such-file'), `file:${world.path('no-such-store')}`]) await audit([absent], { expect: 4 });
});

test('what breaks a rule is rejected with that rule, and the exit status is 3', async () => {
  const { stranger } = world.keys;
  const cases = [
    [1, 'signature', canonical({ ...shard, composite_score: 1 })],
    [1, 'signature', `${lines[0].slice(0, -1)} }`],
    [2, 'lane', signed({ lane: 'self' })],
    [2, 'not_a_validator', signed({ signed_by: `ss58:${stranger.address}` }, stranger)],
    [4, 'unknown_element', signed({ element_id: 'NoSuchElement@1' })],
    [4, 'unknown_clip', signed({ clip_hash: shard.manifest_hash })],
    [5, 'proof_unknown', signed({ commitment_proof: `2:0x${'ab'.repeat(32)}` })],
    [5, 'proof_wrong_hotkey', signed({ miner_hotkey: `ss58:${stranger.address}` })],
    [5, 'proof_wrong_element', signed({ element_id: BALL })],
    [6, 'binding_mismatch', signed({ chute_slug: OTHER_SLUG })],
    [8, 'metrics', signed({ metrics: { iou: 1 } })],
    [9, 'latency', signed({ p95_latency_ms: shard.p95_latency_ms / 2 })],
    [10, 'telemetry', signed({ telemetry: {} })],
    [11, 'pgt_recipe_hash', signed({ pgt_recipe_hash: shard.manifest_hash })],
    [12, 'composite_score', signed({ composite_score: shard.composite_score / 2 })],
  ];
  for (const [rule, reason, line] of cases) {
    const { verdicts, not_accepted: [first] } = await audit(['-'], { input: `${line}\n`, expect: 3 });
    assert.deepEqual([verdicts.rejected, first.rule, first.reason], [1, rule, reason], first.detail);
  }
});

test('nobody can displace a validator\'s shard but the validator', async () => {
  // Of several shards of one validator for one challenge the lowest hash counts; a forgery does not take part, however low.
  let forged;
  for (let i = 1; !forged || sha256(forged) > sha256(lines[0]); i++) forged = canonical({ ...shard, composite_score: 1 / i });
  const { verdicts } = await audit(['-'], { input: `${forged}\n${lines[0]}\n${forged}\n`, expect: 3 });
  assert.equal(verdicts.accepted, 1);

  let own;
  for (let i = 1; !own || sha256(own) > sha256(lines[0]); i++) own = signed({ telemetry: { inference_ms: i } });
  const both = await audit(['-'], { input: `${lines[0]}\n${own}\n` });
  assert.deepEqual([both.verdicts.accepted, both.duplicates], [1, 1]);
});

test('lines that are no shards are rejected, and nothing breaks', async () => {
  const input = ['nonsense', '{}', '[]', '"', '\u0000', `{"type":"shard"}`, 'x'.repeat(300_000), '{'.repeat(1000), lines[0]].join('\n');
  const { verdicts } = await audit(['-'], { input, expect: 3 });
  assert.equal(verdicts.accepted, 1);
  assert.ok(verdicts.rejected >= 7, JSON.stringify(verdicts));
});

test('without a validator list there is no audit', async () => {
  await audit([], { env: { SCOREVISION_VALIDATORS: '' }, expect: 2 });
});

test('a chute that fails gives a shard with an error', async () => {
  const answers = {
    '404 for a slug of another': (out) => { out.writeHead(404).end('{}'); },
    'a redirect': (out) => { out.writeHead(302, { Location: serve.url }).end(); },
    'no success': (out) => { out.end(JSON.stringify({ success: false, predictions: null, error: 'out of memory', model: 'm' })); },
    'a number that is none': (out) => { out.end('{"success":true,"predictions":{"frames":[{"frame_id":0,"boxes":[{"x1":NaN}]}]}}'); },
    'a frame that the clip has not': (out) => { out.end('{"success":true,"predictions":{"frames":[{"frame_id":100000,"boxes":[]}]}}'); },
  };
  for (const [what, answer] of Object.entries(answers)) {
    const server = createServer((incoming, out) => { incoming.resume().on('end', () => answer(out)); });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const template = `http://127.0.0.1:${server.address().port}/{slug}`;
      const [failed] = await run('validator', ['--miner', world.keys.miner.address], { CHUTES_MINER_BASE_URL_TEMPLATE: template });
      assert.ok(failed.error.length > 0 && failed.error.length <= 1024, what);
      assert.deepEqual([failed.latencies_ms, failed.latency_pass, failed.metrics, failed.composite_score],
        [Array(5).fill(30000), false, {}, null], what);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }
});

test('an evaluator that fails gives a shard with an error, not a failed runner', async () => {
  for (const evaluator of ['false', 'echo nonsense', 'echo {"metrics":{"iou":2,"count":1}}']) {
    const [failed] = await run('miner', [], { SCOREVISION_EVALUATOR: evaluator });
    assert.ok(failed.error.length > 0, evaluator);
    assert.deepEqual(failed.metrics, {});
  }
  const [unscored] = await run('miner', [], { SCOREVISION_EVALUATOR: '' });
  assert.deepEqual([unscored.error, unscored.metrics, unscored.composite_score], [null, {}, null], 'without one there are no scores');
});

test('a runner that cannot work names the command that helps', async () => {
  const cases = [
    ['stranger', [], {}, /sv miner commit/],
    ['miner', ['--element', BALL], {}, /sv miner commit/],
    ['miner', [], { SCOREVISION_API: 'http://127.0.0.1:1' }, /127\.0\.0\.1:1/],
    ['stranger', ['--miner', world.keys.miner.address], {}, /not_permitted/],
    ['miner', [], { SCOREVISION_EVALUATOR: '/no/such/program' }, /SCOREVISION_EVALUATOR .*cannot be executed/],
  ];
  for (const [as, args, env, hint] of cases) {
    const { status, stderr } = await world.sv(['runner', '--once', ...args], { as, env: { ...runner, ...env }, expect: null });
    assert.ok([2, 4, 5, 6].includes(status), `${status} ${stderr}`);
    assert.match(stderr, hint);
  }
});

test('shards lie where the protocol says', () => {
  const base = world.path('results', 'scorevision', 'shards', CURRENT, world.keys.validator.address);
  const files = readdirSync(base);
  assert.ok(files.length > 0 && files.every((name) => /^\d+-[0-9a-f]{64}\.jsonl$/.test(name)), files.join('\n'));
  assert.ok(readFileSync(`${base}/${files[0]}`, 'utf8').endsWith('}\n'));
});
