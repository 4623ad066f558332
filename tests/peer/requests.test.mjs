// How the server reads a request's head, against Node's own parser (llhttp, in its strict mode): valid and malformed requests by
// hand, and as many made by changing valid ones at random. What both read they read alike; where only one of the two refuses, the
// reason is in a list here. `SV_BUILD=build node --test tests/peer/`; SV_SEED repeats a run.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { Duplex } from 'node:stream';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { below, pick, seed } from '../support/random.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const build = path.resolve(process.env.SV_BUILD ?? path.join(here, '..', '..', 'build'));
const program = path.join(build, 'tests', 'peer', 'print_requests');
const N_CHANGED = 3000;

// ── the two readers ──

const hex = (text) => Buffer.from(text, 'latin1').toString('hex');
const text = (hexed) => Buffer.from(hexed, 'hex').toString('latin1');

function ours(requests) {
  const input = requests.map((request) => `${hex(request)}\n`).join('');
  const { status, stdout, stderr } = spawnSync(program, { input, encoding: 'utf8', maxBuffer: 1 << 28 });
  assert.equal(status, 0, stderr);
  return stdout.trimEnd().split('\n').map((line) => {
    const read = JSON.parse(line);
    if (read.method === undefined) return read.status ? { refused: read.fault, status: read.status } : { incomplete: true };
    return { method: text(read.method), target: text(read.target), headers: read.headers.map(text), keepAlive: read.keep_alive };
  });
}

class Wire extends Duplex {
  _read() {}
  _write(chunk, encoding, done) { done(); }
}

// One request through Node's server, without a socket between.
function theirs(request) {
  return new Promise((resolve) => {
    const server = createServer({ requireHostHeader: false, maxHeaderSize: 1 << 20, insecureHTTPParser: false });
    server.maxHeadersCount = 0;
    const wire = new Wire();
    const settle = (verdict) => { resolve(verdict); wire.destroy(); };
    const take = (message) => settle({ method: message.method, target: message.url, headers: message.rawHeaders });
    server.on('request', take).on('checkContinue', take).on('checkExpectation', take).on('connect', take).on('upgrade', take);
    server.on('clientError', (error) => settle(error.code === 'HPE_INVALID_EOF_STATE' ? { incomplete: true } : { refused: error.code }));
    wire.on('close', () => resolve({ incomplete: true }));
    server.emit('connection', wire);
    wire.push(Buffer.from(request, 'latin1'));
    wire.push(null);
  });
}

// ── requests ──

const challenge = 'GET /api/challenge/v3?validator_hotkey=5F&nonce=1%2b2&element_id=PlayerDetect_v1@1.0 HTTP/1.1\r\nHost: api.example:8080\r\n'
  + 'X-Manifest-Hash: sha256:00\r\nX-Commitment-Proof: 7:0x00\r\nX-Nonce: \r\nUser-Agent: a (b; "c")\r\nAccept: */*\r\n\r\n';
const valid = [
  challenge,
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /healthz HTTP/1.0\r\n\r\n',
  'HEAD /scorevision/index.json HTTP/1.1\r\nhost:a\r\nIf-None-Match:\t"x" , W/"y" \t\r\nRange: bytes=0-1\r\n\r\n',
  'POST /api/tasks/complete HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc',
  'DELETE /x HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close, te\r\nContent-Length: 0\r\n\r\n',
  '\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nX-Bytes: \x80\xff\r\nX-Empty:\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /a|b"<>\\^`{} HTTP/1.1\r\nHost: a\r\nA!#$%&\'*+-.^_`|~9: v\r\n\r\n',
];
const malformed = [
  'GET / HTTP/1.1\nHost: a\n\n', 'GET / HTTP/1.1\r\nHost: a\n\r\n', 'GET /\r\n\r\n', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET / HTTP/1.1 \r\nHost: a\r\n\r\n', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n', 'GET / HTTP/1.1\r\n Host: a\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\nX(: b\r\n\r\n',
  'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 'GET / HTTP/1.2\r\nHost: a\r\n\r\n', 'GET / HTTP/11\r\nHost: a\r\n\r\n', 'GET / http/1.1\r\nHost: a\r\n\r\n',
  'GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n', 'GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', ' GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01\x00', 'GET / HTTP/1.1\r\rHost: a\r\n\r\n', 'G\0ET / HTTP/1.1\r\nHost: a\r\n\r\n', '/ HTTP/1.1\r\nHost: a\r\n\r\n',
];
const unfinished = ['', '\r\n', 'GET', 'GET / HTTP/1.1\r\n', 'GET / HTTP/1.1\r\nHost: a\r\n', 'GET / HTTP/1.1\r\nHost: a\r\n\r'];

