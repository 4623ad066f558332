// Statements on signers, from mirrors that lie and from whoever stole a key (docs/security.md, "Manifests: attacks and answers").
// What is wrong with a statement keeps nobody from an index that verifies; what a trusted account has said cannot be hidden from
// who has heard it, or hears it from another mirror.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { encodeAddress } from '@polkadot/util-crypto';
import { createWorld, programs, run, waitFor } from './harness.mjs';
import { drip, endless, fail, raw, say, startMirror } from './mirror.mjs';
import { openDocument, sha256, signDocument } from './peer.mjs';
import { refused } from './refusing.mjs';
import { football } from './season.mjs';

const MAX_MIB = 64;
const CLIP = `sha256:${'c'.repeat(64)}`;
const MEASURE = `import resource, subprocess, sys
status = subprocess.run(sys.argv[1:]).returncode
print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(status)`;
const statementPath = (n) => ['store', 'scorevision', 'signers', `${n}.json`];
let world, mirrors, operator, next, stranger, added, homes = 0;

before(async () => {
  world = await createWorld();
  operator = world.keys.operator;
  [next, stranger] = [await world.key('next'), await world.key('stranger')];
  await world.publish(football('2025-10-23', 1, 5000, CLIP));
  mirrors = await Promise.all([1, 2, 3, 4].map(() => startMirror(world)));
  added = await world.json(['manifest', 'signers', 'add', next.address]);
});
after(async () => {
  await Promise.all((mirrors ?? []).map((mirror) => mirror.end()));
  await world.end();
});

const fresh = () => `fresh-${homes += 1}`;
const at = (...list) => ({ R2_PUBLIC_URL: list.map(({ url }) => url).join(',') });
const tellTruth = () => mirrors.forEach((mirror) => mirror.tellTruth());
const chain = () => JSON.parse(world.read('store', 'scorevision', 'index.json')).chain;
const makeStatement = (key, n, previous, change) => signDocument({ type: 'signers', chain: chain(), n, previous, add: [], retire: [],
  signed_by: `ss58:${key.address}`, signed_at: '2025-10-23T00:00:00Z', ...change }, key.seed);
const adding = (key, from = 0) => ({ add: [{ account: `ss58:${key.address}`, from_block: from }] });
const nOf = (key) => Number(/(\d+)\.json$/.exec(key)[1]);

test('a statement is withheld: who has heard it knows, and so does who asks another mirror', async () => {
  const [liar, honest] = mirrors;
  liar.statements = fail(404);
  const states = async (as, env) => (await world.json(['manifest', 'signers'], { as, env })).signers.map(({ state }) => state);
  assert.deepEqual(await states(fresh(), at(liar)), ['trusted'], 'who asks nobody else does not hear of it');
  assert.deepEqual(await states('hearer', at(liar, honest)), ['trusted', 'trusted']);
  assert.deepEqual(await states('hearer', at(liar)), ['trusted', 'trusted'], 'and does not forget');
  tellTruth();
});

test('whatever a mirror says for a statement, the index is read, and what is wrong is told once', async () => {
  const [liar] = mirrors;
  const right = world.read(...statementPath(1));
  const lies = {
    'endless data': [endless, /endless data/],
    'a bomb': [fail(200, { 'Content-Encoding': 'gzip' }, gzipSync(Buffer.alloc(64 * 1024 * 1024), { level: 1 })), /endless data/],
    'a page': [say('<html>'), /statement on signers/],
    'half of one': [say(right.subarray(0, 100)), /statement on signers/],
    'one that is cut off': [raw('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{'), /broken answer/],
    'a circle': [(out, bytes, { url }) => fail(302, { Location: url })(out), /refused its redirect/],
    'no content': [fail(204), /broken answer/],
    'another type': [say(world.read('store', 'scorevision', 'index.json')), /not a document of type/],
    'another chain': [say(makeStatement(operator, 1, null, { chain: { ...chain(), netuid: 45 }, ...adding(next) })), /is for subnet/],
    'a wrong signature': [say(makeStatement(stranger, 1, null, { signed_by: `ss58:${operator.address}`, ...adding(stranger) })), /not the signature/],
    'a number ahead': [say(makeStatement(operator, 2, sha256(right), adding(stranger))), /is 2 where 1 belongs/],
    'an account twice': [say(makeStatement(operator, 1, null, { ...adding(stranger), retire: adding(stranger).add })), /twice/],
  };
  for (const [what, [lie, name]] of Object.entries(lies)) {
    liar.statements = lie;
    const { stdout, stderr } = await world.sv(['manifest', 'list', '--json'], { as: fresh(), env: at(liar) });
    assert.equal(JSON.parse(stdout).manifests.length, 1, what);
    assert.match(stderr, name, what);
    assert.equal(stderr.match(/statement on signers left out/g).length, 1, what);
  }
  for (const status of [500, 403]) { // says nothing about statements
    liar.statements = fail(status);
    const { stderr } = await world.sv(['manifest', 'list'], { as: fresh(), env: at(liar) });
    assert.equal(stderr, '');
  }
  tellTruth();
});

