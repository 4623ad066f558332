// Changing the signing key while everything runs, and losing it to a thief (docs/protocol.md section 2, "Rotation"). Statements are
// checked, and folded again, by a reader that is written here from the protocol's text and asks sv nothing.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { emptyWorld, waitFor } from './harness.mjs';
import { canonical, openDocument, sha256, signDocument } from './peer.mjs';
import { football } from './season.mjs';

const INDEX = ['store', 'scorevision', 'index.json'];
const CLIP = `sha256:${'c1'.repeat(32)}`;
let world, serve, owner, first, second, third, thief, R2_PUBLIC_URL;

before(async () => {
  world = emptyWorld();
  [owner, first, second, third, thief] = await Promise.all(['owner', 'first', 'second', 'third', 'thief'].map((name) => world.key(name)));
  await world.key('operator'); // whose home `sv serve` has
  world.env.SCOREVISION_MANIFEST_SIGNERS = first.address;
  await world.sv(['chain', 'create', '--block-time', '0', '--finality', '3', '--owner', owner.address]);
  await world.publish(football('2025-10-23', 1, 5000, CLIP), { as: 'first' });
  await world.advance(10);
  serve = await world.startServe();
  R2_PUBLIC_URL = serve.url;
});
after(() => world.end());

const signers = (args, options) => world.json(['manifest', 'signers', ...args], options);
const finalized = async () => (await world.json(['chain', 'status'])).finalized.number;
const reading = (as) => ({ as, env: { R2_PUBLIC_URL } });
const ready = async () => (await fetch(`${serve.url}/readyz`)).json();
const index = () => JSON.parse(world.read(...INDEX));

// ── a reader of its own ──

async function readStatements(chain) {
  const statements = [];
  for (let n = 1; ; n += 1) {
    const response = await fetch(`${serve.url}/scorevision/signers/${n}.json`);
    if (response.status === 404) return statements;
    assert.match(response.headers.get('cache-control'), /max-age=15\b/, 'the next may be there soon, and this one be replaced');
    const bytes = Buffer.from(await response.arrayBuffer());
    const document = openDocument(bytes, { type: 'signers', signer: JSON.parse(bytes).signed_by });
    assert.equal(document.n, n);
    assert.equal(document.previous, statements.at(-1)?.hash ?? null);
    assert.deepEqual(document.chain, chain);
    statements.push({ ...document, hash: sha256(bytes) });
  }
}

// Account -> state at @block.
function fold(statements, setting, revoked, block) {
  const changes = new Map();
  const last = (account, until) => (changes.get(account) ?? []).findLast(({ from_block }) => from_block <= until);
  const trusted = (account, until) => !revoked.includes(account) && (last(account, until)?.add ?? setting.includes(account));
  for (const { signed_by, add, retire } of statements) {
    if (!trusted(signed_by.slice(5), Infinity)) continue;
    for (const [list, isAddition] of [[add, true], [retire, false]]) {
      for (const { account, from_block } of list) {
        const name = account.slice(5);
        changes.set(name, [...(changes.get(name) ?? []), { from_block, add: isAddition }]);
      }
    }
  }
  return (account) => {
    if (revoked.includes(account)) return 'revoked';
    if (trusted(account, block)) return 'trusted';
    if (last(account, block)) return 'retired';
    return (changes.get(account) ?? []).some(({ add }) => add) ? 'coming' : 'unknown';
  };
}

async function expectAgreement(revoked = []) {
  const theirs = await signers([], reading('auditor'));
  const state = fold(await readStatements(index().chain), [first.address], revoked, theirs.block);
  for (const { address } of [first, second, third, thief]) {
    const listed = theirs.signers.find(({ account }) => account === address);
    assert.equal(listed?.state ?? 'unknown', state(address), address);
  }
  return theirs;
}

// ── rotation ──

test('without statements the setting counts, and the list says so', async () => {
  const { signers: list, statements, index_signed_by } = await expectAgreement();
  assert.equal(statements, 0);
  assert.deepEqual(list.map(({ account, state, reason, signed_index }) => [account, state, reason, signed_index]),
    [[first.address, 'trusted', 'setting', true]]);
  assert.equal(index_signed_by, first.address);
});

test('what is wrong is refused, with the status that says how', async () => {
  await signers(['add', second.address], { as: 'second', expect: 6 });
  await signers(['retire', first.address, '--yes'], { as: 'first', expect: 6 });
  await signers(['retire', second.address, '--yes'], { as: 'first', expect: 4 });
  await signers(['add', '5Fnobody'], { as: 'first', expect: 2 });
  await signers(['add'], { as: 'first', expect: 2 });
  await signers(['add', second.address, '--from-block', '-1'], { as: 'first', expect: 2 });
  await signers(['appoint', second.address], { as: 'first', expect: 2 });
  await signers([], { as: 'first', env: { R2_PUBLIC_URL: 'http://127.0.0.1:1' }, expect: 5 });
  await signers(['add', second.address], { as: 'nobody', expect: 4 });
  assert.equal((await readStatements(index().chain)).length, 0);
});

