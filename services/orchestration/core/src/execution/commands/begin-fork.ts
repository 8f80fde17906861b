import { Defect, invariant, type DecideContext } from '@weft/kernel';
import { Advance } from '../../interpreter/advance.js';
import { unenteredBranches } from '../../interpreter/fork.js';
import type { CommandOf } from '../execution.commands.js';
import type { ExecutionDecision, Programs } from '../execution.decide.js';
import { carriedEvents } from '../fork-point.js';
import type { ExecutionState } from '../execution.state.js';

/** Begins an execution at a task of another one, with the data that it had there. A second beginning is a duplicate. */
export function beginFork(state: ExecutionState, command: CommandOf<'BeginFork'>, context: DecideContext, programs: Programs): ExecutionDecision {
  if (state.status !== 'none') return { kind: 'ignored', reason: 'duplicate' };
  const { executionId, from, reason, events } = command;
  const [origin] = events;
  invariant(origin?.type === 'ExecutionStarted', `a fork of ${from.execution} is given its history from the start`);
  const point = carriedEvents(events, from.key, from.execution, executionId);
  if (!point) throw new Defect(`execution ${from.execution} entered no ${from.key} up to its version ${from.version}`);
  const { carried, entered } = point;
  const advance = new Advance(state, programs(origin.definition.digest), context);
  const { carried: _carried, reason: _reason, ...facts } = origin;
  advance.record({ ...facts, executionId, at: context.now, from, carried: carried.length, ...(reason === '' ? {} : { reason }) });
  for (const event of carried) advance.record(event);
  // Branches beside the point that were entered after it, in the same decision, are entered here.
  advance.later(unenteredBranches(advance));
  if (entered.branch !== undefined) return advance.finish();
  const position = advance.scopeOf(entered.parent).tasks.findIndex((task) => task.pointer === entered.pointer);
  invariant(position !== -1, `no task ${entered.pointer} in ${entered.parent || 'the workflow'}`);
  return advance.finish({ go: 'enter', scope: entered.parent, position });
}
