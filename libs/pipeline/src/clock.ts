import type { Instant } from '@weft/kernel';

/** Where shells take the time from. Tests and the simulation hand in their own. */
export interface Clock {
  now(): Instant;
}

export const systemClock: Clock = { now: () => Date.now() };
