import { Defect, invariant, type DecideContext } from '@weft/kernel';
import { Advance, type Step } from '../../interpreter/advance.js';
import { unenteredBranches } from '../../interpreter/fork.js';
import type { CommandOf } from '../execution.commands.js';
import type { ExecutionDecision, Programs } from '../execution.decide.js';
import type { ExecutionEvent } from '../execution.events.js';
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
  let held: readonly NonNullable<Step>[] = [];
  for (const event of carried) {
    if (event.type === 'ExecutionResumed' || event.type === 'ExecutionRetried') held = advance.state.held ?? [];
    advance.record(event);
    held = held.filter((step) => !isTaken(step, event, advance.state));
  }
  // Branches beside the point that were entered after it, in the same decision, are entered here.
  advance.later(unenteredBranches(advance));
  const step = entered.branch === undefined ? enterStep(advance, entered) : undefined;
  // Of a resume that had more steps to take than the one that led to the point.
  return advance.finish(step, ...held);
}

/** Whether an event shows that a held step has been taken: its list was entered, or its activation has ended. A retry may enter the same activation anew. */
function isTaken(step: NonNullable<Step>, event: ExecutionEvent, { activations }: ExecutionState): boolean {
  if (!('scope' in step)) return !activations[step.key];
  if (!activations[step.scope]) return true;
  if (step.go === 'pass') return event.type === 'PassBegun' && event.key === step.scope && event.index === step.index;
  if (event.type !== 'TaskEntered' && event.type !== 'TaskSkipped') return false;
  return event.parent === step.scope && (step.go !== 'branch' || event.branch === step.branch);
}

function enterStep(advance: Advance, entered: Extract<ExecutionEvent, { type: 'TaskEntered' }>): Step {
  const position = advance.scopeOf(entered.parent).tasks.findIndex((task) => task.pointer === entered.pointer);
  invariant(position !== -1, `no task ${entered.pointer} in ${entered.parent || 'the workflow'}`);
  return { go: 'enter', scope: entered.parent, position };
}
