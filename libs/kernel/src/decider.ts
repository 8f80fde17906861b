import type { Rejection } from './failure.js';
import type { Instant } from './instant.js';

/**
 * What a decider answers. `accepted` carries facts to record and effects (data) for the shell to carry out after the commit;
 * `ignored` marks a command whose work is already done (a duplicate) or no longer wanted (stale).
 * Source: the decider of functional event sourcing (Chassaing), docs/adr/0002.
 */
export type Decision<E, X> =
  | { readonly kind: 'accepted'; readonly events: readonly E[]; readonly effects: readonly X[] }
  | { readonly kind: 'rejected'; readonly rejection: Rejection }
  | { readonly kind: 'ignored'; readonly reason: 'duplicate' | 'stale' };

/** What a decision may know besides state and command: the time of the batch and ids derived from (message id, ordinal). */
export interface DecideContext {
  readonly now: Instant;
  /** The same message and ordinal give the same id, so that deciding again is deciding the same. */
  readonly idOf: (ordinal: number) => string;
}

/** A thing with a life: pure rules over its events. No I/O, clock or randomness inside. */
export interface Decider<S, C, E, X> {
  readonly initial: S;
  readonly decide: (state: S, command: C, context: DecideContext) => Decision<E, X>;
  readonly evolve: (state: S, event: E) => S;
}

/** An accepted decision. */
export function accepted<E, X>(events: readonly E[], effects: readonly X[] = []): Decision<E, X> {
  return { kind: 'accepted', events, effects };
}
