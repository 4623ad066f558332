// How a hostile mirror can answer without saying anything (docs/security.md, "Manifests: attacks and answers"): without end, a
// byte now and then, in circles, somewhere else, compressed beyond measure, cut short. Each is refused by its name with exit
// status 3, and whoever has verified a manifest before goes on with it. Who gives no answer at all is unreachable (5).
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { createServer } from 'node:net';
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib';
import { createWorld } from './harness.mjs';
import { drip, endless, fail, lastStateKept, raw, refusedAsNew, say, startMirror } from './mirror.mjs';
import { refused } from './refusing.mjs';
import { football } from './season.mjs';

const INDEX = ['scorevision', 'index.json'];
const LIMIT = 16 * 1024 * 1024;
let world, mirror, first, homes = 0;

before(async () => {
  world = await createWorld();
  first = await world.publish(football('2025-10-23', 1, 5000, `sha256:${'c'.repeat(64)}`));
  mirror = await startMirror(world);
  await world.sv(['manifest', 'current'], { as: 'lasting', env: mirror.env });
});
after(async () => {
  await mirror?.end();
  await world.end();
});

const fresh = () => `fresh-${homes += 1}`;

async function isRefused(lie, name) {
  mirror.index = lie;
  try {
    await refusedAsNew(world, mirror, fresh(), name);
    await lastStateKept(world, mirror, 'lasting', name, first);
  } finally {
    mirror.tellTruth();
  }
}

test('endless data, with and without an announced length, and in pieces', async () => {
  const name = /endless data: the answer is larger than 16777216 bytes/;
  await isRefused(endless, name);
  await isRefused((out) => { out.setHeader('Content-Length', '999999999999'); endless(out); }, name);
  mirror.manifests = endless;
  await refusedAsNew(world, mirror, fresh(), /endless data: the answer is larger than 4194304 bytes/, { args: ['manifest', 'current'] });
  mirror.tellTruth();
});

test('an endless page of an error', async () => {
  await isRefused((out) => { out.writeHead(500); endless(out); }, /endless data/);
});

