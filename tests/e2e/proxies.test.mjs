// `sv serve` behind a proxy that has TLS: the examples for nginx and HAProxy as they are, but for addresses and the certificate.
// Two instances on one database stand behind each.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createServer, request as plainRequest } from 'node:http';
import { Agent, request as tlsRequest } from 'node:https';
import { networkInterfaces } from 'node:os';
import { createWorld, waitFor } from './harness.mjs';
import { v3Request } from './api.mjs';
import { PLAYER, commit, football } from './season.mjs';
import { NAME, PUBLIC, address, example, makeCertificate, startTlsNginx } from './tls_proxy.mjs';
import { put } from '../support/nginx/nginx.mjs';
import { startHaproxy } from '../support/haproxy.mjs';

const CURRENT = '2025-10-23';
const BURST = 400; // of one address, api/server.h
const FLOOD = 1200;
// Requests from this machine's own address are counted, those from loopback are not.
const outside = Object.values(networkInterfaces()).flat().find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
const noAddress = outside ? false : 'this machine has no address but loopback';
let world, current, proof, miner, certificate;

before(async () => {
  world = await createWorld();
  miner = await world.key('miner');
  const { hash } = await world.clip();
  current = await world.publish(football(CURRENT, 5, 5000, hash));
  proof = await commit(world, 'miner', CURRENT, [PLAYER]);
  await world.advanceTo(20);
  certificate = makeCertificate(world);
  world.write('both.pem', Buffer.concat([certificate, world.read('key.pem')]));
});
after(() => world.end());

// One request over TLS to the proxy, from this address; as a client does it who finds the proxy under its name.
function ask({ port, agent, host = '127.0.0.1' }, { url, headers = [], from, forged }) {
  const { pathname, search } = new URL(url);
  return new Promise((resolve, reject) => {
    tlsRequest({ host, port, path: `${pathname}${search}`, servername: NAME, ca: certificate, agent, localAddress: from,
      headers: { Host: NAME, ...Object.fromEntries(headers), ...(forged ? { 'X-Forwarded-For': forged } : {}) } }, async (answer) => {
      const text = Buffer.concat(await answer.toArray()).toString();
      resolve({ status: answer.statusCode, text });
    }).on('error', reject).end();
  });
}

const challenge = () => v3Request({ base: PUBLIC, key: miner, manifestHash: current.manifest_hash, elementId: PLAYER, proof });
const count = (answers, status) => answers.filter((answer) => answer.status === status).length;

async function startInstance(more = {}) {
  const instance = await world.startServe({ env: { SCOREVISION_API: PUBLIC, SCOREVISION_TRUSTED_PROXIES: '127.0.0.1', SCOREVISION_RATE_LIMIT: '100000/60s' }, ...more });
  await instance.settle();
  return instance;
}

// The examples, with what an operator changes.
const proxies = {
  nginx: (instances) => startTlsNginx(world, instances),
  haproxy: (instances) => startHaproxy((port) => put(example('haproxy', 'scorevision-api.cfg'), {
    'server one 127.0.0.1:8080': instances.map((one, i) => `server s${i} ${address(one)}`).join('\n    '),
    'bind :443 ssl': `bind :${port} ssl`,
    '/etc/haproxy/scorevision.pem': world.path('both.pem'),
  })),
};

