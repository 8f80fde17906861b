// `foreach` of a subscription: what is done with each of its items.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { iteratorVariablesOf } from '@weft/workflow';
import type { DataCheck } from './data-schema.js';
import type { Evaluate } from './expression.js';
import type { Scope } from './program.js';

export interface ItemIterator {
  /** Names of the variables that hold the item and its index. */
  readonly item: string;
  readonly at: string;
  /** Without tasks the item itself is what comes of it. */
  readonly scope?: Scope;
  readonly outputAs?: Evaluate;
  readonly exportAs?: Evaluate;
  readonly outputCheck?: DataCheck;
  readonly exportCheck?: DataCheck;
}

/** @param scope compiles its task list. @param shape compiles an `as`. Both with the variables of the iterator visible. @param check compiles a schema. */
export function compileIterator(foreach: JsonObject, scope: (list: Json) => Scope, shape: (as: Json) => Evaluate, check: (place: 'output' | 'export') => DataCheck | undefined): ItemIterator {
  const [item, at] = iteratorVariablesOf(foreach);
  const asOf = (field: 'output' | 'export'): Json | undefined => (isJsonObject(foreach[field]) ? (foreach[field] as JsonObject)['as'] : undefined);
  const [outputAs, exportAs] = [asOf('output'), asOf('export')];
  const [outputCheck, exportCheck] = [check('output'), check('export')];
  return {
    item,
    at,
    ...(foreach['do'] === undefined ? {} : { scope: scope(foreach['do']) }),
    ...(outputAs === undefined ? {} : { outputAs: shape(outputAs) }),
    ...(exportAs === undefined ? {} : { exportAs: shape(exportAs) }),
    ...(outputCheck ? { outputCheck } : {}),
    ...(exportCheck ? { exportCheck } : {}),
  };
}
