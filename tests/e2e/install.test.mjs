// What `make install` puts where, and what it puts there works: from a folder of its own, as a package is made of it. The units
// of systemd are read by systemd itself.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build, root } from './harness.mjs';

const MOST_EXPOSED = { api: 1.2, runner: 1.4 }; // of 10, as `systemd-analyze security` counts
const units = Object.keys(MOST_EXPOSED);
let folder, prefix;

const run = (program, ...args) => spawnSync(program, args, { encoding: 'utf8', env: { PATH: process.env.PATH, HOME: folder, LANG: 'C.UTF-8' } });

before(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sv-install-'));
  const { status, stdout, stderr } = run('meson', 'install', '-C', build, '--no-rebuild', '--destdir', folder);
  assert.equal(status, 0, `${stdout}${stderr}`);
  prefix = path.join(folder, JSON.parse(run('meson', 'introspect', '--buildoptions', build).stdout).find(({ name }) => name === 'prefix').value);
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('program, pages, completion, units and examples are installed', () => {
  const groups = [...run(path.join(prefix, 'bin/sv'), '--help').stdout.matchAll(/^ {2}sv ([a-z]+)/gm)].map(([, group]) => group);
  const expected = ['share/man/man1/sv.1', 'share/man/man5/sv.conf.5', ...groups.map((group) => `share/man/man1/sv-${group}.1`),
    'share/bash-completion/completions/sv.bash', 'share/zsh/site-functions/_sv', 'share/fish/vendor_completions.d/sv.fish',
    'lib/systemd/system/scorevision-api.service', 'lib/systemd/system/scorevision-runner.service', 'lib/sysusers.d/scorevision.conf',
    ...['scorevision.conf', 'scorevision-api.conf', 'scorevision-api.cfg', 'sv.conf'].map((name) => `share/doc/scorevision/examples/${name}`)];
  for (const name of expected) assert.ok(existsSync(path.join(prefix, name)), name);
});

// The build here is shared with other tests, so a small one of its own: nothing of it is compiled.
test('a prefix takes effect also where a build was made with another one', () => {
  const other = path.join(folder, 'other-build');
  const configured = run('meson', 'setup', other, root, '-Dtests=false', '--prefix=/usr/local');
  assert.equal(configured.status, 0, configured.stdout + configured.stderr);
  const make = (...args) => run('make', '-C', root, `BUILD=${other}`, ...args);
  const chosen = () => JSON.parse(run('meson', 'introspect', '--buildoptions', other).stdout).find(({ name }) => name === 'prefix').value;
  for (const [args, expected] of [[['PREFIX=/opt/one'], '/opt/one'], [[], '/opt/one'], [['PREFIX=/opt/two words'], '/opt/two words']]) {
    const { status, stderr } = make('prefix', ...args);
    assert.deepEqual([status, stderr, chosen()], [0, '', expected]);
  }
  const steps = make('-n', 'install', 'PREFIX=/opt/three', 'DESTDIR=/nowhere').stdout;
  assert.match(steps, /meson configure \S+ --prefix '\/opt\/three'[^]*ninja -C \S+ program[^]*meson install/);
});

test('the installed program finds what it loads', () => {
  const sv = path.join(prefix, 'bin/sv');
  assert.match(run(sv, '--version').stdout, /^sv \d/);
  const { status, stderr } = run(sv, 'clip', 'add', path.join(prefix, 'bin/sv'), '--sport', 's', '--scenario', 's', '--challenge-type', 'c');
  assert.notEqual(status, 1, stderr); // FFmpeg's module was loaded, and says that a program is no video
  assert.match(stderr, /bin\/sv/);
});

test('every line of the settings\' example is a setting, once it is no comment', () => {
  const sv = path.join(prefix, 'bin/sv');
  const example = readFileSync(path.join(prefix, 'share/doc/scorevision/examples/sv.conf'), 'utf8');
  const file = path.join(folder, 'sv.conf');
  writeFileSync(file, example.replaceAll(/^# (?=[A-Z0-9_]+ =)/gm, ''));
  const shown = spawnSync(sv, ['config', 'show', '--json'], { encoding: 'utf8', env: { HOME: folder, SCOREVISION_CONFIG: file } });
  assert.equal(shown.status, 0, shown.stderr);
  const set = JSON.parse(shown.stdout).settings.filter(({ origin }) => origin.startsWith(file));
  assert.equal(set.length, example.match(/^# [A-Z0-9_]+ = *\S/gm).length);
});

// As they are, but for the program's place.
function unit(name) {
  const text = readFileSync(path.join(prefix, `lib/systemd/system/scorevision-${name}.service`), 'utf8');
  const file = path.join(folder, `scorevision-${name}.service`);
  writeFileSync(file, text.replaceAll(/^(ExecStart=)\S+/gm, `$1${path.join(prefix, 'bin/sv')}`));
  assert.ok(!text.includes('@PROGRAM@') && !text.includes('@SANDBOX@') && !text.includes('@NAME@'));
  return file;
}

test('systemd understands the units, and finds them closed', () => {
  assert.equal(readdirSync(path.join(prefix, 'lib/systemd/system')).length, units.length);
  for (const name of units) {
    const file = unit(name);
    const verified = run('systemd-analyze', 'verify', '--man=no', file);
    assert.deepEqual([verified.status, verified.stderr], [0, ''], name);
    const { stdout } = run('systemd-analyze', 'security', '--offline=true', '--no-pager', file);
    const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
    assert.ok(exposure <= MOST_EXPOSED[name], `${name}: ${exposure}\n${stdout}`);
  }
});
