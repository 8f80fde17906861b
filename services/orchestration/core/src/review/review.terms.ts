// On which terms a review is asked: what steers who may decide it, and when.
import type { Instant } from '@weft/kernel';

/**
 * approval: a workflow asks, the decision is the task's output. effect-outcome: did an effect happen that nobody can tell about?
 * action: may a job do exactly what it was about to do?
 */
export type ReviewKind = 'approval' | 'effect-outcome' | 'action';

/** From an instant on, others may decide too. */
export interface Escalation {
  readonly at: Instant;
  readonly to: readonly string[];
}

/** Missing fields say nothing: anyone decides, once, whenever. */
export interface ReviewTerms {
  /** Of an action: digest of the tool, its arguments and the context that is shown. The decision is about nothing else. */
  readonly digest?: string;
  /** Who may decide: people (`user:NAME`, `key:ID`) and roles (`role:NAME`). Missing or empty = anyone of the tenant. */
  readonly assignees?: readonly string[];
  /** How many different people must approve, 2 or more: whoever started the execution is none of them. */
  readonly approvals?: number;
  /** When it should be decided. */
  readonly due?: Instant;
  /** Milliseconds between reminders, from its opening on. */
  readonly remindMs?: number;
  /** In the order of their instants. */
  readonly escalations?: readonly Escalation[];
  /** From then on nobody can decide any more, and what was asked fails as a timeout: never is it approved by silence. */
  readonly expires?: Instant;
}

/** Code of what a job fails with that may only go on once people approve it. */
export const APPROVAL_REQUIRED = 'approval-required';

/** How long an action waits for a person: a week. */
export const ACTION_REVIEW_MS = 7 * 86_400_000;

/** How long the word for an action holds from the decision on: enough to carry it out through an outage, an hour. */
export const APPROVAL_VALID_MS = 3_600_000;

/** How long a claim holds when nothing else is asked for, and at most: 15 minutes, a day. */
export const CLAIM_MS = { default: 900_000, min: 1_000, max: 86_400_000 } as const;

/** People ask only so often: reminders of one review, and changes that people make to it (claims, hand-overs, comments). */
export const REMINDERS_MAX = 10;
export const CHANGES_MAX = 500;

/** Outcomes that a person may choose, by kind of review. */
export const REVIEW_OUTCOMES: Readonly<Record<ReviewKind, readonly string[]>> = {
  approval: ['approved', 'rejected'],
  'effect-outcome': ['happened', 'did-not-happen'],
  action: ['approved', 'rejected'],
};

/** What a review ends with that nobody decided in time. */
export const EXPIRED = 'expired';

const NAME = /^(?:(user|key|role):)?([^\s:\u0000-\u001f\u007f]{1,100})$/u;

/** Whom a text names: `user:NAME`, `key:ID` or `role:NAME`; a bare name is a user's. Undefined when it names nobody. */
export function assigneeOf(text: unknown): string | undefined {
  const [, kind = 'user', name] = typeof text === 'string' && text.isWellFormed() ? (NAME.exec(text) ?? []) : [];
  return name === undefined ? undefined : `${kind}:${name}`;
}