// Where we refuse what Node reads, by what we say of it.
const stricter = {
  'a body\'s length must be told by Content-Length': 'no route takes a body of unknown length',
  'this Transfer-Encoding is not understood': 'the same',
  'Transfer-Encoding is not allowed beside Content-Length or in HTTP/1.0': 'RFC 9112 6.1: a client that sends it is faulty or worse',
  'there must be one Host': 'RFC 9112 3.2; Node was told not to ask for it',
  'Host is not a host': 'RFC 9112 3.2 has an invalid one refused; Node leaves it to its users',
  'only Expect: 100-continue is understood': 'RFC 9110 10.1.1 has it answered by 417; Node leaves it to its users',
  'there are more than 64 header lines': 'a limit of ours',
  'the request line is not METHOD TARGET HTTP/1.1': 'a fragment ("#") is never sent; Node reads one',
  'the target\'s absolute form has no host or no path': 'without a path there is nothing to look for',
  'Content-Length is given more than once': 'RFC 9112 6.3 leaves two equal ones to us',
  'a line does not end with CR LF': 'RFC 9112 2.2 leaves a bare LF to us; two readings of it are how requests are smuggled',
  'only HTTP/1.1 and HTTP/1.0 are spoken here': 'Node knows 0.9 and 2.0 by name',
  'a header\'s value has a control character': 'RFC 9110 5.5 has them refused; Node refuses CR, LF and NUL',
};
// Where Node refuses what we read.
const looser = {
  HPE_INVALID_METHOD: 'it knows methods by name; here an unknown one is answered by 405',
  HPE_INVALID_URL: 'it looks into the absolute form and the target of CONNECT; here they are no path and answered by 400',
  HPE_INVALID_CONSTANT: 'it knows methods by name',
  HPE_INVALID_CONTENT_LENGTH: 'RFC 9110 5.6.3 allows a tab behind the number',
  HPE_CLOSED_CONNECTION: 'it refuses bytes behind a request that closes; here they are not read',
};

// The absolute form is told apart from its path here, and left to its users by Node.
const pathOf = (target) => /^https?:\/\/[^/]*(\/.*)$/i.exec(target)?.[1] ?? target;

function compare(request, own, node) {
  const about = `${JSON.stringify(request)}\nours ${JSON.stringify(own)}\nNode ${JSON.stringify(node)}\nSV_SEED=${seed}`;
  if (own.refused) {
    if (!node.refused && !node.incomplete) assert.ok(own.refused in stricter, `refused here alone: ${about}`);
  } else if (node.refused) {
    const isAbsolved = node.refused in looser && (node.refused !== 'HPE_INVALID_CONTENT_LENGTH' || /Content-Length:.*\t/.test(request));
    assert.ok(own.incomplete || isAbsolved, `read here alone: ${about}`);
  } else if (!own.incomplete && !node.incomplete) {
    assert.deepEqual([own.method, own.target, own.headers], [node.method, pathOf(node.target), node.headers], about);
  } else {
    assert.ok(own.incomplete || !('method' in own), `complete here alone: ${about}`);
  }
}

async function compareAll(requests) {
  const own = ours(requests);
  for (const [i, request] of requests.entries()) compare(request, own[i], await theirs(request));
  return own;
}

test('valid requests are read alike', async () => {
  const own = await compareAll(valid);
  own.forEach((read, i) => assert.ok(read.method, `${JSON.stringify(valid[i])} is refused: ${read.refused}`));
  assert.deepEqual(own.map((read) => read.keepAlive), [true, true, false, true, true, false, true, true, true]);
});

test('malformed requests are refused by both, or by us for a reason of the list', async () => {
  const own = await compareAll(malformed);
  own.forEach((read, i) => assert.ok(read.refused, `${JSON.stringify(malformed[i])} is not refused`));
});

test('requests that are cut short are waited for', async () => {
  for (const [i, read] of (await compareAll(unfinished)).entries()) assert.ok(read.incomplete, `${JSON.stringify(unfinished[i])}: ${JSON.stringify(read)}`);
  const cut = valid.flatMap((request) => [...request].map((_, n) => request.slice(0, n)).filter((part) => !part.includes('\r\n\r\n', 4)));
  for (const [i, read] of ours(cut).entries()) assert.ok(read.incomplete, `${JSON.stringify(cut[i])}: ${JSON.stringify(read)}`);
});

test('requests changed at random are read alike, or refused', async () => {
  const pieces = [' ', '\t', '\r', '\n', '\r\n', ':', ',', '\0', '\x7f', '\xe9', '/', 'http://a/', '#', '?', 'HTTP/1.0', 'Host: b\r\n',
    'Content-Length: 1\r\n', 'Transfer-Encoding: chunked\r\n', 'Connection: close\r\n', 'Expect: x\r\n', 'X: 1\r\n', ' X', 'x'.repeat(40)];
  const changed = Array.from({ length: N_CHANGED }, () => {
    let request = pick(valid);
    for (let n = 1 + below(3); n > 0; n--) {
      const at = below(request.length + 1), cut = below(2) * below(6);
      request = request.slice(0, at) + pick([...pieces, '']) + request.slice(at + cut);
    }
    return request;
  });
  const own = await compareAll(changed);
  const n = own.filter((read) => read.method).length;
  assert.ok(n > N_CHANGED / 20 && n < N_CHANGED, `${n} of ${N_CHANGED} are still valid`);
});
