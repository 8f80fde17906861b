import type { Instant } from '@weft/kernel';
import type { ActivationKey, FailedTask } from '../execution/execution.events.js';
import { errorJson, type WorkflowError } from '../program/workflow-error.js';
import type { Advance, Step } from './advance.js';
import { matches, type TryTask } from './catch.js';
import { isInExtension } from './extension.js';
import { failBranch } from './fork.js';
import { retried } from './retry.js';

/**
 * Takes an error up the tree to the first `try` whose block raised it and whose `catch` matches: retry first; `catch.do`
 * once, after retries are exhausted or not allowed. Out of a branch it ends the whole fork, except where branches compete. What nothing catches faults the execution, with its first instance.
 */
export function raiseError(advance: Advance, { key, error, inside: isInside, branch, origin, notBefore }: RaiseStep): Step {
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
    if (matches(advance, task, at, reported)) return handle(advance, task, at, reported, notBefore);
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

function handle(advance: Advance, task: TryTask, key: ActivationKey, error: WorkflowError, notBefore?: Instant): Step {
  const again = retried(advance, task, key, error, notBefore);
  if (again) return again.step;
  advance.record({ type: 'ErrorCaught', key, errorType: error.type, error: errorJson(error) });
  if (task.catch.do) return { go: 'enter', scope: key, position: 0 };
  return { go: 'complete', key, output: advance.activation(key).input };
}
