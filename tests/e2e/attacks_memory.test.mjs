// What a reader costs, whatever mirrors send, however many of them at once (docs/security.md, "Manifests: attacks and answers"):
// less than 64 MiB of memory.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { createWorld, programs, run } from './harness.mjs';
import { endless, fail, say, startMirror } from './mirror.mjs';
import { signDocument } from './peer.mjs';
import { football } from './season.mjs';

const LIMIT = 16 * 1024 * 1024; // of an index
const MAX_MIB = 64;
let world, mirrors, operator, homes = 0;

before(async () => {
  world = await createWorld();
  operator = world.keys.operator;
  await world.publish(football('2025-10-23', 1, 5000, `sha256:${'c'.repeat(64)}`));
  mirrors = await Promise.all([1, 2, 3, 4].map(() => startMirror(world)));
});
after(async () => {
  await Promise.all((mirrors ?? []).map((mirror) => mirror.end()));
  await world.end();
});

const isSanitized = readFileSync(programs.sv).includes('__asan_init');
const MEASURE = `import resource, subprocess, sys
status = subprocess.run(sys.argv[1:]).returncode
print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(status)`;

// The greatest memory that sv took while it read from @list, in MiB.
async function peak(list, expected) {
  const env = world.environment({ as: `fresh-${homes += 1}`, env: { R2_PUBLIC_URL: list.map(({ url }) => url).join(',') } });
  const { status, stderr } = await run('python3', ['-c', MEASURE, programs.sv, 'manifest', 'list'], { env, cwd: world.dir });
  assert.equal(status, expected, stderr.slice(0, 1000));
  return Number(/peak (\d+)/.exec(stderr)[1]) / 1024;
}

async function staysSmall(what, lie, { status = 3, from = mirrors } = {}) {
  mirrors.forEach((mirror) => { mirror.index = lie; });
  const mib = await peak(from, status);
  assert.ok(mib < MAX_MIB, `${what} from ${from.length} mirrors: ${mib} MiB`);
}

const signed = (content) => { // the account is trusted, and everything but the signature is right
  let lie; // made once for all mirrors: 16 MiB of text take longer to make than to send
  return (out, bytes) => {
    lie ??= Buffer.from(`{"archive":null,"chain":${JSON.stringify(JSON.parse(bytes).chain)},${content},"signature":"ed25519:${'0'.repeat(128)}",` +
      `"signed_at":"2025-10-23T00:00:00Z","signed_by":"ss58:${operator.address}","type":"index"}`);
    out.end(lie);
  };
};
const fill = (piece) => `"manifests":[${piece.repeat((LIMIT - 1000) / piece.length).replace(/,$/, '')}]`;

test('endless data, headers and bombs, from four mirrors at once', { skip: isSanitized }, async () => {
  await staysSmall('endless data', endless);
  await staysSmall('an endless page', (out) => { out.writeHead(500); endless(out); });
  const many = Buffer.from(`HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(4 * 1024 * 1024)}`);
  await staysSmall('endless headers', (out) => out.socket.end(many));
  const long = Buffer.from(`HTTP/1.1 200 OK\r\nX: ${'y'.repeat(2 * LIMIT)}`);
  await staysSmall('a header without end', (out) => out.socket.end(long));
  const zeros = Buffer.alloc(8 * LIMIT, 0x20);
  const gzip = gzipSync(zeros, { level: 1 });
  const brotli = brotliCompressSync(zeros, { params: { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_LGWIN]: 24 } });
  await staysSmall('gzip', fail(200, { 'Content-Encoding': 'gzip' }, gzip));
  await staysSmall('brotli', fail(200, { 'Content-Encoding': 'br' }, brotli));
});

test('16 MiB of JSON that would be a gigabyte of values', { skip: isSanitized }, async () => {
  const justFewEnough = [`{"${'k'.repeat(27)}":0},`, '"x",']; // for the limits on objects and on values
  for (const piece of justFewEnough) await staysSmall(piece, signed(fill(piece)));
  const from = mirrors.slice(0, 1);
  for (const piece of ['{},', '{"a":0},', '[],', '0,', '"",', '[[[[]]]],']) await staysSmall(piece, signed(fill(piece)), { from });
  await staysSmall('one string', signed(`"manifests":"${'x'.repeat(LIMIT - 1000)}"`), { from });
  await staysSmall('a signature of 16 MiB', (out) => out.end(`{"signed_by":"ss58:${operator.address}","signature":"${'x'.repeat(LIMIT - 1000)}"}`), { from });
  await staysSmall('below what is parsed at once', say(`{"manifests":[${'{},'.repeat(85_000)}{}]}`), { from });
  await staysSmall('the same of names', say(`{${Array.from({ length: 20_000 }, (_, i) => `"a${i}":0`).join(',')}}`), { from });
});

test('an honest index of 10,000 windows is read', { skip: isSanitized }, async () => {
  const index = JSON.parse(world.read('store', 'scorevision', 'index.json'));
  const [entry] = index.manifests;
  const manifests = Array.from({ length: 10_000 }, (_, i) => ({ ...entry, hash: `sha256:${createHash('sha256').update(String(i)).digest('hex')}`,
    window_id: `w${i}`, start_block: 1 + i * 10, expiry_block: 11 + i * 10, added_sequence: i + 1 }));
  const bytes = signDocument({ ...index, sequence: 10_000, manifests }, operator.seed);
  await staysSmall('10,000 windows', say(bytes), { status: 0 });
});
