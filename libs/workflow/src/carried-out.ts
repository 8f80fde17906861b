// Judges a document by the list of what is not carried out yet.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { NOT_YET, type NotYet } from './not-yet.js';
import { pointerTo } from './pointer.js';
import type { Problem } from './problem.js';
import type { PlacedTask } from './tasks.js';
import { excerpt } from './words.js';

/** What a document uses that this engine does not carry out yet. */
export function notYetProblems(document: JsonObject, tasks: readonly PlacedTask[], list: readonly NotYet[] = NOT_YET): readonly Problem[] {
  const ofDocument = list.filter(({ where }) => where === 'document');
  return [
    ...ofDocument.flatMap((entry) => problemsAt(document, '', 'the document', entry)),
    ...tasks.flatMap(({ pointer, task, kind }) =>
      list.filter(({ where }) => where === 'task' || where === kind).flatMap((entry) => problemsAt(task, pointer, kind === undefined ? pointer : `the \`${kind}\` task ${pointer}`, entry)),
    ),
  ];
}

function problemsAt(root: JsonObject, pointer: string, place: string, { what, is }: NotYet): readonly Problem[] {
  return valuesAt(root, pointer, what.split('.'))
    .filter(({ value }) => is === undefined || (typeof value === 'string' && (typeof is === 'string' ? value === is : is.test(value))))
    .map(({ holder, field, value }) => {
      const at = holder === pointer ? place : holder;
      const used = is === undefined ? `has \`${field}\`` : `has ${JSON.stringify(excerpt(String(value)))} as its \`${field}\``;
      return { pointer: pointerTo(holder, field), message: `Expected only what this engine carries out but ${at} ${used}, which it does not yet` };
    });
}

interface Found {
  /** Pointer of what holds the field. */
  readonly holder: string;
  readonly field: string;
  readonly value: Json;
}

function valuesAt(value: Json, pointer: string, [step, ...rest]: readonly string[]): readonly Found[] {
  if (step === undefined || typeof value !== 'object' || value === null) return [];
  const fields = Object.entries(value as JsonObject).filter(([field]) => (step === '*' ? true : field === step && isJsonObject(value)));
  return fields.flatMap(([field, inner]) => (rest.length === 0 ? [{ holder: pointer, field, value: inner as Json }] : valuesAt(inner as Json, pointerTo(pointer, field), rest)));
}
