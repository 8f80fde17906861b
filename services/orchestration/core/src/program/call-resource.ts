import { neededUriOf } from '@weft/workflow';
import { isJsonObject, type Json } from '@weft/kernel';
import type { Resources } from './program.js';

/**
 * The arguments of a call, or of a script, with the document that its worker needs as publish locked it: `resource` {uri, digest}. Without
 * it the worker fetches the document itself, as of an endpoint that only the execution knows.
 */
export function withResource(what: string, args: Json, resources: Resources): Json {
  const uri = isJsonObject(args) ? neededUriOf(what, args) : undefined;
  const locked = uri === undefined ? undefined : resources.get(uri);
  return isJsonObject(args) && uri !== undefined && locked ? { ...args, resource: { uri, digest: locked.digest } } : args;
}
