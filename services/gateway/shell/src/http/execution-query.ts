// Which executions a caller asks for, from the query parameters of a list.
import { ExecutionQuery } from '@weft/contracts';
import { refuse } from '@weft/kernel';
import type { Request } from 'express';
import { queryInstant, queryText, queryTexts } from './query.js';

export const STATUSES = ['running', 'waiting', 'suspended', 'completed', 'faulted', 'cancelled'];

/** Parameters `status`, `workflow`, `attribute` (NAME:VALUE, several times), `startedAfter`, `startedBefore`, `request`, `source`, `type`, `parent`. @throws Refused `request-invalid`. */
export function executionQueryOf(request: Request): ExecutionQuery {
  const status = queryText(request, 'status');
  if (status !== '' && !STATUSES.includes(status)) refuse('request-invalid', `Expected query parameter \`status\` to be one of ${STATUSES.join(', ')} but got ${JSON.stringify(status)}.`);
  return {
    status,
    workflow: queryText(request, 'workflow'),
    startedFromMs: queryInstant(request, 'startedAfter'),
    startedBeforeMs: queryInstant(request, 'startedBefore'),
    requestId: queryText(request, 'request', 1024),
    requestSource: queryText(request, 'source', 1024),
    requestType: queryText(request, 'type', 1024),
    parent: queryText(request, 'parent'),
    attributes: queryTexts(request, 'attribute').map(attributeOf),
  };
}

/** An attribute as it is written: what stands before the first colon is its name. */
export function attributeOf(text: string): { readonly name: string; readonly value: string } {
  const colon = text.indexOf(':');
  if (colon < 1) refuse('request-invalid', `Expected an attribute as NAME:VALUE, such as customer:42, but got ${JSON.stringify(text)}.`);
  return { name: text.slice(0, colon), value: text.slice(colon + 1) };
}
