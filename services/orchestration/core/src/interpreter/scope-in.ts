import type { Activation } from '../execution/execution.state.js';
import type { Program, Scope } from '../program/program.js';

/**
 * The list of tasks that runs inside an activation: of an extension around it, its `catch` while it handles an error, else its own.
 * @param pointer where its task is in the program. @returns undefined when the program has no such list.
 */
export function scopeIn({ tasks, scopes }: Program, { caught, extending }: Activation, pointer: string): Scope | undefined {
  if (extending && extending.phase !== 'around') return tasks.get(pointer)?.extensions?.[extending.applying[extending.at]!]?.[extending.phase];
  return scopes.get(caught === undefined ? pointer : `${pointer}/catch`);
}
