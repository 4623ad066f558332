// A client of the Challenge API that owes nothing to sv: it builds and signs its requests itself (docs/protocol.md section 7)
// and sends them with fetch().
import { boundNonce, signature } from './peer.mjs';

export const NETUID = 44;

let counter = 0n;

// Nanoseconds since 1970, 19 digits, never the same twice; @agoMs sets it back.
export function freshNonce(agoMs = 0) {
  counter += 1n;
  return String((BigInt(Date.now()) - BigInt(agoMs)) * 1_000_000n + (counter % 1_000_000n));
}

// A request for v3. @key asks. @bound, the default, sends the nonce that covers the whole request; otherwise @xNonce and its
// signature are sent if given. @parameters and @headers are laid over the rest: null leaves one out, a list repeats it.
export function v3Request({
  base, key, manifestHash, elementId, proof, miner, slug, nonce = freshNonce(), bound = true, xNonce, parameters = {}, headers = {},
}) {
  const origin = new URL(base).origin;
  const query = { ...validatorParameters(key, nonce), element_id: elementId, miner_hotkey: miner, chute_slug: slug };
  const sent = { 'X-Manifest-Hash': manifestHash, 'X-Commitment-Proof': proof };
  const nonceSent = bound
    ? boundNonce({ base: origin, netuid: NETUID, asker: key.address, nonce, elementId, miner: miner ?? key.address, slug, proof })
    : xNonce;
  if (nonceSent !== undefined) {
    sent['X-Nonce'] = nonceSent;
    sent['X-Signature'] = signature(key, `${manifestHash}:${nonceSent}`);
  }
  return { url: `${origin}/api/challenge/v3?${encode({ ...query, ...parameters })}`, headers: present({ ...sent, ...headers }) };
}

export function v2Request({ base, key, nonce = freshNonce(), parameters = {} }) {
  const query = { ...validatorParameters(key, nonce), ...parameters };
  return { url: `${new URL(base).origin}/api/tasks/next/v2?${encode(query)}`, headers: {} };
}

function validatorParameters(key, nonce) {
  return { validator_hotkey: key.address, signature: signature(key, nonce).replace(/^.*:/, ''), nonce, netuid: String(NETUID) };
}

function encode(query) {
  const pairs = Object.entries(query).flatMap(([name, value]) => [value ?? []].flat().map((one) => [name, one]));
  return new URLSearchParams(pairs);
}

function present(headers) {
  return Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().map((one) => [name, one]));
}

export async function send({ url, headers }) {
  const response = await fetch(url, { headers });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
}

export const askV3 = (request) => send(v3Request(request));
export const askV2 = (request) => send(v2Request(request));
