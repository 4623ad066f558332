// `sv serve` starts while its store is away, and is stopped while it starts: a real object gateway behind a relay that keeps silent.
//
// silent at the start: it listens, says what is missing, and takes the store up when it answers
// one object that cannot be had keeps no other from being had
// the issue logs' store fails while the mirror is away: what this home has is served when they can be looked at again
// no index at all, or no window: nothing is dropped that the state has of the chain
// SIGTERM during the start: nothing is waited for, nothing is begun, and what was given up is no fault
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { build, createWorld, programs, waitFor } from './harness.mjs';
import { startRelay } from './relay.mjs';
import { PLAYER, element, manifest } from './season.mjs';
import { makeBucket, startGateway } from '../support/s3/gateway.mjs';

const BUCKET = 'scorevision', WINDOWS = 3;
const PATIENCE_MS = 180_000; // a silent store is asked several times, which takes a minute each
const gateway = await startGateway();
const skip = gateway.missing ?? false;
let world, relay;
const hashes = [];

before(async () => {
  if (skip) return;
  relay = await startRelay();
  relay.to(gateway.settings.S3_ENDPOINT);
  world = await createWorld({ finality: 0, env: { ...gateway.settings, SCOREVISION_STORE: `s3://${BUCKET}` } });
  makeBucket(build, gateway.settings, BUCKET);
  const clip = (await world.clip()).hash;
  for (let n = 0; n < WINDOWS; n++) hashes.push((await world.publish(manifest(`window-${n}`, 1 + n * 1000, 1001 + n * 1000, [element(PLAYER, [clip])]))).manifest_hash);
});
after(async () => {
  if (skip) return;
  await world.end();
  await relay.close();
  await gateway.stop();
});

const silent = () => new Promise(() => {});
const down = () => false;
const env = (more = {}) => ({ S3_ENDPOINT: relay.url, ...more });
const mirror = (origin) => ({ R2_PUBLIC_URL: `${origin}/${BUCKET}` });
const readiness = async (serve) => {
  const answer = await fetch(`${serve.url}/readyz`);
  return { ...await answer.json(), status: answer.status };
};
const ready = (serve) => waitFor('ready', async () => (await readiness(serve)).status === 200, PATIENCE_MS);
const lines = (output, event) => output.stderr.split('\n').filter((line) => line.includes(` event="${event}" `));

test('it listens without its store, and takes it up when it answers', { skip }, async () => {
  relay.onRequest = silent;
  const serve = await world.startServe({ until: '/healthz', env: env() });
  const { status, message } = await readiness(serve);
  assert.equal(status, 503);
  assert.match(message, /the manifest index has not been read yet/);
  assert.match(lines(serve.child.output, 'manifest index')[0], / level=warning .*has not been read yet.*starts without it/);
  assert.match(serve.child.output.stderr, /event=listening .*windows="not read yet"/);
  relay.onRequest = null;
  await ready(serve);
  assert.match(lines(serve.child.output, 'manifest index read')[0], / level=info .*manifests=3\b/);
  await serve.stop();
});

test('one manifest that cannot be had keeps no other from being had', { skip }, async () => {
  const broken = hashes[0].replace('sha256:', '');
  relay.onRequest = ({ url }) => !url.pathname.includes(broken);
  const fresh = { ...mirror(relay.url), S3_ENDPOINT: gateway.settings.S3_ENDPOINT, SCOREVISION_HOME: world.path('homes', 'fresh') };
  const serve = await world.startServe({ until: '/healthz', env: fresh });
  await waitFor('the others', () => /manifests=2 left_out=1\b/.test(serve.child.output.stderr), PATIENCE_MS);
  assert.match(lines(serve.child.output, 'manifest left out')[0], /check the network, and R2_PUBLIC_URL/);
  relay.onRequest = null;
  await waitFor('all', () => /level=info event="manifest index read" sequence=3 manifests=3$/m.test(serve.child.output.stderr), PATIENCE_MS);
  await serve.stop();
});

