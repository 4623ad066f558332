// Three `sv serve` on one PostgreSQL, behind the nginx of the example, on a real Subtensor runtime: asked by a crowd while one part
// after the other is broken. By hand at full size, which prints what it measured:
//
//   make fleet
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { watch } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { waitFor } from './harness.mjs';
import { Crowd, makeExchange, wayThrough, wayTo } from './fleet_driver.mjs';
import { records } from './killing.mjs';
import { bare, canonical } from './peer.mjs';
import { END, logFolder, logNames, publicLog } from './published.mjs';
import { BALL, PLAYER } from './season.mjs';
import { NETUID, WINDOW, createSubtensorWorld, skip as noNode } from './subtensor_world.mjs';
import { PUBLIC, makeCertificate, startTlsNginx } from './tls_proxy.mjs';
import { startPostgres } from '../support/postgres/postgres.mjs';
import { down } from '../support/subtensor/faulty_node.mjs';

const REQUESTS = Number(process.env.SV_FLEET_REQUESTS ?? 3000);
const OUTAGE_MS = Number(process.env.SV_FLEET_OUTAGE ?? 6) * 1000;
const WIDTH = Number(process.env.SV_FLEET_WIDTH ?? 24);
const INSTANCES = 3, ASKERS = 3, LIMIT = 20, EXPIRY = 60 + Math.ceil(REQUESTS / 400);
const READY_MS = 60_000, UNREACHABLE = 5;
const HIGH_LIMIT = '1000000/60s', LOW_LIMIT = `${LIMIT}/600s`;

const postgres = noNode ? {} : await startPostgres();
const skip = noNode || postgres.missing || false;
let subtensor, world, certificate, nginx, crowd, askers, proofs, chain;
const fleet = [];

async function start(i, limit = HIGH_LIMIT) {
  fleet[i] = await world.startServe({ listen: fleet[i] ? new URL(fleet[i].url).host : '127.0.0.1:0', env: {
    SCOREVISION_HOME: world.path('homes', `api-${i}`), SCOREVISION_API: PUBLIC, SCOREVISION_TRUSTED_PROXIES: '127.0.0.1',
    SCOREVISION_RATE_LIMIT: limit, SCOREVISION_ISSUE_INTERVAL: '1' } });
}
const isReady = async ({ url }) => (await fetch(`${url}/readyz`)).status === 200;
const allReady = () => waitFor('all instances to be ready', async () => (await Promise.all(fleet.map(isReady))).every(Boolean), READY_MS);
const isAlive = ({ child }) => child.exitCode === null && child.signalCode === null;

before(async () => {
  if (skip) return;
  const keys = { miner: 'ed25519', second: 'ed25519' };
  for (let i = 0; i < ASKERS; i++) keys[`asker-${i}`] = 'ed25519';
  subtensor = await createSubtensorWorld({ keys, expiry: EXPIRY, env: { SCOREVISION_DATABASE: await postgres.database('load') } });
  world = subtensor.world;
  askers = Array.from({ length: ASKERS }, (_, i) => world.keys[`asker-${i}`]);
  const others = [await world.key('limited'), await world.key('latecomer')];
  world.env.SCOREVISION_VALIDATORS = [...askers, ...others].map(({ address }) => address).join(',');
  proofs = { [PLAYER]: ['miner', await subtensor.commit('miner')], [BALL]: ['second', await subtensor.commit('second', { id: BALL })] };
  await Promise.all(Array.from({ length: INSTANCES }, (_, i) => start(i)));
  certificate = makeCertificate(world);
  nginx = await startTlsNginx(world, fleet);
  await allReady();
});
after(async () => {
  await nginx?.stop();
  if (world) world.children = world.children.filter(({ exitCode }) => exitCode !== UNREACHABLE); // who was started without a chain
  await subtensor?.end().finally(postgres.end);
});

const next = (asker = askers[Math.floor(Math.random() * ASKERS)]) => {
  const elementId = Math.random() < 0.5 ? PLAYER : BALL;
  const [miner, proof] = proofs[elementId];
  return makeExchange({ netuid: NETUID, asker, miner: world.keys[miner], manifestHash: subtensor.published.manifest_hash, elementId, proof });
};
const everyWay = () => [wayThrough(nginx, certificate), ...fleet.map(({ url }) => wayTo(url))];

// ── what is broken ──

// As systemd does it: started again until it runs, which wants a chain.
const killed = async (i) => {
  await fleet[i].stop('SIGKILL');
  await waitFor(`instance ${i} to run again`, async () => { await start(i); return true; }, OUTAGE_MS + READY_MS);
  await allReady();
};
const leads = (metric) => async ({ url }) => (await (await fetch(`${url}/metrics`)).text()).includes(`\n${metric} 1\n`);
const publishes = leads('sv_issue_publisher_leads'), follows = leads('sv_chain_leads');
const leader = (does) => waitFor('a leader', async () => {
  for (const [i, serve] of fleet.entries()) if (isAlive(serve) && await does(serve)) return { i };
}, READY_MS);
const restarted = async (times = 1) => {
  for (let i = 0; i < times; i++) {
    await publishing();
    await postgres.down();
    await postgres.up();
  }
  await allReady();
};

