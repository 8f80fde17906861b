// Two lanes by bucket: one decides while the other commits. Batches grow by themselves while a commit runs.
import { bucketOf } from '@weft/kernel';
import { Fault } from './fault.js';
import { handleBatch, type Item, type Outcome, type Spine } from './handle-batch.js';

export interface LanesOptions {
  /** Default 2. */
  readonly lanes?: number;
  /** Decisions in one batch at most. Default 128. */
  readonly batchMax?: number;
  /** Items waiting in one lane before `submit` waits for room. Default 4096. */
  readonly queueMax?: number;
  /** Told of each fault that makes a lane wait and try again, and of effects that could not be handed on. */
  readonly onFault?: (fault: unknown, what: 'batch' | 'publish') => void;
  /** Resolves after so many milliseconds: how a lane waits before it tries again. Default: a timer of the process. */
  readonly pause?: (ms: number) => Promise<void>;
}

interface Waiting<C> {
  readonly item: Item<C>;
  readonly settle: (outcome: Outcome) => void;
  readonly refuse: (fault: Fault) => void;
}

const BACKOFF_MIN_MS = 20;
const BACKOFF_MAX_MS = 2_000;

/** Feeds the spine. Items of one key always take the same lane, in order. */
export class Lanes<S, C, E, X> {
  readonly #queues: Waiting<C>[][];
  readonly #running: (Promise<void> | undefined)[];
  readonly #room: (() => void)[] = [];
  #stopped = false;

  constructor(
    private readonly spine: Spine<S, C, E, X>,
    private readonly options: LanesOptions = {},
  ) {
    const count = options.lanes ?? 2;
    this.#queues = Array.from({ length: count }, () => []);
    this.#running = Array.from({ length: count }, () => undefined);
  }

  /** Items that wait for a decision. */
  get waiting(): number {
    return this.#queues.reduce((sum, queue) => sum + queue.length, 0);
  }

  /**
   * Hands in items; resolves with their outcomes once they are committed and their effects handed on.
   * A fault of the store is waited out, so this settles late rather than never. It rejects (retryable) only after `stop`: whether
   * an item that was under way then is recorded is not known, and handing it in again elsewhere is safe.
   */
  async submit(items: readonly Item<C>[]): Promise<readonly Outcome[]> {
    const queueMax = this.options.queueMax ?? 4096;
    while (this.waiting > queueMax * this.#queues.length && !this.#stopped) await new Promise<void>((resolve) => this.#room.push(resolve));
    return Promise.all(items.map((item) => this.#enqueue(item)));
  }

  /** Takes no more items and resolves when the batches under way have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const wake of this.#room.splice(0)) wake();
    await Promise.all(this.#running);
  }

  #enqueue(item: Item<C>): Promise<Outcome> {
    if (this.#stopped) return Promise.reject(closed());
    const lane = bucketOf(item.key) % this.#queues.length;
    return new Promise((settle, refuse) => {
      this.#queues[lane]!.push({ item, settle, refuse });
      // Starting in a microtask lets all items of this tick share the first batch.
      this.#running[lane] ??= Promise.resolve().then(() => this.#run(lane));
    });
  }

  async #run(lane: number): Promise<void> {
    const queue = this.#queues[lane]!;
    let backoffMs = BACKOFF_MIN_MS;
    while (queue.length > 0) {
      const batch = queue.splice(0, this.options.batchMax ?? 128);
      for (const wake of this.#room.splice(0)) wake();
      try {
        const { outcomes, published } = await handleBatch(
          this.spine,
          batch.map(({ item }) => item),
        );
        backoffMs = BACKOFF_MIN_MS;
        const settle = (): void => batch.forEach((waiting, index) => waiting.settle(outcomes[index]!));
        // The decisions are durable: effects that could not be handed on are found again from history and commit rows.
        published.then(settle, (fault: unknown) => {
          this.options.onFault?.(fault, 'publish');
          settle();
        });
      } catch (fault) {
        this.options.onFault?.(fault, 'batch');
        queue.unshift(...batch);
        if (this.#stopped) {
          for (const waiting of queue.splice(0)) waiting.refuse(closed());
          break;
        }
        await (this.options.pause ?? pauseOfProcess)(backoffMs);
        backoffMs = Math.min(backoffMs * 2, BACKOFF_MAX_MS);
      }
    }
    // In the same tick as the last look at the queue: an item that comes later starts the lane again.
    this.#running[lane] = undefined;
  }
}

const pauseOfProcess = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const closed = (): Fault => new Fault('the lane is closed: the service is shutting down', true);
