// A private world per test file: a directory with a ledger, a store, a state and wallets, and the programs that a test starts
// in it. Everything is driven as a user does it, by arguments and environment, and everything ends with the world.
//
// Roles live on different machines in real life, so each has a home of its own here: sv(args, { as: 'miner' }) runs with the
// hotkey `miner` and the home `homes/miner`. The ledger makes a block for each commitment and by `sv chain advance` (block
// time 0), so tests move the chain and never wait for it.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
export const root = path.resolve(here, '..', '..');
export const build = path.resolve(process.env.SV_BUILD ?? path.join(root, 'build'));
export const programs = {
  sv: path.join(build, 'src', 'cli', 'sv'),
  chute: path.join(build, 'examples', 'chute', 'chute'),
  evaluator: path.join(build, 'examples', 'evaluator', 'evaluator'),
};
const DEADLINE_MS = 20_000;

// ── processes ──

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

function start(program, args, options) {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], ...options });
  running.add(child);
  child.ended = new Promise((resolve) => {
    child.on('error', (error) => resolve({ status: null, signal: String(error) }));
    child.on('close', (status, signal) => resolve({ status, signal }));
  }).finally(() => running.delete(child));
  child.stdin.on('error', () => {}); // who does not read his input may close it
  child.output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8');
    child[name].on('data', (text) => { child.output[name] += text; });
  }
  return child;
}

export async function run(program, args, { env, cwd, input = '' } = {}) {
  const child = start(program, args, { env, cwd });
  child.stdin.end(input);
  const { status, signal } = await child.ended;
  return { status: status ?? signal, ...child.output };
}