test('what this home has is served as soon as the issue logs can be looked at', { skip }, async () => {
  relay.onRequest = down;
  const serve = await world.startServe({ until: '/healthz', env: env(mirror('http://127.0.0.1:1')) });
  const line = await waitFor('the index', () => lines(serve.child.output, 'manifest index of this home taken up')[0], PATIENCE_MS);
  assert.match(line, / level=warning .*manifests=0 left_out=3\b/);
  assert.equal(lines(serve.child.output, 'manifest left out').length, 1); // for all of them, as the reason is the same
  assert.match((await readiness(serve)).message, /the published issue log of a window cannot be looked at/);
  relay.onRequest = null;
  await ready(serve);
  await serve.stop();
});

// The first and the last block of which the state has all commitments.
const chains = () => execFileSync('sqlite3', [world.path('state.sqlite'), 'SELECT from_block, number FROM chains'], { encoding: 'utf8' })
  .trim().split('|').map(Number);

test('where no index can be read the chain is not followed', { skip }, async () => {
  const before = chains();
  await world.advance(20);
  relay.onRequest = down;
  const serve = await world.startServe({ until: '/healthz', env: env({ SCOREVISION_HOME: world.path('homes', 'empty') }) });
  await waitFor('an attempt', () => lines(serve.child.output, 'manifest index').length > 0, PATIENCE_MS);
  assert.match((await readiness(serve)).message, /has not been read yet/);
  await serve.stop();
  assert.deepEqual(chains(), before);
});

test('a stop does not wait for what the start waits for, and begins nothing', { skip }, async () => {
  await world.advance(20);
  const before = chains();
  relay.onRequest = silent;
  relay.requests.length = 0;
  const child = spawn(programs.sv, ['serve', '--listen', '127.0.0.1:0'], { env: world.environment({ env: env() }), cwd: world.dir });
  let log = '';
  child.stderr.on('data', (data) => { log += data; });
  await waitFor('a request', () => relay.requests.length > 0);
  child.kill('SIGTERM');
  await waitFor('its end before the store is given up', () => child.exitCode !== null, 40_000);
  assert.equal(child.exitCode, 0, log);
  assert.deepEqual(log.trim().split('\n').map((line) => /event=(\S+)/.exec(line)[1]), ['stopping', 'stopped']);
  assert.deepEqual(chains(), before);
});

test('a stop does not wait for the store, however often it is asked for', { skip }, async () => {
  relay.onRequest = null;
  const serve = await world.startServe({ env: env() });
  relay.onRequest = silent;
  relay.requests.length = 0;
  await waitFor('a request', () => relay.requests.length > 0);
  const again = setInterval(() => serve.child.kill('SIGTERM'), 1000);
  await waitFor('its end', () => serve.child.exitCode !== null, 40_000);
  clearInterval(again);
  assert.equal(serve.child.exitCode, 0);
});

test('a reload that waits for a silent store gives way to the next one', { skip }, async () => {
  const file = world.write('sv.conf', `S3_ENDPOINT=${gateway.settings.S3_ENDPOINT}\n`);
  const { S3_ENDPOINT: _, ...rest } = world.env;
  const saved = world.env;
  world.env = rest;
  const serve = await world.startServe({ env: { ...env(), S3_ENDPOINT: undefined, SCOREVISION_CONFIG: file } });
  world.env = saved;
  relay.onRequest = silent;
  relay.requests.length = 0;
  world.write('sv.conf', `S3_ENDPOINT=${relay.url}\n`);
  serve.child.kill('SIGHUP');
  await waitFor('a request', () => relay.requests.length > 0);
  world.write('sv.conf', `S3_ENDPOINT=${gateway.settings.S3_ENDPOINT}\n`);
  serve.child.kill('SIGHUP');
  await waitFor('the second', () => /event=reloaded/.test(serve.child.output.stderr), 40_000);
  const events = serve.child.output.stderr.split('\n').map((line) => /event=("[^"]*"|\S+)/.exec(line)?.[1]);
  assert.deepEqual(events.filter((event) => /reload/.test(event)), ['reloading', '"not reloaded"', 'reloading', 'reloaded']);
  assert.match(lines(serve.child.output, 'not reloaded')[0], / level=info .*given up/);
  await serve.stop();
});

test('in a pause between windows nothing is dropped that the state has of the chain', { skip }, async () => {
  relay.onRequest = null;
  const [first] = chains();
  const head = await world.advanceTo(WINDOWS * 1000 + 100);
  const serve = await world.startServe({ env: env() });
  await waitFor('the head', () => chains()[1] === head);
  assert.equal(chains()[0], first);
  await serve.stop();
});
