// A private PostgreSQL for tests in JavaScript (tests/support/postgres/server tells what it is).
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const MISSING = 3;

// { url, password, down(), up(), sql(database, statement), database(name), end() }, or { missing } where PostgreSQL is not
// installed. down() is like a crash; database() makes one, and returns its URL.
export async function startPostgres() {
  const dir = mkdtempSync(path.join(tmpdir(), 'sv-postgres-'));
  const child = spawn(path.join(here, 'server'), [dir], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => {});
  const ended = new Promise((resolve) => child.on('close', resolve));
  const waiting = [];
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.(line));
  const nextLine = () => new Promise((resolve) => { waiting.push(resolve); ended.then(() => resolve(undefined)); });
  const tell = async (command) => {
    const answer = nextLine();
    child.stdin.write(`${command}\n`);
    return (await answer)?.trim();
  };
  const end = async () => {
    child.stdin.end(); // the server ends with its input
    const status = await ended;
    rmSync(dir, { recursive: true, force: true });
    return status;
  };
  const url = await nextLine();
  if (url === undefined) {
    if (await end() === MISSING) return { missing: 'PostgreSQL is not installed here (scripts/install-deps)' };
    throw new Error('the PostgreSQL server did not start');
  }
  const expect = async (command, wanted) => {
    const answer = await tell(command);
    if (answer !== wanted) throw new Error(`${command}: ${answer}`);
  };
  return {
    url,
    password: new URL(url).password,
    down: () => expect('stop', 'stopped'),
    up: () => expect('start', 'started'),
    sql: (database, statement) => tell(`sql ${database} ${statement}`),
    database: async (name) => { await expect(`sql postgres CREATE DATABASE ${name} OWNER sv`, ''); return url + name; },
    // One in which our role may make nothing.
    foreignDatabase: async (name) => { await expect(`sql postgres CREATE DATABASE ${name}`, ''); return url + name; },
    end,
  };
}
