// `$context` with branches: each works on a copy of its own, and what they changed comes together when the fork joins.
import { isJsonObject, type Json } from '@weft/kernel';
import { canonicalJson } from '@weft/workflow';
import type { ActivationKey } from './execution.events.js';
import type { ExecutionState } from './execution.state.js';

/** `$context` as an activation sees it. A branch that has exported nothing sees what its fork saw. */
export function contextAt(state: ExecutionState, key: ActivationKey): Json {
  for (let at = state.activations[key]; at?.parent !== undefined; at = state.activations[at.parent]) if (at.exported !== undefined) return at.exported;
  return state.exported;
}

/**
 * `$context` after a fork: what its branches made of their copies, applied in declared order. Of objects the fields that a branch
 * set, changed or removed are applied, so that branches that touch different fields lose nothing; anything else replaces the
 * whole. Folding rests on it: it gives the same for ever. Source: docs/adr/0013.
 */
export function joinContexts(before: Json, exports: readonly Json[]): Json {
  return exports.reduce((joined, exported) => {
    if (!isJsonObject(before) || !isJsonObject(exported) || !isJsonObject(joined)) return exported;
    const fields: Record<string, Json> = { ...joined };
    for (const name of Object.keys(before)) if (!Object.hasOwn(exported, name)) delete fields[name];
    for (const [name, value] of Object.entries(exported)) if (!Object.hasOwn(before, name) || !isSame(before[name]!, value)) define(fields, name, value);
    return fields;
  }, before);
}

const isSame = (left: Json, right: Json): boolean => left === right || canonicalJson(left) === canonicalJson(right);

// `__proto__` from outside is a field like any other.
const define = (fields: Record<string, Json>, name: string, value: Json): unknown => Object.defineProperty(fields, name, { value, enumerable: true, configurable: true, writable: true });
