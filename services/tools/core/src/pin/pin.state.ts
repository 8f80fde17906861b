import type { Instant } from '@weft/kernel';
import type { PinnedDefinition } from './pinned-definition.js';

/** What somebody decided about a definition. */
export interface PinDecision {
  readonly digest: string;
  readonly definition: PinnedDefinition;
  readonly by: string;
  readonly at: Instant;
  readonly reason: string;
}

/** A definition that a source offers. */
export interface Offer {
  /** SHA-256 over `pinText`, hex. */
  readonly digest: string;
  readonly definition: PinnedDefinition;
}

/** What is known of a tool of a source: what is offered now, and what people decided. */
export interface PinState {
  readonly offer?: Offer & { readonly at: Instant };
  readonly accepted?: PinDecision;
  readonly rejected?: PinDecision;
}

export const initialPin: PinState = {};

/** Whether a definition may be called. */
export type PinStanding = 'accepted' | 'rejected' | 'quarantined';

/** How a definition stands: only the very definition that was accepted last may be called. */
export function standingOf({ accepted, rejected }: PinState, digest: string): PinStanding {
  if (accepted?.digest === digest) return 'accepted';
  return rejected?.digest === digest ? 'rejected' : 'quarantined';
}
