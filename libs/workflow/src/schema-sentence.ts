// What a JSON Schema checker found, as a sentence.
import type { Json } from '@weft/kernel';
import type { ErrorObject } from 'ajv/dist/2020.js';
import { found, kindOf, names } from './words.js';

export interface SentenceOptions {
  /** How a message calls a place. */
  readonly place: (pointer: string) => string;
  /** Whether a message may show the value: not where it is a caller's data. */
  readonly showsValues: boolean;
}

// What an alternative lacks says nothing that the sentence on the alternatives does not.
const INSIDE_ALTERNATIVE = /\/(?:anyOf|oneOf)\/\d+\/|(?<!\/properties)\/(?:not|if)\//;

/** The faults worth telling: not that a condition applied, and not what single alternatives lack. */
export function meant(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const told = errors.filter(({ keyword, schemaPath }) => keyword !== 'if' && !INSIDE_ALTERNATIVE.test(schemaPath));
  // The names of properties are reported once for the name and once for what is wrong with it.
  return told.filter(({ propertyName, keyword }) => propertyName === undefined || keyword === 'propertyNames');
}

/** "Expected ... but ...", without the full stop. */
export function schemaSentence(error: ErrorObject, { place, showsValues }: SentenceOptions): string {
  const { keyword, instancePath, params, parentSchema = {}, message = 'be different' } = error;
  const at = place(instancePath);
  const value = error.data as Json | undefined;
  const actual = showsValues ? found(value) : kindOf(value);
  const schema = parentSchema as { readonly title?: string; readonly properties?: object; readonly propertyNames?: { readonly title?: string } };
  switch (keyword) {
    case 'required':
      return `Expected \`${String(params['missingProperty'])}\` in ${at} but it is missing`;
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const extra = String(params['additionalProperty'] ?? params['unevaluatedProperty']);
      const known = Object.keys(schema.properties ?? {});
      return `Expected ${known.length > 0 ? `only ${names(known)}` : 'no fields'} in ${at} but found ${names([extra])}`;
    }
    case 'dependentRequired':
      return `Expected ${names([String(params['missingProperty'])])} in ${at} beside ${names([String(params['property'])])} but it is missing`;
    case 'enum':
      return `Expected ${schema.title ?? `one of ${JSON.stringify(params['allowedValues']).slice(0, 200)}`} at ${at} but found ${actual}`;
    case 'const':
      return `Expected ${JSON.stringify(params['allowedValue']).slice(0, 200)} at ${at} but found ${actual}`;
    case 'oneOf':
      if (schema.title !== undefined) return `Expected ${schema.title} in ${at} but found ${bothOrNeither(error)}`;
      return `Expected exactly one of the allowed forms at ${at} but ${params['passingSchemas'] ? 'several fit' : 'none fits'}`;
    case 'anyOf':
      return `Expected ${schema.title ?? 'one of the allowed forms'} at ${at} but found ${schema.title === undefined ? 'none of them' : actual}`;
    case 'propertyNames':
      return `Expected ${schema.propertyNames?.title ?? 'allowed names'} in ${at} but found ${names([String(params['propertyName'])])}`;
    case 'type':
      return `Expected ${schema.title ?? typeWords(params['type'] as string | readonly string[])} at ${at} but found ${actual}`;
    default:
      return schema.title === undefined ? `Expected ${at} to ${message.replace(/^must /, '').replace('NOT', 'not')} but found ${actual}` : `Expected ${schema.title} at ${at} but found ${actual}`;
  }
}

/** How many of several forms a value has, by the fields that tell them apart. */
function bothOrNeither({ params, schema }: ErrorObject): string {
  if (!params['passingSchemas']) return (schema as readonly unknown[]).length > 2 ? 'none of them' : 'neither';
  return (schema as readonly unknown[]).length > 2 ? 'several' : 'both';
}

const WORDS: Readonly<Record<string, string>> = { object: 'an object', array: 'a list', string: 'text', integer: 'an integer', number: 'a number', boolean: 'true or false', null: 'null' };

const typeWords = (types: string | readonly string[]): string =>
  [types]
    .flat()
    .map((type) => WORDS[type] ?? type)
    .join(' or ');