test('slow transfer of a statement costs time, not the index', async () => {
  const [liar, honest] = mirrors;
  liar.statements = drip('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n', ' ');
  const [alone, both] = await Promise.all([
    world.sv(['manifest', 'list'], { as: fresh(), env: at(liar) }),
    world.json(['manifest', 'signers'], { as: fresh(), env: at(liar, honest) }),
  ]);
  assert.match(alone.stderr, /slow transfer/);
  assert.equal(both.statements, 1);
  tellTruth();
});

test('another\'s statement in the place of a right one accuses nobody', async () => {
  const [liar, honest] = mirrors;
  const forged = makeStatement(stranger, 1, null, adding(stranger));
  liar.statements = (out, bytes, { url }) => (nOf(url) === 1 ? out.end(forged)
    : nOf(url) === 2 ? out.end(makeStatement(operator, 2, sha256(world.read(...statementPath(1))), adding(stranger))) : fail(404)(out));
  const { stderr } = await world.sv(['manifest', 'list'], { as: fresh(), env: at(liar) });
  assert.match(stderr, /statement on signers left out/);
  assert.doesNotMatch(stderr, /equivocation/);
  const listed = await world.json(['manifest', 'signers'], { as: fresh(), env: at(liar, honest) });
  assert.deepEqual([listed.statements, listed.signers.length], [2, 3], 'the second follows on the honest mirror\'s first');
  tellTruth();
});

test('statements of two faces: two of one number by a trusted account are an equivocation', async () => {
  const [one, two] = mirrors;
  const other = makeStatement(operator, 1, null, adding(stranger));
  two.statements = (out, bytes, { url }) => (nOf(url) === 1 ? out.end(other) : fail(404)(out));
  const { stderr } = await refused(world, ['manifest', 'list'], 3, /equivocation/, { as: fresh(), env: at(one, two) });
  for (const hash of [added.hash, sha256(other)]) assert.ok(stderr.includes(hash), stderr);
  // One after the other: what is remembered is not unsaid.
  await world.sv(['manifest', 'list'], { as: 'first-face', env: at(one) });
  two.statements = (out, bytes, { url }) => (nOf(url) === 2 ? out.end(makeStatement(operator, 2, sha256(other), adding(stranger))) : fail(404)(out));
  await refused(world, ['manifest', 'list'], 3, /equivocation/, { as: 'first-face', env: at(two) });
  tellTruth();
});

test('mirrors are read at the same time: each of two faces comes when the other one has been asked for', async () => {
  const faces = mirrors.slice(0, 2);
  const asked = Promise.all(faces.map((mirror, i) => new Promise((resolve) => {
    const face = makeStatement(operator, 2, added.hash, adding(i === 0 ? stranger : next));
    mirror.statements = (out, bytes, { url }) => {
      if (nOf(url) === 1) return out.end(bytes);
      if (nOf(url) > 2) return fail(404)(out);
      resolve();
      return asked.then(() => out.end(face));
    };
  })));
  await refused(world, ['manifest', 'list'], 3, /equivocation/, { as: fresh(), env: at(...faces) });
  tellTruth();
});

test('histories by nobody, without end, take neither memory nor the index', { skip: readFileSync(programs.sv).includes('__asan_init') }, async () => {
  const accounts = await Promise.all(Array.from({ length: 8 }, (_, i) => world.key(`crowd-${i}`)));
  const filler = 'x'.repeat(7 * 1024);
  const played = { small: {}, 'of objects': { z: Array.from({ length: 2400 }, () => ({})) }, 'of text': { z: filler },
    'of names': { z: Object.fromEntries(Array.from({ length: 800 }, (_, i) => [`n${i}`, 0])) } };
  for (const [what, more] of Object.entries(played)) {
    const made = []; // each follows on the one before
    const make = (n) => {
      for (let i = made.length + 1; i <= n; i += 1) {
        made.push(makeStatement(stranger, i, i > 1 ? sha256(made[i - 2]) : null, { ...adding(accounts[i % 8]), ...more }));
      }
      return made[n - 1];
    };
    mirrors.forEach((mirror) => { mirror.statements = (out, bytes, { url }) => out.end(make(nOf(url))); });
    const env = world.environment({ as: fresh(), env: at(...mirrors) });
    const { status, stderr } = await run('python3', ['-c', MEASURE, programs.sv, 'manifest', 'list'], { env, cwd: world.dir });
    assert.equal(status, 0, stderr.slice(0, 1000));
    const mib = Number(/peak (\d+)/.exec(stderr)[1]) / 1024;
    assert.ok(mib < MAX_MIB, `a history ${what}: ${mib} MiB`);
    assert.match(stderr, /no more than 500 and 524288 bytes are read/, what);
    assert.ok(made.length <= 501, `${made.length} were asked for`);
  }
  tellTruth();
});

