// A crowd of askers in front of a fleet that is being broken. It keeps every request and every answer, and says afterwards what was
// not as it has to be.
//
// An exchange is one nonce: signed once, sent once or several times. Each sending ends in one of these ways:
//   accepted    200
//   replayed    401 replayed_nonce: this nonce had arrived before
//   open        502, 503, 504, or a connection that broke: written down, or not; nobody can say
// and nothing else. Of one nonce at most one sending is accepted, whatever happens to instances and database. Where none is open,
// exactly one is. Where one is open, another sending is either refused, because the open one had been written down or its nonce was
// used up, or it is the first that is: `first_accepted_again` counts those. A task is asked for again, with a new nonce, as long as
// its sendings are open.
import { createPrivateKey, sign } from 'node:crypto';
import { Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { freshNonce } from './api.mjs';
import { boundNonce } from './peer.mjs';
import { NAME, PUBLIC } from './tls_proxy.mjs';

const SENDING_TIMEOUT_MS = 40_000;
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const pick = (list) => list[Math.floor(Math.random() * list.length)];

function signer({ seed }) {
  const key = createPrivateKey({ key: Buffer.concat([pkcs8, Buffer.from(seed.replace(/^0x/, ''), 'hex')]), format: 'der', type: 'pkcs8' });
  return (text) => sign(null, Buffer.from(text), key).toString('hex');
}

// A signed request for v3: what is asked, and the text of it.
export function makeExchange({ netuid, asker, miner, manifestHash, elementId, proof, base = PUBLIC }) {
  asker.sign ??= signer(asker);
  const nonce = freshNonce();
  const xNonce = boundNonce({ base, netuid, asker: asker.address, nonce, elementId, miner: miner.address, proof });
  const query = new URLSearchParams({
    validator_hotkey: asker.address, signature: asker.sign(nonce), nonce, netuid: String(netuid), element_id: elementId,
  });
  if (miner !== asker) query.set('miner_hotkey', miner.address);
  return {
    nonce, asker: asker.address, miner: miner.address, manifestHash, elementId, proof, sendings: [],
    path: `/api/challenge/v3?${query}`,
    headers: {
      Host: NAME, 'X-Manifest-Hash': manifestHash, 'X-Commitment-Proof': proof, 'X-Nonce': xNonce,
      'X-Signature': `ed25519:${asker.sign(`${manifestHash}:${xNonce}`)}`,
    },
  };
}

// A way to one `sv serve`, or to the proxy: a function that sends and gives { status, body } or { fault }.
export function wayTo(url, sockets = 64) {
  const { port } = new URL(url);
  return way(plainRequest, { host: '127.0.0.1', port, agent: new PlainAgent({ keepAlive: true, maxSockets: sockets, timeout: 4000 }) });
}

export function wayThrough({ port }, certificate, sockets = 64) {
  const agent = new TlsAgent({ keepAlive: true, maxSockets: sockets, timeout: 15_000 });
  return way(tlsRequest, { host: '127.0.0.1', port, servername: NAME, ca: certificate, agent });
}

function way(request, options) {
  const send = ({ path, headers }) => new Promise((resolve) => {
    const sent = request({ ...options, path, headers, timeout: SENDING_TIMEOUT_MS }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('error', ({ code }) => resolve({ fault: code }));
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        let body;
        try { body = JSON.parse(text); } catch { body = { error: text.slice(0, 200) }; } // a proxy's page
        resolve({ status: answer.statusCode, body });
      });
    });
    sent.on('timeout', () => sent.destroy(Object.assign(new Error('timeout'), { code: 'timeout' })));
    sent.on('error', ({ code }) => resolve({ fault: code }));
    sent.end();
  });
  send.close = () => options.agent.destroy();
  return send;
}

function kindOf({ status, body, fault }) {
  if (fault) return 'open';
  if (status === 200) return 'accepted';
  if (status === 401 && body.reason === 'replayed_nonce') return 'replayed';
  return [502, 503, 504].includes(status) ? 'open' : 'wrong';
}

// @next() makes an exchange; @front is the way of most requests, @ways all of them.
export class Crowd {
  constructor({ next, front, ways, replays = 0.1, latestReplayMs = 5000 }) {
    Object.assign(this, { next, front, ways, replays, latestReplayMs });
    this.exchanges = [];
    this.faults = []; // { what, from, to }: while something is broken on purpose
    this.done = 0; // tasks that have their challenge
    this.late = new Set(); // replays that are still to come
  }

  // While @work runs, and a moment before and after, errors are to be expected.
  async during(what, work) {
    const fault = { what, from: Date.now(), to: Infinity };
    this.faults.push(fault);
    await work();
    fault.to = Date.now();
    return fault;
  }

