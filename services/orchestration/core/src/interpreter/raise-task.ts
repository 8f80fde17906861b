import type { Json } from '@weft/kernel';
import type { ActivationKey } from '../execution/execution.events.js';
import type { Evaluate } from '../program/expression.js';
import type { Task } from '../program/program.js';
import { RAISED_INSTANCE } from '../upgrade/engine-flags.js';
import type { Advance, Step } from './advance.js';

/** Raises the error of a `raise` task. Its `instance` is the task, unless the author says what else it is about. */
export function raise(advance: Advance, task: Extract<Task, { kind: 'raise' }>, key: ActivationKey, input: Json): Step {
  const text = (evaluate: Evaluate | undefined): string | undefined => (evaluate ? String(advance.evaluate(evaluate, input, { task, key, taskInput: input })) : undefined);
  const { status } = task.error;
  const type = typeof task.error.type === 'string' ? task.error.type : String(advance.evaluate(task.error.type, input, { task, key, taskInput: input }));
  const [title, detail] = [text(task.error.title), text(task.error.detail)];
  const instance = (advance.has(RAISED_INSTANCE) ? text(task.error.instance) : undefined) ?? task.pointer;
  return { go: 'raise', key, error: { type, status, instance, ...(title === undefined ? {} : { title }), ...(detail === undefined ? {} : { detail }) } };
}
