// A process of a simulated world: it crashes, is paused and wakes, and has a clock that is a little wrong.
import type { Instant } from '@weft/kernel';
import type { Random } from './random.js';
import type { Schedule } from './schedule.js';

/** How far a process's clock is off at most, milliseconds either way. */
export const SKEW_MAX_MS = 400;

export class Process {
  isAlive = true;
  skewMs = 0;
  #pausedUntil = 0;

  constructor(
    /** Slot and incarnation, such as `orchestration-1.3`. */
    readonly name: string,
    private readonly schedule: Schedule,
    private readonly random: Random,
    private readonly onCrash: () => void,
  ) {}

  /** What this process's wall clock says. */
  now(): Instant {
    return this.schedule.now + this.skewMs;
  }

  /** Time that only runs forward, and on while the process is paused. */
  monotonic(): number {
    return this.schedule.now;
  }

  get isPaused(): boolean {
    return this.schedule.now < this.#pausedUntil;
  }

  /** Runs later in this process: not at all once it is dead, and only after it wakes while it is paused. */
  later(ms: number, label: string, run: () => void): void {
    this.schedule.after(ms, label && `${this.name} ${label}`, () => this.#resume(label, run));
  }

  /** Resolves in this process after a while. */
  pauseFor(ms: number, label: string): Promise<void> {
    return new Promise((resolve) => this.later(ms, label, resolve));
  }

  /**
   * Asks something outside. `serve` runs there when the question arrives; its answer (or what it throws) comes back to this process,
   * if that is still there. A paused process asks nothing new, but what it has asked is served.
   */
  ask<T>(label: string, serve: () => T, latencyMs: number = this.random.between(1, 12)): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.isAlive) return;
      const there = latencyMs >> 1;
      this.schedule.after(there, `${this.name} asks: ${label}`, () => {
        let settle: () => void;
        try {
          const answer = serve();
          settle = () => resolve(answer);
        } catch (fault) {
          settle = () => reject(fault as Error);
        }
        this.later(latencyMs - there, '', settle);
      });
    });
  }

  /** Repeats something in this process until it dies. The first time after `ms`. */
  every(ms: number, run: () => void): void {
    this.later(ms, '', () => {
      run();
      this.every(ms, run);
    });
  }

  pause(ms: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.schedule.now + ms);
  }

  wake(): void {
    this.#pausedUntil = 0;
  }

  crash(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.schedule.note(`${this.name} crashes`);
    this.onCrash();
  }

  #resume(label: string, run: () => void): void {
    if (!this.isAlive) return;
    if (!this.isPaused) run();
    else this.schedule.after(this.#pausedUntil - this.schedule.now + this.random.below(3), label && `${this.name} ${label}`, () => this.#resume(label, run));
  }
}
