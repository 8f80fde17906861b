// On which terms a review is asked: what steers who may decide it, and when.
import type { Instant } from '@weft/kernel';

/**
 * approval: a workflow asks, the decision is the task's output. effect-outcome: did an effect happen that nobody can tell about?
 * action: may a job do exactly what it was about to do?
 */
export type ReviewKind = 'approval' | 'effect-outcome' | 'action';

/** Missing fields say nothing: anyone decides, once, whenever. */
export interface ReviewTerms {
  /** Of an action: digest of the tool, its arguments and the context that is shown. The decision is about nothing else. */
  readonly digest?: string;
  /** From then on nobody can decide any more, and what was asked fails as a timeout: never is it approved by silence. */
  readonly expires?: Instant;
}

/** How long an action waits for a person: a week. */
export const ACTION_REVIEW_MS = 7 * 86_400_000;

/** How long the word for an action holds from the decision on: enough to carry it out through an outage, an hour. */
export const APPROVAL_VALID_MS = 3_600_000;

/** Outcomes that a person may choose, by kind of review. */
export const REVIEW_OUTCOMES: Readonly<Record<ReviewKind, readonly string[]>> = {
  approval: ['approved', 'rejected'],
  'effect-outcome': ['happened', 'did-not-happen'],
  action: ['approved', 'rejected'],
};

/** What a review ends with that nobody decided in time. */
export const EXPIRED = 'expired';