for (const [name, startProxy] of Object.entries(proxies)) {
  test(`${name}: challenges over TLS, whoever answers, and an instance that is killed is taken out`, async () => {
    const instances = [await startInstance(), await startInstance()];
    const proxy = { ...await startProxy(instances), agent: new Agent({ keepAlive: true }) };
    try {
      await waitFor('a first challenge', async () => (await ask(proxy, challenge())).status === 200);
      const answers = await Promise.all(Array.from({ length: 40 }, () => ask(proxy, challenge())));
      assert.equal(count(answers, 200), 40, proxy.said());
      for (const { child } of instances) assert.match(child.output.stderr, /path=\/api\/challenge\/v3 status=200/, 'both are asked');
      for (const spelling of ['/metrics', '/%6detrics', '/metric%73', '/metrics?a=b'])
        assert.equal((await ask(proxy, { url: `${PUBLIC}${spelling}` })).status, 404, spelling);
      await ask(proxy, { url: `${PUBLIC}/openapi.json`, headers: [['X-Request-Id', 'chosen']] });
      const ids = () => instances.flatMap(({ child }) => [...child.output.stderr.matchAll(/ id=(\S+) method=GET path=\/openapi\.json /g)].map(([, id]) => id));
      assert.match((await waitFor('its line', () => ids().length > 0 && ids()))[0], /^[0-9a-f-]{32,36}$/, 'the proxy gives the id, not the client');

      const once = challenge(); // which the proxy sends to one of them, once
      assert.equal((await ask(proxy, once)).status, 200);
      const replay = await ask(proxy, once);
      assert.deepEqual([replay.status, JSON.parse(replay.text).reason], [401, 'replayed_nonce']);

      await instances[0].stop('SIGKILL');
      await waitFor('the killed one to be taken out', async () => {
        const after = await Promise.all(Array.from({ length: 10 }, () => ask(proxy, challenge())));
        return count(after, 200) === 10;
      });
      await reloadBehind(proxy, instances[1]);
    } finally {
      proxy.agent.destroy();
      await proxy.stop();
      await Promise.all(instances.map((one) => one.stop()));
    }
  });

  // Behind a proxy that keeps its connections nobody notices a reload.
  async function reloadBehind(proxy, instance) {
    const reloaded = () => instance.child.output.stderr.split('event=reloaded').length - 1;
    const statuses = [];
    for (let i = 0; i < 3; i++) {
      const before = reloaded();
      instance.child.kill('SIGHUP');
      while (reloaded() === before) statuses.push((await ask(proxy, challenge())).status);
      for (let j = 0; j < 10; j++) statuses.push((await ask(proxy, challenge())).status);
    }
    assert.deepEqual([...new Set(statuses)], [200], `of ${statuses.length}`);
  }

  test(`${name}: the limit of an address is the client's, and what a client forges counts for nothing`, { skip: noAddress }, async () => {
    const instance = await startInstance();
    const proxy = { ...await startProxy([instance]), agent: new Agent({ keepAlive: true, maxSockets: 50 }), host: outside };
    const near = { ...proxy, host: '127.0.0.1', agent: undefined };
    const url = `${PUBLIC}/api/challenge/v3`; // which says what is missing
    try {
      await waitFor('the proxy to serve', async () => (await ask(near, { url })).status === 400);
      const flood = await Promise.all(Array.from({ length: FLOOD }, (_, i) => ask(proxy, { url, from: outside, forged: i % 2 ? '127.0.0.1' : `198.51.100.${i % 250}` })));
      assert.ok(count(flood, 400) >= BURST * 0.9, `${count(flood, 400)} go through`);
      assert.ok(count(flood, 503) > 0, `and then no more: ${count(flood, 400)} of ${FLOOD} did`);
      assert.equal((await ask(near, { url })).status, 400, 'another client of the same proxy has a limit of its own');
    } finally {
      proxy.agent.destroy();
      await proxy.stop();
      await instance.stop();
    }
  });
}

// An instance that falls whenever it has read a request for work.
async function startFalling(received) {
  const server = createServer((incoming, answer) => {
    if (incoming.url === '/readyz') return answer.end('{}');
    received.push(incoming.url);
    return incoming.socket.destroy();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, stop: () => { server.close(); server.closeAllConnections(); } };
}

for (const [name, startProxy] of Object.entries(proxies)) {
  test(`${name}: a request that an instance has received is sent to no other`, async () => {
    const received = [];
    const instances = [await startFalling(received), await startFalling(received)];
    const proxy = await startProxy(instances);
    try {
      assert.equal((await ask(proxy, challenge())).status, 502);
      assert.equal(received.length, 1, received.join('\n'));
    } finally {
      await proxy.stop();
      instances.forEach((one) => one.stop());
    }
  });
}

test('who is no trusted proxy is counted by his own address, whatever he says', { skip: noAddress }, async () => {
  const instance = await startInstance({ listen: `${outside}:0` });
  const { port } = new URL(instance.url);
  const get = (i) => new Promise((resolve, reject) => {
    plainRequest({ host: outside, port, localAddress: outside, path: '/api/challenge/v3', headers: { 'X-Forwarded-For': `198.51.100.${i % 250}` } },
      (answer) => answer.resume().on('end', () => resolve({ status: answer.statusCode }))).on('error', reject).end();
  });
  const answers = [];
  for (let i = 0; i < FLOOD; i += 50) answers.push(...await Promise.all(Array.from({ length: 50 }, (_, j) => get(i + j))));
  assert.ok(count(answers, 400) >= BURST * 0.9 && count(answers, 503) > 0, `${count(answers, 400)} of ${FLOOD} go through`);
  await instance.stop();
});
