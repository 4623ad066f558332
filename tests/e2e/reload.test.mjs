// `sv serve` reads its configuration again on SIGHUP: a file that is wrong changes nothing, one that is right takes effect, and
// no request is refused or lost while that happens. And `sv serve --check-config`.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { Agent, get } from 'node:http';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createWorld, programs, run, waitFor } from './harness.mjs';
import { v3Request } from './api.mjs';
import { PLAYER, commit, football } from './season.mjs';

const CURRENT = '2025-10-23';
const RELOADS = 6;
let world, clip, current, proof, miner, validator, serve, settings;

before(async () => {
  world = await createWorld();
  miner = await world.key('miner');
  validator = await world.key('validator');
  const { hash } = await world.clip();
  clip = hash;
  current = await world.publish(football(CURRENT, 5, 5000, hash));
  proof = await commit(world, 'miner', CURRENT, [PLAYER]);
  await world.advanceTo(20);
  world.env.SCOREVISION_CONFIG = configure({});
  serve = await world.startServe();
  await serve.settle();
});
after(() => world.end());

function configure(changes, text = '') {
  settings = { SCOREVISION_RATE_LIMIT: '100000/60s', SCOREVISION_VALIDATORS: '', ...changes };
  return world.write('sv.conf', `${Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`).join('')}${text}`);
}

const logged = (server, event) => server.child.output.stderr.split('\n').filter((line) => line.includes(`event="${event}"`) || line.includes(`event=${event}`));

// Sends SIGHUP and waits until the log has one more line of @event; returns that line.
async function hangUp(server, event) {
  const before = logged(server, event).length;
  server.child.kill('SIGHUP');
  return waitFor(`"${event}" in the log`, () => logged(server, event)[before]);
}

const request = (more) => ({ base: serve.url, key: miner, manifestHash: current.manifest_hash, elementId: PLAYER, proof, ...more });

// The status of an answer; without @agent over a connection of its own, as one that is kept may have one more answer by the
// configuration from before.
function send({ url, headers }, agent = false) {
  return new Promise((resolve) => {
    get(url, { agent, headers: Object.fromEntries(headers) }, (answer) => answer.resume().on('end', () => resolve(answer.statusCode)))
      .on('error', (error) => resolve(String(error)));
  });
}
const ask = (more) => send(v3Request(request(more)));

// One challenge after the other until @isOver.
async function client(agent, isOver, statuses) {
  while (!isOver()) statuses.push(await send(v3Request(request()), agent));
}

test('requests in flight during reloads are all answered, and new ones too', async () => {
  let isOver = false;
  const statuses = [];
  const kept = new Agent({ keepAlive: true });
  const clients = [kept, kept, kept, false, false].map((agent) => client(agent, () => isOver, statuses));
  for (let i = 0; i < RELOADS; i++) {
    const before = statuses.length;
    await hangUp(serve, 'reloaded');
    await waitFor('answers after a reload', () => statuses.length > before + 20);
  }
  isOver = true;
  await Promise.all(clients);
  kept.destroy();
  assert.deepEqual([...new Set(statuses)], [200], `of ${statuses.length} requests`);
  assert.equal((await fetch(`${serve.url}/readyz`)).status, 200);
});

// What the old server or its configuration owned, and the new one still used, would be gone by now: readers have read anew.
test('after two reloads new publications are read, and challenges go on', async () => {
  const pid = serve.child.pid;
  for (let i = 0; i < 2; i++) await hangUp(serve, 'reloaded');
  for (const [window, from] of [['2025-10-24', 5000], ['2025-10-25', 6000], ['2025-10-26', 7000]]) {
    await world.publish(football(window, from, from + 1000, clip));
    await world.advance();
    await serve.settle();
    assert.equal(await ask(), 200);
  }
  assert.ok(serve.child.exitCode === null && serve.child.pid === pid);
});

test('a file that is wrong changes nothing, and the log says what and where', async () => {
  configure({ SCOREVISION_RATE_LIMIT: 'many' }, 'SCOREVISION_TRUSTED_PROXIES = the-proxy\n');
  await hangUp(serve, 'not reloaded');
  const faults = logged(serve, 'configuration');
  assert.equal(faults.length, 2, 'every fault at once');
  assert.match(faults.join('\n'), /sv\.conf:1 .*many/);
  assert.match(faults.join('\n'), /sv\.conf:3 .*the-proxy/);
  configure({}, 'SCOREVISION_RATE_LIMTI = 5/60s\n');
  configure({ SCOREVISION_LOG: 'xml' }, 'no setting at all\nSCOREVISION_ISSUE_INTERVAL = 0\n');
  const line = 'SCOREVISION_RATE_LIMTI = 5/60s\n';
  writeFileSync(world.path('sv.conf'), line, { flag: 'a' });
  await hangUp(serve, 'not reloaded');
  const unreadable = logged(serve, 'configuration').slice(2);
  assert.equal(unreadable.length, 4, 'each once');
  assert.match(unreadable.join('\n'), /sv\.conf:6: unknown setting SCOREVISION_RATE_LIMTI; did you mean SCOREVISION_RATE_LIMIT\?/);
  assert.match(unreadable.join('\n'), /sv\.conf:4: expected/);
  assert.match(unreadable.join('\n'), /SCOREVISION_LOG.*sv\.conf:3/);
  assert.match(unreadable.join('\n'), /SCOREVISION_ISSUE_INTERVAL.*sv\.conf:5/);
  unlinkSync(configure({}));
  await hangUp(serve, 'not reloaded');
  assert.match(logged(serve, 'configuration').at(-1), /sv\.conf/);
  assert.equal(await ask(), 200);
});

test('changed validators take effect', async () => {
  configure({});
  const asValidator = { key: validator, miner: miner.address };
  assert.equal(await ask(asValidator), 401);
  configure({ SCOREVISION_VALIDATORS: validator.address });
  await hangUp(serve, 'reloaded');
  assert.equal(await ask(asValidator), 200);
});

test('a changed rate limit takes effect, and counts what was asked before', async () => {
  configure({ SCOREVISION_RATE_LIMIT: '3/3600s', SCOREVISION_VALIDATORS: validator.address });
  await hangUp(serve, 'reloaded');
  assert.equal(await ask(), 409, 'the miner has asked more often than that already');
  const other = { key: validator, miner: miner.address };
  assert.deepEqual([await ask(other), await ask(other), await ask(other)], [200, 200, 409], 'one of them was before the reload');
  configure({});
  await hangUp(serve, 'reloaded');
  assert.equal(await ask(), 200);
});

test('a nonce that was used before a reload is a replay after it', async () => {
  const once = v3Request(request());
  assert.equal(await send(once), 200);
  await hangUp(serve, 'reloaded');
  assert.equal(await send(once), 401);
});

test('a changed address is bound before the old one is left', async () => {
  configure({ SCOREVISION_LISTEN: '127.0.0.1:0' });
  const moving = await world.startServe({ listen: null });
  configure({ SCOREVISION_LISTEN: '127.0.0.2:0' });
  await hangUp(moving, 'reloaded');
  const line = await waitFor('the new address in the log', () => logged(moving, 'listening')[1]);
  const [, url] = /url="?(http:\/\/127\.0\.0\.2:\d+)/.exec(line);
  assert.equal((await fetch(`${url}/readyz`)).status, 200);
  await waitFor('the old address to be left', () => fetch(`${moving.url}/healthz`).then(() => false, () => true));
  configure({ SCOREVISION_LISTEN: serve.url.replace('http://', '') });
  assert.match(await hangUp(moving, 'not reloaded'), /address in use/);
  configure({ SCOREVISION_LISTEN: `:${new URL(url).port}` });
  assert.match(await hangUp(moving, 'not reloaded'), /this server itself listens on 127\.0\.0\.2:\d+, .* needs a restart/);
  assert.equal((await fetch(`${url}/readyz`)).status, 200, 'the one from before goes on');
  await moving.stop();
  configure({});
});

test('a configuration with which nothing could be handed out waits beside the one that goes on', async () => {
  const good = { SCOREVISION_HOME: world.path('homes', 'operator') };
  const useless = { SCOREVISION_HOME: world.path('homes', 'of-no-memory'), R2_PUBLIC_URL: 'http://127.0.0.1:9' };
  configure(good);
  const other = await world.startServe({ env: { SCOREVISION_HOME: '' } });
  configure(useless);
  await hangUp(other, 'reloading');
  for (let i = 0; i < 20; i++) assert.equal((await fetch(`${other.url}/readyz`)).status, 200);
  configure(good);
  await hangUp(other, 'reloaded');
  assert.match(logged(other, 'not reloaded').at(-1), /given up before it was ready: the manifest index has not been read yet/);
  configure(useless);
  await hangUp(other, 'reloading');
  assert.deepEqual(await other.stop(), { status: 0, signal: null });
  configure({});
});

test('a stop during a reload ends all servers', async () => {
  const other = await world.startServe();
  const kept = new Agent({ keepAlive: true });
  await new Promise((resolve) => { get(`${other.url}/healthz`, { agent: kept }, (answer) => answer.resume().on('end', resolve)); });
  await hangUp(other, 'reloaded');
  other.child.kill('SIGHUP');
  assert.deepEqual(await other.stop(), { status: 0, signal: null });
  kept.destroy();
});

test('a server in a terminal ends with the terminal', async () => {
  const program = `import os, pty, signal, sys
