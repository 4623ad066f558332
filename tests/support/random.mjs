// Random numbers that can be had again: a test that failed names the seed, and SV_SEED repeats its run.
import { randomInt } from 'node:crypto';

export const seed = Number(process.env.SV_SEED ?? randomInt(2 ** 31));

// mulberry32: small, and the same everywhere
let state = seed;
export function random32() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return (t ^ (t >>> 14)) >>> 0;
}
export const below = (n) => random32() % n;
export const pick = (list) => list[below(list.length)];
export const randomBytes = (n) => Uint8Array.from({ length: n }, () => below(256));
