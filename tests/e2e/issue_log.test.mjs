// The published issue log, from the server that hands challenges out to whoever audits them: shards are held against it, and when
// a window is over every draw is made again from the K that is public then, and not before. Mirrors that lie, an issuer who signs
// two different things, and a publisher that is killed while it writes.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { askV3 } from './api.mjs';
import { createWorld, waitFor } from './harness.mjs';
import { Killer, records } from './killing.mjs';
import { startMirror } from './mirror.mjs';
import { bare, canonical, sha256, signDocument } from './peer.mjs';
import { END, logFolder, logNames, publicLog as publishedLog, recordsOf, withRecords } from './published.mjs';
import { PLAYER, SLUG, commit, football } from './season.mjs';

const CURRENT = '2025-10-23', NEXT = '2025-10-24', EXPIRY = 40;
let world, serve, mirror, honest, manifests, proofs, shard, draw;
const env = { SCOREVISION_ISSUE_INTERVAL: '1' };
const seen = []; // everything that was public before the window was closed

before(async () => {
  world = await createWorld({ finality: 3 });
  for (const name of ['validator', 'miner', 'stranger']) await world.key(name);
  world.env.SCOREVISION_VALIDATORS = world.keys.validator.address;
  const { hash } = await world.clip();
  manifests = {};
  for (const [id, start, end] of [[CURRENT, 1, EXPIRY], [NEXT, EXPIRY, 100_000]]) {
    manifests[id] = (await world.publish(football(id, start, end, hash))).manifest_hash;
  }
  proofs = { [CURRENT]: await commit(world, 'miner', CURRENT, [PLAYER]), [NEXT]: await commit(world, 'miner', NEXT, [PLAYER]) };
  serve = await world.startServe({ env });
  await serve.settle();
  mirror = await startMirror(world);
  honest = await startMirror(world);
  const chute = await world.startChute(SLUG);
  const run = await world.json(['runner', '--once', '--miner', world.keys.miner.address], { as: 'validator', env: {
    SCOREVISION_USE_CHALLENGE_V3: '1', SCOREVISION_API: serve.url, SCOREVISION_RESULTS_STORE: `file:${world.path('results')}`,
    CHUTES_MINER_BASE_URL_TEMPLATE: chute.template, SCOREVISION_EVALUATOR: world.evaluator } });
  [shard] = run.shards;
  for (let i = 0; i < 3; i++) await ask(CURRENT);
  await world.advance(4);
});
after(async () => { await mirror.end(); await honest.end(); await world.end(); });

const ask = async (window, url = serve.url) => {
  const { status, body } = await askV3({
    base: url, key: world.keys.validator, miner: world.keys.miner.address, manifestHash: manifests[window], elementId: PLAYER,
    proof: proofs[window] });
  assert.equal(status, 200, JSON.stringify(body));
  return body;
};
const folder = (window) => logFolder(world, window);
const names = (window) => logNames(world, window);
const read = (window, name) => readFileSync(`${folder(window)}/${name}`, 'utf8');
const publicLog = (window) => publishedLog(world, window);
const published = (window, id) => waitFor(`challenge ${id} in the issue log`, () => publicLog(window).next > Number(id));

const metricsOf = (text) => (name) => Number(new RegExp(`^sv_issue_publisher_${name} (\\S+)$`, 'm').exec(text)?.[1]);

const audit = async (lines, { expect = 0, from = {} } = {}) => {
  const input = lines.map((line) => `${typeof line === 'string' ? line : canonical(line)}\n`).join('');
  return world.json(['validator', 'audit', '-'], { as: `auditor${counter++}`, input, expect, env: from });
};
let counter = 0;
const draws = (args, options = {}) => world.json(['validator', 'audit', '--draws', ...args], { as: `drawer${counter++}`, ...options });
const signed = (change) => signDocument({ ...shard, ...change }, world.keys.validator.seed);
const firstFile = () => `1-${JSON.parse(read(CURRENT, '1.json')).last}.jsonl`;
const lieAbout = (name, lie) => { mirror.manifests = (out, bytes, incoming) => (incoming.url.endsWith(`/issued/${CURRENT}/${name}`)
  ? lie(out, bytes) : bytes ? out.end(bytes) : out.writeHead(404).end()); };
const without = (text, change, key = world.keys.operator) => text.trimEnd().split('\n').map((line) => {
  const document = JSON.parse(line);
  const read = { ...document, records: recordsOf(document) };
  change(read);
  return `${signDocument(withRecords(read, read.records), key.seed)}\n`;
}).join('');

