// A cancel on its way out: handlers run from the innermost to the outermost, then the execution ends.
import { invariant, type Json } from '@weft/kernel';
import { CANCELLED, canonicalErrorType, type WorkflowErrorFields } from '@weft/workflow';
import { ExpressionFailed } from '../program/expression.js';
import { errorJson, type WorkflowError } from '../program/workflow-error.js';
import type { Activation } from '../execution/execution.state.js';
import type { Advance, Step } from './advance.js';
import { matches, type TryTask } from './catch.js';
import { isInExtension } from './extension.js';

/** Goes on with a cancel: the innermost `catch` that names it and has not run, or the end. */
export function cancelOn(advance: Advance): Step {
  const { cancelling } = advance.state;
  invariant(cancelling, 'a cancel goes on only once it was asked for');
  const handler = nextHandler(advance, cancelling.error);
  if (!handler) {
    advance.record({ type: 'ExecutionCancelled', at: advance.context.now, by: cancelling.by, error: cancelling.error });
    return undefined;
  }
  const { key, task } = handler;
  advance.record({ type: 'CancelCaught', key });
  if (task.catch.do) return { go: 'enter', scope: key, position: 0 };
  return { go: 'complete', key, output: advance.activation(key).input };
}

/** A handler that ends before its last task, by an error or by `then: end`, keeps none of the outer ones from running. */
export function endHandler(advance: Advance, error?: WorkflowError): Step {
  const handler = advance.state.cancelling?.handler;
  if (handler !== undefined) advance.record({ type: 'CancelHandlerEnded', key: handler, ...(error ? { errorType: error.type, error: errorJson(error) } : {}) });
  return cancelOn(advance);
}

interface Handler {
  readonly key: string;
  readonly task: TryTask;
}

/** The deepest one; of equally deep ones, that which was entered last. */
function nextHandler(advance: Advance, error: Json): Handler | undefined {
  let found: (Handler & { readonly depth: number }) | undefined;
  for (const activation of Object.values(advance.state.activations)) {
    const task = advance.program.tasks.get(activation.pointer);
    if (task?.kind !== 'try' || activation.caught !== undefined || isInExtension(activation) || !takes(advance, task, activation, error)) continue;
    const depth = depthOf(advance, activation);
    if (!found || depth >= found.depth) found = { key: activation.key, task, depth };
  }
  return found;
}

function takes(advance: Advance, task: TryTask, { key }: Activation, error: Json): boolean {
  const type = task.catch.with?.type;
  if (type === undefined || canonicalErrorType(type) !== CANCELLED.type) return false;
  try {
    return matches(advance, task, key, error as unknown as WorkflowErrorFields);
  } catch (fault) {
    // A condition that cannot be evaluated does not hold, and a cancel does not wait for it.
    if (fault instanceof ExpressionFailed) return false;
    throw fault;
  }
}

function depthOf(advance: Advance, activation: Activation): number {
  let depth = 0;
  for (let at: Activation | undefined = activation; at?.parent !== undefined; at = advance.state.activations[at.parent]) depth++;
  return depth;
}
