// Group commit: what has gathered while the last transaction was written is the next one. Nobody is answered before it is on the
// disk. See issue_writer.mjs for who writes.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';

const BATCH_MAX = 1024;

export class IssueLog {
  #waiting = []; // entries, and beside them whom to tell
  #toTell = [];
  #told = null; // of the batch that is being written
  #isDue = false;

  // Makes the tables where they are not there, and lets @admission remember what was admitted before a restart.
  constructor(path, admission) {
    const db = new Database(path);
    db.pragma('journal_mode = WAL');
    db.exec(`CREATE TABLE IF NOT EXISTS requests (id INTEGER PRIMARY KEY, asker TEXT NOT NULL, nonce TEXT NOT NULL, x_nonce TEXT,
      time_ms INTEGER NOT NULL);
      CREATE UNIQUE INDEX IF NOT EXISTS requests_nonce ON requests (nonce, asker);
      CREATE UNIQUE INDEX IF NOT EXISTS requests_x_nonce ON requests (x_nonce, asker) WHERE x_nonce IS NOT NULL;
      CREATE TABLE IF NOT EXISTS issued (challenge_id INTEGER PRIMARY KEY AUTOINCREMENT, asker TEXT NOT NULL, miner TEXT NOT NULL,
      window_id TEXT NOT NULL, manifest_hash TEXT NOT NULL, element_id TEXT NOT NULL, clip_hash TEXT NOT NULL,
      seed INTEGER NOT NULL, nonce TEXT NOT NULL, block INTEGER NOT NULL, time_ms INTEGER NOT NULL);
      CREATE INDEX IF NOT EXISTS issued_window ON issued (window_id, challenge_id)`);
    const recent = db.prepare('SELECT asker, nonce, x_nonce, time_ms FROM requests WHERE time_ms >= ? ORDER BY id');
    for (const row of recent.iterate(Date.now() - admission.rememberMs))
      admission.remember(row.asker, row.nonce, row.x_nonce ?? undefined, row.time_ms);
    db.close();
    this.writer = new Worker(new URL('issue_writer.mjs', import.meta.url),
      { workerData: { path, rememberMs: admission.rememberMs } });
    this.writer.on('message', (written) => this.#tell(written));
  }

  #tell({ fault = null, ids }) {
    const told = this.#told;
    this.#told = null;
    this.#write();
    told.forEach((done, i) => done(fault, ids?.[i]));
  }

  #write() {
    this.#isDue = false;
    if (this.#told !== null || this.#waiting.length === 0) return;
    this.#told = this.#toTell.splice(0, BATCH_MAX);
    this.writer.postMessage(this.#waiting.splice(0, BATCH_MAX));
  }

  // @entry: asker, nonce, xNonce, timeMs, record (or null); @done gets a fault or null, and the challenge's id.
  submit(entry, done) {
    this.#waiting.push(entry);
    this.#toTell.push(done);
    if (this.#isDue || this.#told !== null) return;
    this.#isDue = true;
    setImmediate(() => this.#write());
  }

  // When all that was submitted is written: messages are taken in order.
  async close() {
    if (this.#waiting.length > 0) this.writer.postMessage(this.#waiting);
    this.writer.postMessage(null);
    await once(this.writer, 'exit');
  }
}
