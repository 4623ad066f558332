// Load over the turning of a window: while bindings change, a manifest is superseded and rolled back, one window expires and the
// next begins, each answer is right for the block it names. What is right is computed here, from the published index and from what
// the miners have done (docs/protocol.md sections 4, 6 and 7), not asked of sv. An answer that names no block has to be right for
// one that the server could have been at: from what all instances were known to have read, to what there was when it came.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { createWorld, waitFor } from './harness.mjs';
import { NETUID } from './api.mjs';
import { makeExchange, wayTo } from './fleet_driver.mjs';
import { PLAYER, commit, football, withdraw } from './season.mjs';
import { startPostgres } from '../support/postgres/postgres.mjs';

const FIRST = '2025-10-23', SECOND = '2025-10-24', TURN = 60, END = 100_000, OVERLAP = 5; // of which finality takes 3
const WIDTH = 16, ASKED_BETWEEN = 20, RARELY = 0.03;
const UNKNOWN = `sha256:${'ab'.repeat(32)}`;

// ── what is right ──

const windowOf = (index, id) => [...index.manifests, ...index.superseded].filter((entry) => entry.window_id === id);
const isOver = (entries, block) => entries.every((entry) => block >= entry.expiry_block);

// The answer to @asked at @block under @index: its status, and what it says.
function ruling({ manifestHash, claim }, block, index) {
  const entries = [...index.manifests, ...index.superseded].filter(({ hash }) => hash === manifestHash);
  const isInForce = (entry) => block >= Math.max(entry.start_block, entry.active_from)
    && block < Math.min(entry.expiry_block, entry.superseded_at_block ?? Infinity);
  const entry = entries.find(isInForce);
  const over = entries.find(({ expiry_block: expiry }) => block >= expiry);
  if (!entry) return over ? `410 window_expired ${over.expiry_block}` : '404 no_active_window';
  if (block < claim.from) return '412 unknown';
  if (claim.window !== entry.window_id) return isOver(windowOf(index, claim.window), block) ? '412 expired' : '412 wrong_window';
  return block < claim.to ? `200 ${entry.window_id} ${entry.expiry_block}` : `412 ${claim.end}`;
}

function told({ status, body }) {
  if (status === 200) return `200 ${body.window_id} ${body.expiry_block}`;
  if (status === 410) return `410 ${body.error} ${body.expired_at_block}`;
  return `${status} ${status === 412 ? body.reason : body.error}`;
}

// What there was over time: [{ value, from, settled }], of which some could have been seen between two moments.
class History {
  constructor() { this.all = []; }

  add(value, from) { this.all.push({ value, from, settled: Infinity }); }

  settle() { for (const one of this.all) if (one.settled === Infinity) one.settled = Date.now(); }

  between(from, to) {
    const oldest = this.all.findLastIndex(({ settled }) => settled <= from);
    return this.all.slice(Math.max(oldest, 0)).filter((one) => one.from <= to).map(({ value }) => value);
  }

  get last() { return this.all.at(-1)?.value; }
}

// ── a season under load ──

class Season {
  constructor(world, serves) {
    Object.assign(this, { world, serves, claims: [], hashes: [], answers: [], heads: new History(), indexes: new History() });
    this.ways = serves.map(({ url }) => wayTo(url));
  }

  // Does something that changes chain or index, and waits until everybody has seen it and somebody has asked since.
  async act(work) {
    const from = Date.now();
    const result = await work();
    await this.#look(from);
    await Promise.all(this.serves.map((serve) => this.#settled(serve)));
    this.heads.settle();
    this.indexes.settle();
    const asked = this.answers.length;
    while (this.isLoaded && this.answers.length < asked + ASKED_BETWEEN) await new Promise((resolve) => { this.onAnswer = resolve; });
    return result;
  }

  async #look(from) {
    const head = await this.world.head();
    for (let block = (this.heads.last ?? head - 1) + 1; block <= head; block++) this.heads.add(block, from);
    const index = JSON.parse(this.world.read('store', 'scorevision', 'index.json'));
    if (index.sequence !== this.indexes.last?.sequence) this.indexes.add(index, from);
  }

  #settled({ url }) {
    return waitFor(`${url} at block ${this.heads.last}`, async () => {
      const ready = await (await fetch(`${url}/readyz`)).json();
      return ready.block >= this.heads.last && ready.index_sequence >= this.indexes.last.sequence;
    });
  }

  // A commitment, which somebody may quote from now on.
  async commit(miner, window, revision = 'player-v1') {
    const proof = await this.act(async () => {
      const made = await commit(this.world, miner, window, [{ id: PLAYER, revision }]);
      this.claims.push({ miner, window, proof: made, from: Number(made.split(':')[0]), to: Infinity, known: Date.now() });
      return made;
    });
    return this.claims.find((claim) => claim.proof === proof);
  }

