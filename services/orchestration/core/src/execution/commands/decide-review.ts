import { rejection, type DecideContext, type Json, type Rejection } from '@weft/kernel';
import { Advance, type Step } from '../../interpreter/advance.js';
import { errorOfFailure } from '../../program/workflow-error.js';
import { countOf } from '../../review/review.decide.js';
import { dueNext, hasExpired } from '../../review/review.due.js';
import type { OpenReview } from '../../review/review.state.js';
import { APPROVAL_VALID_MS, EXPIRED } from '../../review/review.terms.js';
import type { CommandOf } from '../execution.commands.js';
import type { ExecutionDecision, Programs } from '../execution.decide.js';
import { isEnded, type ExecutionState, type OutstandingJob } from '../execution.state.js';
import { raiseFailure } from './fail-job.js';

type DecideReview = CommandOf<'DecideReview'>;

/**
 * Records a person's decision: an approval is the task's output, that of an action lets its job go on, an effect's outcome settles
 * the ledger. Where several must approve, all but the last approval leave the review open. Rejections: `review-not-open` and those of `countOf`.
 */
export function decideReview(state: ExecutionState, command: DecideReview, context: DecideContext, programs: Programs): ExecutionDecision {
  const review = state.reviews[command.review];
  if (isEnded(state) || !review || hasExpired(review, context.now)) return { kind: 'rejected', rejection: notOpen(command.review) };
  const { outcome, comment, form, decidedBy, roles = [] } = command;
  const counting = countOf(review, command, { by: decidedBy, roles, requestedBy: state.context.actor }, context.now);
  if (!counting.ok) return { kind: 'rejected', rejection: counting.rejection };
  if (counting.value === 'given-before') return { kind: 'ignored', reason: 'duplicate' };
  const advance = new Advance(state, programs(state.definition.digest), context);
  const about = { key: review.key, review: review.id } as const;
  if (counting.value === 'one-of-several') {
    advance.record({ type: 'ReviewChanged', ...about, at: context.now, change: 'approved', by: decidedBy, ...(comment === '' ? {} : { text: comment }), ...(form === null ? {} : { form }) });
    return advance.finish(undefined);
  }
  const approvedBy = outcome === 'approved' && review.approvedBy ? [...review.approvedBy, decidedBy] : undefined;
  advance.record({ type: 'ReviewDecided', ...about, outcome, decidedBy, ...(approvedBy ? { approvedBy } : {}), answer: { comment, form } });
  return advance.finish(stepAfter(advance, state, review, command, approvedBy));
}

/** Does what has fallen due about a review: reminds, escalates, or ends it when nobody decided in time. */
export function passReviewTime(advance: Advance, id: string): Step {
  const { now } = advance.context;
  for (;;) {
    const review = advance.state.reviews[id]!;
    const due = dueNext(review, now);
    if (!due || due.at > now) return undefined;
    if (due.what === 'expired') return expire(advance, review);
    advance.record({ type: 'ReviewChanged', key: review.key, review: id, at: now, ...due.what });
  }
}

/** What was asked for fails: never does silence approve. */
function expire(advance: Advance, review: OpenReview): Step {
  const { step } = advance.activation(review.key);
  const until = new Date(review.terms?.expires ?? advance.context.now).toISOString();
  const failure = { code: 'timeout', message: `Expected a decision of review ${review.id} before ${until} but nobody decided it.`, retryable: false, details: { review: review.id } };
  advance.record({ type: 'ReviewDecided', key: review.key, review: review.id, outcome: EXPIRED, decidedBy: 'service:orchestration', answer: { comment: '', form: null } });
  const job = jobOf(advance.state, review);
  if (job) return raiseFailure(advance, job, { failure, outcome: 'none' });
  if (step) return { go: 'agent', key: step.agent };
  return { go: 'raise', key: review.key, error: errorOfFailure(failure, advance.pointerOf(review.key)) };
}

function stepAfter(advance: Advance, before: ExecutionState, review: OpenReview, { outcome, comment, form, decidedBy }: DecideReview, approvedBy: readonly string[] | undefined): Step {
  if (review.kind === 'approval') {
    const { step } = before.activations[review.key] ?? {};
    if (step) return { go: 'agent', key: step.agent };
    const output: Json = { outcome, comment, form, decidedBy, review: review.id, ...(approvedBy ? { approvedBy: [...approvedBy] } : {}) };
    return { go: 'complete', key: review.key, output };
  }
  const job = jobOf(advance.state, review);
  if (!job) return undefined;
  const { now } = advance.context;
  // The same generation: the ledger knows its key.
  const again = { type: 'JobScheduled', key: job.key, job: job.id, kind: job.kind, generation: job.generation, attempt: job.attempt + 1, at: now } as const;
  if (review.kind === 'effect-outcome') {
    advance.record({ ...again, settlement: { happened: outcome === 'happened', decidedBy }, settlementOutput: form });
    return undefined;
  }
  if (outcome !== 'approved') {
    const why = comment === '' ? '' : `: ${comment}`;
    const failure = { code: 'denied', message: `Expected the action to be approved but it was rejected by ${decidedBy}${why}`, retryable: false, details: { review: review.id, decidedBy } };
    return raiseFailure(advance, job, { failure, outcome: 'none' });
  }
  const approval = { digest: review.terms?.digest ?? '', decidedBy: approvedBy ?? [decidedBy], at: now, expires: now + APPROVAL_VALID_MS } as const;
  advance.record({ type: 'ActionApproved', key: job.key, job: job.id, review: review.id, ...approval });
  advance.record(again);
  return undefined;
}

const jobOf = ({ jobs }: ExecutionState, { key, kind }: OpenReview): OutstandingJob | undefined => (kind === 'approval' ? undefined : Object.values(jobs).find((job) => job.key === key));

export const notOpen = (review: string): Rejection => rejection('review-not-open', `Expected an open review but ${JSON.stringify(review)} is decided, expired, withdrawn or unknown.`);