test('what was handed out becomes public while the window goes on', async () => {
  draw = await ask(CURRENT);
  await published(CURRENT, draw.challenge_id);
  const log = publicLog(CURRENT);
  const issued = await records(world, 'issued');
  assert.deepEqual(log.records.map(({ id, seed, nonce }) => [id, seed, nonce]), issued.map((r) => [r.challenge_id, r.seed, r.nonce]));
  assert.equal(log.closed, undefined);
  assert.match(serve.child.output.stderr, new RegExp(`the issue log is published.*${CURRENT}.*${world.keys.operator.address}`));
  await waitFor('the metrics', async () => {
    const text = await (await fetch(`${serve.url}/metrics`)).text();
    return text.includes(`\nsv_issue_publisher_last_id ${draw.challenge_id}\n`) && text.includes('\nsv_issue_publisher_has_key 1\n');
  });
});

test('shards are held against it, from a folder and over HTTP', async () => {
  const last = Number(draw.challenge_id);
  for (const from of [{}, mirror.env]) {
    const good = await audit([shard], { from });
    assert.deepEqual([good.verdicts.accepted, good.issue_confirmed, good.issue_unchecked], [1, 1, 0]);
  }
  const { seed: other } = publicLog(CURRENT).records.find(({ id }) => id !== Number(shard.challenge_id));
  for (const change of [{ challenge_id: String(last) }, { seed: other }, { miner_hotkey: shard.miner_hotkey, seed: 1 }]) {
    const { not_accepted: [first] } = await audit([signed(change)], { expect: 3 });
    assert.deepEqual([first.rule, first.reason], [7, 'not_issued'], first.detail);
  }
  const beyond = await audit([signed({ challenge_id: '1000000' })]);
  assert.deepEqual([beyond.verdicts.accepted, beyond.issue_unchecked], [1, 1], 'its id may be published yet');
});

test('a mirror can keep the log back, but no good shard is rejected by what it makes up', async () => {
  const file = firstFile();
  const honest = read(CURRENT, file);
  const lies = {
    'nothing there': [file, (out) => out.writeHead(404).end()],
    'cut short': [file, (out) => out.end(honest.slice(0, -20))],
    'empty': [file, (out) => out.end('')],
    'without the record': [file, (out) => out.end(honest.replace(shard.seed, '1'))],
    'signed by a stranger': [file, (out) => out.end(without(honest, (line) => {
      line.records = [];
      line.signed_by = `ss58:${world.keys.stranger.address}`;
    }, world.keys.stranger))],
    'of another window': [file, (out) => out.end(without(honest, (line) => { line.window_id = NEXT; line.records = []; }))],
    'of another range': [file, (out) => out.end(without(honest, (line) => { line.last += 1; line.records = []; }))],
    'too large': [file, (out) => out.end(Buffer.alloc(9 << 20, 0x20))],
    'a signpost to nowhere': ['1.json', (out) => out.end('{"last":9007199254740991}')],
    'a signpost that is none': ['1.json', (out) => out.end('{"last":0}')],
    'a page': ['1.json', (out) => out.end('<html>')],
  };
  for (const [what, [name, lie]] of Object.entries(lies)) {
    lieAbout(name, lie);
    const told = await audit([shard], { from: mirror.env });
    assert.deepEqual([told.verdicts.accepted, told.issue_unchecked], [1, 1], what);
    const [fault] = told.issue_logs[0].faults;
    assert.deepEqual([fault.split(mirror.url).length, fault.split(`${CURRENT}/1`).length], [2, 2], `${fault} names its place once`);
    assert.ok(told.issue_logs[0].faults.length > 0 && told.issue_logs[0].faults[0].includes(mirror.url), what);
  }
  // Signposts without end: each leads one id on, to a file that is not there.
  mirror.manifests = (out, bytes, incoming) => {
    const [, first] = /issued\/[^/]+\/(\d+)\.json$/.exec(incoming.url) ?? [];
    return first ? out.end(`{"last":${first}}`) : bytes && !incoming.url.includes('/issued/') ? out.end(bytes) : out.writeHead(404).end();
  };
  assert.equal((await audit([shard], { from: mirror.env })).issue_unchecked, 1);
  mirror.tellTruth();
});

