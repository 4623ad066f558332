// Commands in README.md and docs/*.md. A block of ```sh after the line <!-- tested --> is run: the blocks of one document one
// after the other in one shell, in a directory and a home of their own, with `sv` on the path; a line that fails is named. In
// every other block the lines that begin with sv are only read: each option in them must exist.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { emptyWorld, root, run } from './harness.mjs';

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
  const script = ['set -Eeuo pipefail', `trap 'echo "${name}:$LINENO: \`$BASH_COMMAND\` ended with $?" >&2' ERR`];
  for (const { line, lines } of blocks) {
    while (script.length < line - 1) script.push('');
    script.push(...lines);
  }
  return `${script.join('\n')}\n`;
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
      const script = world.write('commands.sh', toScript(name, blocks));
      const { status, stdout, stderr } = await run('bash', [script], { env: { PATH, LANG, HOME: home }, cwd: home });
      assert.equal(status, 0, `${stderr}\n${stdout}`);
    } finally {
      await world.end();
    }
  });
}

test('every link to a file of the project leads somewhere', () => {
  for (const name of documents) {
    const prose = readFileSync(path.join(root, name), 'utf8').replace(/`[^`\n]*`/g, ''); // a pattern in code is no link
    for (const [, target] of prose.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      assert.ok(existsSync(path.join(root, path.dirname(name), target)), `${name} links to ${target}`);
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
