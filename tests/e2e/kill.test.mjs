// kill -9 at each step of publishing, committing and issuing: nothing is lost, nothing is half visible, and the same command
// run again completes.
import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createWorld } from './harness.mjs';
import { askV3, freshNonce } from './api.mjs';
import { Killer, assertStoreIsWhole, killAtEachStep, readIndex, receipts, records, textsOf } from './killing.mjs';
import { BALL, CHUTE_ID, PLAYER, SLUG, commit, element, football, manifest } from './season.mjs';

const CURRENT = '2025-10-23';
const UPCOMING = '2025-10-24';
const LATER = '2025-11-24';
const CLIP = `sha256:${'a'.repeat(64)}`;
const FEWEST_STEPS = 8; // fewer would mean that the library was not loaded

const season = (windowId, start, expiry, beta = 1) => manifest(windowId, start, expiry, [
  element(PLAYER, [CLIP], { beta }), element(BALL, [CLIP])]);

describe('kill -9', { concurrency: true }, () => {
  test('publishing: a new window, a manifest that supersedes another, a window of much later that moves these into the archive', async () => {
    const world = await createWorld({ finality: 0 }); // anchors count from finalized blocks
    let earlier; // the index before the command
    const isStored = (hash) => existsSync(world.path('store', 'scorevision', 'manifests', `${hash}.json`));

    const archivePath = ({ archive }) => world.path('store', 'scorevision', 'archive', `${archive.slice('sha256:'.length)}.json`);

    // What is anchored is in the index, and what is in the index is in the store.
    function checkOrder(index, anchors) {
      assertStoreIsWhole(world);
      if (index.archive) assert.ok(existsSync(archivePath(index)), 'the archive is in the index only');
      for (const { hash } of [...index.manifests, ...index.superseded ?? []]) assert.ok(isStored(hash), `${hash} is in the index only`);
      for (const [, , hash, sequence] of anchors.map((text) => text.split(' '))) {
        assert.ok(Number(sequence) <= index.sequence && isStored(hash), `${hash} ${sequence} is anchored only`);
      }
    }

    async function invariants() {
      checkOrder(readIndex(world), await textsOf(world, 'operator'));
      const { manifests } = await world.json(['manifest', 'list', '--all']); // verifies the index and its archive
      assert.ok(manifests.some(({ window_id: id }) => id === CURRENT));
    }

    // One change of the index, anchored once, that leads back to what was there before.
    async function completed(windowId) {
      const index = readIndex(world);
      const anchors = await textsOf(world, 'operator');
      checkOrder(index, anchors);
      assert.equal(index.sequence, earlier.sequence + 1);
      assert.equal(index.manifests.filter(({ window_id: id }) => id === windowId).length, 1);
      assert.equal(anchors.filter((text) => text === `sv1 manifest ${index.newest} ${index.sequence}`).length, 1);
      assert.equal(JSON.parse(world.read('store', 'scorevision', 'manifests', `${index.newest}.json`)).previous, earlier.newest);
      assert.equal((await world.json(['manifest', 'current'])).anchor, 'anchored');
    }

    try {
      await world.publish(season(CURRENT, 1, 1000));
      await world.advance(5);
      const upcoming = world.write('authored/upcoming.json', season(UPCOMING, 1000, 2000));
      const better = world.write('authored/better.json', season(CURRENT, 1, 1000, 2));
      for (const [args, windowId, stride] of [[['--yes', upcoming], UPCOMING, 1], [['--supersede', '--yes', better], CURRENT, 3]]) {
        earlier = readIndex(world);
        const steps = await killAtEachStep(world, ['manifest', 'publish', ...args], {
          as: 'operator', invariants, completed: () => completed(windowId), stride });
        assert.ok(steps >= FEWEST_STEPS, `${steps} steps`);
      }

      const start = await world.advanceTo(2000 + 50_400);
      const later = world.write('authored/later.json', season(LATER, start, start + 1000));
      earlier = readIndex(world);
      const steps = await killAtEachStep(world, ['manifest', 'publish', '--yes', later], { as: 'operator', invariants, stride: 2, completed: async () => {
        await completed(LATER);
        const index = readIndex(world);
        const archive = JSON.parse(readFileSync(archivePath(index)));
        assert.deepEqual([index.manifests.length, index.superseded.length, archive.manifests.length, archive.superseded.length], [1, 0, 2, 1]);
      } });
      assert.ok(steps >= FEWEST_STEPS, `${steps} steps`);
    } finally {
      await world.end();
    }
  });

  const COMMIT = ['miner', 'commit', '--window-id', UPCOMING, '--elements', `${PLAYER},${BALL}`, '--service-cap-fps', '45',
    '--bind', `${PLAYER}=player-v1,${SLUG},${CHUTE_ID}`, '--bind', `${BALL}=ball-v1,${SLUG},${CHUTE_ID}`];
  const WITHDRAW = ['miner', 'commit', '--withdraw', '--window-id', UPCOMING, '--elements', PLAYER];

  // @runs: [args, texts on the chain afterwards, elements bound afterwards].
  async function killCommits(options, runs, stride) {
    const world = await createWorld(options);

    // Receipts claim nothing that is not on the chain, and nothing is there twice.
    async function invariants() {
      const chain = (await records(world, 'chain')).filter(({ signer }) => signer === world.keys.miner.address);
      const proofs = chain.map(({ block, hash }) => `${block}:${hash}`);
      assert.equal(new Set(chain.map(({ text }) => text)).size, chain.length, 'a text is on the chain twice');
      for (const { commitment_proof: proof } of receipts(world, 'miner', UPCOMING)?.bindings ?? []) {
        assert.ok(proofs.includes(proof), `${proof} is claimed, the chain has ${proofs}`);
      }
      return chain.length;
    }

    async function completed(nTexts, elements) {
      assert.equal(await invariants(), nTexts);
      assert.deepEqual(receipts(world, 'miner', UPCOMING).bindings.map((binding) => binding.element_id).sort(), elements.sort());
      assert.ok(!existsSync(world.path('homes', 'miner', 'commitments', `${UPCOMING}.pending`)), 'something is still pending');
    }

    try {
      await world.key('miner');
      await world.publish(season(UPCOMING, 10_000, 20_000));
      for (const [args, nTexts, elements] of runs) {
        const steps = await killAtEachStep(world, args, {
          as: 'miner', invariants, completed: () => completed(nTexts, elements), stride });
        assert.ok(steps >= FEWEST_STEPS, `${steps} steps`);
      }
    } finally {
      await world.end();
    }
  }

  test('committing and withdrawing', () =>
    killCommits({}, [[COMMIT, 1, [PLAYER, BALL]], [WITHDRAW, 2, [BALL]]], 1));

  // The clock makes the blocks here, and making one takes steps as well: a few of them are enough.
  test('committing where the extrinsic waits in the pool', () =>
    killCommits({ blockTime: '300ms' }, [[COMMIT, 1, [PLAYER, BALL]]], 4));

  test('issuing: every challenge answered is in the issue log, and its nonce stays used', async () => {
    const world = await createWorld({ env: { SCOREVISION_RATE_LIMIT: '100000/60s' } });
    try {
      const miner = await world.key('miner');
      const clip = (await world.clip()).hash;
      const { manifest_hash: manifestHash } = await world.publish(football(CURRENT, 1, 1000, clip));
      const proof = await commit(world, 'miner', CURRENT, [PLAYER]);
      const killer = new Killer(world);
      const answered = new Map(); // nonce -> answer
      const inDoubt = new Set(); // nonces sent, but never answered
      const ask = (serve, nonce) => askV3({ base: serve.url, key: miner, manifestHash, elementId: PLAYER, proof, nonce });

      async function askOne(serve) {
        const nonce = freshNonce();
        const answer = await ask(serve, nonce).catch(() => null);
        if (answer === null) inDoubt.add(nonce);
        else assert.equal(answer.status, 200, answer.text);
        if (answer !== null) answered.set(nonce, answer.body);
      }

      // The log holds each answer as it was given, and no id twice; what it holds of those in doubt is used up as well.
      async function checkLog(serve, recent) {
        const log = await records(world, 'issued');
        const byNonce = new Map(log.map((record) => [record.nonce, record]));
        assert.equal(byNonce.size, log.length, 'a nonce is in the log twice');
        assert.equal(new Set(log.map((record) => record.challenge_id)).size, log.length, 'an id was given twice');
        for (const [nonce, answer] of answered) {
          const record = byNonce.get(nonce);
          assert.ok(record, `challenge ${answer.challenge_id} was answered, and is not in the log`);
          assert.equal(String(record.challenge_id), answer.challenge_id);
          assert.deepEqual([record.seed, record.clip_hash, record.block], [answer.seed, answer.clip_hash, answer.block]);
        }
        for (const nonce of [...recent, ...inDoubt].filter((one) => byNonce.has(one))) {
          const { status, body } = await ask(serve, nonce);
          assert.deepEqual([status, body.reason], [401, 'replayed_nonce']);
        }
        inDoubt.clear();
      }

      for (let step = 1, recent = []; ; step += 1) {
        killer.disarm();
        const serve = await world.startServe({ env: killer.env });
        await checkLog(serve, recent);
        const known = new Set(answered.keys());
        killer.arm(step);
        await askOne(serve);
        await Promise.all([askOne(serve), askOne(serve)]);
        recent = [...answered.keys()].filter((nonce) => !known.has(nonce));
        if (inDoubt.size === 0) {
          killer.disarm();
          await serve.stop();
          assert.ok(step > FEWEST_STEPS / 2, `${step - 1} steps`);
          break;
        }
        assert.equal((await serve.child.ended).signal, 'SIGKILL');
      }
      const serve = await world.startServe();
      await checkLog(serve, [...answered.keys()].slice(-3));
    } finally {
      await world.end();
    }
  });
});
