import type { Json } from '@weft/kernel';
import type { ActivationKey } from '../execution/execution.events.js';
import type { Task } from '../program/program.js';
import type { Advance, Step } from './advance.js';

export type FunctionTask = Extract<Task, { kind: 'function' }>;

/** Runs a function inside the activation that calls it, on its arguments. */
export function callFunction(advance: Advance, task: FunctionTask, key: ActivationKey, input: Json): Step {
  advance.record({ type: 'FunctionCalled', key, input: advance.evaluate(task.arguments, input, { task, key, taskInput: input }) });
  return { go: 'enter', scope: key, position: 0 };
}
