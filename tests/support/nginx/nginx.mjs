// A real nginx (Debian's nginx-light) with a folder and a port of its own, as a process without rights, run by the example that
// operators get: only its origin, its port and its folder are put in place of the example's.
//
//   const cache = await startNginx({ origin: 'http://127.0.0.1:1234' });     a bucket's path may follow
//   cache.url; await cache.log('/scorevision/index.json')                    [{ uri, status, cache }], oldest first
//   await cache.stop('SIGKILL')
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
export const example = readFileSync(path.resolve(here, '..', '..', '..', 'examples', 'nginx', 'scorevision.conf'), 'utf8');
const program = ['/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/sbin/nginx'].find((file) => existsSync(file));
const NOBODY = 65534;
const DEADLINE_MS = 20_000;

export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// Replaces what the example must hold; an example that does not hold it any more fails here.
export function put(text, replacements) {
  return Object.entries(replacements).reduce((all, [before, after]) => {
    if (!all.includes(before)) throw new Error(`the example has no "${before}"`);
    return all.replaceAll(before, after);
  }, text);
}

function settle(config, { origin, port, folder }) {
  const { host, pathname } = new URL(origin);
  const bucket = pathname === '/' ? '' : pathname.replace(/\/$/, '');
  return put(config, {
    'server 127.0.0.1:8080;': `server ${host};`,
    'listen 80;': `listen 127.0.0.1:${port};`,
    '/var/cache/nginx/scorevision': `${folder}/cache`,
    'http://scorevision_origin/scorevision/': `http://scorevision_origin${bucket}/scorevision/`,
  });
}

// What Debian's nginx.conf does around conf.d/, for a process that may write to @folder only.
function around(folder) {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/temp/${name};`);
  return `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 512; }
http {
  ${temporary.join('\n  ')}
  log_format cache escape=json '{"uri":"$uri","method":"$request_method","status":$status,"cache":"$upstream_cache_status"}';
  access_log ${folder}/access.log cache;
  include ${folder}/scorevision.conf;
}
`;
}

function makeFolder() {
  const folder = mkdtempSync(path.join(tmpdir(), 'sv-nginx-'));
  mkdirSync(path.join(folder, 'temp'));
  if (process.getuid() === 0) for (const one of [folder, path.join(folder, 'temp')]) chownSync(one, NOBODY, NOBODY);
  chmodSync(folder, 0o755);
  return folder;
}

function run(folder) {
  const rights = process.getuid() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const child = spawn(program, ['-c', path.join(folder, 'nginx.conf'), '-p', folder, '-e', 'stderr'],
    { stdio: ['ignore', 'ignore', 'pipe'], detached: true, env: {}, ...rights });
  child.stderr.setEncoding('utf8');
  child.said = '';
  child.stderr.on('data', (text) => { child.said += text; });
  child.hasEnded = new Promise((resolve) => {
    child.on('error', (error) => { child.said += error; child.isOver = true; resolve(); });
    child.on('close', () => { child.isOver = true; resolve(); });
  });
  return child;
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 20));

const canConnect = (port) => new Promise((resolve) => {
  const socket = connect(port, '127.0.0.1', () => resolve(true));
  socket.on('error', () => resolve(false)).on('close', () => resolve(false));
  socket.on('connect', () => socket.destroy());
});

export async function listens(port, child) {
  for (const end = Date.now() + DEADLINE_MS; !child.isOver && Date.now() < end; await pause()) {
    if (await canConnect(port)) return true;
  }
  return false;
}

// To the master and its workers, which are a process group.
function signal(child, name) {
  if (child.pid !== undefined && !child.isOver) process.kill(-child.pid, name);
}

// @fill(port, folder), if given, makes the whole of the server's file instead of an origin and an example.
export async function startNginx({ origin, config = example, fill }) {
  if (program === undefined) throw new Error('there is no nginx here: run scripts/install-deps');
  const folder = makeFolder();
  const port = await freePort();
  writeFileSync(path.join(folder, 'nginx.conf'), around(folder));
  writeFileSync(path.join(folder, 'scorevision.conf'), fill ? fill(port, folder) : settle(config, { origin, port, folder }));
  const child = run(folder);
  const kill = () => signal(child, 'SIGKILL');
  process.on('exit', kill);
  const url = `http://127.0.0.1:${port}`;
  const stop = async (name = 'SIGTERM') => {
    signal(child, name);
    await child.hasEnded;
    process.off('exit', kill);
    rmSync(folder, { recursive: true, force: true });
  };
  if (!await listens(port, child)) {
    await stop('SIGKILL');
    throw new Error(`nginx does not start: ${child.said}`);
  }
  return { url, port, folder, stop, log: (uri) => readLog(url, folder, uri), said: () => child.said };
}

// nginx writes a line when it is done with a request, which may be after its client is; so the log is read once the line of a
// request made now is in it. TRACE is answered by nginx itself, whatever its configuration says.
let marks = 0;
async function readLog(url, folder, uri) {
  const mark = `/mark-${++marks}`;
  await new Promise((resolve, reject) => {
    request(url + mark, { method: 'TRACE' }, (answer) => answer.resume().on('end', resolve)).on('error', reject).end();
  });
  for (const end = Date.now() + DEADLINE_MS; Date.now() < end; await pause()) {
    const lines = readFileSync(path.join(folder, 'access.log'), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line));
    if (lines.some((line) => line.uri === mark)) return lines.filter((line) => line.uri === uri);
  }
  throw new Error(`nginx does not write its log in ${folder}`);
}