// The moment in which a file of the issue log is being written: its signpost is there.
function publishing() {
  return new Promise((resolve, reject) => {
    const folder = watch(logFolder(world, WINDOW), (event, name) => {
      if (!/^\d+\.json$/.test(name ?? '')) return;
      clearTimeout(deadline);
      folder.close();
      resolve();
    });
    const deadline = setTimeout(() => { folder.close(); reject(new Error('nothing is published')); }, READY_MS);
  });
}

// Each part once.
async function breakAll(load) {
  const after = (share) => waitFor(`${share} of all challenges`, () => load.done >= share * REQUESTS, 3_600_000);
  const step = async (share, what, work) => { await after(share); await load.during(what, work); };
  for (let i = 0; i < INSTANCES; i++) await step(0.05 + 0.1 * i, `kill -9 of instance ${i}`, () => killed(i));
  await step(0.4, 'a restart of PostgreSQL', () => restarted());
  await after(0.5);
  await withoutChain(load);
  await step(0.7, 'kill -9 of who publishes', async () => {
    const { i } = await leader(publishes);
    await publishing();
    await killed(i);
  });
  await step(0.8, 'two restarts of PostgreSQL while the log is published', () => restarted(2));
}

// The chain's endpoint is away, which is no reason to refuse anything; at the end of that who follows the chain is killed, too.
async function withoutChain(load) {
  subtensor.proxy.wire = down;
  await pause(OUTAGE_MS * 0.7);
  const back = pause(OUTAGE_MS * 0.3).then(() => subtensor.proxy.behave());
  await load.during('kill -9 of who follows the chain, without a chain', async () => killed((await leader(follows)).i));
  await back;
}

// Blocks come all the time, but the window lasts.
async function makeBlocks(isOver) {
  for (let made = 0; !isOver(); made++) {
    if (made < EXPIRY - 30) await subtensor.node.skip(1);
    await pause(3000);
  }
}

// ── what has to be ──

const sameRecord = (record) => JSON.stringify([Number(record.challenge_id ?? record.id), bare(record.asker), bare(record.miner), record.element_id,
  record.clip_hash, Number(record.seed), record.nonce, Number(record.block)]);
const ofAnswer = ({ answer, asker, miner, elementId, nonce }) =>
  JSON.stringify([Number(answer.id), asker, miner, elementId, answer.clip, answer.seed, nonce, answer.block]);

test('under load, while everything is broken in turn, a nonce counts once and nothing else is refused', { skip }, async (t) => {
  const ways = everyWay();
  crowd = new Crowd({ next, front: ways[0], ways, latestReplayMs: Math.min(20_000, OUTAGE_MS / 2) });
  let isOver = false;
  const blocks = makeBlocks(() => isOver);
  let speed;
  try {
    speed = await crowd.ask(REQUESTS, WIDTH, breakAll);
  } finally {
    isOver = true;
    await blocks;
  }
  const { numbers, said, wrong } = crowd.judge();
  t.diagnostic(JSON.stringify({ ...speed, ...numbers }));
  t.diagnostic(JSON.stringify(said));
  const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;
  for (const { what, from, to } of crowd.faults) {
    t.diagnostic(`${what}, after ${seconds(from - crowd.began)}: ${seconds(to - from)} until all were ready`);
  }
  assert.deepEqual(wrong.slice(0, 10), [], `${wrong.length} are wrong`);
  assert.ok(numbers.accepted >= REQUESTS && numbers.replayed > REQUESTS * 0.05, JSON.stringify(numbers));
  ways.forEach((way) => way.close());
});

test('the database has what was answered, once, and besides only what was lost on its way', { skip }, async () => {
  const issued = await records(world, 'issued');
  assert.equal(new Set(issued.map((record) => record.challenge_id)).size, issued.length);
  const written = new Map(issued.map((record) => [record.nonce, record]));
  assert.equal(written.size, issued.length, 'a nonce is recorded once');
  const answered = crowd.accepted();
  assert.equal(new Set(answered.map(({ answer }) => answer.id)).size, answered.length);
  for (const one of answered) {
    assert.equal(sameRecord(written.get(one.nonce) ?? assert.fail(`${one.nonce} was answered and is not recorded`)), ofAnswer(one));
    written.delete(one.nonce);
  }
  const open = new Set(crowd.exchanges.filter(({ sendings }) => sendings.some(({ kind }) => kind === 'open')).map(({ nonce }) => nonce));
  for (const nonce of written.keys()) assert.ok(open.has(nonce), `${nonce} is recorded, and nobody's answer was lost`);
});

