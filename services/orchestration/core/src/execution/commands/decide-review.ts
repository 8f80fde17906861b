import { rejection, type DecideContext, type Json, type Rejection } from '@weft/kernel';
import { Advance, type Step } from '../../interpreter/advance.js';
import { errorOfFailure } from '../../program/workflow-error.js';
import { hasExpired } from '../../review/review.due.js';
import { APPROVAL_VALID_MS, EXPIRED, REVIEW_OUTCOMES } from '../../review/review.terms.js';
import type { CommandOf } from '../execution.commands.js';
import type { ExecutionDecision, Programs } from '../execution.decide.js';
import { isEnded, type ExecutionState, type OpenReview, type OutstandingJob } from '../execution.state.js';
import { raiseFailure } from './fail-job.js';

/** Records a person's decision: an approval is the task's output, that of an action lets its job go on, an effect's outcome settles the ledger. */
export function decideReview(state: ExecutionState, command: CommandOf<'DecideReview'>, context: DecideContext, programs: Programs): ExecutionDecision {
  const review = state.reviews[command.review];
  if (isEnded(state) || !review || hasExpired(review, context.now)) return { kind: 'rejected', rejection: notOpen(command.review) };
  if (!REVIEW_OUTCOMES[review.kind].includes(command.outcome)) return { kind: 'rejected', rejection: wrongOutcome(review, command.outcome) };
  const advance = new Advance(state, programs(state.definition.digest), context);
  const { outcome, comment, form, decidedBy } = command;
  advance.record({ type: 'ReviewDecided', key: review.key, review: review.id, outcome, decidedBy, answer: { comment, form } });
  return advance.finish(stepAfter(advance, state, review, command));
}

/** Ends a review that nobody decided in time: what it was asked for fails. */
export function expireReview(advance: Advance, review: OpenReview): Step {
  const { step } = advance.activation(review.key);
  const until = new Date(review.terms?.expires ?? advance.context.now).toISOString();
  const failure = { code: 'timeout', message: `Expected a decision of review ${review.id} before ${until} but nobody decided it.`, retryable: false, details: { review: review.id } };
  advance.record({ type: 'ReviewDecided', key: review.key, review: review.id, outcome: EXPIRED, decidedBy: 'service:orchestration', answer: { comment: '', form: null } });
  const job = jobOf(advance.state, review);
  if (job) return raiseFailure(advance, job, { failure, outcome: 'none' });
  if (step) return { go: 'agent', key: step.agent };
  return { go: 'raise', key: review.key, error: errorOfFailure(failure, advance.pointerOf(review.key)) };
}

function stepAfter(advance: Advance, before: ExecutionState, review: OpenReview, { outcome, comment, form, decidedBy }: CommandOf<'DecideReview'>): Step {
  if (review.kind === 'approval') {
    const { step } = before.activations[review.key] ?? {};
    if (step) return { go: 'agent', key: step.agent };
    const output: Json = { outcome, comment, form, decidedBy, review: review.id };
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
  advance.record({ type: 'ActionApproved', key: job.key, job: job.id, review: review.id, digest: review.terms?.digest ?? '', decidedBy: [decidedBy], at: now, expires: now + APPROVAL_VALID_MS });
  advance.record(again);
  return undefined;
}

const jobOf = ({ jobs }: ExecutionState, { key, kind }: OpenReview): OutstandingJob | undefined => (kind === 'approval' ? undefined : Object.values(jobs).find((job) => job.key === key));

const notOpen = (review: string): Rejection => rejection('review-not-open', `Expected an open review but ${JSON.stringify(review)} is decided, expired, withdrawn or unknown.`);

function wrongOutcome(review: OpenReview, outcome: string): Rejection {
  return rejection('request-invalid', `Expected outcome ${REVIEW_OUTCOMES[review.kind].join(' or ')} for this ${review.kind} review but got ${JSON.stringify(outcome)}.`);
}