  async #one() {
    const claim = this.claims[Math.floor(Math.random() * this.claims.length)];
    const manifestHash = Math.random() < RARELY ? UNKNOWN : this.hashes[Math.floor(Math.random() * this.hashes.length)];
    const { validator } = this.world.keys;
    const asked = { claim, manifestHash, from: Date.now() };
    const began = performance.now();
    const way = Math.floor(Math.random() * this.ways.length);
    const answer = await this.ways[way](makeExchange({ base: this.serves[way].url, netuid: NETUID, asker: validator,
      miner: this.world.keys[claim.miner], manifestHash, elementId: PLAYER, proof: claim.proof }));
    this.answers.push({ ...asked, answer, to: Date.now(), ms: performance.now() - began });
    this.onAnswer?.();
  }

  load() {
    this.isLoaded = true;
    const worker = async () => { while (this.isLoaded) await this.#one(); };
    const workers = Promise.all(Array.from({ length: WIDTH }, worker));
    return async () => { this.isLoaded = false; await workers; this.ways.forEach((way) => way.close()); };
  }

  // Why an answer is wrong, or null.
  fault({ claim, manifestHash, answer, from, to }) {
    if (answer.fault) return answer.fault;
    const said = told(answer);
    const couldBe = this.heads.between(from, to).filter((block) => claim.known > from || block >= claim.from || said.startsWith('4'));
    const named = answer.body.block ?? answer.body.current_block;
    const blocks = named === undefined ? couldBe : couldBe.filter((block) => block === named);
    const indexes = this.indexes.between(from, to);
    const right = blocks.flatMap((block) => indexes.map((index) => ruling({ manifestHash, claim }, block, index)));
    if (right.includes(said)) return null;
    const should = [...new Set(right)].join(' or ') || 'none of these blocks';
    return `${said} at block ${named ?? '?'}, of ${couldBe}; right is ${should} (${claim.miner} ${claim.proof.slice(0, 8)})`;
  }
}

function turning(name, { instances, database, missing }) {
  const skip = missing ?? false;
  let world, season, clip, first;
  const env = { SCOREVISION_RATE_LIMIT: '1000000/60s', SCOREVISION_ISSUE_INTERVAL: '1' };

  before(async () => {
    if (skip) return;
    world = await createWorld({ finality: 3, env: database ? { SCOREVISION_DATABASE: await database() } : {} });
    for (const key of ['validator', 'one', 'two', 'three']) await world.key(key);
    world.env.SCOREVISION_VALIDATORS = world.keys.validator.address;
    clip = (await world.clip()).hash;
    first = await world.publish(football(FIRST, 1, TURN, clip));
    const second = await world.publish(football(SECOND, TURN, END, clip));
    const serves = await Promise.all(Array.from({ length: instances }, (_, i) =>
      world.startServe({ env: { ...env, SCOREVISION_HOME: world.path('homes', `api-${i}`) } })));
    season = new Season(world, serves);
    season.hashes.push(first.manifest_hash, second.manifest_hash);
    await season.commit('one', FIRST);
  });
  after(() => world?.end());

  const blocks = async (n) => { for (let i = 0; i < n; i++) await season.act(() => world.advance()); };

  test(`${name}: every answer is right for its block`, { skip }, async (t) => {
    const end = season.load();
    await season.commit('two', FIRST);
    const replaced = await season.commit('one', SECOND);
    const { from } = await season.commit('one', SECOND, 'player-v2');
    Object.assign(replaced, { to: from, end: 'not_in_force' });
    const given_up = await season.commit('two', SECOND);
    const proof = await season.act(() => withdraw(world, 'two', SECOND, [PLAYER]));
    Object.assign(given_up, { to: Number(proof.split(':')[0]), end: 'withdrawn' });

    const overlap = ['--overlap', String(OVERLAP)];
    const other = football(FIRST, 1, TURN, clip, { tee: { trusted_share_gamma: 0.5 } });
    const corrected = await season.act(() => world.publish(other, { args: ['--supersede', ...overlap] }));
    season.hashes.push(corrected.manifest_hash);
    await blocks(3);
    await season.act(() => world.json(['manifest', 'rollback', '--to-hash', first.manifest_hash, '--yes', ...overlap]));
    await blocks(3);

    await season.act(() => world.advanceTo(TURN - 2));
    const turned = season.answers.length;
    await blocks(5);
    const late = await season.commit('three', SECOND);
    await blocks(1);
    const over = season.answers.slice(turned);
    await end();

    assert.ok(season.heads.last >= late.from && late.from > TURN);
    const wrong = season.answers.map((one) => season.fault(one)).filter(Boolean);
    const counts = {};
    for (const { answer } of season.answers) counts[told(answer)] = (counts[told(answer)] ?? 0) + 1;
    // Others than challenges may have waited for the index, which is read again for who names a hash that it does not know, or not any
    // more: once a second for all of them.
    const times = over.filter(({ answer }) => answer.status === 200).map(({ ms }) => ms).sort((a, b) => a - b);
    const share = (part) => `${times[Math.min(Math.floor(times.length * part), times.length - 1)].toFixed(1)} ms`;
    const errors = over.filter(({ answer }) => answer.fault || answer.status >= 500).length;
    t.diagnostic(`${name}: ${season.answers.length} answers, ${over.length} at the turning with ${errors} errors; the challenges among them: `
      + `p50 ${share(0.5)}, p99 ${share(0.99)}, most ${share(1)}`);
    t.diagnostic(JSON.stringify(counts));
    assert.deepEqual([...new Set(wrong)].slice(0, 10), [], `${wrong.length} of ${season.answers.length} are wrong`);
    const cases = [`200 ${FIRST} ${TURN}`, `200 ${SECOND} ${END}`, `410 window_expired ${TURN}`, '404 no_active_window',
      '412 wrong_window', '412 expired', '412 not_in_force', '412 withdrawn'];
    assert.deepEqual(cases.filter((one) => !counts[one]), [], 'every kind of answer was given');
  });
}

const postgres = await startPostgres();
after(() => postgres.end?.());
describe('the turning of a window', { concurrency: true }, () => {
  describe('on one instance', () => turning('SQLite', { instances: 1 }));
  describe('on a fleet', () => turning('a fleet', { instances: 3, database: () => postgres.database('turning'), missing: postgres.missing }));
});
