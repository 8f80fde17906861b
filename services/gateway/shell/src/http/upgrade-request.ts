// An upgrade as it comes in a body.
import type { UpgradeRequest } from '@weft/contracts';
import { isJsonObject, refuse, type JsonObject } from '@weft/kernel';
import { onlyFields, textField } from './body.js';

const FIELDS = ['text', 'workflow', 'from', 'to', 'map', 'execution', 'dryRun', 'id', 'reason', 'cursor', 'limit'];
const PAGE_MAX = 500;

/** @param key the `Idempotency-Key`, which names the migration where the body does not. @throws Refused `request-invalid`. */
export function upgradeOf(body: JsonObject, key: string | undefined): UpgradeRequest {
  onlyFields(body, FIELDS, 'an upgrade');
  const { map = {}, dryRun = false, limit = 0 } = body;
  if (!isJsonObject(map)) refuse('request-invalid', 'Expected field `map` to be an object of JSON Pointers by JSON Pointer but it is not.');
  if (typeof dryRun !== 'boolean') refuse('request-invalid', 'Expected field `dryRun` to be true or false but it is neither.');
  if (typeof limit !== 'number' || !Number.isSafeInteger(limit) || limit < 0 || limit > PAGE_MAX)
    refuse('request-invalid', `Expected field \`limit\` to be a whole number from 1 to ${PAGE_MAX} but it is not.`);
  return {
    text: textField(body, 'text', ''),
    workflow: textField(body, 'workflow', ''),
    from: textField(body, 'from', ''),
    to: textField(body, 'to', ''),
    mapJson: Object.keys(map).length === 0 ? '' : JSON.stringify(map),
    executionId: textField(body, 'execution', ''),
    dryRun,
    operationId: textField(body, 'id', key ?? ''),
    reason: textField(body, 'reason', ''),
    cursor: textField(body, 'cursor', ''),
    limit,
  };
}
