// The time of the store, as this process knows it: no deadline of the ledger depends on a worker's wall clock.
import type { Clock } from '@weft/pipeline';
import type { Instant } from '@weft/kernel';

/** Runs on with the monotonic clock between two readings. A reading is late by at most its way back, which the ledger's grace covers. */
export class StoreClock implements Clock {
  #offsetMs = Date.now() - performance.now();

  /** Sets it to the time that the store has just told. */
  set(now: Instant): void {
    this.#offsetMs = now - performance.now();
  }

  now(): Instant {
    return Math.floor(this.#offsetMs + performance.now());
  }
}
