// The nginx that operators get as an example in front of `sv serve`: as it is, but for addresses and the certificate.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './harness.mjs';
import { put, startNginx } from '../support/nginx/nginx.mjs';

export const NAME = 'api.example.org';
export const PUBLIC = `https://${NAME}`;
export const example = (...name) => readFileSync(path.join(root, 'examples', ...name), 'utf8');

// cert.pem and key.pem in the world; returns the certificate.
export function makeCertificate(world) {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${NAME}`,
    '-addext', `subjectAltName=DNS:${NAME}`, '-keyout', world.path('key.pem'), '-out', world.path('cert.pem')], { stdio: 'ignore' });
  return readFileSync(world.path('cert.pem'));
}

export const address = ({ url }) => new URL(url).host;

// @instances: { url } of each `sv serve`.
export function startTlsNginx(world, instances) {
  // A copy for a process without rights.
  const readable = (folder, name) => {
    const copy = path.join(folder, name);
    writeFileSync(copy, world.read(name), { mode: 0o644 });
    return copy;
  };
  return startNginx({ fill: (port, folder) => put(example('nginx', 'scorevision-api.conf'), {
    'server 127.0.0.1:8080 max_fails=1 fail_timeout=5s;': instances.map((one) => `server ${address(one)} max_fails=1 fail_timeout=5s;`).join('\n'),
    'listen 443 ssl http2;': `listen ${port} ssl http2;`,
    '/etc/ssl/scorevision/fullchain.pem': readable(folder, 'cert.pem'),
    '/etc/ssl/scorevision/privkey.pem': readable(folder, 'key.pem'),
  }) });
}
