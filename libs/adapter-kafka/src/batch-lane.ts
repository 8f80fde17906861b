// Partitions fetched together are handled together: one call of the handler at a time, as full as the fetch allows.
import type { Delivery } from '@weft/contracts';

interface Waiting {
  readonly deliveries: readonly Delivery[];
  readonly resolve: () => void;
  readonly reject: (fault: unknown) => void;
}

/** Merges what partitions hand in into batches. The order of each partition's deliveries holds. */
export class BatchLane {
  readonly #waiting: Waiting[] = [];
  #isRunning = false;

  /** @param batchMax deliveries in one call at most, unless a single submission is larger. */
  constructor(
    private readonly handle: (batch: readonly Delivery[]) => Promise<void>,
    private readonly batchMax: number,
  ) {}

  /** Resolves when the handler has; rejects with what it threw. */
  submit(deliveries: readonly Delivery[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ deliveries, resolve, reject });
      if (!this.#isRunning) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    // The other partitions of the fetch hand in within this tick.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#nextGroup();
      try {
        await this.handle(group.length === 1 ? group[0]!.deliveries : group.flatMap(({ deliveries }) => deliveries));
        for (const { resolve } of group) resolve();
      } catch (fault) {
        for (const { reject } of group) reject(fault);
      }
    }
    this.#isRunning = false;
  }

  #nextGroup(): readonly Waiting[] {
    let size = 0;
    let count = 0;
    while (count < this.#waiting.length && (count === 0 || size + this.#waiting[count]!.deliveries.length <= this.batchMax)) size += this.#waiting[count++]!.deliveries.length;
    return this.#waiting.splice(0, count);
  }
}
