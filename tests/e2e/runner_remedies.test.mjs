// Every answer of the Challenge API has its handling in the runner: what is worth another try is tried again, a bounded number of
// times; what is not ends with a status and a sentence that helps. A relay in front of the real server gives the answers.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createWorld } from './harness.mjs';
import { BALL, PLAYER, SLUG, commit, element, football } from './season.mjs';

const CURRENT = '2025-10-23', BARE = 'Bare@1.0';
let world, serve, relay, chute, plan, asked, lists;

// @plan: for each v3 request in turn what is answered, [status, body, headers]; null passes it on to the real server, and so
// does every request after the last.
const start = async () => {
  const server = createServer(async (incoming, out) => {
    const url = new URL(incoming.url, server.url);
    if (url.pathname === '/api/commitments') lists += 1;
    if (url.pathname === '/api/challenge/v3' || url.pathname === '/api/tasks/next/v2') {
      asked.push(Object.fromEntries(url.searchParams));
      const answer = plan.length > 1 ? plan.shift() : plan[0];
      if (answer) return out.writeHead(answer[0], answer[2] ?? {}).end(JSON.stringify(answer[1]));
    }
    const answer = await fetch(serve.url + incoming.url, { headers: incoming.headers });
    return out.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.url = `http://127.0.0.1:${server.address().port}`;
  return server;
};

before(async () => {
  world = await createWorld();
  await world.key('miner');
  const { hash } = await world.clip();
  const season = football(CURRENT, 1, 100_000, hash);
  season.elements.push(element(BARE, []));
  await world.publish(season);
  await commit(world, 'miner', CURRENT, [PLAYER, BALL, BARE]);
  relay = await start();
  serve = await world.startServe({ env: { SCOREVISION_API: relay.url } });
  await serve.settle();
  chute = await world.startChute(SLUG);
});
after(async () => {
  await world.end();
  relay?.closeAllConnections();
  await new Promise((resolve) => relay?.close(resolve));
});

const run = async (answers, { expect = 0, v3 = '1', args = [], env = {} } = {}) => {
  [plan, asked, lists] = [answers, [], 0];
  const result = await world.sv(['runner', '--once', '--json', ...args], {
    as: 'miner', expect, env: {
      SCOREVISION_USE_CHALLENGE_V3: v3, SCOREVISION_API: relay.url, SCOREVISION_RESULTS_STORE: `file:${world.path('results')}`,
      CHUTES_MINER_BASE_URL_TEMPLATE: chute.template, ...env,
    } });
  return { requests: asked.length, said: result.stderr, shard: expect === 0 ? JSON.parse(result.stdout).shards[0] : null };
};
const refusal = (error, reason) => ({ error, message: `the relay says ${error}`, ...(reason ? { reason } : {}) });
const SOON = { 'Retry-After': '1' };

test('409 and 503 wait as Retry-After says, and ask again', async () => {
  assert.equal((await run([[409, refusal('rate_limit_exceeded'), SOON], null])).requests, 2);
  assert.equal((await run([[503, refusal('overloaded'), SOON], [503, refusal('chain_unavailable'), SOON], null])).requests, 3);
  assert.equal((await run([[409, refusal('rate_limit_exceeded'), SOON], null], { v3: '0', args: ['--slug', SLUG] })).requests, 2);
});

test('a wait that is too long is left to whoever runs it', async () => {
  const { requests, said } = await run([[409, refusal('rate_limit_exceeded'), { 'Retry-After': '3600' }]], { expect: 6 });
  assert.equal(requests, 1);
  assert.match(said, /rate_limit_exceeded/);
});

test('404 and 410 lead to a fresh manifest, a bounded number of times', async () => {
  assert.equal((await run([[404, refusal('no_active_window')], null])).requests, 2);
  assert.equal((await run([[410, refusal('window_expired')], null])).requests, 2);
  const { requests, said } = await run([[404, refusal('no_active_window')]], { expect: 4 });
  assert.ok(requests > 1 && requests <= 6, `${requests} requests`);
  assert.match(said, /sv manifest current/);
});

test('412 leads to one refresh, then to the command that helps', async () => {
  const once = await run([[412, refusal('missing_commitment', 'not_in_force')], null]);
  assert.deepEqual([once.requests, lists], [2, 1]);
  const { requests, said } = await run([[412, refusal('missing_commitment', 'withdrawn')]], { expect: 6 });
  assert.deepEqual([requests, lists], [2, 1]);
  assert.match(said, /withdrawn.*sv miner commit/);
});

test('401 is tried again for a replayed nonce only, with another nonce', async () => {
  assert.equal((await run([[401, refusal('invalid_signature', 'replayed_nonce')], null])).requests, 2);
  assert.notEqual(asked[0].nonce, asked[1].nonce);
  for (const [reason, status, hint] of [['stale_nonce', 6, /clock/], ['not_permitted', 6, /validator list/], ['unbound_nonce', 6, /SCOREVISION_API/], ['bad_signature', 3, /bad_signature/]]) {
    const { requests, said } = await run([[401, refusal('invalid_signature', reason)]], { expect: status });
    assert.equal(requests, 1, reason);
    assert.match(said, hint);
  }
});

test('503 no_challenge goes on with the next element', async () => {
  const { shard } = await run([[503, refusal('no_challenge'), SOON], null]);
  assert.notEqual(asked[0].element_id, asked[1].element_id);
  assert.equal(shard.element_id, asked[1].element_id);
});

test('503 no_challenge that stays ends soon, and says whose it is to mend', async () => {
  const { requests, said } = await run([[503, refusal('no_challenge')]], { expect: 5 });
  assert.ok(requests > 1 && requests <= 6, `${requests} requests`);
  assert.match(said, /no_challenge: the relay says no_challenge.*API's operator.*sv clip add/);
});

test('an element without clips is not asked for', async () => {
  const bare = await run([null], { args: ['--element', BARE], expect: 4 });
  assert.equal(bare.requests, 0);
  assert.match(bare.said, /has no clips for element .*tell the operator/);
});

test('a setting of its own that is wrong ends the runner before it asks for anything', async () => {
  for (const [name, value, fault] of [
    ['CHUTES_MINER_BASE_URL_TEMPLATE', chute.origin, /must hold \{slug\}/],
    ['CHUTES_MINER_BASE_URL_TEMPLATE', 'https://{slug}', /name the domain after/],
    ['CHUTES_MINER_BASE_URL_TEMPLATE', 'ftp://{slug}.example.org', /CHUTES_MINER_BASE_URL_TEMPLATE.*http/],
    ['CHUTES_API_KEY', 'two words', /CHUTES_API_KEY/],
    ['SCOREVISION_EVALUATOR', '/nowhere/evaluate --fast', /\/nowhere\/evaluate is not there/],
    ['SCOREVISION_EVALUATOR', 'evaluate "', /cannot be read as a command/],
    ['SCOREVISION_RESULTS_STORE', 'https://results.example.org', /can only be read/],
    ['SCOREVISION_RESULTS_STORE', `file:${world.write('no-folder', 'x')}/results`, /is no folder/],
  ]) for (const v3 of ['1', '0']) {
    const { requests, said } = await run([null], { expect: 2, v3, env: { [name]: value } });
    assert.equal(requests, 0, name);
    assert.match(said, fault);
    assert.ok(!said.includes('two words'), 'no secret is told');
  }
});

test('400 and what no table names end at once', async () => {
  assert.equal((await run([[400, refusal('invalid_request')]], { expect: 1 })).requests, 1);
  assert.equal((await run([[418, refusal('teapot')]], { expect: 5 })).requests, 1);
});
