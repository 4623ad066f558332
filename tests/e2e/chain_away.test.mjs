// `sv serve` starts while the endpoint of its chain is away: what needs no chain is answered, challenges wait, and all of it comes by
// itself with the endpoint. The chain is a real Subtensor runtime behind a proxy.
//
// nothing known of the chain: legacy endpoints, public tree, health and metrics, one line in the log however many attempts
// signers and validators that the chain names: nobody is trusted, nobody refused, before it has been read
// another chain: at the start it ends the program; later it is never answered by, and told
// SIGTERM while the endpoint keeps silent, when it serves and while it starts: it is not waited for
// SIGHUP meanwhile: the successor is taken, and answers by the last reading
// several instances: one that is started without its chain answers by the leader's reading, and leads only with a chain of its own
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { askV2, askV3, v2Request } from './api.mjs';
import { down, otherGenesis, silent } from '../support/subtensor/faulty_node.mjs';
import { BALL, PLAYER } from './season.mjs';
import { createSubtensorWorld, NETUID, skip } from './subtensor_world.mjs';
import { readMetrics } from './exposition.mjs';
import { startPostgres } from '../support/postgres/postgres.mjs';
import { programs, waitFor } from './harness.mjs';

const PATIENCE_MS = 120_000; // of several attempts, each of which takes its time, and the pauses between them
const AWAY = /the endpoint of the chain has not answered/;
const netuid = String(NETUID);
const postgres = skip ? {} : await startPostgres();
let it, world, node, proof, genesis;

before(async () => {
  if (skip) return;
  it = await createSubtensorWorld({ keys: { miner: 'ed25519', other: 'ed25519' } });
  ({ world, node } = it);
  await world.key('validator');
  world.env.SCOREVISION_VALIDATORS = world.keys.validator.address;
  await node.setPermits(NETUID, [world.keys.validator.address]);
  proof = await it.commit('miner');
  await node.newBlock(2);
  genesis = await node.rpc('chain_getBlockHash', 0);
});
after(async () => {
  await it?.end();
  await postgres.end?.();
});

// A server with a state of its own, in which the clip is registered.
async function start(name, endpoint, env = {}, until = '/healthz') {
  const all = { BITTENSOR_SUBTENSOR_ENDPOINT: endpoint, SCOREVISION_DATABASE: `sqlite:${world.path(`${name}.sqlite`)}`, ...env };
  await world.sv(['clip', 'add', world.path('clip.mp4'), '--sport', 'football', '--scenario', 'match',
    '--challenge-type', 'football'], { env: all });
  return world.startServe({ until, env: all });
}
const ask = (serve, as = 'miner', more = {}) => askV3({ base: serve.url, key: world.keys[as], manifestHash: it.published.manifest_hash,
  elementId: PLAYER, proof, bound: false, parameters: { netuid }, ...more });
const readiness = async (serve) => {
  const answer = await fetch(`${serve.url}/readyz`);
  return { ...await answer.json(), status: answer.status };
};
const ready = (serve) => waitFor('ready', async () => {
  const now = await readiness(serve);
  return now.status === 200 && now;
}, PATIENCE_MS);
const metric = async (serve, name) => readMetrics(await (await fetch(`${serve.url}/metrics`)).text()).value(name);
const logged = (serve, event) => serve.child.output.stderr.split('\n').filter((line) => line.includes(`event=${event} `));
const status = async (url) => (await fetch(url)).status;

async function unavailable(serve, as) {
  const { status: code, body, headers } = await ask(serve, as);
  assert.deepEqual([code, body.error], [503, 'chain_unavailable'], JSON.stringify(body));
  assert.ok(Number(headers.get('retry-after')) >= 1);
}

// The chain goes on, as it does when nobody looks: so its head is a young one.
async function comesBack(proxy) {
  await node.newBlock();
  proxy.behave();
}

