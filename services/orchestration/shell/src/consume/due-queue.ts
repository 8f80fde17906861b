// Timers that fall due soon, in memory: what falls due within the same few milliseconds fires together.
import type { Instant } from '@weft/kernel';
import type { Clock } from '@weft/pipeline';

/** A timer of an execution. */
export interface DueTimer {
  readonly executionId: string;
  readonly id: string;
}

/** What falls due within this time fires together: a batch, and one timer of the process for all of them. */
const TICK_MS = 4;

interface Tick {
  readonly handle: NodeJS.Timeout;
  readonly timers: DueTimer[];
}

export class DueQueue {
  readonly #ticks = new Map<number, Tick>();
  readonly #known = new Set<string>();

  /** @param fire is handed what is due, never before its time. */
  constructor(
    private readonly clock: Clock,
    private readonly fire: (due: readonly DueTimer[]) => void,
  ) {}

  get size(): number {
    return this.#known.size;
  }

  /** Adds a timer; one that is known already is left as it is. */
  add(timer: DueTimer, due: Instant): void {
    const name = nameOf(timer);
    if (this.#known.has(name)) return;
    this.#known.add(name);
    const number = Math.ceil(due / TICK_MS);
    const tick = this.#ticks.get(number);
    if (tick) tick.timers.push(timer);
    else this.#ticks.set(number, { timers: [timer], handle: this.#wait(number) });
  }

  clear(): void {
    for (const { handle } of this.#ticks.values()) clearTimeout(handle);
    this.#ticks.clear();
    this.#known.clear();
  }

  #wait(number: number): NodeJS.Timeout {
    return setTimeout(() => this.#end(number), Math.max(0, number * TICK_MS - this.clock.now()));
  }

  #end(number: number): void {
    const tick = this.#ticks.get(number);
    if (!tick) return;
    // A timer of Node may end within the millisecond before its time, and what it fires would be refused.
    if (this.clock.now() < number * TICK_MS) {
      this.#ticks.set(number, { ...tick, handle: this.#wait(number) });
      return;
    }
    this.#ticks.delete(number);
    for (const timer of tick.timers) this.#known.delete(nameOf(timer));
    this.fire(tick.timers);
  }
}

const nameOf = ({ executionId, id }: DueTimer): string => executionId + id;
