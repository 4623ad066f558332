// What operators see of a server: /metrics, whose counters have to count what was done and nothing else, and the log, whose
// every line has to be one event whatever is sent. Requests are made here, bytes and all.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import path from 'node:path';
import { createWorld, root, waitFor } from './harness.mjs';
import { askV2, askV3, freshNonce, send, v3Request } from './api.mjs';
import { promtool, readLog, readMetrics } from './exposition.mjs';
import { PLAYER, commit, football } from './season.mjs';

const CURRENT = '2025-10-23';
let world, current, proof, busyProof, serve, logfmt;

before(async () => {
  world = await createWorld({ env: { SCOREVISION_RATE_LIMIT: '8/60s' } });
  await Promise.all([world.key('miner'), world.key('busy'), world.key('schnorr', 'sr25519'), world.key('stranger')]);
  const clip = await world.clip();
  current = await world.publish(football(CURRENT, 1, 1000, clip.hash));
  busyProof = await commit(world, 'busy', CURRENT, [PLAYER]);
  proof = await commit(world, 'miner', CURRENT, [PLAYER]);
  await world.advance(5);
  [serve, logfmt] = await Promise.all([
    world.startServe({ env: { SCOREVISION_LOG: 'json', SCOREVISION_TRUSTED_PROXIES: '127.0.0.1' } }),
    world.startServe(),
  ]);
  await Promise.all([serve.settle(), logfmt.settle()]);
});
after(() => world.end());

const question = (more) => ({ base: serve.url, key: world.keys.miner, manifestHash: current.manifest_hash, elementId: PLAYER, proof, ...more });
const metricsText = async () => (await fetch(`${serve.url}/metrics`)).text();
const metrics = async () => readMetrics(await metricsText());
const log = (one, format) => readLog(one.child.output.stderr, format);

// Sends bytes as they are; what comes back until the server closes or, with @keep, the open socket.
async function raw(one, bytes, { keep = false } = {}) {
  const { hostname, port } = new URL(one.url);
  const socket = net.connect({ host: hostname, port: Number(port) });
  await new Promise((resolve, reject) => { socket.once('connect', resolve).once('error', reject); });
  socket.write(bytes);
  if (keep) return socket;
  let text = '';
  socket.setEncoding('latin1').on('data', (part) => { text += part; });
  await new Promise((resolve) => { socket.on('close', resolve).on('error', resolve); });
  return text;
}

// ── metrics ──

const get = (target, method = 'GET') => async () => { await fetch(serve.url + target, { method }); };
const bad = (key) => ({ ...key, seed: world.keys.stranger.seed });

// [endpoint, outcome, status, request]; what is asked of v3 has a signature each time unless its form is refused.
const script = () => {
  const used = freshNonce();
  return [
    ['challenge_v3', 'issued', 200, () => askV3(question({ nonce: used }))],
    ['challenge_v3', 'replayed_nonce', 401, () => askV3(question({ nonce: used }))],
    ['challenge_v3', 'bad_signature', 401, () => askV3(question({ bound: false, key: bad(world.keys.miner) }))],
    ['challenge_v3', 'stale_nonce', 401, () => askV3(question({ nonce: freshNonce(120_000) }))],
    ['challenge_v3', 'not_permitted', 401, () => askV3(question({ key: world.keys.schnorr, miner: world.keys.miner.address }))],
    ['challenge_v3', 'invalid_request', 400, () => askV3(question({ headers: { 'X-Manifest-Hash': 'none' } }))],
    ['challenge_v3', 'no_active_window', 404, () => askV3(question({ manifestHash: `sha256:${'0'.repeat(64)}` }))],
    ['challenge_v3', 'missing', 412, () => askV3(question({ proof: undefined }))],
    ['challenge_v3', 'method_not_allowed', 405, get('/api/challenge/v3', 'DELETE')],
    ['tasks_v2', 'issued', 200, () => askV2({ base: serve.url, key: world.keys.miner })],
    ['public_tree', 'sent', 200, get('/scorevision/index.json')],
    ['clips', 'clip_link_invalid', 403, get(`/clips/${'0'.repeat(64)}?token=1`)],
    ['healthz', 'ok', 200, get('/healthz')],
    ['none', 'not_found', 404, get('/nothing')],
    ['none', 'invalid_request', 400, () => raw(serve, 'GET nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')],
  ];
};