test('endless headers: many, one of great length, provisional answers, trailers', async () => {
  const repeat = (start, piece) => (out) => {
    const chunk = piece.repeat(1000);
    const more = () => { while (!out.socket.destroyed && out.socket.write(chunk)); };
    out.socket.on('drain', more).on('error', () => {});
    out.socket.write(start);
    more();
  };
  await isRefused(repeat('HTTP/1.1 200 OK\r\n', 'X-More: of the same\r\n'), /endless data: the answer's headers/);
  await isRefused(repeat('', 'HTTP/1.1 100 Continue\r\n\r\n'), /endless data: the answer's headers/);
  await isRefused(repeat('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n', 'X-More: of the same\r\n'), /endless data: the answer's headers/);
  await isRefused(repeat('HTTP/1.1 200 OK\r\nX-Long: ', 'x'), /broken answer|endless data/);
});

test('bombs: gzip and deflate are unpacked up to the limit, anything else not at all', async () => {
  const zeros = Buffer.alloc(4 * LIMIT, 0x20);
  const packed = (encoding, bytes) => fail(200, { 'Content-Encoding': encoding }, bytes);
  const gzip = gzipSync(zeros);
  assert.ok(gzip.length < LIMIT / 100);
  await isRefused(packed('gzip', gzip), /endless data: the answer is larger than 16777216 bytes/);
  await isRefused(packed('deflate', deflateSync(zeros)), /endless data: the answer is larger than 16777216 bytes/);
  const brotli = brotliCompressSync(zeros, { params: { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_LGWIN]: 24 } });
  const name = /compressed in a way that was not asked for/;
  await isRefused(packed('br', brotli), name);
  await isRefused(packed('zstd', 'whatever'), name);
  await isRefused(packed('gzip, gzip', gzipSync(gzip)), name);
  await isRefused(raw('HTTP/1.1 200 OK\r\nTransfer-Encoding: br, chunked\r\n\r\n0\r\n\r\n'), name);
  await isRefused(packed('gzip', 'no gzip at all'), /broken answer/);
  await isRefused(packed('gzip', gzipSync(world.read('store', ...INDEX)).subarray(0, 60)), /broken answer|index:1:/);
});

test('what is compressed as asked for is read', async () => {
  const asked = [];
  mirror.index = (out, bytes, { headers }) => { asked.push(headers['accept-encoding']); fail(200, { 'Content-Encoding': 'gzip' }, gzipSync(bytes))(out); };
  await world.sv(['manifest', 'list'], { as: fresh(), env: mirror.env });
  assert.deepEqual(asked, ['gzip, deflate']);
  mirror.tellTruth();
});

test('redirects in a circle, without end, to a file, and into private networks', async () => {
  const to = (where) => (out) => out.writeHead(302, { Location: where }).end();
  mirror.asked.splice(0);
  await isRefused(to('/scorevision/index.json'), /refused its redirect: there are too many/);
  assert.equal(mirror.asked.filter((key) => key.endsWith('/index.json')).length, 2 * 4, 'each of the two readers follows three');
  await isRefused((out, bytes, { url }) => to(`/${url.length}${url}`)(out), /refused its redirect: there are too many/);
  for (const where of ['file:///etc/passwd', 'ftp://127.0.0.1/', 'gopher://127.0.0.1/', 'javascript:alert(1)']) {
    await isRefused(to(where), /refused its redirect: not an absolute http or https URL/);
  }
  for (const where of ['http://169.254.169.254/latest/meta-data', 'https://10.0.0.1/', 'http://[::1]:1/', 'http://127.0.0.2:1/', 'https://192.168.0.1/']) {
    await isRefused(to(where), /refused the redirect to here: it is a private or local address/);
  }
  await isRefused(to('http://user:secret@127.0.0.1/'), /refused its redirect/);
});

test('a redirect that ends in the right bytes is followed', async () => {
  mirror.index = (out, bytes, { url }) => (url.startsWith('/moved') ? out.end(world.read('store', ...INDEX)) : out.writeHead(307, { Location: `/moved${url}` }).end());
  await world.sv(['manifest', 'list'], { as: fresh(), env: mirror.env });
  mirror.tellTruth();
});

test('an answer to another question: 204, 206, 304 that nobody asked for', async () => {
  for (const status of [201, 204, 206, 304]) {
    const body = status === 204 || status === 304 ? '' : world.read('store', ...INDEX);
    await isRefused((out) => fail(status, {}, body)(out), new RegExp(`broken answer: .* answered HTTP ${status}`));
  }
});

test('an answer cut short, of a wrong length, or that is no HTTP', async () => {
  const bytes = world.read('store', ...INDEX);
  const head = (length) => `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`;
  await isRefused(raw(head(bytes.length) + bytes.subarray(0, 100)), /broken answer/);
  await isRefused(raw(head(bytes.length + 1) + bytes), /broken answer/);
  await isRefused(raw(head(bytes.length - 1) + bytes), /index:1:/);
  await isRefused(raw(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n${bytes.subarray(0, 5)}\r\n`), /broken answer/);
  await isRefused(raw('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'), /broken answer/);
  await isRefused(raw('SSH-2.0-OpenSSH_9.2\r\n'), /broken answer/);
  await isRefused(raw('HTTP/1.1 2x0 OK\r\n\r\n'), /broken answer/);
  await isRefused(raw('HTTP/1.1 200 OK\r\nContent-Le'), /broken answer|it is empty/);
});

test('a mirror that says it cannot answer is unreachable, and what was verified stays', async () => {
  for (const status of [500, 502, 503, 429]) {
    mirror.index = fail(status);
    await refused(world, ['manifest', 'list'], 5, new RegExp(`HTTP ${status}`), { as: fresh(), env: mirror.env });
    await lastStateKept(world, mirror, 'lasting', new RegExp(`HTTP ${status}`), first);
  }
  mirror.index = fail(403); // what a bucket says of nothing, where not everybody may list it
  await refused(world, ['manifest', 'list'], 4, /not for everybody \(HTTP 403\)/, { as: fresh(), env: mirror.env });
  await lastStateKept(world, mirror, 'lasting', /freeze: .*HTTP 403/, first);
  mirror.tellTruth();
});

// All at once, since each takes as long as a mirror is given.
test('slow transfer: headers or body a byte now and then; no answer at all', async () => {
  const mirrors = await Promise.all([1, 2, 3, 4].map(() => startMirror(world)));
  const silent = createServer(() => {});
  await new Promise((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const [headers, body, chunks, manifests] = mirrors;
  headers.index = drip('HTTP/1.1 200 OK\r\nX-Slow: ', 's');
  body.index = drip('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n', ' ');
  chunks.index = drip('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '5\r\n     \r\n');
  manifests.manifests = drip('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n', ' ');
  const nobody = { R2_PUBLIC_URL: `http://127.0.0.1:${silent.address().port}` };
  const name = /slow transfer: less than 1024 bytes a second came in 1\d s/; // and not: in the minute that a whole transfer is given
  try {
    await Promise.all([
      refusedAsNew(world, headers, fresh(), /slow transfer: (less than 1024|Operation too slow)/),
      refusedAsNew(world, body, fresh(), name),
      refusedAsNew(world, chunks, fresh(), name),
      refusedAsNew(world, manifests, fresh(), name, { args: ['manifest', 'current'] }),
      lastStateKept(world, body, 'lasting', name, first),
      refused(world, ['manifest', 'list'], 5, /too slow/i, { as: fresh(), env: nobody }),
    ]);
  } finally {
    await Promise.all(mirrors.map((slow) => slow.end()));
    silent.close();
  }
});

// Two certificates: one is asked for, the other one has nothing to do with it.
function certificate(name) {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${name}`,
    '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', world.path(`${name}.key`), '-out', world.path(`${name}.pem`)], { stdio: 'ignore' });
  return { key: readFileSync(world.path(`${name}.key`)), cert: readFileSync(world.path(`${name}.pem`)) };
}

test('a certificate that nobody vouches for is refused, and believed where its file is named', async () => {
  const server = createTlsServer(certificate('own'), (incoming, out) => {
    try { out.end(readFileSync(world.path('store', new URL(incoming.url, 'https://own').pathname.slice(1)))); } catch { out.writeHead(404).end(); }
  });
  certificate('other');
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const list = (more, expect) => world.sv(['manifest', 'list'], { as: fresh(), env: { R2_PUBLIC_URL: `https://127.0.0.1:${server.address().port}`, ...more }, expect });
  try {
    const { stderr } = await list({}, 5);
    assert.match(stderr, /self-signed, or by an authority that is not known here.*SSL_CERT_FILE/);
    for (const variable of ['SSL_CERT_FILE', 'CURL_CA_BUNDLE']) {
      await list({ [variable]: world.path('own.pem') }, 0);
      await list({ [variable]: world.path('other.pem') }, 5);
    }
    assert.match((await list({ SSL_CERT_FILE: world.path('none.pem') }, 5)).stderr, /SSL_CERT_FILE names cannot be read/);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