test('a limit is one over all instances, exactly, also when one is killed', { skip }, async () => {
  await Promise.all(fleet.map((serve) => serve.stop()));
  await Promise.all(fleet.map((_, i) => start(i, LOW_LIMIT)));
  await allReady();
  const ways = fleet.map(({ url }) => wayTo(url));
  const answers = await Promise.all(Array.from({ length: 6 * LIMIT }, (_, i) => ways[i % INSTANCES](next(world.keys.limited))));
  const count = (status) => answers.filter((answer) => answer.status === status).length;
  assert.deepEqual([count(200), count(409)], [LIMIT, 5 * LIMIT], JSON.stringify(answers.find(({ status }) => ![200, 409].includes(status))));
  assert.ok(answers.every(({ status, body }) => status === 200 || body.retry_after > 0));
  await fleet[0].stop('SIGKILL');
  await start(0, LOW_LIMIT);
  await allReady();
  for (const { url } of fleet) assert.equal((await wayTo(url)(next(world.keys.limited))).status, 409);
  ways.forEach((way) => way.close());
});

test('the published log is the database\'s, in one chain of files, and is closed', { skip }, async () => {
  await subtensor.node.skip(EXPIRY + 2 - Number((await subtensor.node.rpc('chain_getHeader')).number));
  await waitFor('the closing line', () => logNames(world, WINDOW).some((name) => name.endsWith(`-${END}.jsonl`)), READY_MS);
  const log = publicLog(world, WINDOW);
  const issued = await records(world, 'issued');
  assert.deepEqual(log.records.map(sameRecord), issued.map(sameRecord));
  assert.equal(log.closed.last_id, Number(issued.at(-1).challenge_id));
  assert.equal(logNames(world, WINDOW).filter((name) => name.endsWith('.jsonl')).length, log.files, 'each file has a signpost that leads to it');
  const { status, body } = await wayTo(fleet[0].url)(next(world.keys.latecomer));
  assert.deepEqual([status, body.error], [410, 'window_expired']);
});

// A shard of a chute that answered nothing: what there is to say of it is the challenge's. Signed with the asker's key as it is at
// hand, since there may be a hundred thousand.
function shardOf({ answer, asker, miner, manifestHash, elementId, proof }, key, more = {}) {
  const now = new Date().toISOString().replace(/\.\d+/, '');
  const shard = {
    type: 'shard', chain, signed_by: `ss58:${asker}`, signed_at: now, v: 1, window_id: WINDOW, manifest_hash: manifestHash, element_id: elementId,
    challenge_id: answer.id, clip_hash: answer.clip, miner_hotkey: `ss58:${miner}`, commitment_proof: proof, chute_slug: answer.slug,
    chute_id: answer.chute, hf_revision: answer.revision, lane: 'public', block: answer.block, created_at: now, seed: answer.seed,
    pgt_recipe_hash: null, salt_id: null, metrics: {}, composite_score: null, latency_pass: false, latencies_ms: [30000, 30000, 30000, 30000, 30000],
    p95_latency_ms: 30000, rtf: 30 * ((elementId === PLAYER ? 0.25 : 0.3) / 5), telemetry: {}, error: 'the chute did not answer', ...more,
  };
  return canonical({ ...shard, signature: `ed25519:${key.sign(canonical(shard))}` });
}

test('the audit of the draws agrees, and that of the shards with each one but an invented one', { skip }, async () => {
  const { windows: [drawn] } = await world.json(['validator', 'audit', '--draws'], { as: 'drawer' });
  assert.deepEqual([drawn.verdict, drawn.wrong], ['right', 0], JSON.stringify(drawn));
  ({ chain } = JSON.parse(world.read('store', 'scorevision', 'index.json')));
  const keyOf = new Map(askers.map((key) => [key.address, key]));
  const answered = crowd.accepted();
  const invented = [answered[0], { challenge_id: '999999999' }];
  const shards = [...answered.map((one) => [one]), invented].map(([one, more]) => shardOf(one, keyOf.get(one.asker), more));
  const file = world.write('shards.jsonl', `${shards.join('\n')}\n`);
  const told = await world.json(['validator', 'audit', file], { as: 'auditor', expect: 3 });
  assert.deepEqual([told.verdicts.accepted, told.verdicts.rejected], [answered.length, 1]);
  assert.deepEqual([told.issue_confirmed, told.issue_unchecked], [answered.length, 0]);
  const [{ rule, reason, source }] = told.not_accepted;
  assert.deepEqual([rule, reason, source], [7, 'not_issued', `${file}:${shards.length}`]);
});
