// Passes of a `for`, one after the other: each gets the output of the one before.
import type { Json } from '@weft/kernel';
import type { ActivationKey } from '../execution/execution.events.js';
import type { Task } from '../program/program.js';
import { inputInvalid } from '../program/workflow-error.js';
import type { Advance, Step } from './advance.js';

export type ForTask = Extract<Task, { kind: 'for' }>;

/** Evaluates the list, once. Of an empty or missing one the output is the input. */
export function beginLoop(advance: Advance, task: ForTask, key: ActivationKey, input: Json): Step {
  const items = advance.evaluate(task.in, input, { task, key, taskInput: input });
  if (items !== null && !Array.isArray(items))
    return { go: 'raise', key, error: inputInvalid(task, `Expected \`for.in\` to give a list but it gives ${typeof items === 'object' ? 'an object' : `a ${typeof items}`}.`) };
  const count = items === null ? 0 : (items as readonly Json[]).length;
  if (count === 0) return { go: 'complete', key, output: input };
  advance.record({ type: 'LoopBegun', key, count, items });
  return { go: 'pass', scope: key, index: 0 };
}

/** Begins a pass, unless the list is at its end or `while` does not hold for the item. */
export function beginPass(advance: Advance, key: ActivationKey, index: number): Step {
  const task = advance.taskOf(key) as ForTask;
  const { loop, value, input } = advance.activation(key);
  const isOver =
    index >= (loop?.count ?? 0) || (task.while && advance.evaluate(task.while, value, { task, key, taskInput: input, extra: { [task.each]: itemOf(loop, index), [task.at]: index } }) !== true);
  if (isOver) return { go: 'complete', key, output: value };
  advance.record({ type: 'PassBegun', key, index });
  return { go: 'enter', scope: key, position: 0 };
}

/** The item of a pass; null once the list is erased. */
export const itemOf = (loop: { readonly items: Json } | undefined, index: number): Json => (Array.isArray(loop?.items) ? ((loop.items as readonly Json[])[index] ?? null) : null);
