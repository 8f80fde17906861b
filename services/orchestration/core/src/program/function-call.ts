// Functions of a definition's own, of its catalogues and of addresses: a function is a task, run inside the activation that calls it.
import { Defect, isJsonObject, type JsonObject } from '@weft/kernel';
import { callTargetOf, functionUriOf } from '@weft/workflow';
import type { Resources } from './program.js';

/** Functions that call functions: how deep at most. */
export const FUNCTION_DEPTH_MAX = 16;

/** The task that a call names, and the `use` that it is read with. */
export interface CalledFunction {
  readonly task: JsonObject;
  readonly use: JsonObject;
}

/**
 * The task that a call names, unless it is one of the engine's own. A definition's own functions come first, then its catalogues.
 * A function from elsewhere does not see the functions of the definition that calls it.
 * @throws Defect when publish has not locked the document that it is in.
 */
export function functionOf(call: string, use: JsonObject, resources: Resources): CalledFunction | undefined {
  const target = callTargetOf(call, use);
  if (target?.kind === 'local') return { task: (use['functions'] as JsonObject)[call] as JsonObject, use };
  if (target?.kind !== 'uri' && target?.kind !== 'catalogued') return undefined;
  const uri = functionUriOf(target, use);
  const task = uri === undefined ? undefined : resources.get(uri)?.content;
  if (!isJsonObject(task)) throw new Defect(`no function is locked for ${uri ?? call}`);
  return { task, use: { ...use, functions: {} } };
}
