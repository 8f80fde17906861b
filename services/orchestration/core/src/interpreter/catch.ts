// Whether the `catch` of a `try` takes an error.
import type { Json } from '@weft/kernel';
import { errorMatches } from '@weft/workflow';
import type { ActivationKey } from '../execution/execution.events.js';
import type { CatchClause, Task } from '../program/program.js';
import { errorJson, type WorkflowError } from '../program/workflow-error.js';
import type { Advance } from './advance.js';

export type TryTask = Extract<Task, { kind: 'try' }>;

/** Whether the `catch` of a `try` takes an error. @throws ExpressionFailed of its conditions. */
export function matches(advance: Advance, task: TryTask, key: ActivationKey, error: WorkflowError): boolean {
  const { with: filter, when, exceptWhen } = task.catch;
  if (!errorMatches(filter, error)) return false;
  const fields = errorJson(error);
  return holds(advance, task, key, fields, when, true) && !holds(advance, task, key, fields, exceptWhen, false);
}

/** Whether a condition on an error is `true`; `otherwise` where there is none. */
export function holds(advance: Advance, task: TryTask, key: ActivationKey, error: Json, condition: CatchClause['when'], otherwise: boolean): boolean {
  if (!condition) return otherwise;
  const { input } = advance.activation(key);
  return advance.evaluate(condition, input, { task, key, taskInput: input, extra: { [task.catch.as]: error } }) === true;
}
