import { rejection, type DecideContext, type Json, type Rejection } from '@weft/kernel';
import { Advance } from '../../interpreter/advance.js';
import type { CommandOf } from '../execution.commands.js';
import type { ExecutionDecision, Programs } from '../execution.decide.js';
import { isEnded, type ExecutionState, type OpenReview } from '../execution.state.js';

/** Outcomes that a person may choose, by kind of review. */
export const REVIEW_OUTCOMES = { approval: ['approved', 'rejected'], 'effect-outcome': ['happened', 'did-not-happen'] } as const;

/** Records a person's decision: an approval is the task's output; an effect's outcome settles the ledger. */
export function decideReview(state: ExecutionState, command: CommandOf<'DecideReview'>, context: DecideContext, programs: Programs): ExecutionDecision {
  const review = state.reviews[command.review];
  if (isEnded(state) || !review) return { kind: 'rejected', rejection: notOpen(command.review) };
  const allowed: readonly string[] = REVIEW_OUTCOMES[review.kind];
  if (!allowed.includes(command.outcome)) return { kind: 'rejected', rejection: wrongOutcome(review, command.outcome) };
  const advance = new Advance(state, programs(state.definition.digest), context);
  const { outcome, comment, form, decidedBy } = command;
  advance.record({ type: 'ReviewDecided', key: review.key, review: review.id, outcome, decidedBy, answer: { comment, form } });
  if (review.kind === 'approval') {
    const output: Json = { outcome, comment, form, decidedBy, review: review.id };
    return advance.finish({ go: 'complete', key: review.key, output });
  }
  const job = Object.values(state.jobs).find((candidate) => candidate.key === review.key);
  if (job) {
    const settlement = { happened: outcome === 'happened', decidedBy };
    // The same generation: the ledger is told what became of it, and answers with it.
    advance.record({ type: 'JobScheduled', key: job.key, job: job.id, kind: job.kind, generation: job.generation, attempt: job.attempt + 1, at: context.now, settlement, settlementOutput: form });
  }
  return advance.finish(undefined);
}

const notOpen = (review: string): Rejection => rejection('review-not-open', `Expected an open review but ${JSON.stringify(review)} is decided, withdrawn or unknown.`);

function wrongOutcome(review: OpenReview, outcome: string): Rejection {
  return rejection('request-invalid', `Expected outcome ${REVIEW_OUTCOMES[review.kind].join(' or ')} for this ${review.kind} review but got ${JSON.stringify(outcome)}.`);
}
