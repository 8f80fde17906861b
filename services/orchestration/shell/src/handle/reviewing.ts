// What people do with reviews: commands to the executions that ask, answered with the review as it is then.
import type { ChangeReviewRequest, Context, DecideRequest, Review } from '@weft/contracts';
import { refuse, Refused, type Json } from '@weft/kernel';
import type { ExecutionCommand } from '@weft/orchestration/core';
import { failpoint, type Outcome } from '@weft/pipeline';
import { isText } from '@weft/nest-platform';
import type { ReviewQueries } from '../query/review-queries.js';
import type { ExecutionEngine } from './execution-engine.js';

const CHANGES = ['claim', 'release', 'delegate', 'comment'] as const;

export class Reviewing {
  constructor(
    private readonly engine: Pick<ExecutionEngine, 'submit'>,
    private readonly queries: ReviewQueries,
  ) {}

  /** @throws Refused `not-found`, `request-invalid`, `review-not-open`, `review-claimed`, `review-not-yours`. */
  async decide({ reviewId, outcome, comment, formJson, roles }: DecideRequest, context: Context): Promise<Review> {
    const review = await this.#found(reviewId, context);
    checkText('comment', comment);
    const command = { type: 'DecideReview', tenant: context.tenant, review: reviewId, outcome, comment, form: formOf(formJson), decidedBy: context.actor, roles } as const;
    failpoint('orchestration.decide-review', 'before');
    const answer = await this.#submit(review, command);
    failpoint('orchestration.decide-review', 'after');
    const decided = await this.#found(reviewId, context);
    // Who did not hear the answer and decides the same again is given it again.
    const isAgain = decided.status === outcome && (decided.decidedBy === context.actor || decided.approvedBy.includes(context.actor));
    if (answer.kind === 'rejected' && !isAgain) throw new Refused(answer.rejection);
    return decided;
  }

  /** @throws Refused `not-found`, `request-invalid`, `review-not-open`, `review-claimed`, `review-not-yours`, `too-many-changes`. */
  async change({ reviewId, change: wanted, leaseMs, to, text, roles }: ChangeReviewRequest, context: Context): Promise<Review> {
    const change = CHANGES.find((each) => each === wanted);
    if (!change) refuse('request-invalid', `Expected ${CHANGES.join(', ')} but got ${JSON.stringify(wanted.slice(0, 80))}.`);
    checkText('text', text);
    const review = await this.#found(reviewId, context);
    const answer = await this.#submit(review, { type: 'ChangeReview', tenant: context.tenant, review: reviewId, change, leaseMs, to, text, by: context.actor, roles });
    if (answer.kind === 'rejected') throw new Refused(answer.rejection);
    return this.#found(reviewId, context);
  }

  async #found(reviewId: string, context: Context): Promise<Review> {
    return (await this.queries.get(context.tenant, reviewId)) ?? unknownReview(reviewId);
  }

  async #submit(review: Review, command: ExecutionCommand): Promise<Outcome> {
    const [outcome] = await this.engine.submit([{ key: review.executionId, command, messageId: `review/${review.reviewId}` }]);
    if (outcome?.kind === 'setAside') throw outcome.fault;
    return outcome!;
  }
}

export const unknownReview = (id: string): never => refuse('not-found', `Expected a review of this tenant but ${JSON.stringify(id)} is not one.`);

function checkText(name: string, text: string): void {
  if (!isText(text) || !text.isWellFormed()) refuse('request-invalid', `Expected a ${name} without NUL but it has one.`);
}

function formOf(text: string): Json {
  try {
    return text === '' ? null : (JSON.parse(text) as Json);
  } catch {
    return refuse('request-invalid', 'Expected `form` to be JSON but it is not.');
  }
}
