import type { Rejection } from './failure.js';
import type { Instant } from './instant.js';

/**
 * What a decider answers. `accepted` carries facts to record and effects (data) for the shell to carry out after the commit;
 * `ignored` marks a command whose work is already done (a duplicate) or no longer wanted (stale).
 * Source: the decider of functional event sourcing (Chassaing), docs/adr/0002.
 */
export type Decision<E, X, S = never> =
  | {
      readonly kind: 'accepted';
      readonly events: readonly E[];
      readonly effects: readonly X[];
      /** The state with the events folded into it, when deciding has folded them already; it equals folding them. */
      readonly after?: S;
    }
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
  readonly decide: (state: S, command: C, context: DecideContext) => Decision<E, X, S>;
  readonly evolve: (state: S, event: E) => S;
  /** Folds many events, where that is cheaper than one after the other; it gives the same. */
  readonly fold?: (state: S, events: readonly E[]) => S;
}

/** A state after events: by the decider's own fold, or by one event after the other. */
export function fold<S, C, E, X>(decider: Decider<S, C, E, X>, state: S, events: readonly E[]): S {
  return decider.fold ? decider.fold(state, events) : events.reduce((folded, event) => decider.evolve(folded, event), state);
}

/** An accepted decision. */
export function accepted<E, X>(events: readonly E[], effects: readonly X[] = []): Decision<E, X, never> {
  return { kind: 'accepted', events, effects };
}
