// `run: workflow`, compiled.
import { isJsonObject, type JsonObject } from '@weft/kernel';
import { template } from './expression.js';
import type { WorkflowCall } from './program.js';

/** @param run what stands under `run`; all of `workflow` may be expressions. `await` is true unless said otherwise; of `return` only `none` has a meaning here. */
export function workflowCall(run: JsonObject, names: readonly string[]): WorkflowCall {
  const { workflow } = run;
  return { called: template(isJsonObject(workflow) ? workflow : {}, names), isAwaited: run['await'] !== false, isReturned: run['return'] !== 'none' };
}
