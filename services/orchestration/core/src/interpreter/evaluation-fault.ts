import { ROOT } from '../execution/execution.state.js';
import type { EvaluationFailed } from '../program/evaluation-failed.js';
import type { Advance, Step } from './advance.js';
import type { ForkTask } from './fork.js';

/** Raises what an expression or a schema of a step failed with, at the task that it belongs to. */
export function raiseEvaluationFault(advance: Advance, step: NonNullable<Step>, fault: EvaluationFailed): Step {
  if (step.go === 'enter') {
    const instance = advance.scopeOf(step.scope).tasks[step.position]?.pointer ?? '/';
    return { go: 'raise', key: step.scope, inside: true, error: fault.errorAt(instance) };
  }
  if (step.go === 'branch') {
    const instance = (advance.taskOf(step.scope) as ForkTask).branches[step.branch]?.pointer ?? '/';
    return { go: 'raise', key: step.scope, inside: true, branch: step.branch, error: fault.errorAt(instance) };
  }
  const key = 'scope' in step ? step.scope : step.key;
  // An expression of the catch clause itself fails outside its own try: never caught by itself.
  const at = step.go === 'raise' ? (advance.activation(key).parent ?? ROOT) : key;
  return { go: 'raise', key: at, error: fault.errorAt(advance.pointerOf(at) || '/'), ...(at === key ? {} : { origin: key }) };
}
