// A circuit breaker of one candidate: after failures in a row it is left alone for a while, then one call finds out whether it is well again.

/** Failures in a row that open it. */
export const FAILURES_MAX = 5;
/** How long it stays open at first, milliseconds; doubled by each failed probe. */
export const OPEN_MS = 5_000;
const OPEN_MAX_MS = 120_000;

export interface BreakerState {
  readonly failures: number;
  /** Milliseconds; 0 = closed. */
  readonly openUntil: number;
  readonly openMs: number;
  /** A call is finding out whether the provider is well again, since then; 0 = none. */
  readonly probingSince: number;
}

export const CLOSED: BreakerState = { failures: 0, openUntil: 0, openMs: OPEN_MS, probingSince: 0 };

export type Passing = { readonly passes: true; readonly state: BreakerState } | { readonly passes: false; readonly retryAfterMs: number };

/** Asks to make a call. Of those that come when it is half open one passes; a probe that never reported is given up after the time it was open. */
export function passBreaker(state: BreakerState, now: number): Passing {
  if (state.openUntil === 0) return { passes: true, state };
  if (now < state.openUntil) return { passes: false, retryAfterMs: state.openUntil - now };
  if (state.probingSince > 0 && now < state.probingSince + state.openMs) return { passes: false, retryAfterMs: state.probingSince + state.openMs - now };
  return { passes: true, state: { ...state, probingSince: now } };
}

/** Takes how a call went. */
export function breakerAfter(state: BreakerState, isFailure: boolean, now: number): BreakerState {
  if (!isFailure) return state.failures === 0 && state.openUntil === 0 ? state : CLOSED;
  const failures = state.failures + 1;
  if (state.openUntil > 0) {
    // A call that began before it opened says nothing new.
    if (state.probingSince === 0) return state;
    const openMs = Math.min(state.openMs * 2, OPEN_MAX_MS);
    return { failures, openUntil: now + openMs, openMs, probingSince: 0 };
  }
  return failures >= FAILURES_MAX ? { failures, openUntil: now + OPEN_MS, openMs: OPEN_MS, probingSince: 0 } : { ...state, failures };
}