test('what needs no chain is answered without it, and the rest when it comes', { skip }, async () => {
  const proxy = await it.faulty({}, down);
  const serve = await start('away', proxy.endpoint);
  const { status: code, message } = await readiness(serve);
  assert.equal(code, 503);
  assert.match(message, AWAY);
  await unavailable(serve);
  const parameters = { netuid };
  assert.equal((await askV2({ base: serve.url, key: world.keys.validator, parameters })).status, 200);
  const { url } = v2Request({ base: serve.url, key: world.keys.validator, parameters });
  assert.equal(await status(url.replace('/next/v2', '/next')), 200);
  assert.equal(await status(`${serve.url}/scorevision/index.json`), 200);
  assert.equal(await status(`${serve.url}/api/commitments`), 503);
  assert.equal(await metric(serve, 'sv_ready'), 0);
  const first = proxy.exchanges;
  await waitFor('another attempt', () => proxy.exchanges > first + 6, PATIENCE_MS);
  assert.deepEqual(logged(serve, 'chain').map((line) => / level=(\w+)/.exec(line)[1]), ['warning']);
  await comesBack(proxy);
  await ready(serve);
  assert.equal((await ask(serve)).status, 200);
  assert.equal(await metric(serve, 'sv_chain_leads'), 1);
  assert.deepEqual(logged(serve, 'chain').map((line) => / level=(\w+)/.exec(line)[1]), ['warning', 'info']);
  await serve.stop();
});

test('it stops while its endpoint keeps silent', { skip }, async () => {
  const proxy = await it.faulty({}, silent);
  const serve = await start('silent', proxy.endpoint);
  await waitFor('an attempt', () => proxy.exchanges > 0, PATIENCE_MS);
  serve.child.kill('SIGTERM');
  await waitFor('its end before the attempt takes a minute', () => serve.child.exitCode !== null, 40_000);
  assert.equal(serve.child.exitCode, 0);
  assert.match(serve.child.output.stderr, /event=stopped$/m);
});

test('it stops while it starts, and does not wait for its endpoint first', { skip }, async () => {
  const proxy = await it.faulty({}, silent);
  const env = world.environment({ env: { BITTENSOR_SUBTENSOR_ENDPOINT: proxy.endpoint, SCOREVISION_DATABASE: `sqlite:${world.path('stopped.sqlite')}` } });
  const child = spawn(programs.sv, ['serve', '--listen', '127.0.0.1:0'], { env, cwd: world.dir });
  let log = '';
  child.stderr.on('data', (data) => { log += data; });
  await waitFor('an attempt', () => proxy.exchanges > 0, PATIENCE_MS);
  child.kill('SIGTERM');
  await waitFor('its end', () => child.exitCode !== null, 40_000);
  assert.equal(child.exitCode, 0, log);
  assert.match(log, /event=stopped$/m);
  assert.doesNotMatch(log, /level=(warning|error)/); // that the endpoint is missed is said after ten seconds of waiting
});

test('whom the chain names is neither trusted nor refused before it has been read', { skip }, async () => {
  const proxy = await it.faulty({}, down);
  const serve = await start('named', proxy.endpoint, {
    SCOREVISION_GENESIS: genesis, SCOREVISION_MANIFEST_SIGNERS: 'chain:owner', SCOREVISION_VALIDATORS: 'chain:permit' });
  assert.match((await readiness(serve)).message, AWAY);
  await unavailable(serve);
  for (const key of [world.keys.validator, world.keys.other]) {
    const parameters = { netuid };
    assert.equal((await askV2({ base: serve.url, key, parameters })).body.error, 'chain_unavailable');
    const { url } = v2Request({ base: serve.url, key, parameters });
    assert.equal((await (await fetch(url.replace('/next/v2', '/next'))).json()).error, 'chain_unavailable');
  }
  assert.equal(logged(serve, '"manifest index"').length, 1);
  await comesBack(proxy);
  assert.equal((await ready(serve)).index_sequence, 1);
  assert.equal((await ask(serve)).status, 200);
  assert.equal((await askV2({ base: serve.url, key: world.keys.validator, parameters: { netuid } })).status, 200);
  assert.equal((await askV2({ base: serve.url, key: world.keys.other, parameters: { netuid } })).body.reason, 'not_permitted');
  await serve.stop();
});

