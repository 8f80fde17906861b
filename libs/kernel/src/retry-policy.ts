import { invariant } from './failure.js';

/** When and how often a failed attempt is tried again. Durations in milliseconds. */
export interface RetryPolicy {
  /** Retries after the first try; integer >= 0. */
  readonly retriesMax: number;
  /** Wait before the first retry. */
  readonly delayMs: number;
  /** constant: d; linear: n*d; exponential: 2^(n-1)*d, where n is the retry, from 1. */
  readonly backoff: 'constant' | 'linear' | 'exponential';
  /** Upper bound of one wait, jitter excluded. */
  readonly delayMaxMs: number;
  /** Added to the wait: uniform in [fromMs, toMs]. */
  readonly jitter?: { readonly fromMs: number; readonly toMs: number };
}

/**
 * Wait before retry `n`.
 * @param n the retry, integer >= 1.
 * @param random uniform in [0, 1): drawn outside and recorded, so that replay waits the same.
 * @returns milliseconds, integer >= 0.
 */
export function retryDelayMs(policy: RetryPolicy, n: number, random: number): number {
  invariant(Number.isInteger(n) && n >= 1, `a retry is counted from 1, not ${n}`);
  const factor = policy.backoff === 'constant' ? 1 : policy.backoff === 'linear' ? n : 2 ** Math.min(n - 1, 52);
  const jitter = policy.jitter ? policy.jitter.fromMs + random * (policy.jitter.toMs - policy.jitter.fromMs) : 0;
  return Math.round(Math.min(policy.delayMs * factor, policy.delayMaxMs) + jitter);
}