test('an added key publishes, and everybody reads it without a new setting', async () => {
  const dry = await signers(['add', second.address, '--dry-run'], { as: 'first' });
  assert.deepEqual([dry.status, dry.n], ['dry_run', 1]);
  assert.equal((await readStatements(index().chain)).length, 0);
  const added = await signers(['add', second.address], { as: 'first' });
  assert.deepEqual([added.status, added.n, added.from_block], ['published', 1, await finalized()]);
  const again = await signers(['add', second.address], { as: 'first' });
  assert.deepEqual([again.status, again.unchanged, again.n], ['unchanged', true, null]);
  await expectAgreement();
  await world.publish(football('2025-10-24', 5000, 9000, CLIP), { as: 'second' });
  assert.equal(index().signed_by, `ss58:${second.address}`);
  await serve.settle();
  const { signers: list } = await expectAgreement();
  assert.ok(list.find(({ account }) => account === second.address).signed_index);
});

test('a key that retires from a later block on counts until then; its manifests stay', async () => {
  const from = (await finalized()) + 5;
  await signers(['retire', first.address, '--from-block', String(from)], { as: 'second', expect: 2 }); // is asked, and there is nobody to ask
  const retired = await signers(['retire', first.address, '--from-block', String(from), '--yes'], { as: 'second' });
  assert.deepEqual([retired.n, retired.from_block, retired.index_signed_again], [2, from, null]);
  let { signers: [mine] } = await expectAgreement();
  assert.deepEqual([mine.state, mine.until], ['trusted', from]);
  await world.advance(5);
  ({ signers: [mine] } = await expectAgreement());
  assert.deepEqual([mine.state, mine.reason, mine.statement, mine.from_block, mine.by], ['retired', 'retired', 2, from, second.address]);
  const current = await world.json(['manifest', 'current'], reading('reader'));
  assert.equal(current.signed_by, first.address, 'its window goes on');
  await world.json(['miner', 'manifest', '--hash', current.manifest_hash], reading('fresh'));
  await world.publish(football('2025-10-25', 9000, 9100, CLIP), { as: 'first', expect: 6 });
  assert.equal((await ready()).index_sequence, index().sequence);
});

test('an index by the retired one is refused, whatever its sequence', async () => {
  const good = world.read(...INDEX);
  const old = { ...index(), sequence: index().sequence + 1, signed_by: `ss58:${first.address}` };
  world.write('store/scorevision/index.json', signDocument(old, first.seed));
  const { stderr } = await world.sv(['manifest', 'list'], { as: 'another', expect: 3 });
  assert.match(stderr, new RegExp(first.address));
  world.write('store/scorevision/index.json', good);
  await world.sv(['manifest', 'list'], { as: 'another' });
});

test('whoever retires the signer of the index signs it again', async () => {
  await signers(['add', third.address], { as: 'second' });
  await signers(['add', thief.address], { as: 'second' });
  const { sequence } = index();
  const retired = await signers(['retire', second.address, '--yes'], { as: 'third' });
  assert.equal(retired.index_signed_again, sequence + 1);
  openDocument(world.read(...INDEX), { type: 'index', signer: third.address });
  await serve.settle();
  await world.sv(['manifest', 'list'], reading('late'));
  await expectAgreement();
});

test('a store that has lost its statements cannot take them back', async () => {
  const env = { SCOREVISION_STORE: `file:${world.path('bare')}` };
  world.write('bare/scorevision/index.json', world.read(...INDEX));
  await world.sv(['manifest', 'list'], { as: 'auditor', env });
  await world.sv(['manifest', 'list'], { as: 'stranger', env, expect: 3 });
});

test('statements that are made at once follow on each other', async () => {
  const keys = await Promise.all(['p', 'q', 'r', 's', 't'].map((name) => world.key(name)));
  const before = (await readStatements(index().chain)).length;
  const made = await Promise.all(keys.map(({ name, address }) => {
    const env = { SCOREVISION_HOME: world.path('homes', `at-once-${name}`) };
    return signers(['add', address], { as: 'third', env });
  }));
  assert.deepEqual(made.map(({ n }) => n).sort((a, b) => a - b), keys.map((_, i) => before + 1 + i));
  await expectAgreement();
});

// ── the stolen key ──

test('a thief takes over, and only the subnet\'s owner can end it', async () => {
  const forged = { ...index(), sequence: Number.MAX_SAFE_INTEGER, signed_by: `ss58:${thief.address}`, manifests: [], newest: null, current_manifest_hash: null };
  world.write('store/scorevision/index.json', signDocument(forged, thief.seed));
  const { sequence } = await world.json(['manifest', 'list'], reading('victim'));
  assert.equal(sequence, Number.MAX_SAFE_INTEGER);
  await waitFor('the server believes him, too', async () => (await ready()).index_sequence === Number.MAX_SAFE_INTEGER);
  const takeover = await signers(['retire', third.address, '--yes'], { as: 'thief' });
  assert.equal(takeover.n, 11);
  const refused = await world.sv(['manifest', 'signers', 'revoke', thief.address, '--yes'], { as: 'third', expect: 6 });
  assert.match(refused.stderr, new RegExp(owner.address));
  await signers(['revoke', thief.address], { as: 'owner', expect: 2 });
  const dry = await signers(['revoke', thief.address, '--dry-run'], { as: 'owner' });
  assert.equal(dry.text, `sv1 revoke\n${thief.address}`, 'no sequence of the thief');
  const revoked = await signers(['revoke', thief.address, '--yes'], { as: 'owner' });
  assert.deepEqual([revoked.status, revoked.text, revoked.signer_left], ['revoked', dry.text, true]);
  const again = await signers(['revoke', thief.address, '--yes'], { as: 'owner' });
  assert.deepEqual([again.status, again.final], ['unchanged', false]);
});

