// Writes the log for as long as this process is the one that may: a lock of its connection, and an epoch that every append asks for.
import { faultOf, type Pool } from '@weft/adapter-postgres';
import { appendToEdge, commitRowOf, EMPTY_EDGE, type LogEdge } from '@weft/audit/core';
import { refuse, Refused, type Rejection } from '@weft/kernel';
import { failpoint } from '@weft/pipeline';
import { commitLeafOf, encodeCommitLeaf } from '@weft/proof';
import { openCheckpoint, sameBytes, signCheckpoint } from '@weft/tlog';
import { setImmediate as turn } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import type { LogSigner } from '../keys/log-signer.js';
import { traceAppend } from '../publish/append-spans.js';
import { LogStore, type EncodedLeaf, type UnsequencedCommit } from '../persist/log-store.js';

/** A checkpoint that is durable together with everything under it. */
export interface SignedHead {
  readonly size: number;
  readonly note: string;
}

/** What one append came to. */
export interface Appended {
  /** Commit rows that are in the log now. */
  readonly leaves: number;
  /** Whether more may wait. */
  readonly hasMore: boolean;
  /** The new head; undefined when nothing was appended. */
  readonly head: SignedHead | undefined;
}

export interface WriterOptions {
  readonly signer: LogSigner;
  /** Services whose commit rows go into the log. Each has a commit table. */
  readonly services: readonly string[];
  /** Told of a commit row that cannot be a leaf; told once. */
  readonly onUnfit: (rejection: Rejection) => void;
}

/** Another process writes the log now. */
export class Fenced extends Error {
  constructor() {
    super('another sequencer has taken over the log');
    this.name = 'Fenced';
  }
}

const LOCK = [7_303_014, 2];
// What one append holds at most: its statement locks commit rows of other services for as long as it runs.
const LEAVES_MAX = 1_000;
const BYTES_MAX = 8 * 1024 * 1024;
const ATTEMPTS_MAX = 3;
// Encoding a leaf of 128 members takes about 0.3 ms of the main thread that standalone shares with everything else.
const LEAVES_PER_TURN = 4;
const UNFIT_MAX = 10_000;

export class LogWriter {
  readonly #store: LogStore;
  readonly #unfit = new Set<string>();
  #edge: LogEdge = EMPTY_EDGE;
  #isReleased = false;

  /** For `takeOver`, and for specs that play a sequencer which does not know that it was replaced. */
  constructor(
    private readonly connection: PoolClient,
    private readonly options: WriterOptions,
    readonly epoch: number,
  ) {
    this.#store = new LogStore(connection, options.services);
  }

  /**
   * Becomes the writer, or not when another process is.
   * @throws Refused `audit-key-mismatch` when the log was signed with another key; Fault when the store does not answer.
   */
  static async takeOver(pool: Pool, options: WriterOptions): Promise<LogWriter | undefined> {
    let connection: PoolClient;
    try {
      connection = await pool.connect();
    } catch (fault) {
      throw faultOf(fault);
    }
    // The next statement on it fails anyway; without a listener the process would die.
    connection.on('error', () => undefined);
    try {
      const { rows: locks } = await connection.query<{ taken: boolean }>('select pg_try_advisory_lock($1, $2) as taken', LOCK);
      if (!locks[0]?.taken) {
        connection.release(true);
        return undefined;
      }
      failpoint('audit.take-over', 'before');
      const { rows } = await connection.query<{ epoch: number }>('update audit.head set epoch = epoch + 1 returning epoch::float8 as epoch');
      failpoint('audit.take-over', 'after');
      const writer = new LogWriter(connection, options, rows[0]!.epoch);
      await writer.#checkKey();
      return writer;
    } catch (fault) {
      connection.release(true);
      throw fault instanceof Refused ? fault : faultOf(fault);
    }
  }

  /** The signed head as it is stored; signs the empty log the first time. */
  async head(): Promise<SignedHead> {
    const { size, root, note } = await this.#store.head();
    if (note !== '') return { size, note };
    const first = this.#sign({ size, root });
    const { rowCount } = await this.connection.query(`update audit.head set note = $1, updated_at = now() where epoch = $2 and size = 0 and note = ''`, [first, this.epoch]);
    if (rowCount !== 1) throw new Fenced();
    return { size, note: first };
  }

