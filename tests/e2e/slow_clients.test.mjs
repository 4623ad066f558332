// Clients that are slow on purpose, by slowhttptest, and many at once, by wrk, while ordinary requests go on. Beside what wrk and
// slowhttptest count themselves, every ordinary request has to succeed.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createWorld, run } from './harness.mjs';
import { askV3, v3Request } from './api.mjs';
import { PLAYER, commit, football } from './season.mjs';

const CURRENT = '2025-10-23';
const N_SIGNED = 1000;
let world, current, proof, serve;

before(async () => {
  world = await createWorld({ env: { SCOREVISION_RATE_LIMIT: '100000/60s' } });
  await world.key('miner');
  const clip = await world.clip();
  current = await world.publish(football(CURRENT, 1, 1000, clip.hash));
  proof = await commit(world, 'miner', CURRENT, [PLAYER]);
  await world.advance(5);
  serve = await world.startServe();
  await serve.settle();
});
after(() => world.end());

const question = () => ({ base: serve.url, key: world.keys.miner, manifestHash: current.manifest_hash, elementId: PLAYER, proof });

async function metric(name) {
  const text = await (await fetch(`${serve.url}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length + 1));
}

const env = () => ({ ...process.env, LC_ALL: 'C' });
const plain = (text) => text.replace(/\x1b\[[0-9;]*[A-Za-z]/g, '');

// 150 connections; whether the server answered a probe all the while, and how it ended.
async function slow(mode, target, ...more) {
  const { stdout } = await run('slowhttptest', [mode, '-c', '150', '-r', '150', '-l', '14', '-p', '5', '-u', `${serve.url}${target}`, ...more], { env: env() });
  const text = plain(stdout);
  const probes = new Set([...text.matchAll(/service available:\s*(\w+)/g)].map((match) => match[1]));
  return { probes: [...probes], end: /Exit status: (.*)/.exec(text)?.[1], text };
}

// The three ways of it at the same time. A head has ten seconds, so all that drip are gone before slowhttptest ends.
test('slow clients keep nobody else waiting, and are cut off', async () => {
  let isOver = false;
  const attacks = Promise.all([
    slow('-H', '/healthz', '-i', '1', '-x', '24'),
    slow('-B', '/api/challenge/v3', '-i', '1', '-s', '8192', '-t', 'POST'),
    slow('-X', '/openapi.json', '-w', '10', '-y', '20', '-n', '5', '-z', '32', '-k', '3'),
  ]).finally(() => { isOver = true; });
  let n = 0;
  while (!isOver) {
    const answers = await Promise.all([askV3(question()), fetch(`${serve.url}/healthz`), fetch(`${serve.url}/scorevision/index.json`)]);
    assert.deepEqual(answers.map((answer) => answer.status), [200, 200, 200]);
    n += 1;
  }
  assert.ok(n > 10, `${n} rounds of ordinary requests`);
  const [heads, bodies, reads] = await attacks;
  for (const result of [heads, bodies, reads]) assert.deepEqual(result.probes, ['YES'], result.text);
  for (const result of [heads, bodies]) assert.equal(result.end, 'No open connections left', result.text);
});

const script = `
local lines, at = {}, -1 -- wrk makes one request that it does not send
for line in io.lines(os.getenv("REQUESTS")) do lines[#lines + 1] = line end
local threads = {}
function setup(thread) threads[#threads + 1] = thread end
function init(args) bad = 0 end
function request()
  at = at + 1
  if at < 1 or at > #lines then return wrk.format("GET", "/healthz") end
  local headers, parts = {}, {}
  for part in lines[at]:gmatch("[^\\t]+") do parts[#parts + 1] = part end
  for i = 2, #parts, 2 do headers[parts[i]] = parts[i + 1] end
  return wrk.format("GET", parts[1], headers)
end
function response(status) if status ~= 200 then bad = bad + 1 end end
function done(summary)
  local e = summary.errors
  print(string.format("RESULT %d %d %d %d %d %d", summary.requests, threads[1]:get("bad"), e.connect, e.read, e.write, e.timeout))
end
`;

test('many connections at once: every answer is 200, and each signed request was issued', async () => {
  const lines = Array.from({ length: N_SIGNED }, () => {
    const { url, headers } = v3Request(question());
    return [url.slice(serve.url.length), ...headers.flat()].join('\t');
  });
  const issued = 'sv_requests_total{endpoint="challenge_v3",outcome="issued",status="200"}';
  const before = await metric(issued);
  const requests = world.write('requests.tsv', `${lines.join('\n')}\n`);
  const { status, stdout, stderr } = await run('wrk', ['-t1', '-c64', '-d3s', '--timeout', '10s', '-s', world.write('drive.lua', script), serve.url],
    { env: { ...env(), REQUESTS: requests } });
  assert.equal(status, 0, stderr);
  const [n, ...faults] = /RESULT (.*)/.exec(stdout)[1].split(' ').map(Number);
  assert.ok(n > N_SIGNED, `${n} requests\n${stdout}`);
  assert.deepEqual(faults, [0, 0, 0, 0, 0], stdout);
  assert.equal(await metric(issued) - before, N_SIGNED);
});

// Lines are written many at a time, and the last ones when the server ends.
test('each request has its line in the log, or is among those that a line says were left out', async () => {
  const text = await (await fetch(`${serve.url}/metrics`)).text();
  const counted = [...text.matchAll(/^sv_requests_total\{.*\} (\d+)$/gm)].reduce((sum, [, n]) => sum + Number(n), 0);
  await serve.stop();
  const lines = serve.child.output.stderr.split('\n').filter((line) => line.includes('event=request'));
  for (const line of lines) assert.match(line, /^time=\S+ level=info event=request id=\S+ method=\S+ path=\S+ status=\d+ outcome=\w+ ms=[\d.]+ client=127\.0\.0\.1( asker=\w+)?( challenge=\d+ miner=\w+ element=\S+)?( task=\S+)?( left_out=\d+)?$/);
  assert.equal(new Set(lines.map((line) => / id=(\S+)/.exec(line)[1])).size, lines.length);
  assert.ok(lines.filter((line) => line.includes('outcome=issued')).length >= N_SIGNED, 'every challenge has one');
  const leftOut = [...serve.child.output.stderr.matchAll(/ left_out=(\d+)$/gm)].reduce((sum, [, n]) => sum + Number(n), 0);
  assert.equal(lines.length + leftOut, counted + 1, 'one more, which asked for the count');
});