// What has changed between two readings of a family, as "a/b/c": n; the readings themselves are left out.
function changes(was, is, name, labels) {
  return Object.fromEntries(is.get(name).samples
    .map((sample) => [labels.map((label) => sample.labels[label]).join('/'), sample.value - was.value(sample.name, sample.labels)])
    .filter(([key, n]) => n !== 0 && !key.startsWith('metrics/') && !key.startsWith('readyz/')));
}

test('each outcome is counted once, where it belongs, with the steps that its request went through', async () => {
  const was = await metrics();
  for (const [endpoint, outcome, status, request] of script()) {
    const answer = await request();
    if (answer?.status !== undefined) assert.deepEqual([answer.status, answer.body.reason ?? answer.body.error ?? 'issued'], [status, outcome], answer.text);
  }
  // The last step is counted when the answer has left.
  const is = await waitFor('all answers sent', async () => {
    const now = await metrics();
    return stepsSince(was, now).sent === 8 && now;
  });
  assert.deepEqual(changes(was, is, 'sv_requests_total', ['endpoint', 'outcome', 'status']),
    Object.fromEntries(script().map(([endpoint, outcome, status]) => [`${endpoint}/${outcome}/${status}`, 1])));
  assert.equal(is.value('sv_request_duration_seconds_count', { endpoint: 'challenge_v3' }),
    is.get('sv_requests_total').samples.filter(({ labels }) => labels.endpoint === 'challenge_v3').reduce((n, { value }) => n + value, 0));
  // Eight reach the handler; the form of one is refused, then signature and age of two, then replay and permission of two; of
  // the other three two wait for a reading of index or chain, and one is issued.
  assert.deepEqual(stepsSince(was, is), {
    head: 8, signatures: 7, admission: 5, judging: 4, index_wait: 1, chain_wait: 0, log_wait: 1, durable: 1, sent: 8,
  });
  assert.deepEqual(changes(was, is, 'sv_signature_checks_total', ['scheme', 'result']),
    { 'ed25519/valid': 11, 'ed25519/invalid': 1, 'sr25519/valid': 2 });
  assert.deepEqual(is.by('sv_requests_suspended', 'for'), { index: 0, chain: 0, state: 0 });
});

function stepsSince(was, is) {
  const name = 'sv_challenge_step_duration_seconds';
  return Object.fromEntries(Object.entries(is.get(name).samples.filter((sample) => sample.name === `${name}_count`))
    .map(([, { labels, value }]) => [labels.step, value - was.value(`${name}_count`, labels)]));
}

test('the exposition is what Prometheus takes, and its linter has nothing to say', async (t) => {
  const text = await metricsText();
  readMetrics(text);
  const verdict = promtool(['check', 'metrics'], text);
  if (verdict === null) return t.skip('promtool is not there; scripts/install-deps fetches it');
  assert.deepEqual(verdict, { status: 0, text: '' });
});

test('what is asked cannot make series of its own', async () => {
  const was = [...(await metrics()).samples.keys()];
  await Promise.all(['/a', '/b?x=1', '/api/challenge/v3?element_id=%22%7D', '/tasks/1', '/scorevision/%22'].map((target) =>
    fetch(serve.url + target, { headers: { 'X-Manifest-Hash': '"}', 'X-Request-Id': 'series' } })));
  const fresh = [...(await metrics()).samples.keys()].filter((key) => !was.includes(key));
  assert.deepEqual(fresh.filter((key) => !key.includes('public_tree') && !key.includes('"metrics"')), []);
});

