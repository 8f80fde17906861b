// Which executions wait for quick jobs, and since when: what makes no progress is dispatched again, ever more slowly.

interface Expected {
  readonly at: number;
  readonly waitMs: number;
}

/** First wait before a quick job is dispatched again; doubled each time, up to a minute. */
export const REDISPATCH_MIN_MS = 2_000;
const REDISPATCH_MAX_MS = 60_000;

export class ProgressWatch {
  // In order of `at + waitMs` per round of insertion: entries are put back at the end when they are touched.
  readonly #expected = new Map<string, Expected>();

  get size(): number {
    return this.#expected.size;
  }

  /** Progress was made at `now`, and more is expected. */
  expect(execution: string, now: number): void {
    this.#expected.delete(execution);
    this.#expected.set(execution, { at: now, waitMs: REDISPATCH_MIN_MS });
  }

  /** Whether this process waits for progress of the execution. */
  isExpected(execution: string): boolean {
    return this.#expected.has(execution);
  }

  forget(execution: string): void {
    this.#expected.delete(execution);
  }

  forgetAll(): void {
    this.#expected.clear();
  }

  /** Takes up to `limit` executions that made no progress in their time; each is expected again after twice the wait. */
  overdue(now: number, limit: number): readonly string[] {
    const overdue: string[] = [];
    for (const [execution, { at, waitMs }] of this.#expected) {
      if (overdue.length === limit) break;
      if (now - at < REDISPATCH_MIN_MS) break;
      if (now - at < waitMs) continue;
      overdue.push(execution);
    }
    for (const execution of overdue) {
      const { waitMs } = this.#expected.get(execution)!;
      this.#expected.delete(execution);
      this.#expected.set(execution, { at: now, waitMs: Math.min(waitMs * 2, REDISPATCH_MAX_MS) });
    }
    return overdue;
  }
}
