// Manual pages, shell completion and the name of the program. All are made from the command tables, as --help is: so what --help
// shows has to be there.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { build, createWorld, programs } from './harness.mjs';

const folder = path.join(build, 'src', 'cli');
const sv = (...args) => spawnSync(programs.sv, args, { encoding: 'utf8' }).stdout;
const commands = [...sv('--help').matchAll(/^ {2}sv ([a-z]+)(?: ([a-z]+))? {2,}\S/gm)].map(([, group, name]) => (name ? [group, name] : [group]));
const groups = [...new Set(commands.map(([group]) => group))];
const options = (...words) => [...sv(...words, '--help').matchAll(/^ {2}(?:-\w, | {4})--([a-z0-9-]+)/gm)].map(([, name]) => name);
const settings = JSON.parse(sv('config', 'show', '--json')).settings;
let world;

before(async () => { world = await createWorld(); });
after(() => world.end());

// The text of a page as a reader sees it, on one line.
function page(name) {
  const shown = spawnSync('mandoc', ['-T', 'utf8', '-O', 'width=200', path.join(folder, name)], { encoding: 'utf8' });
  assert.equal(shown.status, 0, `${name}: ${shown.error ?? shown.stderr}`);
  return shown.stdout.replace(/.\x08/g, '').replace(/\s+/g, ' ');
}

test('every command has a place in the page of its group, with all of its options', () => {
  assert.ok(commands.length > 20);
  const whole = page('sv.1');
  for (const words of commands) {
    const text = page(`sv-${words[0]}.1`);
    const name = `sv ${words.join(' ')}`;
    assert.ok(text.includes(name) && whole.includes(name), name);
    for (const option of options(...words)) assert.ok(text.includes(`--${option}`), `${name} --${option}`);
  }
  for (const group of groups) assert.ok(whole.includes(`sv-${group}(1)`), group);
});

test('sv.conf(5) has every setting', () => {
  const text = page('sv.conf.5');
  for (const { name, flag, summary } of settings) {
    assert.ok(text.includes(name) && text.includes(summary.replaceAll(/\s+/g, ' ')), name);
    if (flag) assert.ok(text.includes(`--${flag}`), flag);
  }
});

test('the pages are clean', () => {
  for (const name of ['sv.1', 'sv.conf.5', ...groups.map((group) => `sv-${group}.1`)]) {
    const { stdout, stderr } = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', path.join(folder, name)], { encoding: 'utf8' });
    assert.equal(`${stdout}${stderr}`, '', name);
  }
});

// What bash offers for the last of @words.
function complete(...words) {
  const script = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sv_complete; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['-euc', script, 'bash', path.join(folder, 'sv.bash'), 'sv', ...words], { encoding: 'utf8', cwd: world.dir });
  assert.equal(status, 0, stderr);
  return stdout.split('\n').filter((word) => word !== '');
}

test('bash completes groups, commands, options, values and files', () => {
  const offered = complete('');
  for (const group of groups) assert.ok(offered.includes(group), group);
  for (const [group, name] of commands.filter((words) => words.length === 2)) assert.ok(complete(group, '').includes(name), `${group} ${name}`);
  for (const words of commands) {
    const flags = complete(...words, '--');
    for (const option of options(...words)) assert.ok(flags.includes(`--${option}`), `${words.join(' ')} --${option}`);
    for (const { flag } of settings) if (flag) assert.ok(flags.includes(`--${flag}`), flag);
  }
  assert.deepEqual(complete('man'), ['manifest']);
  assert.deepEqual(complete('manifest', 'pub'), ['publish']);
  assert.deepEqual(complete('manifest', 'publish', '--sup'), ['--supersede']);
  assert.ok(!complete('manifest', 'list', '--').includes('--supersede'), 'an option of another command');
  assert.deepEqual(complete('key', 'new', '--scheme', 'sr'), ['sr25519']);
  assert.deepEqual(complete('manifest', 'create', '--template', ''), ['cricket', 'football']);
  world.write('authored.yaml', '');
  assert.deepEqual(complete('manifest', 'publish', 'auth'), ['authored.yaml']);
});

test('every shell takes the completion made for it', () => {
  for (const [shell, file] of [['bash', 'sv.bash'], ['zsh', '_sv'], ['fish', 'sv.fish']]) {
    assert.ok(existsSync(path.join(folder, file)), file);
    const { status, stderr, error } = spawnSync(shell, ['-n', path.join(folder, file)], { encoding: 'utf8' });
    if (error?.code === 'ENOENT' && shell !== 'bash') continue; // read by bash at least, and by whoever has that shell
    assert.equal(status, 0, stderr);
  }
  const fish = readFileSync(path.join(folder, 'sv.fish'), 'utf8');
  for (const words of commands) for (const word of words) assert.match(fish, new RegExp(` -a ${word} `), words.join(' '));
});

test('under another name the program shows commands with that name', async () => {
  const other = world.path('scorevision');
  symlinkSync(programs.sv, other);
  const say = (...args) => {
    const { stdout, stderr } = spawnSync(other, args, { encoding: 'utf8', env: world.environment({ as: 'nobody' }), cwd: world.dir });
    return `${stdout}${stderr}`;
  };
  assert.match(say('--version'), /^scorevision \d/);
  const texts = [say('--help'), ...groups.map((group) => say(group, '--help')), ...commands.map((words) => say(...words, '--help')),
    say('key', 'show'), say('manifst'), say('manifest', 'list', '--nothing'), say('miner', 'commitments'), say('clip', 'list'), say('key', 'new'),
    say('--generate', 'man'), say('--generate', 'man:manifest'), say('--generate', 'conf'), say('serve', '--check-config')];
  for (const text of texts) {
    assert.match(text, /scorevision/);
    assert.doesNotMatch(text.replaceAll(/"[^"]*"/g, ''), /(?<![\w./-])sv (?=[a-z-])/, text);
  }
  assert.match(texts[0], /`scorevision GROUP COMMAND --help`/);
});
