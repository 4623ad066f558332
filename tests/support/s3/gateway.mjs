// A real S3 server for end-to-end tests: runs the script `gateway` beside this file. { url, env, stop() }; @env are the settings
// that lead to it.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'gateway');

export async function startGateway(folder) {
  const child = spawn(script, [folder], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.on('close', resolve));
  let said = '';
  const line = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.stdout.on('data', (text) => { said += text; if (said.includes('\n')) resolve(said.trim()); });
    ended.then((status) => reject(new Error(`${script} ended with ${status}`)));
  });
  const [url, key, secret] = line.split(' ');
  const env = { S3_ENDPOINT: url, R2_WRITE_ACCESS_KEY_ID: key, R2_WRITE_SECRET_ACCESS_KEY: secret, S3_REGION: 'us-east-1' };
  return { url, env, stop: () => { child.stdin.end(); return ended; } };
}
