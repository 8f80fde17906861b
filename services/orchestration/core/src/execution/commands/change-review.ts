import type { DecideContext } from '@weft/kernel';
import { Advance } from '../../interpreter/advance.js';
import { hasExpired } from '../../review/review.due.js';
import { changeOf } from '../../review/review.decide.js';
import type { CommandOf } from '../execution.commands.js';
import type { ExecutionDecision, Programs } from '../execution.decide.js';
import { isEnded, type ExecutionState } from '../execution.state.js';
import { notOpen } from './decide-review.js';

/** A person claims a review, gives it back, hands it over or comments on it. Rejections: `review-not-open` and those of `changeOf`. */
export function changeReview(state: ExecutionState, command: CommandOf<'ChangeReview'>, context: DecideContext, programs: Programs): ExecutionDecision {
  const review = state.reviews[command.review];
  if (isEnded(state) || !review || hasExpired(review, context.now)) return { kind: 'rejected', rejection: notOpen(command.review) };
  const { by, roles } = command;
  const reading = changeOf(review, command, { by, roles, requestedBy: state.context.actor }, context.now);
  if (!reading.ok) return { kind: 'rejected', rejection: reading.rejection };
  if (!reading.value) return { kind: 'ignored', reason: 'duplicate' };
  const advance = new Advance(state, programs(state.definition.digest), context);
  advance.record({ type: 'ReviewChanged', key: review.key, review: review.id, at: context.now, ...reading.value });
  return advance.finish(undefined);
}
