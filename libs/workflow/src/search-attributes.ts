// `document.metadata.searchAttributes`: what executions are found by. Other engines ignore it, as they do all metadata.
import { isJsonObject, objectOf, type Json, type JsonObject } from '@weft/kernel';
import { pointerTo } from './pointer.js';
import type { Problem } from './problem.js';
import { kindOf } from './words.js';

/** Limits of the search attributes of one definition, and of one value in characters. */
export const SEARCH_ATTRIBUTE_LIMITS = { attributesMax: 16, valuesMax: 16, valueCharactersMax: 256 } as const;

/** Where they stand in a document. */
export const SEARCH_ATTRIBUTES_POINTER = '/document/metadata/searchAttributes';

const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,62}$/;

/** Whether a search attribute may have this name. */
export const isSearchAttributeName = (name: string): boolean => NAME.test(name);

/** The search attributes of a document as they were written: a template by name; empty when there are none, or when they have another form. */
export function searchAttributesOf(document: JsonObject): JsonObject {
  return objectOf(objectOf(objectOf(document['document'])['metadata'])['searchAttributes']);
}

/** What is wrong with their form; expressions in them are checked with all the others. */
export function searchAttributeProblems(document: JsonObject): readonly Problem[] {
  const given = objectOf(objectOf(document['document'])['metadata'])['searchAttributes'];
  if (given === undefined) return [];
  const problem = (pointer: string, message: string): Problem => ({ pointer, message });
  if (!isJsonObject(given)) return [problem(SEARCH_ATTRIBUTES_POINTER, `Expected an object of search attributes by name at ${SEARCH_ATTRIBUTES_POINTER} but found ${kindOf(given)}`)];
  const entries = Object.entries(given);
  const { attributesMax } = SEARCH_ATTRIBUTE_LIMITS;
  return [
    ...(entries.length > attributesMax ? [problem(SEARCH_ATTRIBUTES_POINTER, `Expected at most ${attributesMax} search attributes but found ${entries.length}`)] : []),
    ...entries.flatMap(([name, value]) => {
      const pointer = pointerTo(SEARCH_ATTRIBUTES_POINTER, name);
      if (!isSearchAttributeName(name))
        return [
          problem(pointer, `Expected a name of a letter and then letters, digits, \`_\`, \`.\` and \`-\`, at most 63 characters, but found the search attribute ${JSON.stringify(name.slice(0, 80))}`),
        ];
      return isScalar(value as Json) ? [] : [problem(pointer, `Expected a text, a number, a boolean or one \`\${ }\` expression at ${pointer} but found ${kindOf(value as Json)}`)];
    }),
  ];
}

const isScalar = (value: Json): boolean => ['string', 'number', 'boolean'].includes(typeof value);
