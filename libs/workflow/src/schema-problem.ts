// JSON Schemas that authors write: compiled once, judged against the data of executions.
import type { Json } from '@weft/kernel';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import * as formats from 'ajv-formats';
import { meant, schemaSentence } from './schema-sentence.js';
import { excerpt } from './words.js';

// Stops at the first fault: a hostile value must not cost more than reading it. Unknown keywords are annotations.
const ajv = new Ajv2020({ strict: false, allErrors: false, verbose: true, addUsedSchema: false, logger: false });
formats.default.default(ajv);

const compiled = new WeakMap<object, ValidateFunction>();

/** What is wrong with a value by a JSON Schema (draft 2020-12), as one sentence that does not show the value; undefined when nothing is. A schema that `schemaFault` refuses is thrown. */
export function schemaProblem(schema: Json, value: Json): string | undefined {
  const validate = validatorOf(schema);
  if (validate(value) === true) return undefined;
  const [error] = meant(validate.errors ?? []);
  if (!error) return 'Expected a value that satisfies the schema but it does not.';
  return `${schemaSentence(error, { place: (pointer) => pointer || 'the value', showsValues: false })}.`;
}

/** Why a schema cannot be used, or undefined. */
export function schemaFault(schema: Json): string | undefined {
  try {
    validatorOf(schema);
    return undefined;
  } catch (fault) {
    return excerpt(fault instanceof Error ? fault.message : String(fault), 200);
  }
}

function validatorOf(schema: Json): ValidateFunction {
  if (typeof schema === 'boolean') return ajv.compile(schema);
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) throw new TypeError('a schema is an object or a boolean');
  const known = compiled.get(schema);
  if (known) return known;
  // An asynchronous schema answers with a promise, which would pass for true.
  if ('$async' in schema) throw new TypeError('`$async` is no keyword of JSON Schema');
  try {
    const validate = ajv.compile(schema);
    compiled.set(schema, validate);
    return validate;
  } finally {
    // The checker keeps what it compiled for ever; the definition it belongs to does not live that long.
    ajv.removeSchema(schema);
  }
}
