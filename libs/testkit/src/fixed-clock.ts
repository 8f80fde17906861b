import type { Instant } from '@weft/kernel';

/** Where test time starts unless a test says otherwise: 2026-01-01T00:00:00.000Z. */
export const FIXED_NOW: Instant = Date.UTC(2026, 0, 1);

/** A clock that moves only when told. */
export interface FixedClock {
  readonly now: () => Instant;
  /** Moves forward (or back, when negative) by milliseconds; answers the new time. */
  readonly advance: (byMs: number) => Instant;
  /** Jumps to an instant, also into the past: clocks in the field do. */
  readonly set: (instant: Instant) => void;
}

/** A clock standing at `start` (default `FIXED_NOW`). */
export function fixedClock(start: Instant = FIXED_NOW): FixedClock {
  let instant = start;
  return {
    now: () => instant,
    advance: (byMs) => (instant += byMs),
    set: (to) => {
      instant = to;
    },
  };
}