test('another chain ends a start, and is never answered by where it comes later', { skip }, async () => {
  const proxy = await it.faulty(otherGenesis());
  const env = { BITTENSOR_SUBTENSOR_ENDPOINT: proxy.endpoint, SCOREVISION_GENESIS: genesis, SCOREVISION_DATABASE: `sqlite:${world.path('other.sqlite')}` };
  const { stderr } = await world.sv(['serve', '--listen', '127.0.0.1:0'], { env, expect: 3 });
  assert.match(stderr, /is another chain.*correct the endpoint or the pin/);
  proxy.wire = down;
  const serve = await start('other', proxy.endpoint, { SCOREVISION_GENESIS: genesis });
  proxy.wire = null;
  const line = await waitFor('the other chain to be noticed', () => logged(serve, 'chain').find((one) => / level=error /.test(one)), PATIENCE_MS);
  assert.match(line, /is another chain/);
  assert.match((await waitFor('refused', async () => {
    const now = await readiness(serve);
    return /refused/.test(now.message) && now;
  })).message, /another chain/);
  await unavailable(serve);
  assert.equal(await status(`${serve.url}/healthz`), 200);
  await comesBack(proxy);
  await ready(serve);
  assert.equal((await ask(serve)).status, 200);
  await serve.stop();
});

test('a reload meanwhile is carried out, and what was read last is answered by', { skip }, async () => {
  const proxy = await it.faulty();
  await node.newBlock();
  const serve = await start('reloaded', proxy.endpoint, {}, '/readyz');
  proxy.wire = down;
  serve.child.kill('SIGHUP');
  await waitFor('the reload', () => logged(serve, 'reloaded')[0] ?? /event=reloaded/.test(serve.child.output.stderr), PATIENCE_MS);
  assert.equal((await ask(serve)).status, 200);
  assert.match(JSON.stringify((await readiness(serve)).warnings), AWAY);
  await comesBack(proxy);
  const head = Number((await node.rpc('chain_getHeader')).number);
  await waitFor('the head', async () => (await readiness(serve)).block >= head, PATIENCE_MS);
  await waitFor('its own endpoint', async () => (await readiness(serve)).warnings.length === 0, PATIENCE_MS);
  await serve.stop();
});

test('one of several answers by the leader\'s reading, and leads with a chain of its own only', { skip: skip || (postgres.missing ?? false) }, async () => {
  const database = { SCOREVISION_DATABASE: await postgres.database('away'), SCOREVISION_GENESIS: genesis };
  const usual = await it.faulty(), gone = await it.faulty();
  const port = Number(new URL(gone.endpoint).port);
  await gone.stop();
  await node.newBlock();
  const leader = await start('', usual.endpoint, database, '/readyz');
  const late = await start('', gone.endpoint, database, '/readyz');
  assert.match(JSON.stringify((await readiness(late)).warnings), AWAY);
  assert.equal((await ask(late)).status, 200);
  // Known by a first commitment, he proves another one in a block that the leader has not read yet.
  await it.commit('other');
  const head = await world.head();
  await waitFor('known', async () => (await readiness(late)).block >= head);
  const fresh = await it.commit('other', { id: BALL, cap: 80 });
  const answer = await ask(late, 'other', { elementId: BALL, proof: fresh });
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual([await metric(leader, 'sv_chain_leads'), await metric(late, 'sv_chain_leads')], [1, 0]);
  await leader.stop('SIGKILL');
  await node.newBlock();
  const standing = (await readiness(late)).block;
  await it.faulty({}, null, port);
  await waitFor('it to lead', async () => await metric(late, 'sv_chain_leads') === 1, PATIENCE_MS);
  await waitFor('a newer head', async () => (await readiness(late)).block > standing, PATIENCE_MS);
  assert.equal((await ask(late)).status, 200);
  await late.stop();
});