test('once that is final nothing of the thief counts, and the operator goes on', async () => {
  await world.advance(3);
  await world.sv(['manifest', 'list'], { ...reading('victim'), expect: 3 });
  const good = await waitFor('the server goes on with what it verified before him', async () => {
    const { index_sequence } = await ready();
    return index_sequence < 100 && index_sequence;
  });
  const { signers: list, index_fault } = await expectAgreement([thief.address]);
  assert.equal(list.find(({ account }) => account === third.address).state, 'trusted', 'his statement has no effect');
  assert.match(index_fault, new RegExp(thief.address));
  const file = world.write('next.json', football('2025-10-25', 9000, 9100, CLIP));
  const refused = await world.sv(['manifest', 'publish', file], { as: 'third', expect: 3 });
  assert.match(refused.stderr, /--rebuild-index/);
  await world.sv(['manifest', 'publish', file, '--rebuild-index'], { as: 'third', expect: 2 });
  const published = await world.json(['manifest', 'publish', file, '--rebuild-index', '--yes'], { as: 'third' });
  assert.deepEqual(published.rebuilt_index.dropped, []);
  assert.equal(published.rebuilt_index.kept.length, 2, 'this home had verified them');
  assert.ok(published.sequence > good && published.sequence < 100);
  for (const as of ['victim', 'fresh-victim']) {
    const { sequence, manifests } = await world.json(['manifest', 'list'], reading(as));
    assert.equal(sequence, published.sequence);
    assert.equal(manifests.length, 3);
  }
  await serve.settle();
  const added = await signers(['add', second.address], { as: 'third' });
  assert.equal(added.n, 12, 'on top of the thief\'s statement');
  const { statements } = await expectAgreement([thief.address]);
  assert.equal(statements, 12);
});

test('statements that nobody trusts, and what is none, change nothing', async () => {
  const statements = await readStatements(index().chain);
  const { hash, signature, ...last } = statements.at(-1);
  const forged = signDocument({ ...last, n: 13, previous: hash, signed_by: `ss58:${thief.address}`, add: last.add, retire: [{ account: `ss58:${third.address}`, from_block: 0 }] }, thief.seed);
  world.write('store/scorevision/signers/13.json', forged);
  assert.equal((await signers([], { as: 'fresh' })).statements, 12);
  world.write('store/scorevision/signers/13.json', canonical({ n: 13 }));
  assert.equal((await signers([], { as: 'fresh' })).statements, 12);
  const { stderr } = await world.sv(['manifest', 'signers', 'retire', second.address, '--yes'], { as: 'third', expect: 6 });
  assert.match(stderr, /remove it/);
});

test('a revocation waits until it is final, where the chain makes blocks by itself', async () => {
  const other = emptyWorld();
  try {
    const [boss, lost, kept] = [await other.key('boss'), await other.key('lost'), await other.key('kept')];
    other.env.SCOREVISION_MANIFEST_SIGNERS = `${lost.address},${kept.address}`;
    await other.sv(['chain', 'create', '--block-time', '1s', '--finality', '2', '--owner', boss.address]);
    const revoked = await other.json(['manifest', 'signers', 'revoke', lost.address, '--yes'], { as: 'boss' });
    assert.equal(revoked.final, true);
    const { signers: list } = await other.json(['manifest', 'signers'], { as: 'reader' });
    assert.deepEqual(list.map(({ account, state, reason }) => [account, state, reason]),
      [[lost.address, 'revoked', 'revoked_by_owner'], [kept.address, 'trusted', 'setting']]);
    const again = await other.json(['manifest', 'signers', 'revoke', lost.address, '--yes'], { as: 'boss' });
    assert.deepEqual([again.status, again.final], ['unchanged', true]);
    const last = await other.json(['manifest', 'signers', 'revoke', kept.address, '--yes'], { as: 'boss' });
    assert.deepEqual([last.text, last.final, last.signer_left], [`sv1 revoke\n${lost.address}\n${kept.address}`, true, false]);
    const none = await other.json(['manifest', 'signers'], { as: 'reader' });
    assert.deepEqual(none.signers.map(({ state }) => state), ['revoked', 'revoked']);
    await other.json(['manifest', 'signers', 'revoke', lost.address, kept.address, '--yes'], { as: 'boss' });
    await other.sv(['manifest', 'list'], { as: 'reader', expect: 3 });
  } finally {
    await other.end();
  }
});
