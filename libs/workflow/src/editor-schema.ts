// The schema of documents as editors want it: what a message would say was expected is told beforehand.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { WORKFLOW_SCHEMA } from './document.schema.js';
import { FUNCTION_NAMES, FUNCTIONS } from './functions.js';
import { PROTOCOL_CALLS } from './schema/calls.schema.js';

const SUMMARIES: Readonly<Record<string, string>> = {
  document: 'What the workflow is called and which version it is.',
  do: 'Tasks, one after the other: each an object with one key, its name.',
  use: 'Definitions that tasks name: errors, retry policies, functions, catalogues, secrets, timeouts, authentications, extensions.',
  if: 'Skips the task unless it is true. jq, bare or in ${ }.',
  then: 'Where to go on: continue, exit, end, or a task of the same list.',
  from: 'Makes the input of what it got. jq, or an object with expressions in it.',
  as: 'Makes the output of what it gave (in `export` the new $context; in `catch` the name of the error variable).',
  call: `What is called: ${[...PROTOCOL_CALLS, ...FUNCTION_NAMES].join(', ')}, a function of \`use.functions\`, \`name:version@catalog\`, or a URL.`,
  metadata: 'Hints. Nothing in it changes what the workflow does.',
};

/**
 * JSON Schema (draft 2020-12) of workflow documents with a `description` for every field, for yaml-language-server and others.
 * It accepts what `parseWorkflow` takes the shape of; names, targets and expressions it does not judge.
 */
export const editorSchema = (): JsonObject => ({ ...(described(WORKFLOW_SCHEMA) as JsonObject), $id: 'urn:weft:schema:workflow:1.0.3' });

function described(schema: Json, name?: string): Json {
  if (Array.isArray(schema)) return (schema as readonly Json[]).map((item) => described(item));
  if (!isJsonObject(schema)) return schema;
  // What stands under `properties` are names of fields, not words of the schema.
  const entries = Object.entries(schema).map(([key, value]): [string, Json] => [
    key,
    (key === 'properties' || key === '$defs') && isJsonObject(value)
      ? Object.fromEntries(Object.entries(value).map(([field, one]) => [field, described(one, key === '$defs' ? summaryKey(field) : field)]))
      : described(value),
  ]);
  const description = descriptionOf(schema, name);
  return { ...Object.fromEntries(entries), ...(description === undefined ? {} : { description }) };
}

/** Arguments of a function are described by what the function does. */
const summaryKey = (definition: string): string | undefined => FUNCTION_NAMES.find((name) => definition === `${name}Arguments`);

function descriptionOf({ title, description }: JsonObject, name: string | undefined): string | undefined {
  if (typeof description === 'string') return description;
  const summary = name === undefined ? undefined : Object.hasOwn(SUMMARIES, name) ? SUMMARIES[name] : (FUNCTIONS as Readonly<Record<string, { readonly summary: string }>>)[name]?.summary;
  const expected = typeof title === 'string' ? `Expected: ${title}.` : undefined;
  return summary === undefined ? expected : expected === undefined ? summary : `${summary} ${expected}`;
}
