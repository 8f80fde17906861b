// Calls that come one by one, carried out in batches that grow while the batches before them run.

export interface BatcherOptions {
  /** Items in one batch at most. Default 128. */
  readonly batchMax?: number;
  /** Batches under way at a time. Default 2: one prepares while the other commits. */
  readonly underWayMax?: number;
}

interface Waiting<I, O> {
  readonly item: I;
  readonly resolve: (outcome: O) => void;
  readonly reject: (fault: unknown) => void;
}

/** Collects items and hands them to `run` in batches. There is no timer: an item never waits for others to come. */
export class Batcher<I, O> {
  readonly #waiting: Waiting<I, O>[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #isScheduled = false;

  /** @param run answers with one outcome an item, in their order. When it throws, all items of the batch fail with that. */
  constructor(
    private readonly run: (items: readonly I[]) => Promise<readonly O[]>,
    private readonly options: BatcherOptions = {},
  ) {}

  /** Resolves with the item's outcome. */
  submit(item: I): Promise<O> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#isScheduled) return;
      this.#isScheduled = true;
      // After this turn of the event loop's callbacks, so that calls that arrived together share a batch.
      setImmediate(() => {
        this.#isScheduled = false;
        this.#start();
      });
    });
  }

  /** Resolves when every item that was submitted has its outcome. */
  async drain(): Promise<void> {
    while (this.#underWay.size > 0 || this.#waiting.length > 0) {
      await Promise.all(this.#underWay);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #start(): void {
    while (this.#waiting.length > 0 && this.#underWay.size < (this.options.underWayMax ?? 2)) {
      const batch = this.#waiting.splice(0, this.options.batchMax ?? 128);
      const running: Promise<void> = this.#runOne(batch).finally(() => {
        this.#underWay.delete(running);
        this.#start();
      });
      this.#underWay.add(running);
    }
  }

  async #runOne(batch: readonly Waiting<I, O>[]): Promise<void> {
    try {
      const outcomes = await this.run(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, index) => resolve(outcomes[index]!));
    } catch (fault) {
      for (const { reject } of batch) reject(fault);
    }
  }
}
