// Histories in memory, with the semantics of the HistoryStore port: (key, sequence) is the compare-and-set, a batch is one act.
import type { Instant } from '@weft/kernel';
import type { Commit, Decided, StoredHistory } from '@weft/pipeline';
import { CommitRows, type Recorded } from './commit-rows.js';

/** One history row as it is stored. */
export interface HistoryRow {
  readonly key: string;
  readonly sequence: number;
  readonly structure: string;
  readonly payload: string;
  /** What the writer said the time was. */
  readonly at: Instant;
}

/** What a store is told about the histories that it keeps. */
export interface Kept<S, E> {
  readonly encode: (events: readonly E[], key: string) => { readonly structure: string; readonly payload: string };
  readonly decode: (row: HistoryRow) => readonly E[];
  /** Whether a decision has something to publish. */
  readonly announces: (decided: Decided<S, E, never>) => boolean;
  /** Told of every decision that was written, in the same act. */
  readonly onWritten: (decided: Decided<S, E, never>, at: Instant) => void;
}

export class Store<S, E> {
  readonly histories = new Map<string, HistoryRow[]>();
  readonly commits: CommitRows;
  awayUntil: Instant = 0;
  readonly #decoded = new WeakMap<HistoryRow, readonly E[]>();

  constructor(
    service: string,
    private readonly tenant: string,
    private readonly kept: Kept<S, E>,
  ) {
    this.commits = new CommitRows(service);
  }

  /** The events of a row, read from its texts once: nobody may change them. */
  decode(row: HistoryRow): readonly E[] {
    const known = this.#decoded.get(row);
    if (known) return known;
    const events = this.kept.decode(row);
    this.#decoded.set(row, events);
    return events;
  }

  load(keys: readonly string[]): ReadonlyMap<string, StoredHistory<E>> {
    const found = new Map<string, StoredHistory<E>>();
    for (const key of keys) {
      const rows = this.histories.get(key);
      if (rows) found.set(key, { version: rows.at(-1)!.sequence, events: rows.flatMap((row) => this.decode(row)) });
    }
    return found;
  }

  /** Writes the decisions whose place is free. @returns their keys. */
  write({ id, at, decisions }: Commit<S, E, never>): ReadonlySet<string> {
    const won = new Set<string>();
    const recorded: Recorded[] = [];
    let announces = false;
    for (const decided of decisions) {
      const { key, sequence, events } = decided;
      const rows = this.histories.get(key) ?? [];
      if (rows.some((row) => row.sequence === sequence)) continue;
      const { structure, payload } = this.kept.encode(events, key);
      rows.push({ key, sequence, structure, payload, at });
      this.histories.set(key, rows);
      won.add(key);
      recorded.push({ subject: key, sequence, structure, payload });
      announces ||= this.kept.announces(decided);
      this.kept.onWritten(decided, at);
    }
    this.commits.add(id, at, this.tenant, recorded, !announces);
    return won;
  }

  outcomeOf(id: string): ReadonlySet<string> | undefined {
    const row = this.commits.rows.get(id);
    return row && new Set(row.members.map(([key]) => key));
  }
}
