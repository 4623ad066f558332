// Nonces and the rate limit, in memory. One list by asker, oldest first: its tail counts for the rate, all of it against replays.
const REMEMBER_MIN_MS = 120000;
const CUT_AT = 1024;

export class Admission {
  #askers = new Map();

  constructor(limit, windowMs) {
    this.limit = limit;
    this.windowMs = windowMs;
    this.rememberMs = Math.max(windowMs, REMEMBER_MIN_MS);
  }

  #find(account) {
    let asker = this.#askers.get(account);
    if (asker === undefined) {
      asker = { entries: [], first: 0, counted: 0, nonces: new Set() };
      this.#askers.set(account, asker);
    }
    return asker;
  }

  #forget(asker, nowMs) {
    const { entries, nonces } = asker;
    while (asker.counted < entries.length && entries[asker.counted].timeMs <= nowMs - this.windowMs) asker.counted++;
    while (asker.first < entries.length && entries[asker.first].timeMs < nowMs - this.rememberMs) {
      const { nonce, xNonce } = entries[asker.first];
      nonces.delete(nonce);
      if (xNonce !== undefined) nonces.delete(`x${xNonce}`);
      asker.first++;
    }
    if (asker.first < CUT_AT || asker.first * 2 < entries.length) return;
    entries.splice(0, asker.first);
    asker.counted -= asker.first;
    asker.first = 0;
  }

  isReplay(account, nonce, xNonce) {
    const nonces = this.#askers.get(account)?.nonces;
    return nonces !== undefined && (nonces.has(nonce) || (xNonce !== undefined && nonces.has(`x${xNonce}`)));
  }

  remember(account, nonce, xNonce, timeMs) {
    const asker = this.#find(account);
    asker.entries.push({ nonce, xNonce, timeMs });
    asker.nonces.add(nonce);
    if (xNonce !== undefined) asker.nonces.add(`x${xNonce}`);
  }

  // Seconds until the asker may ask again; 0: admitted, and remembered.
  admit(account, nonce, xNonce, nowMs) {
    const asker = this.#find(account);
    this.#forget(asker, nowMs);
    if (asker.entries.length - asker.counted >= this.limit)
      return Math.max(1, Math.ceil((asker.entries[asker.counted].timeMs + this.windowMs - nowMs) / 1000));
    this.remember(account, nonce, xNonce, nowMs);
    return 0;
  }
}
