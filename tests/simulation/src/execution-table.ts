// What one commit of executions writes besides history: the execution row, wait rows and reviews.
import type { Instant } from '@weft/kernel';
import { announcementsOf, decodeEvents, effectsBetween, encodeEvents, isEnded, type ExecutionEvent, type ExecutionState, type OpenReview, type Wait } from '@weft/orchestration/core';
import type { Decided } from '@weft/pipeline';
import type { Parts } from './parts.js';
import { Store } from './store.js';

export const TENANT = 'default';

export interface WaitRow extends Wait {
  claimedUntil: Instant;
}

export interface ExecutionRow {
  readonly id: string;
  status: ExecutionState['status'];
  lastRecordedAt: Instant;
  /** The state that the last writer had, to be compared with the fold. */
  state: ExecutionState;
}

/** A decision, as whoever watches the store sees it. */
export type Written = Decided<ExecutionState, ExecutionEvent, never>;

export class ExecutionTable {
  readonly rows = new Map<string, ExecutionRow>();
  readonly waits = new Map<string, Map<string, WaitRow>>();
  readonly reviews = new Map<string, OpenReview & { readonly execution: string }>();
  readonly store: Store<ExecutionState, ExecutionEvent>;

  /** @param onWritten told of every decision, after everything that it writes. */
  constructor(
    private readonly parts: Pick<Parts, 'parked' | 'unparked'>,
    private readonly onWritten: (decided: Written, at: Instant) => void,
  ) {
    this.store = new Store('orchestration', TENANT, {
      encode: encodeEvents,
      decode: (row) => decodeEvents(row, row.key),
      announces: ({ before, after, sequence, events }) => announcementsOf(after, sequence, events, before).length > 0,
      onWritten: (decided, at) => this.#write(decided, at),
    });
  }

  /** Wait rows that are due and that nobody has claimed; they are claimed by asking. Jobs and children are due again later. */
  claimDue(now: Instant, due: (due: number) => number, limit: number): readonly { readonly execution: string; readonly id: string; readonly kind: Wait['kind'] }[] {
    const claimed: { execution: string; id: string; kind: Wait['kind'] }[] = [];
    for (const [execution, waits] of this.waits) {
      for (const wait of waits.values()) {
        if (wait.due === undefined || due(wait.due) > now || wait.claimedUntil > now) continue;
        if (claimed.length === limit) return claimed;
        waits.set(wait.id, { ...wait, claimedUntil: now + 5_000, ...(isAskedAgain(wait.kind) ? { due: now + 30_000 } : {}) });
        claimed.push({ execution, id: wait.id, kind: wait.kind });
      }
    }
    return claimed;
  }

  /** The stored decisions of an execution, oldest first. */
  historyOf(execution: string): readonly { readonly sequence: number; readonly events: readonly ExecutionEvent[] }[] {
    return (this.store.histories.get(execution) ?? []).map((row) => ({ sequence: row.sequence, events: this.store.decode(row) }));
  }

  /** Executions that wait for an event which has one of these keys, or have subscribed to it. */
  listening(keys: readonly string[]): readonly string[] {
    const early = [...this.rows.values()].filter(({ state }) => !isEnded(state) && state.subscriptions?.some((key) => keys.includes(key))).map(({ id }) => id);
    const waiting = [...this.waits].flatMap(([execution, waits]) => ([...waits.values()].some(({ kind, correlation }) => kind === 'signal' && keys.includes(correlation ?? '')) ? [execution] : []));
    return [...new Set([...waiting, ...early])];
  }

  /** Running executions without a wait row (unless `withWaits`) and without history since `silentMs`. */
  silent(now: Instant, silentMs: number, withWaits: boolean): readonly string[] {
    const silent: string[] = [];
    for (const { id, status, lastRecordedAt } of this.rows.values()) {
      if (status !== 'running' || lastRecordedAt > now - silentMs) continue;
      if (withWaits || (this.waits.get(id)?.size ?? 0) === 0) silent.push(id);
    }
    return silent;
  }

  #write(decided: Written, at: Instant): void {
    const { key: id, before, after } = decided;
    const row = this.rows.get(id) ?? { id, status: after.status, lastRecordedAt: at, state: after };
    this.rows.set(id, row);
    row.lastRecordedAt = at;
    row.state = after;
    row.status = after.status;
    const { park, unpark, openReviews, closeReviews } = effectsBetween(before, after);
    const waits = this.waits.get(id) ?? new Map<string, WaitRow>();
    this.waits.set(id, waits);
    for (const wait of this.parts.unparked(unpark)) waits.delete(wait);
    for (const wait of this.parts.parked(park)) waits.set(wait.id, { ...wait, claimedUntil: 0 });
    for (const review of openReviews) this.reviews.set(review.id, { ...review, execution: id });
    for (const review of closeReviews) this.reviews.delete(review);
    this.onWritten(decided, at);
  }
}

/** Nothing fires for such a wait: jobs and children are told of once more. */
export const isAskedAgain = (kind: Wait['kind']): boolean => kind === 'job' || kind === 'child';
