// Operations on executions as a table: when each is possible, when it is done already, and what it decides.
import { accepted, rejection, type DecideContext, type Json } from '@weft/kernel';
import { CANCELLED } from '@weft/workflow';
import { Advance, keyOf, type Step } from '../../interpreter/advance.js';
import { cancelOn } from '../../interpreter/cancel.js';
import { missingChildren } from '../../interpreter/children.js';
import { unenteredBranches } from '../../interpreter/fork.js';
import type { CommandOf } from '../execution.commands.js';
import type { ExecutionDecision, Programs } from '../execution.decide.js';
import type { ExecutionEvent, FailedTask } from '../execution.events.js';
import { isEnded, type ExecutionState } from '../execution.state.js';
import { possibleIn, type Operation } from '../operation.js';

type Operate = CommandOf<'OperateExecution'>;
type Deciding = (state: ExecutionState, command: Operate, context: DecideContext, programs: Programs) => ExecutionDecision;

interface Rule {
  /** What it would bring about is there already: told again, nothing changes. */
  readonly isDone: (state: ExecutionState) => boolean;
  /** What must hold besides the status. */
  readonly needs?: (state: ExecutionState) => boolean;
  /** What the refusal says that the execution must be. */
  readonly wants: string;
  readonly decide: Deciding;
}

const never = (): boolean => false;

const RULES: Readonly<Record<Operation, Rule>> = {
  cancel: { isDone: ({ status, cancelling }) => status === 'cancelled' || cancelling !== undefined, wants: 'that runs, waits or is suspended', decide: cancel },
  pause: { isDone: ({ status }) => status === 'suspended', wants: 'that runs or waits', decide: pause },
  resume: { isDone: ({ status }) => status === 'running', wants: 'that is suspended', decide: resume },
  terminate: { isDone: ({ status }) => status === 'cancelled', wants: 'that runs, waits or is suspended', decide: terminate },
  retry: { isDone: never, needs: (state) => failedTask(state) !== undefined, wants: 'that faulted at a task', decide: retry },
  fork: { isDone: never, wants: 'that has begun', decide: fork },
  reset: { isDone: never, wants: 'that has begun', decide: fork },
};

/** Operations that would change an execution as it is now. */
export const possibleOperations = (state: ExecutionState): readonly Operation[] =>
  possibleIn(state.status).filter((operation) => (RULES[operation].needs?.(state) ?? true) && !RULES[operation].isDone(state));

/** Does what a person asks for. An id that was told before, or a wish that is fulfilled, is a duplicate; what the status forbids is `operation-not-possible`. */
export function operateExecution(state: ExecutionState, command: Operate, context: DecideContext, programs: Programs): ExecutionDecision {
  const { operation, id } = command;
  // Whoever asks chooses the id, also one that every object knows.
  const taken = state.operations && Object.hasOwn(state.operations, id) ? state.operations[id] : undefined;
  if (taken === operation) return { kind: 'ignored', reason: 'duplicate' };
  if (taken !== undefined) return { kind: 'rejected', rejection: rejection('conflict', `Expected a new id for this ${operation} but ${JSON.stringify(id)} was the id of a ${taken}.`) };
  const rule = RULES[operation];
  if (rule.isDone(state)) return { kind: 'ignored', reason: 'duplicate' };
  if (!possibleOperations(state).includes(operation)) return { kind: 'rejected', rejection: notPossible(state, command, rule) };
  return rule.decide(state, command, context, programs);
}

function notPossible(state: ExecutionState, { operation }: Operate, { wants }: Rule) {
  const possible = possibleOperations(state);
  const { status } = state;
  const next = possible.length === 0 ? 'Nothing is possible now' : `Possible now: ${possible.join(', ')}`;
  return rejection('operation-not-possible', `Expected an execution ${wants} to ${operation} it but this one is ${status}. ${next}.`, { details: { status, possible: [...possible] } });
}

const operated = ({ id, by, reason }: Operate, { now }: DecideContext) => ({ operation: id, at: now, by, ...(reason === '' ? {} : { reason }) });

/** The error that a cancelled execution ends with, and that its handlers see. */
function cancelError(title: 'cancelled' | 'terminated', { reason }: Operate, instance = '/'): Json {
  return { type: CANCELLED.type, status: CANCELLED.status, title, instance, ...(reason === '' ? {} : { detail: reason }) };
}