test('connections are counted by what they are at', async () => {
  const was = await metrics();
  const sockets = await Promise.all([
    ...Array.from({ length: 3 }, () => raw(serve, '', { keep: true })), // whom nobody has heard of yet
    raw(serve, 'GET /healthz HTTP/1.1\r\nHost', { keep: true }),
    raw(serve, 'POST /api/tasks/complete HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf', { keep: true }),
  ]);
  const is = await waitFor('five connections', async () => {
    const now = await metrics();
    const states = now.by('sv_connections', 'state');
    return states.idle >= 3 && states.reading_head === 1 && states.reading_body === 1 && now;
  });
  assert.ok(is.value('sv_connections_accepted_total') - was.value('sv_connections_accepted_total') >= 5);
  sockets.forEach((socket) => socket.destroy());
  await waitFor('no half requests', async () => {
    const states = (await metrics()).by('sv_connections', 'state');
    return states.reading_head === 0 && states.reading_body === 0;
  });
});

test('gauges tell the state of chain, index, issue log and process', async () => {
  const is = await metrics();
  assert.equal(is.value('sv_ready'), 1);
  assert.equal(is.value('sv_index_sequence'), 1);
  assert.equal(is.value('sv_database_up'), 1);
  const other = readMetrics(await (await fetch(`${logfmt.url}/metrics`)).text());
  assert.equal(is.value('sv_chain_leads') + other.value('sv_chain_leads'), 1, 'of two with one database one reads the chain');
  assert.equal(is.value('sv_chain_head_block'), await world.head());
  assert.equal(is.value('sv_chain_unfinalized_blocks'), is.value('sv_chain_head_block') - is.value('sv_chain_finalized_block'));
  assert.equal(is.value('sv_chain_unfinalized_blocks'), 3);
  const ages = is.by('sv_snapshot_age_seconds', 'of');
  assert.deepEqual(Object.keys(ages), ['manifest_index', 'clips', 'clips_in_store', 'bindings']);
  for (const [of, age] of Object.entries(ages)) assert.ok(age >= 0 && age < 60, `${of}: ${age}`);
  assert.ok(is.value('sv_issue_log_batch_entries_sum') >= is.value('sv_issue_log_batch_entries_count'));
  assert.equal(is.value('sv_issue_log_batch_entries_count'), is.value('sv_issue_log_write_duration_seconds_count'));
  assert.ok(is.value('process_resident_memory_bytes') > 1e6);
  assert.ok(is.value('process_open_fds') > 10 && is.value('process_open_fds') < is.value('process_max_fds'));
  const uptime = Date.now() / 1000 - is.value('process_start_time_seconds');
  assert.ok(uptime > 0 && uptime < 600, `started ${uptime} s ago`);
  assert.ok(Object.values(is.by('sv_worker_busy_seconds_total', 'worker')).reduce((a, b) => a + b) < 600);
});

// ── the log ──

test('a request has one id, in its answer and in the log; a trusted proxy may give it', async () => {
  const given = async (one, id) => (await fetch(`${one.url}/healthz`, { headers: id === undefined ? {} : { 'X-Request-Id': id } })).headers.get('x-request-id');
  const own = await given(serve);
  assert.match(own, /^[0-9a-f]{8}-[0-9a-f]+$/);
  const long = 'x'.repeat(64);
  assert.equal(await given(serve, 'proxy-7f.3:A_b'), 'proxy-7f.3:A_b');
  assert.equal(await given(serve, long), long);
  for (const id of [`${long}x`, 'a b', 'a"b', 'a,b', 'a=b']) assert.match(await given(serve, id), /^[0-9a-f]{8}-/, id);
  assert.match(await given(logfmt, 'proxy-1'), /^[0-9a-f]{8}-/, 'from nobody in particular');
  const twice = await raw(serve, 'GET /healthz HTTP/1.1\r\nHost: a\r\nX-Request-Id: a\r\nX-Request-Id: b\r\nConnection: close\r\n\r\n');
  assert.match(twice, /x-request-id: [0-9a-f]{8}-/i);
  const answer = await send(v3Request(question({ key: world.keys.stranger, headers: { 'X-Request-Id': 'of-a-challenge', 'X-Forwarded-For': '203.0.113.7' } })));
  assert.equal(answer.headers.get('x-request-id'), 'of-a-challenge');
  const line = await waitFor('its line', () => log(serve, 'json').find(({ id }) => id === 'of-a-challenge'));
  const { time, ms, ...rest } = line;
  assert.ok(typeof ms === 'number' && ms >= 0, `ms is ${ms}`);
  assert.deepEqual(rest, { level: 'info', event: 'request', id: 'of-a-challenge', method: 'GET', path: '/api/challenge/v3',
    status: answer.status, outcome: answer.body.reason ?? answer.body.error, client: '203.0.113.7', asker: world.keys.stranger.address });
});

