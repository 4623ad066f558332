// S3's request signatures against an independent implementation (@smithy/signature-v4, the one of AWS's own SDK): Authorization
// headers and presigned URLs of generated requests, byte by byte. `SV_BUILD=build node --test tests/peer/`; SV_SEED repeats a run.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { SignatureV4 } from '@smithy/signature-v4';
import { Sha256 } from '@aws-crypto/sha256-js';
import { below, pick, seed } from '../support/random.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const build = path.resolve(process.env.SV_BUILD ?? path.join(here, '..', '..', 'build'));
const program = path.join(build, 'tests', 'peer', 'print_s3_signature');
const N_REQUESTS = 300;

const pieces = ['a', 'Z', '0', ' ', '+', '%', '%20', '~', '*', "'", '(', ')', '!', '-', '.', '_', ':', '@', '=', '&', '$', ',', ';', '"',
  '<', '\\', '^', '`', '|', '#', '?', '[', 'é', 'ß', '日', '本', '🎈', '\u00a0', 'sha256:ab'];
const text = (most) => Array.from({ length: below(most + 1) }, () => pick(pieces)).join('');
const hex = () => createHash('sha256').update(text(9)).digest('hex');

// RFC 3986's unreserved characters stay, "/" stays in a path; written here once more, so that our own is compared with something.
const escape = (s) => encodeURIComponent(s).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
const escapePath = (s) => s.split('/').map(escape).join('/');

// Names that are prefixes of each other, and with characters below "=", are where sorting goes wrong.
function makeQuery() {
  const names = new Set(Array.from({ length: below(pick([1, 4, 30])) }, () => pick(['a', 'a-b', 'a.', 'A', 'list-type', 'prefix', text(4) || 'x'])));
  const pairs = [];
  for (const name of names) for (let n = 1 + (below(4) === 0 ? below(4) : 0); n > 0; n--) pairs.push([name, pick(['', text(6), text(60)])]);
  return pairs.sort(() => below(3) - 1);
}

function makeRequest(i) {
  const names = ['Content-Type', 'if-match', 'If-None-Match', 'x-amz-meta-sv', 'X-Amz-Acl'].filter(() => below(3) === 0);
  return {
    method: pick(['GET', 'PUT', 'HEAD', 'DELETE', 'POST']),
    host: pick(['127.0.0.1:7480', 's3.eu-central-1.amazonaws.com', `${'ab'.repeat(16)}.r2.cloudflarestorage.com`]),
    path: `/${pick(['bucket', 'a.b-c'])}/${Array.from({ length: 1 + below(4) }, () => text(8)).join(pick(['/', '//']))}`,
    query: makeQuery(),
    headers: names.map((name) => [name, pick(['*', '"0123"', 'text/plain;  charset=utf-8', `  a   ${hex()}  b `])]),
    payload_hash: pick([hex(), 'UNSIGNED-PAYLOAD']),
    time_ms: Date.UTC(2000 + below(99), below(12), 1 + below(28), below(24), below(60), below(60)) + below(1000),
    id: pick(['testkey', 'AKIAIOSFODNN7EXAMPLE', '0'.repeat(32)]),
    secret: pick(['s', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'f'.repeat(64), text(40) || 'x']),
    region: pick(['auto', 'us-east-1', 'eu-central-1', 'wnam']),
    seconds: i % 2 === 0 ? 0 : pick([1, 900, 604800]),
  };
}

async function theirs(request) {
  const signer = new SignatureV4({ service: 's3', region: request.region, sha256: Sha256, uriEscapePath: false,
    credentials: { accessKeyId: request.id, secretAccessKey: request.secret } });
  const query = {};
  for (const [name, value] of request.query) query[name] = name in query ? [query[name], value].flat() : value;
  const given = { method: request.method, protocol: 'https:', hostname: request.host, path: escapePath(request.path), query,
    headers: { host: request.host, ...Object.fromEntries(request.headers), 'x-amz-content-sha256': request.payload_hash } };
  const options = { signingDate: new Date(request.time_ms) };
  if (request.seconds === 0) {
    const signed = await signer.sign(given, options);
    return [target(signed), signed.headers.authorization];
  }
  // The payload's hash counts without being sent, and headers stay headers: ours has no others.
  const unhoistableHeaders = new Set(['x-amz-content-sha256', ...request.headers.map(([name]) => name.toLowerCase())]);
  const signed = await signer.presign(given, { ...options, expiresIn: request.seconds, unhoistableHeaders,
    unsignableHeaders: new Set(['x-amz-content-sha256']) });
  return [target(signed), ''];
}

// The signature is put at the end, as ours is.
function target({ path: where, query }) {
  const { 'X-Amz-Signature': signature, ...others } = query;
  const byBytes = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const pairs = Object.entries(others).flatMap(([name, value]) => [value].flat().map((one) => [escape(name), escape(one)]));
  const sorted = pairs.sort((a, b) => byBytes(a[0], b[0]) || byBytes(a[1], b[1])).map((pair) => pair.join('='));
  if (signature !== undefined) sorted.push(`X-Amz-Signature=${signature}`);
  return sorted.length > 0 ? `${where}?${sorted.join('&')}` : where;
}

test('signatures and presigned URLs are those of an independent implementation', async () => {
  assert.ok(existsSync(program), `${program} is not there; build first, or set SV_BUILD`);
  const requests = Array.from({ length: N_REQUESTS }, (_, i) => makeRequest(i));
  const run = spawnSync(program, { input: requests.map((request) => JSON.stringify(request)).join('\n') + '\n', maxBuffer: 1 << 28 });
  assert.equal(run.status, 0, `${program} ended with ${run.status ?? run.signal}: ${run.stderr}`);
  const lines = run.stdout.toString('utf8').split('\n');
  assert.equal(lines.pop(), '');
  assert.equal(lines.length, N_REQUESTS);
  const expected = await Promise.all(requests.map(theirs));
  for (const [i, line] of lines.entries())
    assert.deepEqual(line.split('\t'), expected[i], `seed ${seed}, request ${JSON.stringify(requests[i])}`);
});