test('an issuer who signs two different logs has none', async () => {
  const file = firstFile();
  const other = without(read(CURRENT, file), (line) => { line.records = line.records.slice(1); });
  const second = await startMirror(world);
  try {
    second.manifests = (out, bytes, incoming) => (incoming.url.endsWith(file) ? out.end(other) : bytes ? out.end(bytes) : out.writeHead(404).end());
    const told = await audit([shard], { from: { R2_PUBLIC_URL: `${mirror.url},${second.url}` }, expect: 3 });
    assert.deepEqual([told.verdicts.undecided, told.verdicts.rejected, told.not_accepted[0].reason], [1, 0, 'contradicted']);
    const [{ contradiction }] = told.issue_logs;
    assert.ok(contradiction.includes(mirror.url) && contradiction.includes(second.url), contradiction);
    assert.match(contradiction, /keep both, they prove it/);
  } finally {
    await second.end();
  }
});

test('nothing of K is public before the window is over for good', async () => {
  await world.advanceTo(EXPIRY);
  await serve.settle();
  const next = await ask(NEXT);
  await published(NEXT, next.challenge_id); // so the publisher has looked at both windows since
  assert.equal(publicLog(CURRENT).closed, undefined, 'its expiry is not final');
  const { windows: [early] } = await draws(['--window-id', CURRENT], { expect: 4 });
  assert.equal(early.verdict, 'not closed');
  assert.match(early.detail, new RegExp(`block ${EXPIRY}`));
  for (const window of [CURRENT, NEXT]) for (const name of names(window)) seen.push(read(window, name));
  for (const path of ['metrics', 'readyz', 'openapi.json', 'scorevision/index.json']) seen.push(await (await fetch(`${serve.url}/${path}`)).text());
  seen.push(serve.child.output.stderr, serve.child.output.stdout, JSON.stringify(draw));
  await world.advance(4);
  const { closed } = await waitFor('the closing line', () => { const log = publicLog(CURRENT); return log.closed && log; });
  const { [manifests[CURRENT]]: key } = closed.keys;
  assert.match(key, /^[0-9a-f]{64}$/);
  assert.deepEqual(Object.keys(closed.keys), [manifests[CURRENT]], 'and no other window\'s');
  assert.equal(sha256(Buffer.from(key, 'hex')), draw.draw_commit);
  assert.ok(seen.every((text) => !text.includes(key) && !text.includes(Buffer.from(key, 'hex').toString('base64'))));
  assert.equal(closed.last_id, Number(draw.challenge_id));
});

test('every draw of a closed window can be made again, by anybody', async () => {
  const { records: all, closed } = publicLog(CURRENT);
  const key = Buffer.from(closed.keys[manifests[CURRENT]], 'hex');
  for (const { manifest_hash: hash, element_id: element, asker, miner, nonce, seed } of all) {
    const text = canonical(['sv1/draw', hash, element, bare(asker), bare(miner), nonce]);
    const first = createHmac('sha256', key).update(text).digest().readBigUInt64BE();
    assert.equal(BigInt(seed), first >> 11n);
  }
  for (const from of [{}, mirror.env]) {
    const { windows: [right] } = await draws([], { env: from });
    assert.deepEqual([right.window_id, right.verdict, right.records, right.wrong], [CURRENT, 'right', all.length, 0]);
    assert.deepEqual(right.keys, [{ manifest_hash: manifests[CURRENT], draw_commit: draw.draw_commit, records: all.length }]);
  }
  const { stdout } = await world.sv(['validator', 'audit', '--draws'], { as: 'drawer' });
  assert.match(stdout, new RegExp(`${CURRENT}\\s+${all.length}\\s+0\\s+right`));
  const { stderr } = await world.sv(['validator', 'audit', '--draws', 'shards.jsonl'], { as: 'drawer', expect: 2 });
  assert.match(stderr, /usage: sv validator audit --draws \[--window-id W\]/);
  await draws(['--window-id', NEXT], { expect: 4 });
  await draws(['--window-id', '2020-01-01'], { expect: 4 });
});

test('a shard says by which K its answer was drawn, and an audit compares', async () => {
  assert.equal(shard.draw_commit, draw.draw_commit);
  assert.deepEqual((await audit([shard])).draw_commits, { same: 1, different: 0, details: [] });
  const { draw_commit: _, ...older } = shard;
  assert.equal((await audit([signDocument(older, world.keys.validator.seed)])).draw_commits.same, 0);
  const told = await audit([signed({ draw_commit: manifests[NEXT] })], { expect: 3 });
  assert.deepEqual([told.verdicts.accepted, told.draw_commits.different], [1, 1], 'who is wrong cannot be told by it alone');
  assert.match(told.draw_commits.details[0], new RegExp(`${world.keys.validator.address}.*${manifests[NEXT]}.*${draw.draw_commit}`));
  const { stdout } = await world.sv(['validator', 'audit', '-'], { as: 'auditor', input: `${canonical(shard)}\n` });
  assert.match(stdout, /^issue log: 1 confirmed, 0 unchecked$/m);
  assert.match(stdout, /^draw_commit: 1 as the K that was published, 0 different$/m);
});

