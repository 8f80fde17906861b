// One batch at a time: what comes while it runs forms the next one.
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '@weft/pipeline';

export interface GroupQueueOptions<T> {
  readonly batchMax: number;
  /** No batch holds two of the same key. */
  readonly keyOf: (item: T) => string;
  /** Does the batch. What it throws is tried again when it passes by itself, else it is everybody's in the batch. */
  readonly run: (batch: readonly T[]) => Promise<void>;
  readonly isForLater: (fault: unknown) => boolean;
  /** Told of each fault that is waited out. */
  readonly onFault: (fault: unknown) => void;
}

interface Waiting<T> {
  readonly item: T;
  readonly resolve: () => void;
  readonly reject: (fault: unknown) => void;
}

const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 2_000;

export class GroupQueue<T> {
  #waiting: Waiting<T>[] = [];
  #running: Promise<void> | undefined;
  #isStopped = false;

  constructor(private readonly options: GroupQueueOptions<T>) {}

  /** Resolves when the item's batch is done. @throws the fault of its batch; Fault (retryable) once stopped. */
  add(item: T): Promise<void> {
    if (this.#isStopped) return Promise.reject(goingAway());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#running ??= this.#drain();
    });
  }

  /** Takes no more; resolves when what was added is done, or given up because the store is away. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #drain(): Promise<void> {
    // Whatever is added in the same turn joins the first batch.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      try {
        await this.#patiently(batch.map(({ item }) => item));
        for (const { resolve } of batch) resolve();
      } catch (fault) {
        for (const { reject } of batch) reject(fault);
      }
    }
    this.#running = undefined;
  }

  #take(): readonly Waiting<T>[] {
    const keys = new Set<string>();
    const [batch, rest]: [Waiting<T>[], Waiting<T>[]] = [[], []];
    for (const waiting of this.#waiting) {
      const key = this.options.keyOf(waiting.item);
      const isIn = batch.length < this.options.batchMax && !keys.has(key);
      (isIn ? batch : rest).push(waiting);
      if (isIn) keys.add(key);
    }
    this.#waiting = rest;
    return batch;
  }

  async #patiently(items: readonly T[]): Promise<void> {
    for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
      try {
        return await this.options.run(items);
      } catch (fault) {
        if (!this.options.isForLater(fault)) throw fault;
        if (this.#isStopped) throw goingAway(fault);
        this.options.onFault(fault);
        await sleep(pauseMs);
      }
    }
  }
}

const goingAway = (cause?: unknown): Fault => new Fault('the process is going: what is asked now is done elsewhere', true, { cause });
