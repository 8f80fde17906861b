// The kill switches as this process knows them: read again and again, and before anything is done when they were not read lately.
import type { Pool } from '@weft/adapter-postgres';
import type { Instant } from '@weft/kernel';
import { KillSwitches } from '@weft/tools/core';
import { readSwitches } from './switch.store.js';

/** How often they are read, milliseconds. */
const POLL_MS = 300;
/** What was read longer ago than this is not acted on: it is read first. */
const FRESH_MS = 1_000;

export class SwitchBoard {
  #current = new KillSwitches([]);
  #text = '[]';
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #listeners = new Set<() => void>();

  /** @param pool of the engine role. @param onFault told of each reading that failed. @param onTime told the time of the store by each reading. */
  constructor(
    private readonly pool: Pool,
    private readonly onFault: (fault: unknown) => void,
    private readonly onTime: (now: Instant) => void = () => undefined,
  ) {}

  /** What is off, as it was last read. */
  get current(): KillSwitches {
    return this.#current;
  }

  /** Whether it was read lately enough to act on. */
  get isFresh(): boolean {
    return performance.now() - this.#readAt < FRESH_MS;
  }

  /** Reads now, or joins who is reading. @throws Fault when the store cannot be asked: nobody knows what is off. */
  refresh(): Promise<void> {
    return (this.#reading ??= this.#read().finally(() => (this.#reading = undefined)));
  }

  /** Reads again and again until `signal`. */
  start(signal: AbortSignal): void {
    const again = (): void => {
      if (signal.aborted) return;
      this.#timer = setTimeout(() => void this.refresh().catch(this.onFault).finally(again), POLL_MS).unref();
    };
    signal.addEventListener('abort', () => clearTimeout(this.#timer), { once: true });
    again();
  }

  /** Calls whenever something was switched. @returns ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async #read(): Promise<void> {
    const startedAt = performance.now();
    const off = await readSwitches(this.pool, this.onTime);
    const text = JSON.stringify(off);
    if (text !== this.#text) {
      this.#current = new KillSwitches(off);
      this.#text = text;
      for (const listener of this.#listeners) listener();
    }
    // As old as the question, not as the answer.
    this.#readAt = startedAt;
  }
}
