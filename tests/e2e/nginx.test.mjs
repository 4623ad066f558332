// A cache between the origin and its readers, as an operator has it who uses no CDN: a real nginx, run by the example of
// examples/nginx/. Many readers cost the origin one request; what a reader needs fresh is fresh; what is private is not kept;
// and an origin that is killed is not missed while a window lasts. A relay between nginx and the origin writes down what gets
// through to it.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import { build, createWorld, waitFor } from './harness.mjs';
import { askV3 } from './api.mjs';
import { sha256 } from './peer.mjs';
import { PLAYER, commit, football } from './season.mjs';
import { startRelay } from './relay.mjs';
import { example, startNginx } from '../support/nginx/nginx.mjs';
import { makeBucket, startGateway } from '../support/s3/gateway.mjs';

const CURRENT = '2025-10-23';
const INDEX = '/scorevision/index.json';
const STATEMENT = '/scorevision/signers/1.json';
const READERS = 12;
const MAX_AGE_MS = 60_000; // more than enough for what may be kept for 15 seconds
const manifestPath = (hash) => `/scorevision/manifests/${hash.replace('sha256:', '')}.json`;
const count = (list, wanted) => list.filter((item) => wanted.includes(item.cache)).length;

// A request with these headers and no others: fetch() adds "Cache-Control: no-cache" to conditional ones.
function ask(url, options = {}) {
  return new Promise((resolve, reject) => {
    request(url, options, async (answer) => {
      const bytes = Buffer.concat(await answer.toArray());
      resolve({ status: answer.statusCode, headers: answer.headers, bytes });
    }).on('error', reject).end(options.body);
  });
}

