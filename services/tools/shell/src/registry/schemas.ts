// JSON Schemas compiled once. Source: JSON Schema 2020-12; draft-07 where a schema names it.
import { Ajv } from 'ajv';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import * as formats from 'ajv-formats';
import type { Json, JsonObject } from '@weft/kernel';

/** Says what is wrong with a value, or undefined. */
export type SchemaCheck = (value: Json) => string | undefined;

const addFormats = (formats.default as unknown as { default?: typeof formats.default }).default ?? formats.default;

// `allErrors` would let a hostile value cost without bound; unknown keywords are annotations, as the standard says.
const OPTIONS = { strict: false, allErrors: false, validateFormats: true, logger: false } as const;

function ajvFor(schema: JsonObject): Ajv | Ajv2020 {
  const ajv = typeof schema['$schema'] === 'string' && schema['$schema'].includes('draft-07') ? new Ajv(OPTIONS) : new Ajv2020(OPTIONS);
  (addFormats as unknown as (ajv: Ajv | Ajv2020) => void)(ajv);
  return ajv;
}

/** Compiles a schema that an operator or author wrote. @throws Error saying what is wrong with the schema itself. */
export function compileSchema(schema: JsonObject): SchemaCheck {
  // An instance of its own: two schemas may carry the same $id.
  const validate: ValidateFunction = ajvFor(schema).compile(schema);
  return (value) => (validate(value) ? undefined : sentence(validate.errors?.[0]));
}

function sentence(error: ErrorObject | undefined): string {
  if (!error) return 'it does not match';
  const allowed = error.keyword === 'enum' ? `: ${(error.params as { allowedValues: readonly unknown[] }).allowedValues.map((value) => JSON.stringify(value)).join(', ')}` : '';
  const extra = error.keyword === 'additionalProperties' ? `: ${JSON.stringify((error.params as { additionalProperty: string }).additionalProperty)}` : '';
  return `${error.instancePath || '/'} ${error.message ?? 'does not match'}${allowed}${extra}`;
}

const SCHEMAS_MAX = 500;

/** Schemas that arrive with jobs, kept by their text: the same definition brings the same schema each time. */
export class SchemaCache {
  readonly #checks = new Map<string, SchemaCheck | Error>();

  /** @returns the check, or what is wrong with the schema. */
  checkFor(schema: JsonObject): SchemaCheck | Error {
    const text = JSON.stringify(schema);
    const known = this.#checks.get(text);
    if (known) return known;
    if (this.#checks.size >= SCHEMAS_MAX) this.#checks.clear();
    let made: SchemaCheck | Error;
    try {
      made = compileSchema(schema);
    } catch (error) {
      made = error instanceof Error ? error : new Error(String(error));
    }
    this.#checks.set(text, made);
    return made;
  }
}