pid, terminal = pty.fork()
if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])
def give_up(*unused):
  os.kill(pid, signal.SIGKILL)
  sys.exit('it goes on')
signal.signal(signal.SIGALRM, give_up)
signal.alarm(20)
text = b''
while b'Serving challenges' not in text: text += os.read(terminal, 4096)
os.close(terminal)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))`;
  const { status, stderr } = await run('python3', ['-c', program, programs.sv, 'serve', '--listen', '127.0.0.1:0'], { env: world.environment() });
  assert.equal(status, 0, stderr);
});

test('the service manager is told what happens, as systemd wants to hear it', async () => {
  for (const address of [world.path('notify'), `@sv-test-${process.pid}`]) {
    const told = await listenToNotifications(address);
    const serving = await world.startServe({ env: { NOTIFY_SOCKET: address } });
    await told.hears(/^READY=1\nSTATUS=Serving challenges at http/);
    await hangUp(serving, 'reloaded');
    await told.hears(/^RELOADING=1/);
    configure({}, 'nonsense\n');
    await hangUp(serving, 'not reloaded');
    await told.hears(/^READY=1\nSTATUS=Not reloaded/);
    configure({});
    await serving.stop();
    await told.hears(/^STOPPING=1/);
    told.end();
  }
});

// A socket of datagrams, which Node has not: each is a line of JSON.
async function listenToNotifications(address) {
  const program = `import json, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace('@', '\\0', 1))