test('the line of a challenge tells which it was, whose, and for which element', async () => {
  const { address } = world.keys.busy;
  for (const [one, format, id] of [[serve, 'json', Number], [logfmt, 'logfmt', String]]) {
    const { status, body, text } = await askV3(question({ base: one.url, key: world.keys.busy, proof: busyProof }));
    assert.equal(status, 200, text);
    const line = await waitFor('its line', () => log(one, format).find(({ challenge }) => challenge === id(body.challenge_id)));
    assert.deepEqual([line.outcome, line.asker, line.miner, line.element], ['issued', address, address, PLAYER]);
  }
  const named = log(serve, 'json').filter(({ event, path: asked }) => event === 'request' && asked === '/api/challenge/v3');
  for (const { outcome, challenge } of named) assert.equal(challenge !== undefined, outcome === 'issued', outcome);
  const task = await askV2({ base: serve.url, key: world.keys.busy });
  assert.equal(task.status, 200, task.text);
  await waitFor('the task\'s line', () => log(serve, 'json').some((line) => line.task === task.body.task_id));
});

// Paths, headers and askers that would forge a line, end it, or move a terminal's cursor.
const hostile = [
  '/x" level=error event=forged status="200', '/x","event":"forged', '/back\\slash\\u0022', '/%e2%80%a8forged', '/\xff\xfe\xc3', '/%1b[2J',
  '/x%0alevel=error', '/a=b c', `/${'y'.repeat(3000)}`, '/\u00e9\u{1f600}', '/%ff%00', '/x?secret=query-string', '/%3fsecret=escaped',
].map((target) => target.replaceAll(' ', '%20'));

test('whatever is sent, each line of the log is one event and gives nothing away', async () => {
  const asked = [];
  for (const [one, format] of [[serve, 'json'], [logfmt, 'logfmt']]) {
    for (const target of hostile)
      for (const header of ['', 'X-Forwarded-For: 1.2.3.4" level=error\r\n', 'X-Nonce: \xff\x80"\r\n'])
        assert.match(await raw(one, Buffer.from(`GET ${target} HTTP/1.1\r\nHost: a\r\n${header}Connection: close\r\n\r\n`, 'latin1')), /^HTTP\/1\.1 [45]/);
    await raw(one, 'G"T / HTTP/1.1\r\n\r\n');
    await raw(one, Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 0x0a]));
    for (const validator_hotkey of ['5" event=forged', 'a\nb', '\u2028'])
      await askV3(question({ base: one.url, parameters: { validator_hotkey } }));
    const request = v3Request(question({ base: one.url, key: world.keys.busy }));
    asked.push(new URL(request.url).searchParams.get('nonce'), new URL(request.url).searchParams.get('signature'),
      ...request.headers.filter(([name]) => /nonce|signature/i.test(name)).map(([, value]) => value));
    await send(request);
    const last = await fetch(`${one.url}/readyz`, { method: 'PUT' });
    const id = last.headers.get('x-request-id');
    const events = await waitFor('the last line', () => one.child.output.stderr.includes(id) && log(one, format));
    assert.deepEqual(events.filter(({ event }) => event === 'forged'), []);
    assert.ok(events.some(({ path: shown }) => shown?.includes('event=forged')), 'the path is there, as a value');
    for (const secret of [...asked, 'query-string', 'ed25519:', 'token='])
      assert.ok(!one.child.output.stderr.includes(secret), `the log has ${secret} in it`);
  }
});

