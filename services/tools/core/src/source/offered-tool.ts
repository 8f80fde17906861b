// What a source says that it can do. Nothing of it is trusted: it is pinned, and a person accepts it.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import type { EffectClass } from '../effect/effect.events.js';

/** One tool as its source describes it. */
export interface OfferedTool {
  /** Name within its source. */
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly input: JsonObject;
  /** JSON Schema of the output. */
  readonly output?: JsonObject;
  /** What it would reach, such as method and path: part of its identity. */
  readonly target?: Json;
  /** What its source hints about it: shown, never believed. */
  readonly hints?: JsonObject;
  /** Class that follows from the kind of source itself, such as the method of an HTTP operation. The operator's word goes before it. */
  readonly effect?: EffectClass;
  /** What its source says that it takes at most, milliseconds. The operator's word goes before it. */
  readonly timeoutMs?: number;
}

/** Longest name within a source; with the source before it a name has at most 200 characters. */
export const OFFERED_NAME_MAX = 128;
/** Characters of one definition as JSON. */
export const OFFERED_CHARACTERS_MAX = 256 * 1024;
const OFFERED_DEPTH_MAX = 64;

/** Name under which workflows and agents know a tool of a source. */
export const nameInSource = (source: string, name: string): string => `${source}.${name}`;

/** Why a tool cannot be taken at all, however much one trusts its source; undefined when it can. */
export function offeredProblem(offered: OfferedTool): string | undefined {
  if (!/^[A-Za-z0-9][A-Za-z0-9._/-]*$/.test(offered.name) || offered.name.length > OFFERED_NAME_MAX) {
    return `its name is not 1 to ${OFFERED_NAME_MAX} characters of letters, digits, ".", "_", "/" and "-"`;
  }
  if (!isJsonObject(offered.input)) return 'its input schema is no object';
  if (depthOver(offered as unknown as Json, OFFERED_DEPTH_MAX)) return `its definition is nested deeper than ${OFFERED_DEPTH_MAX} levels`;
  if (JSON.stringify(offered).length > OFFERED_CHARACTERS_MAX) return `its definition is longer than ${OFFERED_CHARACTERS_MAX} characters`;
  return undefined;
}

function depthOver(value: Json, left: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return left === 0 || Object.values(value).some((item) => depthOver(item as Json, left - 1));
}

/** Names that a list holds twice, letters of either case being the same: which of them would be called is anybody's guess. */
export function shadowedNames(offered: readonly OfferedTool[]): ReadonlySet<string> {
  const seen = new Map<string, string[]>();
  for (const { name } of offered) seen.set(name.toLowerCase(), [...(seen.get(name.toLowerCase()) ?? []), name]);
  return new Set([...seen.values()].filter((names) => names.length > 1).flat());
}
