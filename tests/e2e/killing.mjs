// Killing a program at a chosen step, by tests/support/kill_at.c, and witnesses of what it left behind.
import { cpSync, existsSync, mkdirSync, openSync, readFileSync, readSync, readdirSync, rmSync, writeSync, closeSync } from 'node:fs';
import { endianness } from 'node:os';
import path from 'node:path';
import assert from 'node:assert/strict';
import { build, run } from './harness.mjs';
import { sha256 } from './peer.mjs';

const library = path.join(build, 'tests', 'support', 'kill_at.so');
const witness = path.join(build, 'tests', 'support', 'list_records');

// The two numbers that library and test share: steps counted, and the step to die at.
export class Killer {
  constructor(world) {
    this.file = world.write('kill-control', Buffer.alloc(8));
    this.env = { LD_PRELOAD: library, SV_KILL_CONTROL: this.file };
  }

  get count() { return this.#numbers((buffer) => buffer[0]); }

  // Dies at the @n-th step from now on.
  arm(n) { this.#numbers((buffer) => buffer.set([buffer[0] + n], 1)); }

  disarm() { this.#numbers((buffer) => buffer.set([0], 1)); }

  #numbers(use) {
    assert.equal(endianness(), 'LE');
    const fd = openSync(this.file, 'r+');
    const bytes = Buffer.alloc(8);
    readSync(fd, bytes, 0, 8, 0);
    const numbers = new Uint32Array(bytes.buffer, bytes.byteOffset, 2);
    const [, before] = numbers;
    const answer = use(numbers);
    if (numbers[1] !== before) writeSync(fd, bytes, 4, 4, 4);
    closeSync(fd);
    return answer;
  }
}

// The world's files as they are now; the function returned brings them back.
export function snapshot(world) {
  const copy = `${world.dir}-snapshot`;
  rmSync(copy, { recursive: true, force: true });
  cpSync(world.dir, copy, { recursive: true });
  const restore = () => {
    for (const name of readdirSync(world.dir)) rmSync(world.path(name), { recursive: true, force: true });
    cpSync(copy, world.dir, { recursive: true });
  };
  restore.forget = () => rmSync(copy, { recursive: true, force: true });
  return restore;
}

// Runs @args again and again in the same world, killed one step later each time (or @stride steps), until they complete. After
// each kill @invariants must hold; then the same command is run again and @completed must hold. Returns the number of steps.
export async function killAtEachStep(world, args, { as, invariants, completed, stride = 1 }) {
  const restore = snapshot(world);
  try {
    for (let step = 1; ; step += stride) {
      restore();
      const killer = new Killer(world);
      killer.arm(step);
      const { status, stderr } = await world.sv(args, { as, env: killer.env, expect: null });
      if (status === 0) {
        assert.ok(killer.count < step, `sv ${args.join(' ')} went on after step ${step}`);
        await completed();
        return killer.count;
      }
      assert.equal(status, 'SIGKILL', stderr);
      try {
        await invariants();
        await world.sv(args, { as });
        await completed();
      } catch (error) {
        error.message = `step ${step} (${stderr.trim().split('\n').at(-1)}): ${error.message}`;
        throw error;
      }
    }
  } finally {
    restore.forget();
  }
}

// What the chain holds, or the issue log, read by another program than sv.
export async function records(world, what, options) {
  const { status, stdout, stderr } = await run(witness, [what], { env: world.environment(options), cwd: world.dir });
  assert.equal(status, 0, stderr);
  return stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

export const textsOf = async (world, name) =>
  (await records(world, 'chain')).filter(({ signer }) => signer === world.keys[name].address).map(({ text }) => text);

// Every object whose name is a hash hashes to it. What a killed writer left aside has a name that nobody asks for.
export function assertStoreIsWhole(world) {
  const folder = world.path('store', 'scorevision', 'manifests');
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder).filter((leaf) => leaf.endsWith('.json'))) {
    const hash = sha256(readFileSync(path.join(folder, name)));
    assert.ok(name === `${hash}.json` || `sha256:${name}` === `${hash}.json`, `${name} hashes to ${hash}`);
  }
}

export const readIndex = (world) => JSON.parse(world.read('store', 'scorevision', 'index.json'));

export function receipts(world, as, windowId) {
  const file = world.path('homes', as, 'commitments', `${windowId}.json`);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
}
