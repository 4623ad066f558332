// Two `sv serve` on one PostgreSQL: they act as one, one of them follows the chain, and both outlive their database.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createWorld, waitFor } from './harness.mjs';
import { askV3, freshNonce } from './api.mjs';
import { BALL, PLAYER, commit, football } from './season.mjs';
import { readMetrics } from './exposition.mjs';
import { startPostgres } from '../support/postgres/postgres.mjs';

const WINDOW = '2025-10-23';
const postgres = await startPostgres();
const skip = postgres.missing ?? false;
let world, clip, manifest, proof, url;
const fleet = [];

const start = async (until) => {
  const serve = await world.startServe({ env: { SCOREVISION_RATE_LIMIT: '6/60s' }, until });
  fleet.push(serve);
  return serve;
};
const ask = (serve, key, more) => askV3({ base: serve.url, key: world.keys[key], manifestHash: manifest.manifest_hash, elementId: PLAYER, proof, ...more });
const ready = async (serve) => (await fetch(`${serve.url}/readyz`)).status;
const says = (serve, text) => serve.child.output.stderr.includes(text);
const metrics = async (serve) => readMetrics(await (await fetch(`${serve.url}/metrics`)).text());
// The events that are warnings, and speak of the database.
const warnings = (serve) => serve.child.output.stderr.split('\n').filter((line) => / level=(warning|error) .*database /.test(line))
  .map((line) => /event=("[^"]*"|\S+)/.exec(line)[1]);
const isLeader = (serve) => says(serve, 'this instance follows the chain');

before(async () => {
  if (skip) return;
  url = await postgres.database('fleet');
  world = await createWorld();
  world.env.SCOREVISION_DATABASE = url;
  for (const name of ['miner', 'second', 'third']) await world.key(name);
  clip = await world.clip();
  manifest = await world.publish(football(WINDOW, 1, 100_000, clip.hash));
  proof = await commit(world, 'miner', WINDOW, [PLAYER]);
  await world.advance(5);
});
after(async () => {
  await world?.end();
  await postgres.end?.();
});

test('the clip commands use it, and say what to do without it', { skip }, async () => {
  const { clips } = await world.json(['clip', 'list']);
  assert.deepEqual(clips.map(({ hash }) => hash), [clip.hash]);
  const { checks } = await world.json(['serve', '--check-config']);
  assert.match(checks.find(({ setting }) => setting === 'SCOREVISION_DATABASE').message, /^1 clip registered/);
  await world.sv(['clip', 'remove', `sha256:${'0'.repeat(64)}`], { expect: 4 });
  const shown = await world.sv(['config', 'show']);
  assert.ok(!shown.stdout.includes(postgres.password));
  const wrong = url.replace(postgres.password, 'another-secret');
  for (const [database, advice] of [[url.replace(/:\d+\//, ':1/'), 'check that PostgreSQL runs'], [wrong, 'check user and password']]) {
    const { stderr } = await world.sv(['clip', 'list'], { env: { SCOREVISION_DATABASE: database }, expect: 5 });
    assert.ok(stderr.includes(advice), stderr);
    assert.ok(!stderr.includes(postgres.password) && !stderr.includes('secret'), stderr);
  }
  for (const database of ['postgresql://sv:se/cret@host/db', 'postgresql://sv:se@cret@host/db']) {
    const { stderr } = await world.sv(['clip', 'list'], { env: { SCOREVISION_DATABASE: database }, expect: 2 });
    assert.ok(!/se.cret|cret@/.test(stderr), stderr);
    assert.match(stderr, /write @ as %40/);
  }
});

test('--check-config: what only somebody\'s work mends is wrong, what is away a warning', { skip }, async () => {
  const check = async (database, expect) => {
    const { stdout } = await world.sv(['serve', '--check-config', '--json'], { env: { SCOREVISION_DATABASE: database }, expect });
    assert.ok(!stdout.includes(postgres.password) && !stdout.includes('secret'), stdout);
    return JSON.parse(stdout).checks.find(({ setting }) => setting === 'SCOREVISION_DATABASE');
  };
  assert.equal((await check(url, 0)).outcome, 'ok');
  assert.equal((await check(url.replace(/:\d+\//, ':1/'), 0)).outcome, 'warning');
  const sslmode = `${url}${url.includes('?') ? '&' : '?'}sslmode=`;
  const refused = { password: url.replace(postgres.password, 'another-secret'), role: url.replace(/\/\/[^:]+:/, '//stranger:'),
    database: url.replace(/(:\d+)\/[^?]*/, '$1/nowhere'), rights: await postgres.foreignDatabase('foreign_one'),
    'no such sslmode': `${sslmode}strict`, 'sslmode without SSL': `${sslmode}require` };
  for (const [what, database] of Object.entries(refused)) assert.equal((await check(database, 2)).outcome, 'wrong', what);
});

test('servers start before their database, say so, and go on by themselves when it is there', { skip }, async () => {
  await postgres.down();
  const serves = [await start('/healthz'), await start('/healthz')];
  for (const serve of serves) {
    assert.equal(await ready(serve), 503);
    for (const path of ['/api/challenge/v3', '/api/tasks/next/v2', '/api/commitments']) {
      const answer = await fetch(serve.url + path);
      assert.equal(answer.status, 503, path);
      assert.ok(Number(answer.headers.get('retry-after')) >= 1);
      const body = await answer.json();
      assert.equal(body.error, 'overloaded');
      assert.match(body.message, /database/);
    }
    assert.ok(says(serve, 'check that PostgreSQL runs'));
    assert.ok(!says(serve, postgres.password));
    // Every watcher has had its turns by then, and met the fault.
    await waitFor('some attempts', async () => (await metrics(serve)).value('sv_database_connections_failed_total') > 12);
    assert.deepEqual(warnings(serve), ['database']);
  }
  await postgres.up();
  for (const serve of serves) await waitFor('ready', async () => await ready(serve) === 200);
});

test('a nonce is accepted once, and the rate limit holds, over both', { skip }, async () => {
  const [one, two] = fleet;
  for (const serve of fleet) await serve.settle();
  const nonce = freshNonce();
  const first = await ask(one, 'miner', { nonce });
  assert.equal(first.status, 200, first.text);
  const again = await ask(two, 'miner', { nonce });
  assert.equal(again.status, 401, again.text);
  assert.equal(again.body.reason, 'replayed_nonce');
  const statuses = [];
  for (let i = 0; i < 8; i += 1) statuses.push((await ask(i % 2 ? one : two, 'miner')).status);
  assert.deepEqual(statuses, [200, 200, 200, 200, 200, 409, 409, 409]);
});

test('one follows the chain; the other answers by the same, and a fresh proof waits for it', { skip }, async () => {
  const [leader, other] = isLeader(fleet[0]) ? fleet : fleet.toReversed();
  assert.ok(isLeader(leader) && !isLeader(other));
  for (const [serve, name] of [[other, 'second'], [leader, 'third']]) {
    proof = await commit(world, name, WINDOW, [PLAYER]);
    for (const one of fleet) await one.settle(); // an asker is known by his commitment
    proof = await commit(world, name, WINDOW, [BALL], { cap: 80 });
    const fresh = await ask(serve, name, { elementId: BALL });
    assert.equal(fresh.status, 200, fresh.text);
  }
});

test('when the leader is killed the other follows, from where it was', { skip }, async () => {
  const [leader, other] = isLeader(fleet[0]) ? fleet : fleet.toReversed();
  await leader.stop('SIGKILL');
  await world.advance(3);
  await other.settle();
  assert.ok(isLeader(other));
  const answer = await ask(other, 'third', { elementId: BALL });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(await ready(other), 200);
});

test('a database that goes away is told at once, and taken up again', { skip }, async () => {
  const serve = isLeader(fleet[1]) && fleet[1].child.exitCode === null && fleet[1].child.signalCode === null ? fleet[1] : fleet[0];
  const was = await metrics(serve);
  assert.deepEqual(['sv_database_up', 'sv_chain_leads'].map((name) => was.value(name)), [1, 1]);
  const before = warnings(serve).length;
  await postgres.down();
  const refused = await waitFor('503', async () => {
    const answer = await ask(serve, 'third', { elementId: BALL });
    return answer.status === 503 && answer;
  });
  assert.equal(refused.body.error, 'overloaded');
  assert.ok(refused.headers.get('retry-after'));
  await waitFor('not ready', async () => await ready(serve) === 503);
  assert.equal((await fetch(`${serve.url}/healthz`)).status, 200);
  await waitFor('leads no more', async () => (await metrics(serve)).value('sv_chain_leads') === 0);
  const without = await waitFor('database not up', async () => { // the keeper asks once a second
    const now = await metrics(serve);
    return now.value('sv_database_up') === 0 && now;
  });
  assert.ok(without.value('sv_database_connections_failed_total') > was.value('sv_database_connections_failed_total'));
  await waitFor('some attempts', async () => (
    (await metrics(serve)).value('sv_database_connections_failed_total') > was.value('sv_database_connections_failed_total') + 12));
  const told = warnings(serve).slice(before).filter((event) => event !== '"issue log cannot be written"');
  assert.ok(told.length > 0 && told.every((event) => event === 'database'), `one tells it: ${told}`);
  await postgres.up();
  await waitFor('ready', async () => await ready(serve) === 200);
  await world.advance(1);
  await serve.settle();
  const answer = await ask(serve, 'third', { elementId: BALL });
  assert.equal(answer.status, 200, answer.text);
  assert.ok((await metrics(serve)).value('sv_database_connections_made_total') > was.value('sv_database_connections_made_total'));
});

test('after two reloads a server reads new publications and hands out challenges', { skip }, async () => {
  const serve = await start();
  for (let i = 1; i <= 2; i++) {
    serve.child.kill('SIGHUP');
    await waitFor('reloaded', () => serve.child.output.stderr.split('event=reloaded').length > i);
  }
  await world.publish(football('2025-10-24', 100_000, 200_000, clip.hash));
  await world.advance(1);
  await serve.settle();
  const answer = await ask(serve, 'third', { elementId: BALL });
  assert.equal(answer.status, 200, answer.text);
});
