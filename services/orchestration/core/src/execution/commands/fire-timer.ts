import type { DecideContext } from '@weft/kernel';
import { Advance } from '../../interpreter/advance.js';
import { endOfTime } from '../../interpreter/agent.js';
import { unenteredBranches } from '../../interpreter/fork.js';
import { nextDue } from '../../review/review.due.js';
import type { CommandOf } from '../execution.commands.js';
import type { ExecutionDecision, Programs } from '../execution.decide.js';
import { isEnded, type ExecutionState } from '../execution.state.js';
import { passReviewTime } from './decide-review.js';

/** Fires what is due: a `wait` is over, a `try` begins its next attempt, a review has waited long enough. Never before its time, nor while the execution is suspended. */
export function fireTimer(state: ExecutionState, command: CommandOf<'FireTimer'>, context: DecideContext, programs: Programs): ExecutionDecision {
  const timer = state.timers[command.timer];
  const review = state.reviews[command.timer];
  const due = timer?.due ?? (review && nextDue(review));
  if (isEnded(state) || due === undefined) return { kind: 'ignored', reason: 'duplicate' };
  if (due > context.now || state.status === 'suspended') return { kind: 'ignored', reason: 'stale' };
  const advance = new Advance(state, programs(state.definition.digest), context);
  if (review) return advance.finish(passReviewTime(advance, review.id));
  advance.record({ type: 'TimerFired', key: timer!.key, timer: timer!.id });
  // Branches first: what was long before may be long again, and must not keep its neighbours from beginning.
  if (timer!.purpose === 'yield') return advance.finish(...unenteredBranches(advance), ...(state.held ?? []));
  if (timer!.purpose === 'retry') return advance.finish({ go: 'enter', scope: timer!.key, position: 0 });
  if (timer!.purpose === 'limit') return advance.finish(endOfTime(advance, timer!.key));
  return advance.finish({ go: 'complete', key: timer!.key, output: advance.activation(timer!.key).input });
}
