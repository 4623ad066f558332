// A real HAProxy (Debian's haproxy) with a folder and a port of its own, run by the example that operators get.
//
//   const proxy = await startHaproxy((port, folder) => text);     the configuration
//   await proxy.stop()
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort, listens } from './nginx/nginx.mjs';

export async function startHaproxy(fill) {
  const folder = mkdtempSync(path.join(tmpdir(), 'sv-haproxy-'));
  const port = await freePort();
  const file = path.join(folder, 'haproxy.cfg');
  writeFileSync(file, `global\n    log stderr format raw local0\n${fill(port, folder)}`);
  const child = spawn('/usr/sbin/haproxy', ['-db', '-f', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => { child.said += text; });
  child.hasEnded = new Promise((resolve) => {
    child.on('error', (error) => { child.said += `${error}; run scripts/install-deps`; child.isOver = true; resolve(); });
    child.on('close', () => { child.isOver = true; resolve(); });
  });
  const kill = () => child.kill('SIGKILL');
  process.on('exit', kill);
  const stop = async () => {
    kill();
    await child.hasEnded;
    process.off('exit', kill);
    rmSync(folder, { recursive: true, force: true });
  };
  if (!await listens(port, child)) {
    await stop();
    throw new Error(`haproxy does not start: ${child.said}`);
  }
  return { port, folder, stop, said: () => child.said };
}
