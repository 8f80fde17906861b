import type { Failure, Instant, Json } from '@weft/kernel';
import type { Dispatched, EffectSubject } from './effect.events.js';

/** How long after its timeout an attempt is still taken to be running: covers the clocks' difference and the way to the store. */
export const ATTEMPT_GRACE_MS = 1_000;

/** An attempt that was recorded as sent. */
export interface Attempt extends Dispatched {
  readonly subject: EffectSubject;
  /** From 1. */
  readonly attempt: number;
  /** Time of the store. */
  readonly dispatchedAt: Instant;
  /** An earlier attempt may have happened: a refusal of this one proves nothing about the effect. */
  readonly hasDoubt: boolean;
}

/** The ledger's knowledge of one effect. */
export type EffectState =
  | { readonly status: 'none' }
  | { readonly status: 'dispatched'; readonly attempt: Attempt }
  | { readonly status: 'confirmed'; readonly by: 'answer' | 'reconcile' | 'person'; readonly attempts: number; readonly output: Json; readonly unusable?: Failure }
  | { readonly status: 'failed'; readonly by: 'answer' | 'reconcile' | 'person'; readonly attempts: number; readonly failure: Failure }
  | { readonly status: 'unknown'; readonly attempt: Attempt; readonly lostAt: Instant; readonly failure: Failure };

export const initialEffect: EffectState = { status: 'none' };

/** When an attempt is certainly over, whoever made it. */
export const attemptOverAt = (attempt: Attempt): Instant => attempt.dispatchedAt + attempt.timeoutMs + ATTEMPT_GRACE_MS;

/** Attempts made so far. */
export function attemptsOf(state: EffectState): number {
  if (state.status === 'none') return 0;
  return state.status === 'confirmed' || state.status === 'failed' ? state.attempts : state.attempt.attempt;
}