while True: print(json.dumps(s.recv(4096).decode()), flush=True)`;
  const child = spawn('python3', ['-c', program, address], { stdio: ['ignore', 'pipe', 'inherit'] });
  const messages = [];
  let heard = 0;
  createInterface({ input: child.stdout }).on('line', (line) => messages.push(JSON.parse(line)));
  const isBound = () => /^@/.test(address) ? readFileSync('/proc/net/unix', 'utf8').includes(address) : existsSync(address);
  await waitFor('the socket', isBound);
  return {
    hears: (pattern) => waitFor(`${pattern}`, () => {
      const found = messages.findIndex((message, i) => i >= heard && pattern.test(message));
      if (found >= 0) heard = found + 1;
      return found >= 0;
    }),
    end: () => child.kill(),
  };
}

test('--check-config says of every setting whether a server would start with it', async () => {
  const good = await world.json(['serve', '--check-config']);
  assert.equal(good.starts, true);
  const outcome = (checks, name) => checks.find(({ setting }) => setting === name);
  for (const name of ['BITTENSOR_SUBTENSOR_ENDPOINT', 'SCOREVISION_STORE', 'SCOREVISION_DATABASE']) {
    assert.equal(outcome(good.checks, name).outcome, 'ok', name);
    assert.ok(outcome(good.checks, name).message, `${name}: what was found there`);
  }
  const cases = [
    ['SCOREVISION_LISTEN', '8080'], ['SCOREVISION_API', 'example.org'], ['SCOREVISION_TRUSTED_PROXIES', '10.0.0.0/33'], ['SCOREVISION_RATE_LIMIT', '5'],
    ['SCOREVISION_VALIDATORS', 'nobody'], ['SCOREVISION_MANIFEST_SIGNERS', 'nobody'], ['SCOREVISION_CHAIN_MAX_LAG', '0'], ['SCOREVISION_NETUID', '-1'],
    ['SCOREVISION_STORE', 'http://127.0.0.1:9'], ['SCOREVISION_DATABASE', 'mysql://x'], ['BITTENSOR_SUBTENSOR_ENDPOINT', 'nowhere'],
    ['BITTENSOR_WALLET_HOT', '../x'], ['SCOREVISION_LOG', 'xml'], ['SCOREVISION_ISSUE_INTERVAL', '0'], ['SCOREVISION_GENESIS', '0x1'],
    ['R2_PUBLIC_URL', 'nowhere'],
  ];
  const all = await world.sv(['serve', '--check-config', '--json'], { env: Object.fromEntries(cases), expect: 2 });
  const { starts, checks } = JSON.parse(all.stdout);
  assert.equal(starts, false);
  for (const [name] of cases) assert.equal(outcome(checks, name).outcome, 'wrong', `${name}: ${JSON.stringify(outcome(checks, name))}`);
  // A server with one of them does not start, so that the two are of one opinion; the wallet it does without.
  for (const [name, value] of cases.filter(([setting]) => setting !== 'BITTENSOR_WALLET_HOT')) await world.sv(['serve'], { env: { [name]: value }, expect: 2 });
});

test('--check-config takes what is away for a warning, and shows no secret', async () => {
  const env = { BITTENSOR_SUBTENSOR_ENDPOINT: 'http://127.0.0.1:9/?apikey=hush', SCOREVISION_STORE: 's3://bucket', S3_ENDPOINT: 'http://127.0.0.1:9',
    R2_WRITE_ACCESS_KEY_ID: 'hush-id', R2_WRITE_SECRET_ACCESS_KEY: 'hush-hush' };
  const { stdout, stderr } = await world.sv(['serve', '--check-config'], { env });
  assert.ok(!`${stdout}${stderr}`.includes('hush'));
  assert.match(stdout, /^warning +BITTENSOR_SUBTENSOR_ENDPOINT/m);
  assert.match(stdout, /^warning +SCOREVISION_STORE/m);
  assert.match(stdout, /can be started/);
  for (const [url, expect, outcome, says] of [['postgresql://sv:hush@127.0.0.1:9/x', 0, 'warning', 'check that PostgreSQL runs'],
    ['postgresql://sv:hu/sh@host/x', 2, 'wrong', '/ as %2F']]) {
    const found = await world.sv(['serve', '--check-config', '--json'], { env: { SCOREVISION_DATABASE: url }, expect });
    const check = JSON.parse(found.stdout).checks.find(({ setting }) => setting === 'SCOREVISION_DATABASE');
    assert.equal(check.outcome, outcome);
    assert.ok(check.message.includes(says), check.message);
    assert.doesNotMatch(`${found.stdout}${found.stderr}`, /hu\/?sh/);
  }
});

test('--check-config tells all that cannot be read at once, each with its place; a file that cannot be had is wrong usage', async () => {
  const file = world.write('broken.conf', 'SCOREVISION_FOO = 1\nnonsense\nSCOREVISION_LOG = xml\n');
  const env = { SCOREVISION_CONFIG: file, SCOREVISION_STOR: 'x' };
  const { checks } = JSON.parse((await world.sv(['serve', '--check-config', '--json'], { env, expect: 2 })).stdout);
  const wrong = checks.filter(({ outcome }) => outcome === 'wrong');
  assert.deepEqual(wrong.map(({ setting, origin }) => [setting, origin]), [['SCOREVISION_STOR', 'environment'],
    ['SCOREVISION_FOO', `${file}:1`], ['SCOREVISION_CONFIG', `${file}:2`], ['SCOREVISION_LOG', `${file}:3`]]);
  assert.match(wrong[1].message, /unknown setting SCOREVISION_FOO; `sv config show`/);
  const shown = await world.sv(['serve', '--check-config'], { env, expect: 2 });
  for (const place of [1, 2, 3].map((line) => `${file}:${line}`)) assert.ok(shown.stdout.replaceAll(/\s+/g, ' ').includes(`${place}`), place);
  for (const path of [world.path('nowhere.conf'), world.path('homes')]) {
    for (const args of [['serve'], ['serve', '--check-config'], ['clip', 'list']]) {
      const result = await world.sv(args, { env: { SCOREVISION_CONFIG: path }, expect: 2 });
      assert.ok(`${result.stdout}${result.stderr}`.replaceAll(/\s+/g, '').includes(path), args.join(' '));
    }
  }
});

test('--check-config says what follows from a hotkey or a clip that does not fit the manifests', async () => {
  const check = async (options) => {
    const { starts, checks } = await world.json(['serve', '--check-config'], options);
    assert.equal(starts, true);
    return (name) => checks.find(({ setting }) => setting === name);
  };
  const good = await check({});
  assert.equal(good('BITTENSOR_WALLET_HOT').outcome, 'ok');
  assert.equal(good('SCOREVISION_DATABASE').message, '1 clip registered');
  assert.match(good('SCOREVISION_MANIFEST_SIGNERS').message, /manifests? to be served/);
  const other = await check({ env: { BITTENSOR_WALLET_HOT: 'miner', SCOREVISION_DATABASE: `sqlite:${world.path('clipless.sqlite')}` } });
  assert.equal(other('BITTENSOR_WALLET_HOT').outcome, 'warning');
  assert.match(other('BITTENSOR_WALLET_HOT').message, /issue log of window .* will not be published: .*`issuers`/);
  assert.equal(other('SCOREVISION_DATABASE').outcome, 'warning');
  assert.match(other('SCOREVISION_DATABASE').message, /nobody will get a challenge .*`sv clip add FILE`/);
  const nobody = await check({ env: { BITTENSOR_WALLET_HOT: 'nobody' } });
  assert.equal(nobody('BITTENSOR_WALLET_HOT').outcome, 'warning');
  assert.match(nobody('BITTENSOR_WALLET_HOT').message, /the issue log will not be published.*sv key new/);
});
