// A bulk operation as it comes in a body.
import { ExecutionQuery, type BulkRequest } from '@weft/contracts';
import { isJsonObject, refuse, type Json, type JsonObject } from '@weft/kernel';
import { onlyFields, textField } from './body.js';
import { attributeOf, STATUSES } from './execution-query.js';
import { instantOf } from './query.js';

const FIELDS = ['operation', 'id', 'reason', 'query', 'dryRun', 'cursor', 'limit'];
const QUERY_FIELDS = ['status', 'workflow', 'attributes', 'startedAfter', 'startedBefore', 'request', 'source', 'type', 'parent'];
const PAGE_MAX = 500;

/** @param key the `Idempotency-Key`, which names the operation where the body does not. @throws Refused `request-invalid`. */
export function bulkOf(body: JsonObject, key: string | undefined): BulkRequest {
  onlyFields(body, FIELDS, 'a bulk operation');
  const { query, dryRun = false, limit = 0 } = body;
  if (!isJsonObject(query)) refuse('request-invalid', 'Expected field `query` to be an object of conditions but it is not.');
  if (typeof dryRun !== 'boolean') refuse('request-invalid', 'Expected field `dryRun` to be true or false but it is neither.');
  if (typeof limit !== 'number' || !Number.isSafeInteger(limit) || limit < 0 || limit > PAGE_MAX)
    refuse('request-invalid', `Expected field \`limit\` to be a whole number from 1 to ${PAGE_MAX} but it is not.`);
  return {
    operation: textField(body, 'operation'),
    bulkId: textField(body, 'id', key ?? ''),
    reason: textField(body, 'reason', ''),
    query: queryOf(query),
    dryRun,
    cursor: textField(body, 'cursor', ''),
    limit,
  };
}

function queryOf(query: JsonObject): ExecutionQuery {
  onlyFields(query, QUERY_FIELDS, 'a query');
  const status = textField(query, 'status', '');
  if (status !== '' && !STATUSES.includes(status)) refuse('request-invalid', `Expected field \`status\` to be one of ${STATUSES.join(', ')} but got ${JSON.stringify(status.slice(0, 60))}.`);
  return {
    status,
    workflow: textField(query, 'workflow', ''),
    startedFromMs: instantOf(textField(query, 'startedAfter', ''), 'field `startedAfter`'),
    startedBeforeMs: instantOf(textField(query, 'startedBefore', ''), 'field `startedBefore`'),
    requestId: textField(query, 'request', ''),
    requestSource: textField(query, 'source', ''),
    requestType: textField(query, 'type', ''),
    parent: textField(query, 'parent', ''),
    attributes: attributesOf(query['attributes'] ?? []),
  };
}

/** A list of NAME:VALUE, as in the query parameters. */
function attributesOf(given: Json): ExecutionQuery['attributes'] {
  const texts = Array.isArray(given) ? (given as readonly Json[]) : [given];
  return texts.map((text) => (typeof text === 'string' ? attributeOf(text) : refuse('request-invalid', 'Expected field `attributes` to be a list of NAME:VALUE but it is not.')));
}
