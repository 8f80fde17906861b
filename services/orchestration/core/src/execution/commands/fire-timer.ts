import type { DecideContext } from '@weft/kernel';
import { Advance, keyOf, type Step } from '../../interpreter/advance.js';
import { endOfTime } from '../../interpreter/agent.js';
import type { TryTask } from '../../interpreter/catch.js';
import { unenteredBranches } from '../../interpreter/fork.js';
import { attemptStep } from '../../interpreter/retry.js';
import { endOfTimeLimit } from '../../interpreter/time-limit.js';
import { nextDue } from '../../review/review.due.js';
import type { CommandOf } from '../execution.commands.js';
import type { ExecutionDecision, Programs } from '../execution.decide.js';
import type { ActivationKey, TimerPurpose } from '../execution.events.js';
import { isEnded, type ExecutionState } from '../execution.state.js';
import { passReviewTime } from './decide-review.js';

/** Fires what is due: a `wait` is over, a `try` begins its next attempt, a review has waited long enough, the time of a task is over. Never before its time, nor while the execution is suspended. */
export function fireTimer(state: ExecutionState, command: CommandOf<'FireTimer'>, context: DecideContext, programs: Programs): ExecutionDecision {
  const timer = state.timers[command.timer];
  const review = state.reviews[command.timer];
  const due = timer?.due ?? (review && nextDue(review));
  if (isEnded(state) || due === undefined) return { kind: 'ignored', reason: 'duplicate' };
  if (due > context.now || state.status === 'suspended') return { kind: 'ignored', reason: 'stale' };
  const advance = new Advance(state, programs(state.definition.digest), context);
  if (review) return advance.finish(passReviewTime(advance, review.id));
  const { key, purpose } = timer!;
  advance.record({ type: 'TimerFired', key, timer: timer!.id });
  if (purpose === 'yield') return goOnAfterYield(advance, state.held);
  return advance.finish(stepOf(advance, key, purpose));
}

/** Branches first: what was long before may be long again, and must not keep its neighbours from beginning. */
function goOnAfterYield(advance: Advance, held: ExecutionState['held'] = []): ExecutionDecision {
  advance.later(unenteredBranches(advance, new Set(held.map(keyOf))));
  return advance.finish(undefined, ...held);
}

function stepOf(advance: Advance, key: ActivationKey, purpose: Exclude<TimerPurpose, 'yield'>): Step {
  switch (purpose) {
    case 'retry':
      return attemptStep(advance.taskOf(key) as TryTask, key);
    case 'limit':
      return endOfTime(advance, key);
    case 'timeout':
    case 'attempt':
      return endOfTimeLimit(advance, key, purpose);
    case 'wait':
      return { go: 'complete', key, output: advance.activation(key).input };
  }
}
