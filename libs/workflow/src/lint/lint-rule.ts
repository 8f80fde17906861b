// What a rule of lint sees and says.
import type { Json, JsonObject } from '@weft/kernel';
import { pointerTo } from '../pointer.js';
import type { Problem } from '../problem.js';
import type { PlacedTask } from '../tasks.js';

/** A document that publish would accept, with its tasks where they stand. */
export interface LintedDocument {
  readonly document: JsonObject;
  readonly use: JsonObject;
  readonly tasks: readonly PlacedTask[];
}

/** One thing that a document may do and probably does not mean. */
export interface LintRule {
  /** In kebab-case; also what `--ignore` takes. */
  readonly id: string;
  /** `warning`: likely a mistake; `info`: worth knowing. */
  readonly severity: 'warning' | 'info';
  /** What it finds and why that matters, in a sentence or two. */
  readonly summary: string;
  readonly check: (document: LintedDocument) => readonly Problem[];
}

/** Every text of a value, with its pointer. */
export function textsIn(value: Json | undefined, pointer: string): readonly { readonly pointer: string; readonly text: string }[] {
  if (typeof value === 'string') return [{ pointer, text: value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => textsIn(item as Json, pointerTo(pointer, key)));
}

/** Whether a variable is named anywhere in a value. */
export const readsVariable = (value: Json | undefined, variable: string): boolean => {
  const name = new RegExp(`\\$${variable.replaceAll('$', '\\$')}(?![A-Za-z0-9_])`);
  return textsIn(value, '').some(({ text }) => name.test(text));
};

/** The tasks around one, innermost first, as far as they run it in the part that `within` names. */
export const around = (tasks: readonly PlacedTask[], pointer: string, within = ''): readonly PlacedTask[] => tasks.filter((task) => pointer.startsWith(`${task.pointer}/${within}`)).toReversed();
