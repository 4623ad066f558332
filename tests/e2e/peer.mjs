// An independent implementation of the formats that the tests check: canonical JSON in a few lines, Node's own Ed25519 and
// SHA-256, sr25519, SS58 and BLAKE2b of @polkadot/util-crypto. Nothing here asks sv how it does things.
import assert from 'node:assert/strict';
import { createHash, createPrivateKey, createPublicKey, sign as edSign, verify as edVerify } from 'node:crypto';
import {
  blake2AsHex, cryptoWaitReady, decodeAddress, sr25519PairFromSeed, sr25519Sign, sr25519Verify,
} from '@polkadot/util-crypto';

await cryptoWaitReady();

// RFC 8785: JavaScript's sort() compares UTF-16 code units, and its numbers are the standard's.
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`;
}

export const sha256 = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
export const blake2b256 = (text) => blake2AsHex(Buffer.from(text, 'utf8'), 256);
export const bare = (account) => account.replace(/^ss58:/, '');

const spki = Buffer.from('302a300506032b6570032100', 'hex');
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');

export function publicKey(account) {
  return createPublicKey({ key: Buffer.concat([spki, decodeAddress(bare(account), false, 42)]), format: 'der', type: 'spki' });
}

export function verifies(account, message, signature) {
  const [, scheme, hex] = /^(ed25519|sr25519):([0-9a-f]{128})$/.exec(signature) ?? assert.fail(`${signature} is no signature`);
  if (scheme === 'sr25519') return sr25519Verify(message, `0x${hex}`, decodeAddress(bare(account), false, 42));
  return edVerify(null, Buffer.from(message), publicKey(account), Buffer.from(hex, 'hex'));
}

// 128 hex digits; seed is what a key file has as secretSeed.
export function sign(seed, message) {
  const key = createPrivateKey({ key: Buffer.concat([pkcs8, Buffer.from(seed.replace(/^0x/, ''), 'hex')]), format: 'der', type: 'pkcs8' });
  return edSign(null, Buffer.from(message), key).toString('hex');
}

// The same with the scheme before it, by a key of either scheme.
export function signature(key, message) {
  if (key.scheme !== 'sr25519') return `ed25519:${sign(key.seed, message)}`;
  const bytes = sr25519Sign(message, sr25519PairFromSeed(Buffer.from(key.seed.slice(2), 'hex')));
  return `sr25519:${Buffer.from(bytes).toString('hex')}`;
}

// A signed document as it lies in a store: canonical bytes, its type, signed by @signer. Returns it.
export function openDocument(bytes, { type, signer, hash }) {
  const text = Buffer.from(bytes).toString('utf8');
  const document = JSON.parse(text);
  if (hash !== undefined) assert.equal(sha256(bytes), hash, 'the name of the object is the SHA-256 of its bytes');
  assert.equal(text, canonical(document), `the ${type}'s bytes are its canonical form`);
  assert.equal(document.type, type);
  assert.equal(document.signed_by, `ss58:${bare(signer)}`);
  const { signature, ...rest } = document;
  assert.ok(verifies(document.signed_by, canonical(rest), signature), `the ${type}'s signature is ${signer}'s`);
  return document;
}

// What a signer would publish; used to make documents that only the real checks can tell from ours.
export function signDocument(document, seed) {
  const { signature, ...rest } = document;
  return canonical({ ...rest, signature: `ed25519:${sign(seed, canonical(rest))}` });
}

// The extrinsic of a ledger; Ed25519 is deterministic, so who has the seed can make its bytes, and so its hash, again.
export function ledgerExtrinsic({ text, chain, nonce, key }) {
  const rest = { call: { name: 'set_commitment', text }, chain, nonce, signer: `ss58:${key.address}` };
  return canonical({ ...rest, signature: `ed25519:${sign(key.seed, canonical(rest))}` });
}

// Section 7's bound X-Nonce.
export function boundNonce({ base, netuid, asker, nonce, elementId, miner, slug, proof }) {
  const parts = ['sv1/challenge', base, String(netuid), asker, nonce, elementId, miner, slug ?? '', proof ?? ''];
  const bytes = createHash('sha256').update(canonical(parts)).digest().subarray(0, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
