// The log in PostgreSQL, on the connection of one sequencer.
import { faultOf } from '@weft/adapter-postgres';
import { executionsOf, type HashTile, type LogEdge, type StoredCommit } from '@weft/audit/core';
import type { CommitRow } from '@weft/proof';
import { HASH_BYTES, rightEdgeTiles, TILE_WIDTH, type TreeHead } from '@weft/tlog';
import type { PoolClient } from 'pg';
import { APPEND_STATEMENT, appendSql, unsequencedSql } from './append-statement.js';

/** A commit row with the bytes that go into the log for it. */
export interface EncodedLeaf {
  readonly commit: CommitRow;
  readonly entry: Uint8Array;
  /** Traces that the commit's decisions belong to, of those that are recorded. */
  readonly traceparents: readonly string[];
}

/** A commit row that is not in the log yet. */
export interface UnsequencedCommit extends StoredCommit {
  readonly traceparents: readonly string[];
}

/** Everything that one append writes. */
export interface Append {
  readonly epoch: number;
  readonly before: TreeHead;
  readonly after: TreeHead;
  /** The signed checkpoint of `after`. */
  readonly note: string;
  readonly leaves: readonly EncodedLeaf[];
  readonly tiles: readonly HashTile[];
}

/** appended: durable; fenced: the head is another's; busy: these of the commits could be locked, the others are being worked on. */
export type AppendOutcome = { readonly kind: 'appended' } | { readonly kind: 'fenced' } | { readonly kind: 'busy'; readonly claimed: ReadonlySet<string> };

export interface StoredHead extends TreeHead {
  readonly epoch: number;
  readonly note: string;
}

export class LogStore {
  readonly #appendSql: string;
  readonly #unsequencedSql: string;

  constructor(
    private readonly connection: PoolClient,
    services: readonly string[],
  ) {
    this.#appendSql = appendSql(services);
    this.#unsequencedSql = unsequencedSql(services);
  }

  async head(): Promise<StoredHead> {
    const [row] = await this.#query<StoredHead>('audit-head-1', 'select size::float8 as size, root, epoch::float8 as epoch, note from audit.head', []);
    return row!;
  }

  /** The right edge under a head: what appending starts from. Also when the log has grown since: what grew lies behind it. */
  async edge({ size, root }: TreeHead): Promise<LogEdge> {
    const tiles = rightEdgeTiles(size).filter(({ level }) => level !== 'entries');
    const rows = await this.#query<{ level: number; bytes: Buffer }>(
      'audit-edge-1',
      'select level, substring(bytes for e.length) as bytes from audit.tiles join unnest($1::smallint[], $2::bigint[], $3::int[]) as e(level, index, length) using (level, index)',
      [tiles.map(({ level }) => level), tiles.map(({ index }) => index), tiles.map(({ width }) => width * HASH_BYTES)],
    );
    const entries = await this.#query<{ entry: Buffer }>('audit-edge-entries-1', 'select entry from audit.leaves where index >= $1 and index < $2 order by index', [size - (size % TILE_WIDTH), size]);
    return { head: { size, root }, entries: entries.map(({ entry }) => entry), hashes: new Map(rows.map(({ level, bytes }) => [level, bytes])) };
  }

  /** Commit rows that are not in the log, oldest first, at most `limit` of a service. */
  async unsequenced(limit: number, without: readonly string[]): Promise<readonly UnsequencedCommit[]> {
    const rows = await this.#query<UnsequencedCommit>('audit-unsequenced-1', this.#unsequencedSql, [limit, without]);
    return rows.map((row) => ({ ...row, at: Math.round(row.at) })).sort((left, right) => (left.id < right.id ? -1 : 1));
  }

  async append({ epoch, before, after, note, leaves, tiles }: Append): Promise<AppendOutcome> {
    const entries = joined(leaves.map(({ entry }) => entry));
    const hashes = joined(tiles.map(({ bytes }) => bytes));
    const members = leaves.flatMap(({ commit }, n) => executionsOf(commit).map((subject) => ({ subject, leaf: before.size + n })));
    const [row] = await this.#query<{ is_ours: boolean; is_appended: boolean; claimed: string[] }>(APPEND_STATEMENT, this.#appendSql, [
      epoch,
      before.size,
      after.size,
      after.root,
      note,
      leaves.map(({ commit }) => commit.service),
      leaves.map(({ commit }) => commit.id),
      leaves.map(({ commit }) => JSON.stringify([...new Set(commit.tenants)])),
      entries.bytes,
      entries.offsets,
      entries.lengths,
      tiles.map(({ level }) => level),
      tiles.map(({ index }) => index),
      hashes.bytes,
      hashes.offsets,
      hashes.lengths,
      members.map(({ subject }) => subject),
      members.map(({ leaf }) => leaf),
    ]);
    if (row!.is_appended) return { kind: 'appended' };
    return row!.is_ours ? { kind: 'busy', claimed: new Set(row!.claimed) } : { kind: 'fenced' };
  }

  async #query<R extends object>(name: string, text: string, values: readonly unknown[]): Promise<R[]> {
    try {
      return (await this.connection.query<R>({ name, text, values: [...values] })).rows;
    } catch (fault) {
      throw faultOf(fault);
    }
  }
}

/** Byte strings as one parameter, with where each begins (from 1, as SQL counts) and how long it is: arrays of bytes travel as text. */
function joined(parts: readonly Uint8Array[]): { readonly bytes: Buffer; readonly offsets: readonly number[]; readonly lengths: readonly number[] } {
  let next = 1;
  const offsets = parts.map(({ length }) => (next += length) - length);
  return { bytes: Buffer.concat(parts), offsets, lengths: parts.map(({ length }) => length) };
}