test('two closing lines contradict each other', async () => {
  const closing = names(CURRENT).find((name) => name.endsWith(`-${END}.jsonl`));
  const other = without(read(CURRENT, closing), (line) => { line.closed.keys = {}; });
  lieAbout(closing, (out) => out.end(other));
  const { windows: [told] } = await draws(['--window-id', CURRENT], { env: { R2_PUBLIC_URL: `${honest.url},${mirror.url}` }, expect: 3 });
  assert.equal(told.verdict, 'contradicted');
  assert.match(told.detail, /contradicts.*keep both, they prove it/);
  assert.ok(told.detail.includes(honest.url) && told.detail.includes(mirror.url), told.detail);
  mirror.tellTruth();
});

test('a shard from after the end is no challenge', async () => {
  const late = await audit([signed({ challenge_id: '1000000' })], { expect: 3 });
  assert.equal(late.not_accepted[0].reason, 'not_issued');
  const { status, body } = await askV3({ base: serve.url, key: world.keys.validator, miner: world.keys.miner.address,
    manifestHash: manifests[CURRENT], elementId: PLAYER, proof: proofs[CURRENT] });
  assert.deepEqual([status, body.error], [410, 'window_expired']);
});

test('a draw that was not drawn is named', async () => {
  const file = firstFile(), honest = read(CURRENT, file);
  const { last_id: lastId } = publicLog(CURRENT).closed;
  const closing = names(CURRENT).find((name) => name.endsWith(`-${END}.jsonl`));
  const cases = [
    ['seed', file, (line) => { line.records[0].seed += 1; }],
    ['clip', file, (line) => { line.records[0].clip_hash = manifests[CURRENT]; }],
    ['element', file, (line) => { line.records[0].element_id = 'NoSuch@1'; }],
    ['manifest', file, (line) => { line.records[0].manifest_hash = manifests[NEXT]; }],
    ['block', file, (line) => { line.records[0].block = EXPIRY; }],
    ['last_id', closing, (line) => { line.closed.last_id = lastId - 1; }],
    ['key', closing, (line) => { line.closed.keys = {}; }],
  ];
  for (const [reason, name, change] of cases) {
    const spoilt = without(name === file ? honest : read(CURRENT, name), change);
    lieAbout(name, (out) => out.end(spoilt));
    const { windows: [wrong] } = await draws(['--window-id', CURRENT], { env: mirror.env, expect: 3 });
    assert.equal(wrong.verdict, 'wrong', reason);
    assert.ok(wrong.faults.every((fault) => fault.reason === reason), JSON.stringify(wrong.faults));
    if (reason !== 'last_id') assert.ok(wrong.faults[0].challenge_id >= 1);
  }
  lieAbout(file, (out) => out.writeHead(404).end());
  const { windows: [gap] } = await draws(['--window-id', CURRENT], { env: mirror.env, expect: 5 });
  assert.equal(gap.verdict, 'unreadable');
  assert.match(gap.detail, /from challenge 1 on/);
  mirror.tellTruth();
});

test('a publisher that is killed while it writes is gone on with', async () => {
  let killed = 0;
  await serve.stop();
  for (const step of [1, 2, 3, 4, 6, 8, 10, 12]) {
    const killer = new Killer(world);
    killer.disarm();
    const victim = await world.startServe({ env: { ...env, ...killer.env } });
    await victim.settle();
    const { challenge_id: id } = await ask(NEXT, victim.url);
    killer.arm(step);
    const { signal } = await Promise.race([victim.child.ended, published(NEXT, id).then(() => ({}))]);
    killer.disarm();
    if (signal === undefined) await victim.stop();
    else killed += 1;
    const log = publicLog(NEXT); // what is there is right at any moment
    assert.equal(new Set(log.records.map((record) => record.id)).size, log.records.length);
  }
  assert.ok(killed >= 6, `killed ${killed} times`);
  serve = await world.startServe({ env });
  await serve.settle();
  const { challenge_id: id } = await ask(NEXT);
  await published(NEXT, id);
  const issued = (await records(world, 'issued')).filter(({ block }) => block >= EXPIRY);
  assert.deepEqual(publicLog(NEXT).records.map((record) => record.id), issued.map((record) => record.challenge_id));
  const leaves = names(NEXT).filter((name) => name.endsWith('.jsonl'));
  assert.equal(leaves.length, publicLog(NEXT).files, 'no file lies there that no signpost leads to');
});

