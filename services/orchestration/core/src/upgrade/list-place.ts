// Steps that enter a task name it by its place in its list, which another version may have changed.
import type { Activation } from '../execution/execution.state.js';
import { scopeIn } from '../interpreter/scope-in.js';
import type { Program } from '../program/program.js';

/**
 * Where the task at a place of a list stands in the other version; what follows the last one is the place after it.
 * @param activation that the list runs in, as it was. @param at where pointers are in the other version. @returns undefined when it is gone.
 */
export function placeOf(from: Program, to: Program, at: (pointer: string) => string, activation: Activation, position: number): number | undefined {
  const tasks = scopeIn(from, activation, activation.pointer)?.tasks ?? [];
  const now = scopeIn(to, activation, at(activation.pointer))?.tasks ?? [];
  const past = position >= tasks.length ? 1 : 0;
  const pointer = tasks[position - past]?.pointer;
  const found = pointer === undefined ? -1 : now.findIndex((task) => task.pointer === at(pointer));
  return found === -1 ? undefined : found + past;
}
