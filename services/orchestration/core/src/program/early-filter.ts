// What an execution can be found by before it has reached its `listen`.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { embeddedExpression } from '@weft/jq';
import { bareExpression, type Evaluate } from './expression.js';

/** The part of a filter that is known when an execution starts: constants, and paths into `$workflow`. */
export interface EarlyFilter {
  readonly eventType: Evaluate;
  /** The first correlation with a plain path whose value is known; without one the filter is found by its type alone. */
  readonly correlated?: { readonly path: string; readonly value: Evaluate };
}

const OF_THE_WORKFLOW = /^\$workflow(?:\.[A-Za-z_][A-Za-z0-9_]*)+$/;

/** @param filter `with` and `correlate`. @returns undefined for one that correlates nothing, or whose type is not known at the start: it is heard while its task waits. */
export function earlyFilter(filter: JsonObject, paths: ReadonlyMap<string, string>): EarlyFilter | undefined {
  const correlate = isJsonObject(filter['correlate']) ? filter['correlate'] : {};
  const eventType = knownAtStart((filter['with'] as JsonObject)['type']);
  if (!eventType || Object.keys(correlate).length === 0) return undefined;
  for (const [name, given] of Object.entries(correlate)) {
    const [path, value] = [paths.get(name), knownAtStart((given as JsonObject)['expect'])];
    if (path !== undefined && value) return { eventType, correlated: { path, value } };
  }
  return { eventType };
}

function knownAtStart(given: Json | undefined): Evaluate | undefined {
  if (given === undefined) return undefined;
  const expression = typeof given === 'string' ? embeddedExpression(given)?.trim() : undefined;
  if (expression === undefined) return typeof given === 'object' ? undefined : () => given;
  return OF_THE_WORKFLOW.test(expression) ? bareExpression(expression) : undefined;
}
