import { hash32, retryDelayMs, type Json } from '@weft/kernel';
import { errorMatches } from '@weft/workflow';
import type { ActivationKey, FailedTask } from '../execution/execution.events.js';
import type { CatchClause, Task } from '../program/program.js';
import { errorJson, type WorkflowError } from '../program/workflow-error.js';
import type { Advance, Step } from './advance.js';
import { isInExtension } from './extension.js';
import { failBranch } from './fork.js';

/**
 * Takes an error up the tree to the first `try` whose block raised it and whose `catch` matches: retry first; `catch.do`
 * once, after retries are exhausted or not allowed. Out of a branch it ends the whole fork, except where branches compete. What nothing catches faults the execution, with its first instance.
 */
export function raiseError(advance: Advance, { key, error, inside: isInside, branch, origin }: RaiseStep): Step {
  const inside = isInside === true;
  let from = branch;
  let reported = error;
  for (let at: ActivationKey | undefined = key; at !== undefined; at = advance.activation(at).parent) {
    const activation = advance.activation(at);
    const { pointer, caught, branch: own } = activation;
    const task = advance.program.tasks.get(pointer);
    // What handles a cancel fails by itself: nothing outside of it goes on with its work.
    if (at === advance.state.cancelling?.handler) break;
    if (task?.kind === 'fork' && task.isCompeting && from !== undefined) return failBranch(advance, at, from, reported);
    from = own;
    // Who calls a function knows its own task, not those that the function is made of.
    if (task?.kind === 'function') reported = { ...reported, instance: pointer };
    // An error inside a catch is not the business of its own try, nor does a try catch what it raises itself or what an extension around it does.
    if (task?.kind !== 'try' || caught !== undefined || (at === key && !inside) || isInExtension(activation)) continue;
    if (matches(advance, task, at, reported)) return handle(advance, task, at, reported);
  }
  return advance.fault(reported, origin === undefined ? failedTaskOf(advance, key, error, inside, branch) : { key: origin });
}

/** Where a retry goes on: the activation that raised the error, or the task of its list (of a fork: the branch) that could not be entered. */
function failedTaskOf(advance: Advance, key: ActivationKey, error: WorkflowError, inside: boolean, branch: number | undefined): FailedTask {
  if (!inside) return { key };
  if (branch !== undefined) return { key, position: branch };
  const position = advance.scopeOf(key).tasks.findIndex((task) => task.pointer === error.instance);
  return position === -1 ? { key } : { key, position };
}

type RaiseStep = Extract<Step, { go: 'raise' }>;

export type TryTask = Extract<Task, { kind: 'try' }>;

/** Whether the `catch` of a `try` takes an error. @throws ExpressionFailed of its conditions. */
export function matches(advance: Advance, task: TryTask, key: ActivationKey, error: WorkflowError): boolean {
  const { with: filter, when, exceptWhen } = task.catch;
  if (!errorMatches(filter, error)) return false;
  const fields = errorJson(error);
  return holds(advance, task, key, fields, when, true) && !holds(advance, task, key, fields, exceptWhen, false);
}

function holds(advance: Advance, task: TryTask, key: ActivationKey, error: Json, condition: CatchClause['when'], otherwise: boolean): boolean {
  if (!condition) return otherwise;
  const { input } = advance.activation(key);
  return advance.evaluate(condition, input, { task, key, taskInput: input, extra: { [task.catch.as]: error } }) === true;
}

function handle(advance: Advance, task: TryTask, key: ActivationKey, error: WorkflowError): Step {
  const { retry } = task.catch;
  const fields = errorJson(error);
  const { attempt } = advance.activation(key);
  const isRetried = retry && attempt <= retry.retriesMax && holds(advance, task, key, fields, retry.when, true) && !holds(advance, task, key, fields, retry.exceptWhen, false);
  if (isRetried) {
    advance.record({ type: 'RetryScheduled', key, retry: attempt, errorType: error.type, error: fields });
    // Jitter is drawn from what names this retry: every replica that decides it draws the same.
    const timer = advance.timerId(key);
    const jitter = hash32(`${advance.state.executionId}${timer}`) / 2 ** 32;
    const delayMs = retryDelayMs(retry, attempt, jitter);
    if (delayMs === 0) return { go: 'enter', scope: key, position: 0 };
    advance.record({ type: 'TimerSet', key, timer, purpose: 'retry', due: advance.context.now + delayMs });
    return undefined;
  }
  advance.record({ type: 'ErrorCaught', key, errorType: error.type, error: fields });
  if (task.catch.do) return { go: 'enter', scope: key, position: 0 };
  return { go: 'complete', key, output: advance.activation(key).input };
}