// Asks again until @probe has a truthy answer. A probe that throws counts as "not yet".
export async function waitFor(what, probe, deadlineMs = DEADLINE_MS) {
  const end = Date.now() + deadlineMs;
  let last;
  while (Date.now() < end) {
    try {
      last = undefined;
      const answer = await probe();
      if (answer) return answer;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${what}: not within ${deadlineMs} ms${last ? ` (${last.message})` : ''}`);
}

// What a started program says once it is ready; fails as soon as it has ended instead.
async function announced(child, pattern, what) {
  let ended;
  child.ended.then((result) => { ended = result; });
  const match = await waitFor(what, () => pattern.exec(child.output.stdout) ?? ended);
  if (match !== ended) return match;
  throw new Error(`${what} ended with ${ended.status ?? ended.signal}: ${child.output.stderr}`);
}

async function stop(child, signal = 'SIGTERM') {
  if (running.has(child)) child.kill(signal);
  return child.ended;
}

// ── the world ──

// Sanitizers abort (status 134), so that no program's own status can be taken for theirs.
const sanitizerOptions = { ASAN_OPTIONS: 'abort_on_error=1', LSAN_OPTIONS: 'exitcode=134', UBSAN_OPTIONS: 'abort_on_error=1:halt_on_error=1' };

class World {
  constructor() {
    this.dir = mkdtempSync(path.join(tmpdir(), 'sv-e2e-'));
    this.keys = {};
    this.children = [];
    this.env = {
      PATH: `${path.dirname(programs.sv)}:${process.env.PATH}`,
      HOME: this.dir,
      LANG: 'C.UTF-8',
      ...sanitizerOptions,
      BITTENSOR_SUBTENSOR_ENDPOINT: `ledger:${this.path('ledger.sqlite')}`,
      BITTENSOR_WALLET_PATH: this.path('wallets'),
      SCOREVISION_STORE: `file:${this.path('store')}`,
      SCOREVISION_DATABASE: `sqlite:${this.path('state.sqlite')}`,
    };
  }

  path(...parts) { return path.join(this.dir, ...parts); }

  environment({ as = 'operator', env = {} } = {}) {
    return { ...this.env, SCOREVISION_HOME: this.path('homes', as), BITTENSOR_WALLET_HOT: as, ...env };
  }

  // Runs sv; any status other than @expect is a failure that shows everything. @expect null takes any.
  async sv(args, { as, env, input, expect = 0 } = {}) {
    const result = await run(programs.sv, args, { env: this.environment({ as, env }), cwd: this.dir, input });
    if (expect !== null && result.status !== expect) {
      throw new Error(`sv ${args.join(' ')} ended with ${result.status}, not ${expect}\n${result.stdout}${result.stderr}`);
    }
    return result;
  }

  // The same with --json; returns the one document on standard output.
  async json(args, options) {
    const { stdout } = await this.sv([...args, '--json'], options);
    return JSON.parse(stdout);
  }

  // A hotkey made by `sv key new`: { name, address, scheme, seed }.
  async key(name, scheme = 'ed25519') {
    const { account, path: file } = await this.json(['key', 'new', '--scheme', scheme], { as: name });
    this.keys[name] = { name, address: account, scheme, seed: JSON.parse(readFileSync(file, 'utf8')).secretSeed };
    return this.keys[name];
  }

  write(name, content, mode = 0o644) {
    const file = this.path(name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content), { mode });
    return file;
  }

  read(...parts) { return readFileSync(this.path(...parts)); }

  async advance(n = 1) { return (await this.json(['chain', 'advance', String(n)])).head.number; }

  async advanceTo(block) {
    const head = await this.head();
    return head < block ? this.advance(block - head) : head;
  }

  async head() { return (await this.json(['chain', 'status'])).head.number; }

  // A challenge clip of one second with its ground truth beside it, rendered once per world, and registered.
  async clip() {
    const clip = this.path('clip.mp4');
    const truth = this.path('truth.json');
    const rendered = spawnSync(path.join(root, 'demo', 'render-clip'), [clip, truth, '1'], { encoding: 'utf8' });
    if (rendered.status !== 0) throw new Error(`demo/render-clip: ${rendered.stderr ?? rendered.error}`);
    const added = await this.json(['clip', 'add', clip, '--sport', 'football', '--scenario', 'match', '--challenge-type', 'football']);
    this.write(`truth/${added.hash.slice('sha256:'.length)}.json`, readFileSync(truth));
    return added;
  }

  get evaluator() { return `${programs.evaluator} ${this.path('truth')}`; }

  async publish(manifest, { as = 'operator', args = [], expect } = {}) {
    const file = this.write(`authored/${manifest.window_id}.json`, manifest);
    return this.json(['manifest', 'publish', file, '--yes', ...args], { as, expect });
  }

  // Serves on any free port until the world ends, or stop(); with @listen null on the one that the configuration says. The default waits until it could answer challenges.
  async startServe({ env = {}, args = [], until = '/readyz', listen = '127.0.0.1:0' } = {}) {
    const child = this.#start(programs.sv, ['serve', '--json', ...(listen ? ['--listen', listen] : []), ...args], { as: 'operator', env });
    const [, url] = await announced(child, /"url": "([^"]+)"/, 'sv serve');
    const serve = { url, child, stop: (signal) => stop(child, signal) };
    await waitFor(`${url}${until}`, async () => (await fetch(url + until)).status === 200);
    // The server answers by its own picture of chain and index; this waits until the picture is today's.
    serve.settle = async () => {
      const block = await this.head();
      const { sequence } = JSON.parse(this.read('store', 'scorevision', 'index.json'));
      return waitFor(`${url} at block ${block}, index ${sequence}`, async () => {
        const ready = await (await fetch(`${url}/readyz`)).json();
        return ready.block >= block && ready.index_sequence >= sequence;
      });
    };
    return serve;
  }

  // The example chute: a template for CHUTES_MINER_BASE_URL_TEMPLATE that leads to it.
  async startChute(slug) {
    const child = this.#start(programs.chute, ['--port', '0', '--slug', slug]);
    const [, origin] = await announced(child, /listens on (http:\/\/[^/]+)\//, 'chute');
    return { slug, origin, template: `${origin}/{slug}`, stop: () => stop(child) };
  }

  #start(program, args, options) {
    const child = start(program, args, { env: this.environment(options), cwd: this.dir });
    this.children.push(child);
    return child;
  }

  // Ends everything; a program that did not end well, though asked to, is a failure.
  async end() {
    const results = await Promise.all(this.children.map((child) => stop(child)));
    rmSync(this.dir, { recursive: true, force: true });
    const i = results.findIndex(({ status, signal }) => status !== 0 && signal !== 'SIGKILL');
    if (i >= 0) throw new Error(`${this.children[i].spawnargs.join(' ')} ended badly: ${JSON.stringify(results[i])}\n${this.children[i].output.stderr}`);
  }
}

// An empty world with the programs at hand. @env goes over the world's environment for every command.
export function emptyWorld(env = {}) {
  const world = new World();
  Object.assign(world.env, env);
  return world;
}

// A world with a chain and an operator whom everybody trusts.
export async function createWorld({ finality = 3, blockTime = '0', scheme, env = {} } = {}) {
  const world = emptyWorld(env);
  const operator = await world.key('operator', scheme);
  world.env.SCOREVISION_MANIFEST_SIGNERS ??= operator.address;
  await world.sv(['chain', 'create', '--block-time', blockTime, '--finality', String(finality), '--owner', operator.address]);
  return world;
}