// What a cache has on its disk.
function kept({ folder }) {
  const files = readdirSync(path.join(folder, 'cache'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map((entry) => readFileSync(path.join(entry.parentPath ?? entry.path, entry.name)));
}

// The origin: `start(world, cache)` gives { url, … } of what publishes the world's store, `fail(running, relay)` ends that; `path`
// is where it does so, for a bucket; `prepare(world)` makes the store another than a folder, and `end()` ends it. `isApi`: the
// origin is the Challenge API, too, and has clips.
function readThrough(origin) {
  let world, relay, nginx, running, clip, published, link;

  before(async () => {
    world = await createWorld();
    await origin.prepare?.(world);
    await world.key('miner');
    clip = (await world.clip()).hash;
    published = await world.publish(football(CURRENT, 1, 50_000, clip));
    await world.advance(3);
    await commit(world, 'miner', CURRENT, [PLAYER]);
    relay = await startRelay();
    nginx = await startNginx({ origin: `${relay.url}${origin.path ?? ''}` });
    await start();
  });
  after(async () => {
    await nginx?.stop();
    await relay?.close();
    await world?.end();
    await origin.end?.();
  });

  async function start() {
    running = await origin.start(world, nginx);
    relay.to(running.url);
  }

  const reader = (as) => ({ as, env: { R2_PUBLIC_URL: nginx.url } });
  const current = (as, args = []) => world.json(['manifest', 'current', ...args], reader(as));
  const asked = (pathname) => relay.requests.filter(({ url }) => url.pathname === `${origin.path ?? ''}${pathname}`);
  const get = (pathname, headers) => ask(`${nginx.url}${pathname}`, { headers });
  const sequence = async () => JSON.parse((await get(INDEX)).bytes).sequence;

  test('many readers cost the origin a request for each object', async () => {
    const names = Array.from({ length: READERS }, (_, i) => `reader-${i}`);
    const answers = await Promise.all(names.map((name) => current(name, ['--require-anchor'])));
    for (const { manifest_hash: hash, anchor } of answers) assert.deepEqual([hash, anchor], [published.manifest_hash, 'anchored']);

    const manifests = await nginx.log(manifestPath(published.manifest_hash));
    assert.equal(count(manifests, ['HIT']), READERS - 1, 'a manifest is fetched once, and never again');
    assert.equal(asked(manifestPath(published.manifest_hash)).length, 1);
    const indexes = await nginx.log(INDEX);
    assert.equal(indexes.length, READERS);
    assert.ok(count(indexes, ['HIT']) >= READERS * 0.75, `the index is mostly served from the cache: ${JSON.stringify(indexes)}`);
    assert.equal(asked(INDEX).length, READERS - count(indexes, ['HIT', 'UPDATING']));
    const statements = await nginx.log(STATEMENT);
    assert.equal(statements.length, READERS);
    assert.ok(count(statements, ['HIT']) >= READERS * 0.75, `that there is no statement is known to the cache, too: ${JSON.stringify(statements)}`);
    assert.equal(asked(STATEMENT).length, READERS - count(statements, ['HIT', 'UPDATING']));
  });

  test('a reader that has an object is told so by the cache', async () => {
    const pathname = manifestPath(published.manifest_hash);
    const whole = await get(pathname);
    assert.equal(sha256(whole.bytes), published.manifest_hash);
    assert.equal(whole.headers['cache-control'], 'public, max-age=31536000, immutable');

    assert.equal((await get(pathname, { 'If-None-Match': whole.headers.etag })).status, 304);
    assert.equal((await get(pathname, { 'If-None-Match': '"another"' })).status, 200);
    assert.equal((await get(INDEX, { 'If-None-Match': (await get(INDEX)).headers.etag })).status, 304);
    const part = await get(pathname, { Range: 'bytes=10-19' });
    assert.equal(part.status, 206);
    assert.deepEqual(part.bytes, whole.bytes.subarray(10, 20));
    assert.equal((await get(pathname, { 'Cache-Control': 'no-cache' })).status, 200);
    assert.equal(asked(pathname).length, 1, 'none of this was for the origin');
  });

  test('a part asked for first does not become the whole', async () => {
    const next = await world.publish(football('2025-10-24', 50_000, 60_000, clip));
    const pathname = manifestPath(next.manifest_hash);
    const part = await get(pathname, { Range: 'bytes=0-0' });
    assert.deepEqual([part.status, String(part.bytes)], [206, '{']);
    assert.equal(sha256((await get(pathname)).bytes), next.manifest_hash);
    assert.equal(asked(pathname).length, 1);
  });

  test('what was published a moment ago reaches who knows that it must be there', async () => {
    const old = await sequence();
    const { sequence: newer } = await world.publish(football('2025-10-25', 60_000, 70_000, clip));
    assert.ok(newer > old);
    await world.advance(4); // its anchor is final
    assert.equal((await world.json(['manifest', 'list'], reader('reader-0'))).sequence, newer);
    assert.equal(count(await nginx.log(INDEX), ['BYPASS']), 1);
    assert.equal(asked(INDEX).at(-1).headers['cache-control'], 'no-cache');
    assert.equal(await sequence(), newer, 'and what came back is in the cache for everybody');
  });

  test('the index is asked for by its ETag when its time is over, and a new one is shown', async () => {
    const hasStatus = async (status) => { await sequence(); return count(await nginx.log(INDEX), [status]) > 0; };
    await waitFor('the index to be asked for again', () => hasStatus('REVALIDATED'), MAX_AGE_MS);
    const again = asked(INDEX).at(-1);
    assert.ok(again.headers['if-none-match']);
    assert.equal(again.status, 304);

    const before = await sequence();
    await world.publish(football('2025-10-26', 70_000, 80_000, clip));
    await waitFor('the new index', async () => await sequence() === before + 1, MAX_AGE_MS);
    assert.equal(asked(INDEX).at(-1).status, 200);
    assert.ok(count(await nginx.log(INDEX), ['EXPIRED']) > 0);
  });

  test('nobody gets past the cache without end', async () => {
    const flood = await Promise.all(Array.from({ length: 60 }, () => get(INDEX, { 'Cache-Control': 'no-cache' })));
    const statuses = flood.map(({ status }) => status);
    assert.ok(statuses.includes(429), 'most are refused');
    assert.ok(statuses.includes(200), 'some are not');
    assert.equal((await get(INDEX)).status, 200, 'and who asks as usual notices nothing');
  });

  test('what is not there is not kept as that', async () => {
    const absent = `/scorevision/manifests/${'0'.repeat(64)}.json`;
    for (let i = 0; i < 2; i++) assert.equal((await get(absent)).status, origin.absent ?? 404);
    assert.equal(asked(absent).length, 2);
  });

  test('what is not public has no way through the cache', async () => {
    const hex = clip.replace('sha256:', '');
    const ways = ['/private/clips/', '/scorevision/../private/clips/', '/scorevision/..%2fprivate/clips/', '/scorevision/%2e%2e/private/clips/',
      '/clips/', '//private/clips/', '/scorevision//../../private/clips/'];
    for (const way of ways) {
      const { status, bytes } = await get(way + hex);
      assert.ok(status >= 400 && sha256(bytes) !== clip, `${way} answers ${status}`);
    }
  });

  test('nothing is written through the cache', async () => {
    for (const method of ['PUT', 'POST', 'DELETE']) assert.equal((await ask(nginx.url + INDEX, { method })).status, 403, method);
    assert.ok(asked(INDEX).every(({ method }) => method === 'GET'));
  });

  if (origin.isApi) theApi();
  else besideTheApi();

  test('an origin that is killed is not missed by readers old and new', async () => {
    await current('reader-0', ['--require-anchor']); // a cache has what somebody has asked for
    await origin.fail(running, relay);
    await waitFor('an index given out although its time is over', async () => {
      await sequence();
      return count(await nginx.log(INDEX), ['STALE']) > 0;
    }, MAX_AGE_MS);
    for (const name of ['reader-0', 'of-an-empty-home']) {
      const { manifest_hash: hash, anchor } = await current(name, ['--require-anchor']);
      assert.deepEqual([hash, anchor], [published.manifest_hash, 'anchored'], name);
    }
  });

  test('an old index is not taken for the newest because the origin is gone', async () => {
    await world.publish(football('2025-10-27', 80_000, 90_000, clip));
    await world.advance(4);
    const known = await world.sv(['manifest', 'current', '--json'], reader('reader-0'));
    assert.equal(JSON.parse(known.stdout).manifest_hash, published.manifest_hash);
    assert.match(known.stderr, /using the last verified manifest/);
    const { stderr } = await world.sv(['manifest', 'current'], { ...reader('of-no-memory'), expect: 3 });
    assert.match(stderr, /freeze: .* is anchored on the chain; .*; asked again past all caches: .* answered HTTP 502/);
  });

  test('an origin that comes back is asked again', async () => {
    await start();
    const { sequence: newer } = await world.publish(football('2025-10-28', 90_000, 99_000, clip));
    await waitFor('the new index', async () => await sequence() === newer, MAX_AGE_MS);
  });

  test('without the cache readers go on by what they have, and who has nothing is told', async () => {
    await current('reader-0', ['--require-anchor']);
    await nginx.stop('SIGKILL');
    const known = await world.sv(['manifest', 'current', '--require-anchor', '--json'], reader('reader-0'));
    assert.equal(JSON.parse(known.stdout).manifest_hash, published.manifest_hash);
    assert.match(known.stderr, /using the last verified manifest/);
    const fresh = await world.sv(['manifest', 'current'], { ...reader('of-another-empty-home'), expect: 5 });
    assert.match(fresh.stderr, /Failed to connect to 127\.0\.0\.1/);
  });

  // A challenge of the API at @base, and its clip, fetched whole and in part.
  async function takeChallenge(base) {
    const { commitments: [receipt] } = await world.json(['miner', 'commitments', '--window-id', CURRENT], { as: 'miner' });
    const answer = await askV3({ base, key: world.keys.miner, manifestHash: published.manifest_hash, elementId: PLAYER,
      proof: receipt.bindings[0].commitment_proof });
    assert.equal(answer.status, 200, answer.text);
    link = new URL(answer.body.clip_url);

    const whole = await ask(link);
    assert.equal(sha256(whole.bytes), clip);
    const part = await ask(link, { headers: { Range: 'bytes=100-299' } });
    assert.equal(part.status, 206);
    assert.equal(part.headers['content-range'], `bytes 100-299/${whole.bytes.length}`);
    assert.deepEqual(part.bytes, whole.bytes.subarray(100, 300));
    assert.equal((await ask(`${link}0`)).status, 403, 'another token');
    return whole;
  }

  function theApi() {
    test('challenges and clips go through, whole and in part, and stay out of the cache', async () => {
      await running.settle();
      const { headers } = await takeChallenge(nginx.url);
      assert.equal(link.origin, nginx.url);
      assert.match(headers['cache-control'], /^private/);
      assert.equal(asked(link.pathname).filter(({ url }) => url.search).length, 3, 'every request for a clip is the origin\'s');
      assert.ok(kept(nginx).length > 0, 'what is public is kept');
      assert.ok(kept(nginx).every((file) => !file.includes('ftyp')), 'a clip is not');
    });

    test('"private" alone keeps a clip out of a cache that would keep everything', async () => {
      const greedy = example.replace('proxy_cache off;', 'proxy_cache scorevision; proxy_cache_key $request_uri;')
        .replace('proxy_buffering off;', '');
      const other = await startNginx({ origin: relay.url, config: greedy });
      try {
        for (let i = 0; i < 2; i++) assert.equal(sha256((await ask(`${other.url}${link.pathname}${link.search}`)).bytes), clip);
        for (let i = 0; i < 2; i++) assert.equal((await ask(`${other.url}/openapi.json`)).status, 200);
        const statuses = async (uri) => (await other.log(uri)).map(({ cache }) => cache);
        assert.deepEqual(await statuses(link.pathname), ['MISS', 'MISS']);
        assert.deepEqual(await statuses('/openapi.json'), ['MISS', 'HIT'], 'it would keep what it may');
      } finally {
        await other.stop();
      }
    });
  }

  function besideTheApi() {
    test('clips go past the cache by presigned links, and have no way through it', async () => {
      const api = await world.startServe();
      try {
        await takeChallenge(api.url);
      } finally {
        await api.stop();
      }
      assert.equal(link.origin, running.url);
      const through = await get(`${link.pathname}${link.search}`);
      assert.ok(through.status >= 400 && sha256(through.bytes) !== clip, `a presigned link is for one host: ${through.status}`);
      assert.ok(kept(nginx).every((file) => !file.includes('ftyp')));
    });
  }
}

const served = {
  name: 'sv serve',
  isApi: true,
  start: (world, cache) => world.startServe({ env: { SCOREVISION_API: cache.url } }),
  fail: (running) => running.stop('SIGKILL'),
};

// A bucket has no API; who publishes goes on reaching it when the cache does not any more.
const NOWHERE = 'http://127.0.0.1:9';
let gateway;
const bucket = {
  name: "a bucket of Ceph's object gateway",
  path: '/season',
  absent: 403, // who may not list a bucket is not told what is not in it
  async prepare(world) {
    gateway = await startGateway();
    if (gateway.missing) throw new Error(gateway.missing);
    makeBucket(build, gateway.settings, 'season');
    const url = gateway.settings.S3_ENDPOINT;
    Object.assign(world.env, gateway.settings, { SCOREVISION_STORE: 's3://season', R2_PUBLIC_URL: `${url}/season` });
  },
  start: () => ({ url: gateway.settings.S3_ENDPOINT }),
  fail: (running, relay) => relay.to(NOWHERE),
  end: () => gateway?.stop?.(),
};

// Those who copy a store read every statement on signers; the cache lets nobody past it so often.
async function copyManyStatements() {
  const world = await createWorld({ finality: 0 });
  let nginx, serve;
  try {
    await world.publish(football(CURRENT, 1, 50_000, `sha256:${'a'.repeat(64)}`));
    for (let i = 1; i <= 50; i++) {
      const { address } = await world.key(`signer-${i}`);
      await world.json(['manifest', 'signers', 'add', address], { as: 'operator' });
    }
    await world.publish(football('2025-10-24', 50_000, 60_000, `sha256:${'a'.repeat(64)}`), { as: 'signer-50' });
    nginx = await startNginx({ origin: (serve = await world.startServe()).url });
    for (const as of ['first', 'second', 'third']) {
      const report = await world.json(['store', 'mirror', nginx.url, `file:${world.path(`copy-${as}`)}`], { as });
      assert.deepEqual([report.index, report.faults, report.copied], ['written', [], 50 + 2 * 2 + 1], as);
    }
  } finally {
    await nginx?.stop();
    await serve?.stop();
    await world.end();
  }
}

// Most of the time is the index's quarter of a minute.
describe('nginx', { concurrency: true }, () => {
  test('copies of a store with many statements are made through it', copyManyStatements);
  for (const origin of [served, bucket]) describe(`before ${origin.name}`, { concurrency: 1 }, () => readThrough(origin));
});
