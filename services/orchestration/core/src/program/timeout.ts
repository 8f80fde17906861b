import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { compileDuration, type DurationMs } from './duration.js';

/** How long a task or a workflow may take; undefined when nothing limits it. @param given a timeout, or the name of one of `timeouts`. */
export function compileTimeout(given: Json | undefined, timeouts: JsonObject, names: readonly string[]): DurationMs | undefined {
  const timeout = typeof given === 'string' ? timeouts[given] : given;
  const after = isJsonObject(timeout) ? timeout['after'] : undefined;
  return after === undefined ? undefined : compileDuration(after, names);
}
