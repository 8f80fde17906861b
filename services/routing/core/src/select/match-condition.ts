import type { Json } from '@weft/kernel';
import { canonicalJson } from '../table/canonical-json.js';
import { valueAt } from '../table/json-pointer.js';
import type { Condition } from '../table/route-table.js';

/** What a request is judged by. */
export interface RequestFacts {
  readonly tenant: string;
  readonly type: string;
  readonly source: string;
  readonly data: Json;
}

/**
 * Whether a request meets a condition: each part that holds as a reason, else the first that does not.
 * Values of the request's data never appear: reasons are kept after the data has been erased.
 */
export type Match = { readonly ok: true; readonly reasons: readonly string[] } | { readonly ok: false; readonly at: 'type' | 'source' | 'tenant' | 'data'; readonly mismatch: string };

/** Judges a request by a condition. */
export function matchCondition(condition: Condition, request: RequestFacts): Match {
  const reasons: string[] = [];
  for (const attribute of ['type', 'source', 'tenant'] as const) {
    const wanted = condition[attribute];
    if (wanted === undefined) continue;
    const got = request[attribute];
    if (!textMatches(wanted, got)) return { ok: false, at: attribute, mismatch: `expected ${attribute} ${JSON.stringify(wanted)} but got ${JSON.stringify(got)}` };
    reasons.push(wanted === got ? `${attribute} is ${JSON.stringify(got)}` : `${attribute} ${JSON.stringify(got)} matches ${JSON.stringify(wanted)}`);
  }
  for (const [pointer, wanted] of Object.entries(condition.data ?? {})) {
    const got = valueAt(request.data, pointer);
    if (got === undefined) return { ok: false, at: 'data', mismatch: `expected ${JSON.stringify(wanted)} at data ${pointer} but nothing is there` };
    if (canonicalJson(got) !== canonicalJson(wanted)) return { ok: false, at: 'data', mismatch: `expected ${JSON.stringify(wanted)} at data ${pointer} but something else is there` };
    reasons.push(`data ${pointer} is ${JSON.stringify(wanted)}`);
  }
  return { ok: true, reasons };
}

const textMatches = (pattern: string, text: string): boolean => (pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern);
