import { Defect, invariant, type DecideContext } from '@weft/kernel';
import { Advance, keyOf, type Step } from '../../interpreter/advance.js';
import { missingChildren } from '../../interpreter/children.js';
import { subscribe } from '../../interpreter/subscribe.js';
import { unenteredBranches } from '../../interpreter/fork.js';
import type { CommandOf } from '../execution.commands.js';
import type { ExecutionDecision, Programs } from '../execution.decide.js';
import type { ExecutionEvent } from '../execution.events.js';
import { carriedEvents, definitionAfter } from '../fork-point.js';
import type { ExecutionState } from '../execution.state.js';

/** Begins an execution at a task of another one, with the data that it had there. A second beginning is a duplicate. */
export function beginFork(state: ExecutionState, command: CommandOf<'BeginFork'>, context: DecideContext, programs: Programs): ExecutionDecision {
  if (state.status !== 'none') return { kind: 'ignored', reason: 'duplicate' };
  const { executionId, from, reason, events } = command;
  const [origin] = events;
  invariant(origin?.type === 'ExecutionStarted', `a fork of ${from.execution} is given its history from the start`);
  const point = carriedEvents(events, from.key, from.execution, executionId, context.now);
  if (!point) throw new Defect(`execution ${from.execution} entered no ${from.key} up to its version ${from.version}`);
  const { carried, entered } = point;
  const advance = new Advance(state, programs((definitionAfter(carried) ?? origin.definition).digest), context);
  // It answers to whoever forked it, not to the execution that started the other one.
  const { carried: _carried, reason: _reason, parent: _parent, ...facts } = origin;
  advance.record({ ...facts, executionId, at: context.now, from, carried: carried.length, ...(reason === '' ? {} : { reason }) });
  let held: NonNullable<ExecutionState['held']> = [];
  for (const event of carried) {
    held = takesHeld(advance.state, event) ? (advance.state.held ?? []) : withoutTaken(held, event);
    advance.record(event);
  }
  subscribe(advance);
  // Of a decision that had more held steps to take than the one that led to the point.
  const left = withoutTaken(held, entered).filter((each) => advance.state.activations[keyOf(each)]);
  // Branches beside the point that were entered after it, in the same decision, are entered here.
  advance.later(unenteredBranches(advance, new Set([...left, ...(advance.state.held ?? [])].map(keyOf))));
  const step = entered.branch === undefined ? enterStep(advance, entered) : undefined;
  return advance.finish(step, ...left, ...missingChildren(advance, new Set(left.map(keyOf))));
}

/** Whether the steps that were held are taken with an event. */
function takesHeld({ timers }: ExecutionState, event: ExecutionEvent): boolean {
  return event.type === 'ExecutionResumed' || event.type === 'ExecutionRetried' || (event.type === 'TimerFired' && timers[event.timer]?.purpose === 'yield');
}

/** A step was taken before the point when something has happened to its activation since. */
function withoutTaken(held: NonNullable<ExecutionState['held']>, event: ExecutionEvent): NonNullable<ExecutionState['held']> {
  if (held.length === 0) return held;
  const touched = [...('key' in event ? [event.key] : []), ...(event.type === 'TaskEntered' || event.type === 'TaskSkipped' ? [event.parent] : [])];
  return held.filter((step) => !touched.includes(keyOf(step)));
}

function enterStep(advance: Advance, entered: Extract<ExecutionEvent, { type: 'TaskEntered' }>): Step {
  const position = advance.scopeOf(entered.parent).tasks.findIndex((task) => task.pointer === entered.pointer);
  invariant(position !== -1, `no task ${entered.pointer} in ${entered.parent || 'the workflow'}`);
  return { go: 'enter', scope: entered.parent, position };
}
