// The form of a request, and its signatures. What is found out about an account is kept: there are few.
import { createHash } from 'node:crypto';
import sodium from 'sodium-native';

const NONCE_WINDOW_MS = 60000;
const ACCOUNTS_MAX = 65536;
const DIGITS = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

// ── accounts ──

function decodeBase58(text) {
  let number = 0n;
  for (const digit of text) number = number * 58n + BigInt(DIGITS.indexOf(digit));
  return Buffer.from(number.toString(16).padStart(70, '0'), 'hex');
}

function decodeAccount(text) {
  if (!/^[1-9A-HJ-NP-Za-km-z]{48}$/.test(text)) return null;
  const raw = decodeBase58(text);
  const hash = Buffer.alloc(64);
  sodium.crypto_generichash(hash, Buffer.concat([Buffer.from('SS58PRE'), raw.subarray(0, 33)]));
  return raw.length === 35 && raw[0] === 42 && raw.subarray(33).equals(hash.subarray(0, 2)) ? raw.subarray(1, 33) : null;
}

const accounts = new Map();

export function publicKey(address) {
  let key = accounts.get(address);
  if (key !== undefined) return key;
  key = decodeAccount(address);
  if (accounts.size >= ACCOUNTS_MAX) accounts.clear();
  accounts.set(address, key);
  return key;
}

// ── form ──

const patterns = {
  signature: /^(?:ed25519:|sr25519:|0x)?[0-9a-f]{128}$/,
  nonce: /^[0-9]{19}$/,
  element_id: /^(?=.{1,128}$)[A-Za-z0-9][A-Za-z0-9._-]*(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)*(?:@[A-Za-z0-9._-]{1,32})?$/,
  chute_slug: /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
  manifest_hash: /^(?:sha256:)?[0-9a-f]{64}$/,
  client_id: /^[A-Za-z0-9._-]{1,64}$/,
  x_nonce: /^[A-Za-z0-9-]{8,64}$/,
};
const isAccount = (text) => publicKey(text) !== null;

// In the protocol's order: name, whether it must be there, how it is judged.
const parts = [
  ['validator_hotkey', true, isAccount],
  ['signature', true, (text) => patterns.signature.test(text)],
  ['nonce', true, (text) => patterns.nonce.test(text)],
  ['netuid', true, (text) => text === '44'],
  ['element_id', true, (text) => patterns.element_id.test(text)],
  ['miner_hotkey', false, isAccount],
  ['chute_slug', false, (text) => patterns.chute_slug.test(text)],
  ['x-manifest-hash', true, (text) => patterns.manifest_hash.test(text)],
  ['x-client-id', false, (text) => patterns.client_id.test(text)],
  ['x-nonce', false, (text) => patterns.x_nonce.test(text)],
  ['x-signature', false, (text) => patterns.signature.test(text)],
];

// The first part that is missing, malformed or there twice, or null. A repeated parameter is an array, a repeated header joined
// by a comma.
export function findBadPart(query, headers) {
  for (const [name, isRequired, isValid] of parts) {
    const text = name.startsWith('x-') ? headers[name] : query[name];
    if (text === undefined && !isRequired) continue;
    if (typeof text !== 'string' || !isValid(text)) return name;
  }
  return headers['x-signature'] !== undefined && headers['x-nonce'] === undefined ? 'x-nonce' : null;
}

// ── signatures and nonces ──

const signature = Buffer.allocUnsafe(64);

// Ed25519 only: sr25519 is not measured.
export function verifies(address, text, written) {
  signature.write(written.slice(-128), 'hex');
  return sodium.crypto_sign_verify_detached(signature, Buffer.from(text), publicKey(address));
}

export function isFresh(nonce, nowMs) {
  return Math.abs(Number(nonce.slice(0, 13)) - nowMs) <= NONCE_WINDOW_MS;
}

export function boundNonce(base, asker, query, miner, proof) {
  const strings = ['sv1/challenge', base, '44', asker, query.nonce, query.element_id, miner, query.chute_slug ?? '', proof];
  const bytes = createHash('sha256').update(JSON.stringify(strings)).digest().subarray(0, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
