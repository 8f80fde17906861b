// The virtual clock and everything that is going to happen: one thing after the other, in the order of time.
import type { Instant } from '@weft/kernel';

/** Where virtual time begins. */
export const BEGINNING: Instant = 1_700_000_000_000;

interface Planned {
  readonly at: Instant;
  readonly order: number;
  readonly label: string;
  readonly run: () => void;
}

export class Schedule {
  now: Instant = BEGINNING;
  /** Things that have happened. */
  happened = 0;
  readonly #heap: Planned[] = [];
  #order = 0;
  #hash = 0x811c9dc5;
  readonly #lines: string[] | undefined;

  /** @param isTraced whether the steps are kept as text; the hash is the same either way. */
  constructor(isTraced: boolean) {
    this.#lines = isTraced ? [] : undefined;
  }

  /** Plans something. What is due at the same time happens in the order it was planned. */
  after(ms: number, label: string, run: () => void): void {
    this.#push({ at: this.now + Math.max(0, ms), order: this.#order++, label, run });
  }

  /** Lets the next thing happen. @returns whether there was one. */
  step(): boolean {
    const next = this.#pop();
    if (!next) return false;
    this.now = next.at;
    this.happened++;
    if (next.label !== '') this.note(next.label);
    next.run();
    return true;
  }

  /** Writes into the trace, and its hash. */
  note(text: string): void {
    let hash = this.#hash ^ (this.now & 0xffffffff);
    for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
    this.#hash = hash >>> 0;
    this.#lines?.push(`${String(this.now - BEGINNING).padStart(7)} ${text}`);
  }

  /** What tells two runs apart, 8 hex digits. */
  get hash(): string {
    return this.#hash.toString(16).padStart(8, '0');
  }

  get lines(): readonly string[] {
    return this.#lines ?? [];
  }

  #push(planned: Planned): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(planned);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(planned, heap[above]!)) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = planned;
  }

  #pop(): Planned | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = at * 2 + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++;
      if (!isBefore(heap[below]!, last)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}

const isBefore = (left: Planned, right: Planned): boolean => left.at < right.at || (left.at === right.at && left.order < right.order);