function cancel(state: ExecutionState, command: Operate, context: DecideContext, programs: Programs): ExecutionDecision {
  const advance = new Advance(state, programs(state.definition.digest), context);
  const innermost = Object.values(state.activations).at(-1)?.pointer;
  advance.record({ type: 'CancelRequested', ...operated(command, context), error: cancelError('cancelled', command, innermost || '/') });
  return advance.finish(cancelOn(advance));
}

// Neither needs the definition: what cannot be compiled can still be stopped.
function pause(_state: ExecutionState, command: Operate, context: DecideContext): ExecutionDecision {
  return accepted([{ type: 'ExecutionSuspended', ...operated(command, context) }]);
}

function terminate(_state: ExecutionState, command: Operate, context: DecideContext): ExecutionDecision {
  return accepted([terminated(command, context)]);
}

const terminated = (command: Operate, context: DecideContext): ExecutionEvent => ({ type: 'ExecutionTerminated', ...operated(command, context), error: cancelError('terminated', command) });

function resume(state: ExecutionState, command: Operate, context: DecideContext, programs: Programs): ExecutionDecision {
  const advance = new Advance(state, programs(state.definition.digest), context);
  advance.record({ type: 'ExecutionResumed', ...operated(command, context) });
  // Those that its forks gained by a migration meanwhile. A decision that was cut short enters what it left by itself.
  if (!Object.values(state.timers).some(({ purpose }) => purpose === 'yield')) advance.later(unenteredBranches(advance));
  return advance.finish(...(state.held ?? []));
}

function retry(state: ExecutionState, command: Operate, context: DecideContext, programs: Programs): ExecutionDecision {
  const advance = new Advance(state, programs(state.definition.digest), context);
  const task = failedTask(state)!;
  advance.record({ type: 'ExecutionRetried', ...operated(command, context), task });
  // The decision that faulted may have had branches left to enter; the one that could not be entered is among them.
  // The task that failed begins anew, whatever else it had come to.
  const held = (state.held ?? []).filter((step) => task.position !== undefined || keyOf(step) !== task.key);
  advance.later(unenteredBranches(advance, new Set(held.map(keyOf))).filter(({ scope }) => task.position !== undefined || scope !== task.key));
  return advance.finish(stepOf(advance, task), ...held, ...missingChildren(advance, new Set([task.key, ...held.map(keyOf)])));
}

function stepOf(advance: Advance, { key, position }: FailedTask): Step {
  if (position === undefined) return { go: 'run', key };
  return advance.program.tasks.get(advance.pointerOf(key))?.kind === 'fork' ? undefined : { go: 'enter', scope: key, position };
}

/** Where the execution faulted. Events that do not say it name the task by the error's instance. */
function failedTask({ interrupted, error }: ExecutionState): FailedTask | undefined {
  if (!interrupted || interrupted.task) return interrupted?.task && enteredTask(interrupted, interrupted.task);
  const instance = typeof error === 'object' && error !== null && !Array.isArray(error) ? (error as { readonly [field: string]: Json })['instance'] : undefined;
  const failed = Object.values(interrupted.activations).findLast(({ pointer }) => pointer !== '' && pointer === instance);
  return failed && { key: failed.key };
}

/** A task that was entered before what it begins with failed goes on as the activation that it is. */
function enteredTask({ activations }: Pick<ExecutionState, 'activations'>, task: FailedTask): FailedTask {
  const { key, position } = task;
  const entered = position === undefined ? undefined : Object.values(activations).find(({ parent, branch = position }) => parent === key && branch === position);
  return entered ? { key: entered.key } : task;
}

/** Notes that another execution starts from a task of this one; a reset ends this one first. The new execution hears of it from this decision. */
function fork(state: ExecutionState, command: Operate, context: DecideContext): ExecutionDecision {
  const { operation, fork: target } = command;
  if (!target || (operation !== 'fork' && operation !== 'reset')) return { kind: 'rejected', rejection: rejection('request-invalid', `Expected the point to ${operation} from but there is none.`) };
  const forked: ExecutionEvent = { type: 'ExecutionForked', ...operated(command, context), kind: operation, ...target };
  return accepted(operation === 'reset' && !isEnded(state) ? [terminated(command, context), forked] : [forked]);
}
