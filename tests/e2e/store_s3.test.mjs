// sv store check and mirror where the store is a bucket: a real object gateway, whose public side shows scorevision/… only.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { build, createWorld } from './harness.mjs';
import { makeBucket, startGateway } from '../support/s3/gateway.mjs';
import { sha256 } from './peer.mjs';
import { PLAYER, element, manifest } from './season.mjs';

const BUCKET = 'scorevision';
const CLIP = 'a clip, as far as a store knows';
const KEY = `private/clips/${sha256(CLIP).replace('sha256:', '')}`;
const gateway = await startGateway();
const skip = gateway.missing ?? false;
let world, live;

before(async () => {
  if (skip) return;
  world = await createWorld({ finality: 0, env: { ...gateway.settings, S3_REGION: 'us-east-1' } });
  makeBucket(build, gateway.settings, BUCKET);
  live = (await world.publish(manifest('2025-10-23', 1, 1000, [element(PLAYER, [sha256(CLIP)])]))).manifest_hash;
  world.write(`store/${KEY}`, CLIP);
});
after(async () => {
  if (skip) return;
  await world.end();
  await gateway.stop();
});

// A request as the owner, signed as S3 wants it (AWS Signature Version 4), past sv.
async function request(method, key, body) {
  const { R2_WRITE_ACCESS_KEY_ID: id, R2_WRITE_SECRET_ACCESS_KEY: secret, S3_REGION: region } = world.env;
  const url = new URL(`${gateway.settings.S3_ENDPOINT}/${BUCKET}/${key.split('/').map(encodeURIComponent).join('/')}`);
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const headers = { host: url.host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'x-amz-date': time };
  const names = Object.keys(headers).sort();
  const canonical = [method, url.pathname, '', ...names.map((name) => `${name}:${headers[name]}`), '', names.join(';'), 'UNSIGNED-PAYLOAD'].join('\n');
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const signingKey = scope.split('/').reduce((k, part) => createHmac('sha256', k).update(part).digest(), `AWS4${secret}`);
  const signature = createHmac('sha256', signingKey).update(text).digest('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${id}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  const answer = await fetch(url, { method, body, headers: { ...headers, authorization } });
  assert.ok(answer.ok, `${method} ${key}: ${answer.status} ${await answer.text()}`);
}

const inBucket = { env: { SCOREVISION_STORE: `s3://${BUCKET}` } };
const withPublic = () => ({ env: { ...inBucket.env, R2_PUBLIC_URL: `${gateway.settings.S3_ENDPOINT}/${BUCKET}` } });

test('a store is copied into a bucket, is sound there, and its clips are not public', { skip }, async () => {
  const report = await world.json(['store', 'mirror', `s3://${BUCKET}`, '--private']);
  assert.deepEqual([report.copied, report.index, report.faults], [4, 'written', []]);
  const { is_sound: isSound, notes, kinds } = await world.json(['store', 'check'], withPublic());
  assert.ok(isSound);
  assert.equal(kinds.find(({ kind }) => kind === 'clips').objects, 1);
  assert.ok(notes.some((note) => note.includes('shows the same index')), notes.join('\n'));
  assert.ok(!notes.some((note) => note.includes('cannot be told')), notes.join('\n'));
  assert.equal((await world.json(['store', 'mirror', `s3://${BUCKET}`, '--private'])).copied, 0);
  const fresh = await fetch(`${gateway.settings.S3_ENDPOINT}/${BUCKET}/scorevision/index.json`);
  assert.equal(fresh.headers.get('cache-control'), 'public, max-age=15, must-revalidate');
});

test('what is damaged in a bucket is told and repaired there', { skip }, async () => {
  const hex = live.replace('sha256:', '');
  await request('DELETE', `scorevision/manifests/${hex}.json`);
  await request('PUT', `scorevision/manifests/${live}.json`, 'not this');
  await request('PUT', 'scorevision/index.json', '{}');
  await request('PUT', KEY, `${CLIP}!`);
  const told = await world.json(['store', 'check', '--repair', '--yes'], { ...inBucket, expect: 3 });
  assert.deepEqual(told.faults.filter(({ repaired_from: from }) => from === null).map(({ key }) => key), [KEY]);
  assert.equal(told.faults.length, 4);
  const copied = await world.json(['store', 'mirror', `s3://${BUCKET}`, '--private']); // has another size there
  assert.deepEqual([copied.copied, copied.index], [1, 'same']);
  assert.ok((await world.json(['store', 'check'], withPublic())).is_sound);
});

test('a bucket is copied into a folder', { skip }, async () => {
  const report = await world.json(['store', 'mirror', `s3://${BUCKET}`, `file:${world.path('copy')}`, '--private']);
  assert.deepEqual([report.copied, report.index], [4, 'written']);
  assert.equal(String(world.read('copy', KEY)), CLIP);
});
