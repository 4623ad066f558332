// What is served: read once at the start, from what sv has stored and says of itself. The head of the chain is asked for as
// often as sv does it.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import Database from 'better-sqlite3';

const HEAD_INTERVAL_MS = 100;
const bare = (account) => account.replace(/^ss58:/, '');

const setting = (name) => process.env[name] ?? fail(`${name} is not set`);
function fail(message) {
  throw new Error(message);
}

function readSecrets(path, manifestHash) {
  const state = new Database(path, { readonly: true });
  const read = state.prepare('SELECT key FROM secrets WHERE kind = ? AND name = ?').pluck();
  const secrets = { drawKey: read.get('draw', manifestHash), clipKey: read.get('secret', 'clip-token') };
  state.close();
  return secrets;
}

// miner -> element -> its binding in force
async function readBindings(ours, windowId) {
  const bindings = new Map();
  const response = await fetch(`${ours}/api/commitments?window_id=${windowId}`);
  const { commitments } = await response.json();
  for (const state of commitments) {
    const ofMiner = new Map();
    for (const binding of state.bindings) {
      const block = Number(binding.commitment_proof.split(':')[0]);
      ofMiner.set(binding.element_id, { ...binding, block });
    }
    bindings.set(bare(state.miner_hotkey), ofMiner);
  }
  return bindings;
}

// Clips sorted by hash, with the sums that the draw compares.
function readElements(manifest, clips) {
  const elements = new Map();
  for (const element of manifest.elements) {
    let total = 0;
    const sorted = element.clips.toSorted((a, b) => (a.hash < b.hash ? -1 : 1));
    const drawn = sorted.map(({ hash, weight }) => ({ sum: (total += weight), clip: clips.get(hash) }));
    elements.set(element.id, { id: element.id, drawn, total });
  }
  return elements;
}

function followHead(path) {
  const ledger = new Database(path, { readonly: true });
  const read = ledger.prepare('SELECT number, time_ms FROM block ORDER BY number DESC LIMIT 1');
  const finality = ledger.prepare('SELECT finality FROM ledger').pluck().get();
  const head = { number: 0, timeMs: 0, finalized: 0 };
  const look = () => {
    const { number, time_ms: timeMs } = read.get();
    Object.assign(head, { number, timeMs, finalized: Math.max(0, number - finality) });
  };
  look();
  setInterval(look, HEAD_INTERVAL_MS).unref();
  return { head, permits: new Set(ledger.prepare('SELECT address FROM permit').pluck().all()) };
}

export async function readWorld() {
  const bytes = readFileSync(setting('PEER_MANIFEST'));
  const manifest = JSON.parse(bytes);
  const manifestHash = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const clips = new Map(JSON.parse(readFileSync(setting('PEER_CLIPS'))).clips.map((clip) => [clip.hash, clip]));
  const secrets = readSecrets(setting('PEER_STATE'), manifestHash);
  return {
    manifest,
    manifestHash,
    drawKey: secrets.drawKey,
    clipKey: secrets.clipKey,
    drawCommit: `sha256:${createHash('sha256').update(secrets.drawKey).digest('hex')}`,
    elements: readElements(manifest, clips),
    bindings: await readBindings(setting('PEER_OURS'), manifest.window_id),
    ...followHead(setting('PEER_LEDGER')),
  };
}
