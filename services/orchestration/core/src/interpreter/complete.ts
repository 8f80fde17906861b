import type { Json } from '@weft/kernel';
import type { ActivationKey } from '../execution/execution.events.js';
import type { Advance, Step } from './advance.js';
import { cancelOn } from './cancel.js';
import { endExtended, skipExtended } from './extension.js';
import { branchEnded } from './fork.js';
import { shapeOutput } from './shape-output.js';

/** Ends an activation: `output.as` and `output.schema`, `export.as` on the transformed output and `export.schema`, then the flow directive. */
export function completeTask(advance: Advance, key: ActivationKey, raw: Json, then: string | undefined): Step {
  const task = advance.taskOf(key);
  if (task.extensions) {
    const after = endExtended(advance, task, key, raw, then);
    if (after !== 'done') return after;
  }
  const { parent, input, value, branch } = advance.activation(key);
  const at = { task, key, taskInput: input, rawOutput: raw };
  const { output, exported } = shapeOutput(advance, task, raw, at);
  const isHandler = advance.state.cancelling?.handler === key;
  // The fold takes the activation's own value when no output is given: a job's result is stored once.
  advance.record({ type: 'TaskCompleted', key, at: advance.context.now, ...(output === value ? {} : { output }), ...(exported === undefined ? {} : { exported }) });
  if (isHandler) return cancelOn(advance);
  const directive = then ?? task.then ?? 'continue';
  const scope = parent!;
  if (directive === 'end') return advance.complete(output);
  // What follows a branch is its fork, whatever else it says.
  if (branch !== undefined) return branchEnded(advance, scope, branch);
  if (directive === 'exit') return advance.activation(scope).extending?.phase === 'before' ? skipExtended(advance, scope) : { go: 'leave', scope };
  const { positions } = advance.scopeOf(scope);
  if (directive === 'continue') return { go: 'enter', scope, position: positions.get(task.name)! + 1 };
  return { go: 'enter', scope, position: positions.get(directive)! };
}
