// What an execution is found by: values that its definition names, taken from its input when it starts.
import type { Instant, Json, JsonObject } from '@weft/kernel';
import { isSearchAttributeName, SEARCH_ATTRIBUTE_LIMITS } from '@weft/workflow';
import { ExpressionFailed, template, type Evaluate, type Variables } from './expression.js';

/** A name and one of its values, as text. */
export type SearchAttribute = readonly [name: string, value: string];

/** The attributes of an input. A hint never fails an execution: what fails, is null or is too long is left out. */
export type SearchAttributesOf = (input: Json, now: Instant) => readonly SearchAttribute[];

const NO_VARIABLES: Variables = { context: null, input: null, output: null, task: null, workflow: null, runtime: null };

/** @param templates values by name, as the document has them. @returns undefined when there are none. */
export function compileSearchAttributes(templates: JsonObject): SearchAttributesOf | undefined {
  const compiled = Object.entries(templates)
    .filter(([name]) => isSearchAttributeName(name))
    .slice(0, SEARCH_ATTRIBUTE_LIMITS.attributesMax)
    .map(([name, value]) => [name, template(value as Json)] as const);
  if (compiled.length === 0) return undefined;
  return (input, now) => compiled.flatMap(([name, evaluate]) => valuesOf(evaluate, input, now).map((value) => [name, value] as const));
}

function valuesOf(evaluate: Evaluate, input: Json, now: Instant): readonly string[] {
  try {
    const value = evaluate(input, NO_VARIABLES, now);
    const texts = (Array.isArray(value) ? (value as readonly Json[]) : [value]).flatMap(textOf);
    return [...new Set(texts)].slice(0, SEARCH_ATTRIBUTE_LIMITS.valuesMax);
  } catch (fault) {
    if (fault instanceof ExpressionFailed) return [];
    throw fault;
  }
}

// What the store would refuse is left out as well.
function textOf(value: Json): readonly string[] {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return [];
  const text = String(value);
  return text.length > SEARCH_ATTRIBUTE_LIMITS.valueCharactersMax || text.includes('\0') || !text.isWellFormed() ? [] : [text];
}