test('a flood of refusals is told by a number, and every challenge by a line', async () => {
  const N = 400;
  const pipelined = Array.from({ length: N }, (_, i) => `GET /flood/${i} HTTP/1.1\r\nHost: a\r\n${i === N - 1 ? 'Connection: close\r\n' : ''}\r\n`).join('');
  const challenges = Array.from({ length: 3 }, () => askV3(question()));
  const answers = await raw(serve, pipelined);
  assert.equal(answers.split('HTTP/1.1 404').length - 1, N);
  for (const answer of await Promise.all(challenges)) assert.equal(answer.status, 200, answer.text);

  // Over the server's whole life: lines, and what they say was left out, make up what was counted.
  const counted = async (outcome) => (await metrics()).get('sv_requests_total').samples
    .filter(({ labels }) => labels.outcome === outcome).reduce((n, { value }) => n + value, 0);
  const told = (outcome) => log(serve, 'json').filter((event) => event.outcome === outcome);
  const lines = (outcome) => told(outcome).filter(({ event }) => event === 'request').length;
  const leftOut = (outcome) => told(outcome).reduce((n, { left_out = 0 }) => n + left_out, 0);
  await waitFor('all is told', async () => lines('not_found') + leftOut('not_found') === await counted('not_found'));
  assert.ok(leftOut('not_found') > N / 2, `${leftOut('not_found')} were left out`);
  assert.ok(log(serve, 'json').some(({ event }) => event === 'requests left out'), 'the flood\'s end is told, too');
  await waitFor('each challenge has a line', async () => lines('issued') === await counted('issued'));
  assert.equal(leftOut('issued'), 0);
});

test('the log tells the whole life of a server, and why one did not start', async () => {
  const port = new URL(serve.url).port;
  const second = await world.sv(['serve', '--listen', `127.0.0.1:${port}`], { env: { SCOREVISION_LOG: 'json' }, expect: 6 });
  const [fault] = readLog(second.stderr, 'json');
  assert.equal(fault.event, 'not started');
  assert.match(fault.reason, /address in use/);
  const { status } = await serve.stop();
  assert.equal(status, 0);
  const events = log(serve, 'json').filter(({ event }) => ['listening', 'stopping', 'stopped'].includes(event));
  assert.deepEqual(events.map(({ event }) => event), ['listening', 'stopping', 'stopped']);
  assert.equal(events[0].url, serve.url);
  assert.equal(events[1].signal, 'SIGTERM');
});

// ── what is handed to operators ──

test('every metric of the documentation is there, whatever its value', async () => {
  const { readFileSync } = await import('node:fs');
  const known = readMetrics(await (await fetch(`${logfmt.url}/metrics`)).text());
  const rows = readFileSync(path.join(root, 'docs', 'operating.md'), 'utf8').split('\n').filter((line) => /^\| `(sv|process)_/.test(line));
  const named = rows.flatMap((row) => [...row.split('|')[1].matchAll(/`((?:sv|process)_[a-z0-9_]+)(?:\{([a-z,]+)\})?`/g)]);
  assert.ok(named.length > 30, `${named.length} metrics`);
  assert.ok(named.some(([, name]) => name === 'sv_clips_lost'));
  for (const [, name, labels] of named) {
    assert.ok(known.has(name), `${name} is documented, and not in /metrics`);
    for (const label of labels?.split(',') ?? []) assert.ok(known.get(name).samples.every((sample) => label in sample.labels), `${name}{${label}}`);
  }
});

test('the alert rules are what Prometheus takes, and name metrics that are there', async (t) => {
  const rules = path.join(root, 'examples', 'prometheus', 'scorevision.rules.yml');
  const known = readMetrics(await (await fetch(`${logfmt.url}/metrics`)).text());
  const { readFileSync } = await import('node:fs');
  const named = new Set([...readFileSync(rules, 'utf8').matchAll(/\b(?:sv|process)_[a-z0-9_]+/g)].map(([name]) => name));
  assert.ok(named.size > 10);
  const absent = [...named].filter((name) => !known.has(name) && !known.has(name.replace(/_(bucket|count|sum)$/, '')));
  assert.deepEqual(absent, []);
  const verdict = promtool(['check', 'rules', rules]);
  if (verdict === null) return t.skip('promtool is not there; scripts/install-deps fetches it');
  assert.equal(verdict.status, 0, verdict.text);
});
