// What a pin holds fast: who offers the tool from where, and every word of its definition.
import { canonicalJson } from '@weft/workflow';
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import type { EffectClass } from '../effect/effect.events.js';
import { invisibleInJson, visibleJson } from '../source/visible-text.js';

/** A tool as it is pinned, raw: also characters that nobody sees count. */
export interface PinnedDefinition {
  /** Name of the source; `tools file` for what the operator declares. */
  readonly source: string;
  /** Where the source is and what the tool reaches there. */
  readonly target: Json;
  readonly name: string;
  readonly description: string;
  readonly input: JsonObject;
  readonly output?: JsonObject;
  /** Class that the source itself gives it. */
  readonly effect?: EffectClass;
  /** What the source says that it takes at most, milliseconds. */
  readonly timeoutMs?: number;
  /** Title and annotations: they say nothing that is believed, but they are shown. */
  readonly hints?: JsonObject;
}

/** The text that a pin's digest is taken of: the same for equal definitions. */
export const pinText = (definition: PinnedDefinition): string => canonicalJson(definition as unknown as Json);

/** One field in which two definitions differ. `path` is a JSON Pointer; a missing side did not have it. */
export interface PinDifference {
  readonly path: string;
  readonly before?: Json;
  readonly after?: Json;
}

/** Differences field by field, in the order of the paths; without a definition before, every field is new. At most `max`. */
export function differences(before: PinnedDefinition | undefined, after: PinnedDefinition, max = 200): readonly PinDifference[] {
  const found: PinDifference[] = [];
  compare('', before as unknown as Json | undefined, after as unknown as Json, found, max);
  return found;
}

function compare(path: string, before: Json | undefined, after: Json | undefined, found: PinDifference[], max: number): void {
  if (found.length >= max) return;
  if (isJsonObject(after) && (before === undefined ? path === '' : isJsonObject(before))) {
    const old = (before ?? {}) as JsonObject;
    for (const name of [...new Set([...Object.keys(old), ...Object.keys(after)])].toSorted()) {
      compare(`${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, Object.hasOwn(old, name) ? old[name] : undefined, Object.hasOwn(after, name) ? after[name] : undefined, found, max);
    }
    return;
  }
  if (before !== undefined && after !== undefined && canonicalJson(before) === canonicalJson(after)) return;
  if (before === undefined && after === undefined) return;
  found.push({ path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) });
}

/** A definition as people and models are shown it, and how many invisible characters were taken out. */
export function shownDefinition(definition: PinnedDefinition): { readonly definition: PinnedDefinition; readonly invisible: number } {
  const raw = definition as unknown as Json;
  return { definition: visibleJson(raw) as unknown as PinnedDefinition, invisible: invisibleInJson(raw) };
}
