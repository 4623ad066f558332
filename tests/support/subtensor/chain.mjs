// A chain of blocks that a real Subtensor runtime executes: Chopsticks' executor and storage, with blocks made here.
//
// Chopsticks makes blocks, too, but not such as a client can follow that checks what it is told: the genesis block's hash is
// not its header's, roots and digests are made up, the clock goes one slot ahead with each block (so the head soon lies in the
// future), and asking for an unknown block puts that hash in the place of the genesis block. Here
//   - every hash is the hash of its header, and the header is the one that the runtime finalized;
//   - a block's time is the clock when it was made, and at least one millisecond after the one made before it;
//   - the finalized head lies `finality` blocks behind the head, and never goes back;
//   - a block never changes: what a test writes into the storage comes with a block of its own;
//   - a reorganisation gives the extrinsics of the blocks it drops back to the pool, as a node does.
// A block takes about 0.2 s, nearly all of it compiling the runtime. Where only heights matter, blocks are passed over: they have
// all that a client looks at, but the runtime did not run (skip).
import {
  Api, Block, Blockchain, GenesisProvider, StorageLayer, calculateStateRoot, compactHex, getSlotDuration, runTask, taskHandler,
} from '@acala-network/chopsticks-core';
import { TypeRegistry } from '@polkadot/types';
import { compactAddLength, hexToU8a, u8aToHex } from '@polkadot/util';
import { blake2AsHex } from '@polkadot/util-crypto';

const CODE = '0x3a636f6465'; // ":code"
const RUNTIME_UPDATED = '0x08'; // the digest item RuntimeEnvironmentUpdated
const ZERO = `0x${'00'.repeat(32)}`;
const EXTERNAL = '02'; // where an extrinsic came from, for its validation

// What a node says of an extrinsic that it does not take: { code, message, data }.
export class Refusal extends Error {
  constructor(code, message, data) { super(message); Object.assign(this, { code, data }); }
}

const WORDS = {
  BadProof: 'Transaction has a bad signature',
  Stale: 'Transaction is outdated',
  Future: 'Transaction will be valid in the future',
  Payment: 'Inability to pay some fees (e.g. account balance too low)',
  AncientBirthBlock: 'Transaction has an ancient birth block',
  ExhaustsResources: 'Transaction would exhaust the block limits',
  Call: 'Transaction call is not expected',
  BadMandatory: 'A call was labelled as mandatory, but resulted in an Error.',
};

const words = (invalid) => (invalid.isCustom ? `Custom error: ${invalid.asCustom.toNumber()}` : WORDS[invalid.type] ?? invalid.type);

// The genesis provider with a header as a node has it, and its true hash.
async function genesisOf(specification) {
  const genesis = new GenesisProvider(specification);
  const header = { ...await genesis.getHeader(), parentHash: ZERO };
  genesis.getHeader = async () => header;
  const hash = new TypeRegistry().createType('Header', header).hash.toHex();
  Object.defineProperty(genesis, 'blockHash', { value: hash });
  return { genesis, hash };
}

export class Chain {
  #lastTime = 0;
  #turn = Promise.resolve();
  pool = new Map(); // hash → { hex, signer, provides }
  standing = new Map(); // storage that has this value after every block, whatever the runtime makes of it

  // One block besides the genesis block is there from the start, so that the chain has a time.
  static async create(specification, finality) {
    const { genesis, hash } = await genesisOf(specification);
    const api = new Api(genesis);
    await api.isReady;
    const chain = new Chain();
    chain.machine = new Blockchain({ api, header: { hash, number: 0 } });
    chain.finality = finality;
    chain.blocks = new Map([[hash, chain.machine.head]]);
    chain.best = [chain.machine.head];
    chain.finalized = 0;
    await chain.newBlock();
    chain.events = await chain.head.get(compactHex((await chain.head.meta).query.system.events())); // of a block with nothing in it
    return chain;
  }

  get head() { return this.best.at(-1); }