test('the lag grows while the store takes nothing', async () => {
  const taken = `${folder(NEXT)}.away`;
  renameSync(folder(NEXT), taken);
  writeFileSync(folder(NEXT), 'in the way');
  const { challenge_id: id } = await ask(NEXT);
  await waitFor('a failure, and a lag', async () => {
    const value = metricsOf(await (await fetch(`${serve.url}/metrics`)).text());
    return value('failures_total') > 0 && value('lag_seconds') > 2;
  });
  rmSync(folder(NEXT));
  renameSync(taken, folder(NEXT));
  await published(NEXT, id);
  await waitFor('no lag', async () => metricsOf(await (await fetch(`${serve.url}/metrics`)).text())('lag_seconds') === 0);
});

test('who cannot sign for the window says so, and serves', async () => {
  await serve.stop();
  world.write('wallets/default/hotkeys/boxed', Buffer.concat([Buffer.from('$NACL'), Buffer.alloc(200)]), 0o600);
  for (const [as, pattern] of [
    ['stranger', /NOT published.*issuers are/], ['nobody', /NOT published.*sv key new/], ['boxed', /NOT published.*BT_PW_/],
  ]) {
    const other = await world.startServe({ env: { ...env, BITTENSOR_WALLET_HOT: as } });
    await other.settle();
    const { challenge_id: id } = await ask(NEXT, other.url);
    await waitFor('a warning', () => pattern.test(other.child.output.stderr));
    await waitFor('a lag that is not 0', async () => {
      const value = metricsOf(await (await fetch(`${other.url}/metrics`)).text());
      return as === 'stranger' ? value('lag_seconds') > 0 && value('refused_windows') > 0 : Number.isNaN(value('lag_seconds'));
    });
    await other.stop();
    assert.ok(publicLog(NEXT).next <= Number(id));
  }
});

test('another database gives no id that is public, adds nothing to the log, and says so', async () => {
  const before = names(NEXT).length, { next } = publicLog(NEXT);
  const database = { SCOREVISION_DATABASE: `sqlite:${world.path('other.sqlite')}` };
  await world.json(['clip', 'add', world.path('clip.mp4'), '--sport', 'football', '--scenario', 'match', '--challenge-type', 'football'],
    { env: database });
  const other = await world.startServe({ env: { ...env, ...database } });
  await other.settle();
  const honest = await ask(NEXT, other.url);
  assert.ok(Number(honest.challenge_id) >= next, `challenge ${honest.challenge_id}, and ids below ${next} are public`);
  await world.advance(4);
  const told = await audit([signed({ window_id: NEXT, manifest_hash: manifests[NEXT], commitment_proof: proofs[NEXT],
    ...Object.fromEntries(['challenge_id', 'clip_hash', 'seed', 'block'].map((key) => [key, honest[key]])) })]);
  assert.deepEqual([told.verdicts.accepted, told.issue_unchecked], [1, 1], JSON.stringify(told.not_accepted));
  await waitFor('a warning', () => /SCOREVISION_DATABASE is an older copy or another/.test(other.child.output.stderr));
  await waitFor('the metrics', async () => {
    const value = metricsOf(await (await fetch(`${other.url}/metrics`)).text());
    return value('refused_windows') >= 1 && value('lag_seconds') > 0;
  });
  assert.equal(names(NEXT).length, before);
  assert.equal((await askV3({ base: other.url, key: world.keys.validator, miner: world.keys.miner.address,
    manifestHash: manifests[CURRENT], elementId: PLAYER, proof: proofs[CURRENT] })).status, 410);
  await other.stop();

  const absurd = `${folder(NEXT)}/${next}.json`;
  writeFileSync(absurd, `{"last":${END - 1}}`);
  const shut = await world.startServe({ env, until: '/healthz' });
  const message = await waitFor('not ready', async () => {
    const answer = await fetch(`${shut.url}/readyz`);
    return answer.status === 503 && (await answer.json()).message.includes('issue log') && shut.child.output.stderr;
  });
  assert.match(message, /which no server has come to/);
  rmSync(absurd);
  await shut.settle();
  await shut.stop();
});
