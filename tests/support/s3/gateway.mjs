// A real S3 server and a bucket on it, for tests in JavaScript (tests/support/s3/gateway tells what it is).
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const MISSING = 3;

// { settings, stop() }, or { missing } where Ceph is not installed. @settings are those of sv.
export async function startGateway() {
  const dir = mkdtempSync(path.join(tmpdir(), 'sv-s3-'));
  const child = spawn(path.join(here, 'gateway'), [dir], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.on('close', resolve));
  const line = await new Promise((resolve) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    ended.then(() => resolve(''));
  });
  const [endpoint, id, secret] = line.split(' ');
  const stop = async () => {
    child.stdin.end(); // the server ends with its input
    const status = await ended;
    rmSync(dir, { recursive: true, force: true });
    return status;
  };
  if (secret !== undefined) return { settings: { S3_ENDPOINT: endpoint, R2_WRITE_ACCESS_KEY_ID: id, R2_WRITE_SECRET_ACCESS_KEY: secret }, stop };
  if (await stop() === MISSING) return { missing: 'no S3 server: Ceph is not installed here (scripts/install-deps)' };
  throw new Error('the S3 server did not start');
}

// scorevision/… is readable for everybody, the rest is not.
export function makeBucket(build, settings, name) {
  const made = spawnSync(path.join(build, 'tests', 'support', 'make_bucket'), [name], { env: { HOME: '/', ...settings }, encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`make_bucket ended with ${made.status ?? made.signal}: ${made.stderr}`);
}