  async send(exchange, way) {
    const from = Date.now();
    const answer = await way(exchange);
    const { status, fault, body } = answer;
    const sending = { kind: kindOf(answer), from, to: Date.now() };
    if (sending.kind === 'accepted') {
      const { challenge_id: id, clip_hash: clip, seed, block, chute_slug: slug, chute_id: chute, hf_revision: revision } = body;
      sending.answer = { id, clip, seed, block, slug, chute, revision };
    } else if (sending.kind !== 'replayed') {
      sending.said = fault ?? `${status} ${body.error} ${body.reason ?? ''} ${body.message ?? ''}`;
    }
    exchange.sendings.push(sending);
    return sending;
  }

  // A third of the replays race with the request, a third follow at once, the rest come when it is almost forgotten.
  async #one() {
    const exchange = this.next();
    this.exchanges.push(exchange);
    const isReplayed = Math.random() < this.replays;
    const when = isReplayed ? pick(['racing', 'at once', 'late']) : null;
    const again = () => this.send(exchange, pick(this.ways));
    const [first] = await Promise.all([this.send(exchange, this.front), when === 'racing' ? again() : null]);
    if (when === 'at once') await again();
    if (when === 'late') {
      const replay = pause(Math.random() * this.latestReplayMs).then(again).finally(() => this.late.delete(replay));
      this.late.add(replay);
    }
    return first;
  }

  async #worker(isOver) {
    while (!isOver()) {
      for (let first = await this.#one(); first.kind === 'open'; first = await this.#one()) await pause(100);
      this.done += 1;
      if (this.done >= this.atLeast) await pause(200); // only the faults are waited for
    }
  }

  // Asks for @n challenges, with @width at a time, and goes on slowly until @faults has come to its end.
  async ask(n, width, faults) {
    this.atLeast = n;
    this.began = Date.now();
    let isBroken = true, failure, took;
    const breaking = faults(this).catch((error) => { failure = error; }).finally(() => { isBroken = false; });
    const isOver = () => {
      if (this.done >= n) took ??= Date.now() - this.began;
      return failure || (this.done >= n && !isBroken);
    };
    await Promise.all(Array.from({ length: width }, () => this.#worker(isOver)));
    await breaking;
    if (failure) throw failure;
    await Promise.all(this.late);
    return { seconds: took / 1000, per_second: Math.round(n / took * 1000) };
  }

  // Those that were accepted, in the order of their ids, with their answers.
  accepted() {
    const all = this.exchanges.flatMap((exchange) => exchange.sendings.filter(({ kind }) => kind === 'accepted')
      .map(({ answer }) => ({ ...exchange, answer })));
    return all.sort((a, b) => Number(a.answer.id) - Number(b.answer.id));
  }

  #wasBroken({ from, to }, slackMs) {
    return this.faults.some((fault) => from <= fault.to + slackMs && to >= fault.from);
  }

  // { numbers, wrong: [text] }. An instance that was killed is left alone by nginx for five seconds (fail_timeout), also when it is back; and
  // where all were within that time, nginx answers 502 by itself.
  judge({ slackMs = 6000 } = {}) {
    const numbers = { nonces: this.exchanges.length, sendings: 0, accepted: 0, replayed: 0, open: 0, first_accepted_again: 0, lost_and_replayed: 0 };
    const wrong = [], said = {};
    for (const { nonce, sendings } of this.exchanges) {
      const of = (kind) => sendings.filter((one) => one.kind === kind);
      const [accepted, replayed, open] = [of('accepted'), of('replayed'), of('open')];
      numbers.sendings += sendings.length;
      numbers.accepted += accepted.length;
      numbers.replayed += replayed.length;
      numbers.open += open.length;
      numbers.first_accepted_again += open.length > 0 && accepted.length > 0 ? 1 : 0;
      numbers.lost_and_replayed += accepted.length === 0 && replayed.length > 0 ? 1 : 0;
      for (const one of [...of('wrong'), ...open]) said[one.said] = (said[one.said] ?? 0) + 1;
      for (const one of of('wrong')) wrong.push(`${nonce}: answered ${one.said}`);
      if (accepted.length > 1) wrong.push(`${nonce}: accepted ${accepted.length} times: ${accepted.map(({ answer }) => answer.id)}`);
      if (open.length === 0 && accepted.length === 0) wrong.push(`${nonce}: refused ${replayed.length} times, and nothing was lost`);
      for (const one of open.filter((each) => !this.#wasBroken(each, slackMs))) {
        wrong.push(`${nonce}: ${one.said} while nothing was broken (${this.#nearest(one)})`);
      }
    }
    return { numbers, said, wrong };
  }

  #nearest({ from }) {
    const before = this.faults.filter((fault) => fault.to < from).at(-1);
    return before ? `${from - before.to} ms after ${before.what}` : 'before the first fault';
  }
}
