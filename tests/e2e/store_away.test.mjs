// `sv serve` starts while its store is away, and is stopped while it starts: a real object gateway behind a relay that keeps silent.
//
// silent at the start: it listens, says what is missing, and takes the store up when it answers
// a store that fails: it is asked for one window, not for each, and the log says so once
// SIGTERM during the start: nothing is waited for, and what was given up is no fault
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { build, createWorld, programs, waitFor } from './harness.mjs';
import { startRelay } from './relay.mjs';
import { PLAYER, element, manifest } from './season.mjs';
import { makeBucket, startGateway } from '../support/s3/gateway.mjs';

const BUCKET = 'scorevision', WINDOWS = 3;
const PATIENCE_MS = 180_000; // a silent store is asked several times, which takes a minute each
const gateway = await startGateway();
const skip = gateway.missing ?? false;
let world, relay, clip;

before(async () => {
  if (skip) return;
  relay = await startRelay();
  relay.to(gateway.settings.S3_ENDPOINT);
  world = await createWorld({ finality: 0, env: { ...gateway.settings, SCOREVISION_STORE: `s3://${BUCKET}` } });
  makeBucket(build, gateway.settings, BUCKET);
  clip = (await world.clip()).hash;
  for (let n = 0; n < WINDOWS; n++) await world.publish(manifest(`window-${n}`, 1 + n * 1000, 1001 + n * 1000, [element(PLAYER, [clip])]));
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

test('a store of logs that fails is asked for one window, and told of once', { skip }, async () => {
  relay.onRequest = down;
  relay.requests.length = 0;
  const mirror = { R2_PUBLIC_URL: `${gateway.settings.S3_ENDPOINT}/${BUCKET}` };
  const serve = await world.startServe({ until: '/healthz', env: env(mirror) });
  const line = await waitFor('the index', () => lines(serve.child.output, 'manifest index read')[0], PATIENCE_MS);
  assert.match(line, / level=warning .*manifests=0 left_out=3\b/);
  const asked = relay.requests.map(({ url }) => url.searchParams.get('prefix') ?? '').filter((prefix) => prefix.includes('window-'));
  assert.deepEqual([...new Set(asked)].map((prefix) => /window-\d/.exec(prefix)[0]), ['window-0']);
  assert.equal(lines(serve.child.output, 'manifest left out').length, 1);
  assert.match((await readiness(serve)).message, /the published issue log of a window cannot be looked at/);
  relay.onRequest = null;
  await ready(serve);
  await serve.stop();
});

test('a stop does not wait for what the start waits for', { skip }, async () => {
  relay.onRequest = silent;
  relay.requests.length = 0;
  const child = spawn(programs.sv, ['serve', '--listen', '127.0.0.1:0'], { env: world.environment({ env: env() }), cwd: world.dir });
  let log = '';
  child.stderr.on('data', (data) => { log += data; });
  await waitFor('a request', () => relay.requests.length > 0);
  child.kill('SIGTERM');
  await waitFor('its end before the store is given up', () => child.exitCode !== null, 40_000);
  assert.equal(child.exitCode, 0, log);
  assert.match(log, /event=stopped$/m);
  assert.doesNotMatch(log, /level=(warning|error)/);
});