test('a stolen key signs without end: neither memory nor the index is lost, before and after it is revoked', { skip: readFileSync(programs.sv).includes('__asan_init') }, async () => {
  const crowd = Array.from({ length: 2000 }, () => encodeAddress(randomBytes(32), 42));
  const made = [];
  const make = (n) => {
    for (let i = made.length + 1; i <= n; i += 1) {
      const add = Array.from({ length: 32 }, (_, k) => ({ account: `ss58:${crowd[(i * 32 + k) % crowd.length]}`, from_block: 0 }));
      const retire = i > 1 ? JSON.parse(made[i - 2]).add : []; // so that there is room for all of them
      made.push(makeStatement(stranger, i, i > 1 ? sha256(made[i - 2]) : null, { add, retire }));
    }
    return made[n - 1];
  };
  mirrors.forEach((mirror) => { mirror.statements = (out, bytes, { url }) => out.end(make(nOf(url))); });
  const as = fresh();
  const list = async (signers) => {
    const env = world.environment({ as, env: { ...at(...mirrors), SCOREVISION_MANIFEST_SIGNERS: signers } });
    const { status, stdout, stderr } = await run('python3', ['-c', MEASURE, programs.sv, 'manifest', 'list', '--json'], { env, cwd: world.dir });
    assert.equal(status, 0, stderr.slice(0, 1000));
    assert.equal(JSON.parse(stdout).manifests.length, 1);
    const mib = Number(/peak (\d+)/.exec(stderr)[1]) / 1024;
    assert.ok(mib < MAX_MIB, `${mib} MiB`);
    return stderr;
  };
  assert.match(await list(`${operator.address},${stranger.address}`), /no more than 500 and 524288 bytes are read/);
  await list(`${operator.address},${stranger.address}`);
  await list(`${operator.address},!${stranger.address}`);
  tellTruth();
});

test('a retired signer goes on signing: neither his index nor a manifest that nobody lists is used', async () => {
  const before = world.read('store', 'scorevision', 'index.json');
  await world.sv(['manifest', 'signers', 'retire', operator.address, '--yes'], { as: 'next' });
  openDocument(world.read('store', 'scorevision', 'index.json'), { type: 'index', signer: next.address });
  const [liar] = mirrors;
  const index = JSON.parse(before);
  liar.index = say(signDocument({ ...index, sequence: index.sequence + 10 }, operator.seed));
  await refused(world, ['manifest', 'list'], 3, /not a trusted signer/, { as: fresh(), env: at(liar) });
  liar.tellTruth();
  const [entry] = index.manifests;
  const listed = JSON.parse(world.read('store', 'scorevision', 'manifests', `${entry.hash.slice(7)}.json`));
  const unlisted = signDocument({ ...listed, window_id: '2025-10-29' }, operator.seed);
  liar.manifests = (out, bytes, { url }) => out.end(url.includes(sha256(unlisted).slice(7)) ? unlisted : bytes);
  await refused(world, ['miner', 'manifest', '--hash', sha256(unlisted)], 3, /is retired, and no index of a trusted signer lists it/, { as: fresh(), env: at(liar) });
  await world.sv(['miner', 'manifest', '--hash', entry.hash], { as: fresh(), env: at(liar) });
  tellTruth();
});

test('slow histories without end: a server that has an index sees the next one', async () => {
  const serve = await world.startServe({ env: at(...mirrors), until: '/healthz' });
  const { length } = readdirSync(world.path('store', 'scorevision', 'signers'));
  const made = [];
  const slowly = (out, bytes, { url }) => {
    const n = nOf(url);
    if (n <= length) return out.end(bytes);
    const before = n === length + 1 ? readFileSync(world.path(...statementPath(length))) : made[n - 1];
    made[n] ??= makeStatement(stranger, n, sha256(before), adding(stranger));
    return setTimeout(() => out.end(made[n]), 1000);
  };
  const liars = mirrors.slice(1);
  liars.forEach((mirror) => { mirror.statements = slowly; });
  await world.publish(football('2025-10-30', 5001, 9000, CLIP), { as: 'next' });
  const { sequence } = JSON.parse(world.read('store', 'scorevision', 'index.json'));
  await waitFor('the server to see the new index', async () => (
    (await (await fetch(`${serve.url}/readyz`)).json()).index_sequence === sequence), 40_000);
  assert.ok(made.length > length + 2, 'the liars were listened to');
  await serve.stop();
  tellTruth();
});
