// What the functions `remember` and `recall` may be given, read from a job's arguments.
import { isJsonObject, rejection, type Json, type JsonObject, type Rejection } from '@weft/kernel';
import { isTrust, type Trust } from './trust.js';

export interface RememberRequest {
  readonly scope: string;
  readonly text: string;
  readonly metadata: JsonObject;
}

export interface RecallRequest {
  readonly scope: string;
  /** Words to look for; '' recalls the newest. */
  readonly query: string;
  /** Items at most, 1 to 50. Default 5. */
  readonly limit: number;
  /** Items of lower trust are left out. Default untrusted: all. */
  readonly trust: Trust;
}

export type Reading<T> = { readonly ok: true; readonly request: T } | { readonly ok: false; readonly rejection: Rejection };

const SCOPE_CHARACTERS_MAX = 200;
const TEXT_CHARACTERS_MAX = 100_000;
const RECALL_LIMIT_MAX = 50;

export function readRemember(given: Json): Reading<RememberRequest> {
  const fields = isJsonObject(given) ? given : {};
  const { scope, text, metadata = {} } = fields;
  if (!isScope(scope)) return refused('remember', 'scope', `a text of 1 to ${SCOPE_CHARACTERS_MAX} characters`, scope);
  if (typeof text !== 'string' || text.length === 0 || text.length > TEXT_CHARACTERS_MAX || text.includes('\u0000'))
    return refused('remember', 'text', `a text of 1 to ${TEXT_CHARACTERS_MAX} characters without NUL`, text);
  if (!isJsonObject(metadata)) return refused('remember', 'metadata', 'an object', metadata);
  return { ok: true, request: { scope, text, metadata } };
}

export function readRecall(given: Json): Reading<RecallRequest> {
  const fields = isJsonObject(given) ? given : {};
  const { scope, query = '', limit = 5, trust = 'untrusted' } = fields;
  if (!isScope(scope)) return refused('recall', 'scope', `a text of 1 to ${SCOPE_CHARACTERS_MAX} characters`, scope);
  if (typeof query !== 'string' || query.includes('\u0000')) return refused('recall', 'query', 'a text without NUL', query);
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1 || limit > RECALL_LIMIT_MAX) return refused('recall', 'limit', `an integer from 1 to ${RECALL_LIMIT_MAX}`, limit);
  if (!isTrust(trust)) return refused('recall', 'trust', 'untrusted, derived or stated', trust);
  return { ok: true, request: { scope, query, limit, trust } };
}

const isScope = (value: Json | undefined): value is string => typeof value === 'string' && value.length > 0 && value.length <= SCOPE_CHARACTERS_MAX && !value.includes('\u0000');

function refused(what: string, field: string, expected: string, got: Json | undefined): { readonly ok: false; readonly rejection: Rejection } {
  return { ok: false, rejection: rejection('input-invalid', `Expected \`${field}\` of ${what} to be ${expected} but got ${JSON.stringify(got ?? null).slice(0, 120)}.`) };
}
