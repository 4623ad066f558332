// Group commit: what has gathered while the last transaction was written is the next one. Nobody is answered before it is on the
// disk. The transaction runs in this thread.
import Database from 'better-sqlite3';

const BATCH_MAX = 1024;

export class IssueLog {
  #waiting = [];
  #isDue = false;

  constructor(path) {
    const db = new Database(path);
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('wal_autocheckpoint = 8000');
    db.pragma('cache_size = -32768');
    db.exec(`CREATE TABLE IF NOT EXISTS requests (id INTEGER PRIMARY KEY, asker TEXT NOT NULL, nonce TEXT NOT NULL, x_nonce TEXT,
      time_ms INTEGER NOT NULL);
      CREATE UNIQUE INDEX IF NOT EXISTS requests_nonce ON requests (nonce, asker);
      CREATE UNIQUE INDEX IF NOT EXISTS requests_x_nonce ON requests (x_nonce, asker) WHERE x_nonce IS NOT NULL;
      CREATE TABLE IF NOT EXISTS issued (challenge_id INTEGER PRIMARY KEY AUTOINCREMENT, asker TEXT NOT NULL, miner TEXT NOT NULL,
      window_id TEXT NOT NULL, manifest_hash TEXT NOT NULL, element_id TEXT NOT NULL, clip_hash TEXT NOT NULL,
      seed INTEGER NOT NULL, nonce TEXT NOT NULL, block INTEGER NOT NULL, time_ms INTEGER NOT NULL);
      CREATE INDEX IF NOT EXISTS issued_window ON issued (window_id, challenge_id)`);
    this.db = db;
    this.insertRequest = db.prepare('INSERT INTO requests (asker, nonce, x_nonce, time_ms) VALUES (?, ?, ?, ?)');
    this.insertIssued = db.prepare(`INSERT INTO issued (asker, miner, window_id, manifest_hash, element_id, clip_hash, seed, nonce,
      block, time_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    this.removeOld = db.prepare(`DELETE FROM requests WHERE id IN (SELECT id FROM requests ORDER BY id LIMIT ?) AND time_ms < ?`);
    this.writeAll = db.transaction((batch) => this.#writeBatch(batch));
  }

  warm(admission, nowMs) {
    const recent = this.db.prepare('SELECT asker, nonce, x_nonce, time_ms FROM requests WHERE time_ms >= ? ORDER BY id');
    this.rememberMs = admission.rememberMs;
    for (const row of recent.iterate(nowMs - admission.rememberMs))
      admission.remember(row.asker, row.nonce, row.x_nonce ?? undefined, row.time_ms);
  }

  #writeBatch(batch) {
    this.removeOld.run(2 * batch.length + 16, Date.now() - this.rememberMs);
    for (const entry of batch) {
      this.insertRequest.run(entry.asker, entry.nonce, entry.xNonce ?? null, entry.timeMs);
      const r = entry.record;
      if (r === null) continue;
      entry.id = this.insertIssued.run(entry.asker, r.miner, r.windowId, r.manifestHash, r.elementId, r.clipHash, r.seed,
        entry.nonce, r.block, entry.timeMs).lastInsertRowid;
    }
  }

  #flush() {
    this.#isDue = false;
    const batch = this.#waiting.splice(0, BATCH_MAX);
    let fault = null;
    try {
      this.writeAll(batch);
    } catch (error) {
      fault = error;
    }
    for (const { done, id } of batch) done(fault, id);
    if (this.#waiting.length > 0) this.#schedule();
  }

  #schedule() {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => this.#flush());
  }

  // @entry: asker, nonce, xNonce, timeMs, record (or null); @done gets a fault or null, and the challenge's id.
  submit(entry, done) {
    this.#waiting.push({ ...entry, id: 0, done });
    this.#schedule();
  }

  close() {
    while (this.#waiting.length > 0) this.#flush();
    this.db.close();
  }
}
