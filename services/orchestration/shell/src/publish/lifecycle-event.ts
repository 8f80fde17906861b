// The data of lifecycle events as the standard has it, small enough for whoever forwards them.
import type { Instant, Json, JsonObject } from '@weft/kernel';
import type { ExecutionFacts, LifecycleData } from '@weft/orchestration/core';

/** Which form of the data: that of 1.0.3 has the output in it, that of the main branch always a reference to it. */
export type LifecycleProfile = '1.0.3' | 'main';

/** What of an event may be data of the workflow, in bytes: the rest of it stays below 64 KiB with it. Source: CloudEvents 1.0, "Size Limits". */
export const LIFECYCLE_BYTES_MAX = 60 * 1024;

/** @param at of the decision. */
export function lifecycleFields(facts: ExecutionFacts, { when, at: own, fields, output }: LifecycleData, at: Instant, profile: LifecycleProfile): JsonObject {
  return {
    ...(fields?.['task'] === undefined ? { name: qualifiedName(facts) } : {}),
    [when]: new Date(own ?? at).toISOString(),
    ...(fields && bounded(fields)),
    ...(output === undefined ? {} : isInside(output, profile) ? { output } : { outputUri: `/v1/executions/${facts.executionId}` }),
  };
}

/** The standard's name of an execution. */
export const qualifiedName = ({ executionId, definition }: ExecutionFacts): string => `${definition.name}-${executionId}.${definition.namespace}`;

const isInside = (output: Json, profile: LifecycleProfile): boolean => profile === '1.0.3' && bytesOf(output) <= LIFECYCLE_BYTES_MAX;

/** An error keeps what tells it apart. */
function bounded(fields: JsonObject): JsonObject {
  if (bytesOf(fields) <= LIFECYCLE_BYTES_MAX) return fields;
  const { error } = fields as { readonly error?: JsonObject };
  const { error: _error, ...rest } = fields;
  return error ? { ...rest, error: Object.fromEntries(['type', 'status', 'instance'].flatMap((name) => (error[name] === undefined ? [] : [[name, error[name]]]))) } : {};
}

const bytesOf = (value: Json): number => Buffer.byteLength(JSON.stringify(value));
