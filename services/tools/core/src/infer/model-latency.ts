// How long the latest answers of a candidate took, for hedging by a percentile.

const KEPT = 128;
/** Answers that must be known before a percentile says anything. */
export const ANSWERS_MIN = 20;

/** The latest answers of one candidate. */
export class LatencyWindow {
  readonly #ms: number[] = [];
  #next = 0;

  add(ms: number): void {
    this.#ms[this.#next] = ms;
    this.#next = (this.#next + 1) % KEPT;
  }

  /** @param percentile 1 to 99. @returns milliseconds, or undefined while too few answers are known. */
  percentile(percentile: number): number | undefined {
    if (this.#ms.length < ANSWERS_MIN) return undefined;
    const sorted = this.#ms.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percentile) / 100))];
  }
}
