// Commands in README.md and docs/*.md. A block of ```sh after the line <!-- tested --> is run: the blocks of one document one
// after the other in one shell, in a directory and a home of their own, with `sv` on the path, `build` beside them and free ports
// for those that they name; a line that fails is named. In every other block the lines that begin with sv are only read: each option in them must exist.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { build, emptyWorld, programs, root, run } from './harness.mjs';

const documents = ['README.md', ...readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];

// { line, tested, lines } for each block of ```sh.
function shellBlocks(text) {
  const blocks = [];
  let marked = false, open = null;
  text.split('\n').forEach((line, i) => {
    if (open && line === '```') open = null;
    else if (open) open.lines.push(line);
    else if (line === '```sh') blocks.push((open = { line: i + 2, tested: marked, lines: [] }));
    if (!open && line.trim() !== '') marked = line === '<!-- tested -->';
  });
  return blocks;
}

// The document's own line numbers, so that a failure says where to look.
function toScript(name, blocks) {
  const script = ['set -Eeuo pipefail; trap "kill \\$(jobs -p) 2>/dev/null || true" EXIT', `trap 'echo "${name}:$LINENO: \`$BASH_COMMAND\` ended with $?" >&2' ERR`];
  for (const { line, lines } of blocks) {
    while (script.length < line - 1) script.push('');
    script.push(...lines);
  }
  return `${script.join('\n')}\n`;
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const read = (name) => shellBlocks(readFileSync(path.join(root, name), 'utf8'));

test('README.md has commands that are tested', () => {
  assert.ok(read('README.md').some(({ tested }) => tested));
});

for (const name of documents) {
  const blocks = read(name).filter(({ tested }) => tested);
  if (blocks.length === 0) continue;
  test(`the commands of ${name} work as they stand there`, async () => {
    const world = emptyWorld();
    try {
      const { PATH, LANG } = world.env;
      const home = world.path('home');
      mkdirSync(home);
      symlinkSync(build, path.join(home, 'build'));
      const [api, chute] = [await freePort(), await freePort()];
      const script = world.write('commands.sh', toScript(name, blocks).replaceAll(/\b8080\b/g, api).replaceAll(/\b9101\b/g, chute));
      const env = { PATH, LANG, HOME: home, SCOREVISION_LISTEN: `127.0.0.1:${api}`, SCOREVISION_API: `http://127.0.0.1:${api}` };
      const { status, stdout, stderr } = await run('bash', [script], { env, cwd: home });
      assert.equal(status, 0, `${stderr}\n${stdout}`);
    } finally {
      await world.end();
    }
  });
}

// What a heading is called in a link, as GitHub does it.
const anchors = (file) => [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)]
  .map(([, title]) => title.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-'));

test('every link to a file of the project, and to a part of it, leads somewhere', () => {
  for (const name of documents) {
    const prose = readFileSync(path.join(root, name), 'utf8').replace(/`[^`\n]*`/g, ''); // a pattern in code is no link
    for (const [, target, part] of prose.matchAll(/\]\(([^)#:]*)(?:#([^)]*))?\)/g)) {
      const file = path.join(root, path.dirname(name), target === '' ? path.basename(name) : target);
      assert.ok(existsSync(file), `${name} links to ${target}`);
      if (part) assert.ok(anchors(file).includes(part), `${name} links to ${target}#${part}`);
    }
  }
});

test('every option of an sv command in a document exists', async () => {
  const world = emptyWorld();
  try {
    for (const name of documents) {
      for (const { line, lines } of read(name)) {
        for (const [i, text] of lines.entries()) {
          if (!/^([A-Z_0-9]+=\S+ )*sv /.test(text)) continue;
          const { status, stderr } = await run('bash', ['-c', `${text.replace(/\s+(#|<|>|\|).*$/, '')} --help`], { env: world.environment(), cwd: world.dir });
          assert.equal(status, 0, `${name}:${line + i}: ${text}\n${stderr}`);
        }
      }
    }
  } finally {
    await world.end();
  }
});

// The part of docs/protocol.md with that number.
const section = (number) => new RegExp(`^## ${number}\\. [^]*?(?=^## )`, 'm').exec(readFileSync(path.join(root, 'docs/protocol.md'), 'utf8'))[0];
const told = async (...args) => (await run(programs.sv, args, { env: { PATH: process.env.PATH, HOME: '/nonexistent' } })).stdout;

test('section 10 of the protocol has every setting, and no other', async () => {
  const text = section(10).replace(/`([A-Z]+(?:_[A-Z]+)*)_([A-Z]+)`((?:, `_[A-Z]+`)+)/g, (whole, stem, last, more) =>
    [`${stem}_${last}`, ...more.match(/_[A-Z]+/g).map((end) => stem + end)].join(' '));
  const written = new Set(text.match(/\b(?:SCOREVISION|BITTENSOR|R2|S3|CHUTES)_[A-Z0-9_]+\b/g));
  const known = JSON.parse(await told('config', 'show', '--json')).settings.map(({ name }) => name);
  assert.deepEqual([...written].sort(), known.sort());
});

test('section 11 of the protocol has every command, and no other', async () => {
  const lines = /```\n([^]*?)```/.exec(section(11))[1].split('\n').filter((line) => line.startsWith('sv '));
  const written = lines.flatMap((line) => {
    const [, group, names] = /^sv (\S+) *([a-z|]+(?= |$))?/.exec(line);
    return names === undefined ? [group] : names.split('|').map((name) => `${group} ${name}`);
  });
  const known = [...(await told('--help')).matchAll(/^ {2}sv ([a-z]+(?: [a-z]+)?) {2,}\S/gm)].map(([, name]) => name);
  assert.deepEqual([...new Set(written)].sort(), known.sort());
});