  /**
   * Takes commit rows that are not in the log and appends them.
   * @throws Fenced when another sequencer has taken over; Refused when the stored log is not the tree of its head (then nothing may be
   * appended until someone has looked); Fault when the store did not do it, or nobody knows whether it did: the next append asks the head.
   */
  async append(): Promise<Appended> {
    const startedAt = Date.now();
    const rows = await this.#store.unsequenced(LEAVES_MAX, [...this.#unfit]);
    let leaves = await this.#encode(rows);
    const hasMore = leaves.length < rows.length || rows.length >= LEAVES_MAX;
    for (let attempt = 1; leaves.length > 0 && attempt <= ATTEMPTS_MAX; attempt++) {
      const edge = await this.#currentEdge();
      const appended = appendToEdge(
        edge,
        leaves.map(({ entry }) => entry),
      );
      if (!appended.ok) throw new Refused(appended.rejection);
      const after = appended.edge.head;
      const note = this.#sign(after);
      failpoint('audit.append', 'before');
      const outcome = await this.#store.append({ epoch: this.epoch, before: edge.head, after, note, leaves, tiles: appended.tiles });
      failpoint('audit.append', 'after');
      if (outcome.kind === 'fenced') throw new Fenced();
      if (outcome.kind === 'appended') {
        this.#edge = appended.edge;
        traceAppend(leaves, edge.head.size, startedAt);
        return { leaves: leaves.length, hasMore, head: { size: after.size, note } };
      }
      const { claimed } = outcome;
      leaves = leaves.filter(({ commit }) => claimed.has(commit.id));
    }
    return { leaves: 0, hasMore: false, head: undefined };
  }

  /** Lets another process write: the lock ends with its connection. Doing it again does nothing. */
  release(): void {
    if (!this.#isReleased) this.connection.release(true);
    this.#isReleased = true;
  }

  async #encode(rows: readonly UnsequencedCommit[]): Promise<readonly EncodedLeaf[]> {
    const leaves: EncodedLeaf[] = [];
    let bytes = 0;
    for (const [n, row] of rows.entries()) {
      if (n % LEAVES_PER_TURN === LEAVES_PER_TURN - 1) await turn();
      const reading = commitRowOf(row);
      const encoded = reading.ok ? encodeCommitLeaf(commitLeafOf(reading.commit)) : reading;
      if (!reading.ok || !encoded.ok) {
        if (!encoded.ok) this.options.onUnfit({ ...encoded.rejection, message: `${encoded.rejection.message} (commit ${row.id} of ${row.service})` });
        if (this.#unfit.size < UNFIT_MAX) this.#unfit.add(row.id);
        continue;
      }
      bytes += encoded.bytes.length;
      if (leaves.length === LEAVES_MAX || (bytes > BYTES_MAX && leaves.length > 0)) break;
      leaves.push({ commit: reading.commit, entry: encoded.bytes, traceparents: row.traceparents });
    }
    return leaves;
  }

  /** The edge in memory while it is the edge of the stored head; else it is read again. */
  async #currentEdge(): Promise<LogEdge> {
    const head = await this.#store.head();
    if (head.epoch !== this.epoch) throw new Fenced();
    if (head.size !== this.#edge.head.size || !sameBytes(head.root, this.#edge.head.root)) this.#edge = await this.#store.edge(head);
    return this.#edge;
  }

  #sign({ size, root }: { readonly size: number; readonly root: Uint8Array }): string {
    const { signer } = this.options.signer;
    return signCheckpoint({ origin: signer.name, size, root }, [signer]);
  }

  async #checkKey(): Promise<void> {
    const { note } = await this.#store.head();
    if (note === '') return;
    const { verifier, verifierKey } = this.options.signer;
    const opened = openCheckpoint(note, verifier);
    if (!opened.ok)
      refuse(
        'audit-key-mismatch',
        `Expected the log in this store to be signed with ${verifierKey} but it is not: ${opened.rejection.message}. Bring the key that signed it (WEFT_AUDIT_KEY, or audit/signer.key in WEFT_HOME).`,
      );
  }
}