  // One change after the other, each after those asked for before it.
  #inTurn(change) {
    const done = this.#turn.then(change);
    this.#turn = done.catch(() => {});
    return done;
  }

  // ── blocks ──

  // Makes a block of what waits in the pool. @writes, [[key, value or null]], come with it.
  newBlock(writes = []) { return this.#inTurn(() => this.#build(writes)); }

  async #build(writes) {
    const parent = this.head;
    const made = await this.#execute(parent, await this.#moment(parent));
    const registry = await parent.registry;
    const { digest, ...header } = registry.createType('Header', made.header).toJSON();
    if (writes.some(([key]) => key === CODE)) digest.logs.push(RUNTIME_UPDATED);
    const storageDiff = { ...await made.block.storageDiff(), ...Object.fromEntries([...writes, ...this.standing]) };
    return this.#append(registry.createType('Header', { ...header, digest }), made.extrinsics, parent.storage, storageDiff);
  }

  #append(header, extrinsics, storage, storageDiff) {
    const block = new Block(this.machine, header.number.toNumber(), header.hash.toHex(), this.head, { header, extrinsics, storage, storageDiff });
    this.blocks.set(block.hash, block);
    this.best.push(block);
    this.#settle();
    return block;
  }

  #settle() { this.finalized = Math.max(this.finalized, this.head.number - this.finality); }

  // What is the same in each block made now: time, slot, digest, and how such values are written.
  async #moment(parent) {
    const [meta, registry] = await Promise.all([parent.meta, parent.registry]);
    const slotTime = await (this.slotTime ??= getSlotDuration(parent));
    const time = this.#lastTime = Math.max(Date.now(), this.#lastTime + 1);
    const slot = Math.floor(time / slotTime);
    const u64 = (value) => u8aToHex(registry.createType('u64', value).toU8a());
    const clock = (at, inSlot) => [[compactHex(meta.query.timestamp.now()), u64(at)], [compactHex(meta.query.aura.currentSlot()), u64(inSlot)]];
    return {
      meta, registry, now: clock(time, slot), before: clock(time - slotTime, slot - 1),
      logs: [registry.createType('DigestItem', { PreRuntime: ['aura', compactAddLength(registry.createType('u64', slot).toU8a())] })],
      extrinsic: registry.createType('Extrinsic', meta.tx.timestamp.set(time)).toHex(),
    };
  }

  // Lets the runtime make the block after @parent. The runtime wants a block per slot, so to it the parent's slot is the one
  // before, whatever the clock said then.
  async #execute(parent, { registry, before, logs, extrinsic }) {
    const storage = new StorageLayer(parent.storage);
    storage.setAll(before);
    const header = registry.createType('Header',
      { parentHash: parent.hash, number: parent.number + 1, stateRoot: ZERO, extrinsicsRoot: ZERO, digest: { logs } });
    const block = new Block(this.machine, parent.number + 1, ZERO, parent, { header, extrinsics: [], storage });
    const extrinsics = [extrinsic];
    const begin = [['Core_initialize_block', [header.toHex()]], ['BlockBuilder_apply_extrinsic', [extrinsic]]];
    const end = [['BlockBuilder_finalize_block', []]];
    if (this.pool.size === 0) return { block, extrinsics, header: await this.#run(block, [...begin, ...end]) };
    await this.#run(block, begin);
    await this.#apply(block, extrinsics);
    return { block, extrinsics, header: await this.#run(block, end) };
  }

  // Passes over @count blocks in which nothing happens, without the runtime. All lie directly on the storage of the head.
  skip(count) {
    return this.#inTurn(async () => {
      const { storage } = this.head;
      const writes = {};
      for (let i = 0; i < count; i++) Object.assign(writes, await this.#passOver(storage, writes));
      return this.head;
    });
  }

  async #passOver(storage, earlier) {
    const parent = this.head;
    const { meta, registry, now, logs, extrinsic } = await this.#moment(parent);
    const number = parent.number + 1;
    const { system } = meta.query;
    const writes = Object.fromEntries([...now,
      [compactHex(system.number()), u8aToHex(registry.createType('u32', number).toU8a())],
      [compactHex(system.parentHash()), parent.hash],
      [compactHex(system.blockHash(parent.number)), parent.hash],
      [compactHex(system.events()), this.events]]);
    const { stateRoot } = await parent.header;
    const extrinsicsRoot = await calculateStateRoot([['0x00', extrinsic]], 0);
    const header = registry.createType('Header', { parentHash: parent.hash, number, stateRoot, extrinsicsRoot, digest: { logs } });
    this.#append(header, [extrinsic], storage, { ...earlier, ...writes });
    return writes;
  }

  // Runs @calls in one go and keeps what they write; the result of the last.
  async #run(block, calls) {
    const { Call, Error: failure } = await runTask(
      { wasm: await block.wasm, calls, mockSignatureHost: false, allowUnresolvedImports: false, runtimeLogLevel: 0 }, taskHandler(block));
    if (failure) throw new Error(`${calls.map(([name]) => name)}: ${failure}`);
    block.pushStorageLayer().setAll(Call.storageDiff);
    return Call.result;
  }

  // Puts what waits into @block. What is for later stays in the pool, what has become invalid leaves it.
  async #apply(block, extrinsics) {
    const registry = await block.registry;
    for (const [hash, { hex }] of [...this.pool]) {
      const result = registry.createType('ApplyExtrinsicResult', await this.#run(block, [['BlockBuilder_apply_extrinsic', [hex]]]));
      if (result.isOk) extrinsics.push(hex);
      else block.popStorageLayer();
      if (result.isErr && result.asErr.isInvalid && result.asErr.asInvalid.isFuture) continue;
      this.pool.delete(hash);
    }
  }

  // Makes @hash the head.
  setHead(hash) {
    return this.#inTurn(async () => {
      const branch = [];
      let block = this.blocks.get(hash);
      if (!block) throw new Refusal(1, `Block not found ${hash}`);
      for (; this.best[block.number] !== block; block = this.blocks.get((await block.header).parentHash.toHex())) branch.unshift(block);
      const dropped = this.best.splice(block.number + 1);
      this.best.push(...branch);
      this.#settle();
      for (const { extrinsics } of dropped) {
        for (const hex of (await extrinsics).slice(1)) await this.submit(hex).catch(() => {}); // what the new branch has is refused
      }
      return this.head;
    });
  }

  // ── extrinsics ──

  // Takes an extrinsic into the pool, or throws a Refusal as a node words it. Returns its hash.
  async submit(hex) {
    const { head } = this;
    const registry = await head.registry;
    const hash = blake2AsHex(hex, 256);
    if (this.pool.has(hash)) throw new Refusal(1013, 'Transaction Already Imported', `[${hash}]`);
    let signer;
    try {
      signer = registry.createType('Extrinsic', hex).signer.toString();
    } catch (error) {
      throw new Refusal(1002, 'Verification Error: Runtime error: Execution failed: bad extrinsic', error.message);
    }
    const { result } = await head.call('TaggedTransactionQueue_validate_transaction', [`0x${EXTERNAL}${hex.slice(2)}${head.hash.slice(2)}`])
      .catch((error) => { throw new Refusal(1002, `Verification Error: Runtime error: Execution failed: ${error.message}`); });
    const validity = registry.createType('TransactionValidity', result);
    if (validity.isErr && validity.asErr.isInvalid) throw new Refusal(1010, 'Invalid Transaction', words(validity.asErr.asInvalid));
    if (validity.isErr) throw new Refusal(1011, 'Unknown Transaction Validity', validity.asErr.asUnknown.type);
    const provides = validity.asOk.provides.toString();
    if ([...this.pool.values()].some((other) => other.provides === provides)) {
      throw new Refusal(1014, 'Priority is too low: (0 vs 0)',
        'The transaction has too low priority to replace another transaction already in the pool.');
    }
    this.pool.set(hash, { hex, signer, provides });
    return hash;
  }

  async nextNonce(address) {
    const registry = await this.head.registry;
    const account = registry.createType('AccountId', address);
    const { result } = await this.head.call('AccountNonceApi_account_nonce', [account.toHex()]);
    const waiting = [...this.pool.values()].filter(({ signer }) => signer === account.toString()).length;
    return registry.createType('u32', hexToU8a(result)).toNumber() + waiting;
  }
}
