// JSON Schemas compiled once. Source: JSON Schema 2020-12; draft-07 where a schema names it.
import { posix } from 'node:path';
import { Ajv, type Options } from 'ajv';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import * as formats from 'ajv-formats';
import { RE2JS } from 're2js';
import type { Json, JsonObject } from '@weft/kernel';
import { canonicalJson } from '@weft/workflow';

/** Says what is wrong with a value, or undefined. */
export type SchemaCheck = (value: Json) => string | undefined;

const addFormats = (formats.default as unknown as { default?: typeof formats.default }).default ?? formats.default;

// `allErrors` would let a hostile value cost without bound; unknown keywords are annotations, as the standard says.
const OPTIONS = { strict: false, allErrors: false, validateFormats: true, logger: false } as const;

function ajvFor(schema: JsonObject, options: Options): Ajv | Ajv2020 {
  const ajv = typeof schema['$schema'] === 'string' && schema['$schema'].includes('draft-07') ? new Ajv(options) : new Ajv2020(options);
  (addFormats as unknown as (ajv: Ajv | Ajv2020) => void)(ajv);
  // Its own compares each item with each other: a list of 10,000 would stop everything for seconds.
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    error: { message: 'must NOT have duplicate items' },
    compile: (isWanted: boolean) => (items: readonly Json[]) => !isWanted || new Set(items.map((item) => canonicalJson(item))).size === items.length,
  });
  return ajv;
}

/** Compiles a schema that an operator or author wrote. @throws Error saying what is wrong with the schema itself. */
export function compileSchema(schema: JsonObject): SchemaCheck {
  // An instance of its own: two schemas may carry the same $id.
  const validate: ValidateFunction = ajvFor(schema, OPTIONS).compile(schema);
  return (value) => (validate(value) ? undefined : sentence(validate.errors?.[0]));
}

/**
 * Compiles a schema that somebody outside wrote. Its patterns run in time linear in the value, because neither they nor the value are ours;
 * what that engine does not know (lookaround, back references) makes the schema unusable.
 * @throws Error saying what is wrong with the schema.
 */
export function compileForeignSchema(schema: JsonObject): SchemaCheck {
  const validate: ValidateFunction = ajvFor(schema, { ...OPTIONS, code: { regExp: linearPattern } }).compile(schema);
  return (value) => (validate(value) ? undefined : sentence(validate.errors?.[0]));
}

const linearPattern = Object.assign((pattern: string) => RE2JS.compile(RE2JS.translateRegExp(pattern)), { code: 'linearPattern' }) as unknown as NonNullable<NonNullable<Options['code']>['regExp']>;

/**
 * Compiles a schema by which an operator narrows arguments. Besides JSON Schema it knows `within`: a text that is a path
 * of this folder or of one below it, whatever `.` and `..` it goes through. @throws Error saying what is wrong with the schema.
 */
export function compileLimits(schema: JsonObject): SchemaCheck {
  const ajv = ajvFor(schema, OPTIONS);
  ajv.addKeyword({
    keyword: 'within',
    type: 'string',
    schemaType: 'string',
    errors: false,
    compile: (folder: string) => {
      if (!posix.isAbsolute(folder)) throw new Error(`within: expected an absolute path but got ${JSON.stringify(folder)}`);
      return (path: string) => isWithin(folder, path);
    },
  });
  const validate: ValidateFunction = ajv.compile(schema);
  return (value) => (validate(value) ? undefined : sentence(validate.errors?.[0]));
}

/** Whether a path stays in a folder. Refused besides: relative paths, backslashes, NUL, percent signs and `~`, which somebody on the way might read in another way. */
export function isWithin(folder: string, path: string): boolean {
  if (!posix.isAbsolute(path) || /[\\\u0000%]|^~/.test(path)) return false;
  const root = posix.resolve(folder);
  const target = posix.resolve(path);
  return target === root || target.startsWith(root === '/' ? '/' : `${root}/`);
}

function sentence(error: ErrorObject | undefined): string {
  if (!error) return 'it does not match';
  const allowed = error.keyword === 'enum' ? `: ${(error.params as { allowedValues: readonly unknown[] }).allowedValues.map((value) => JSON.stringify(value)).join(', ')}` : '';
  const within = error.keyword === 'within' ? ' (it leads out of its folder)' : '';
  const extra = error.keyword === 'additionalProperties' ? `: ${JSON.stringify((error.params as { additionalProperty: string }).additionalProperty)}` : '';
  return `${error.instancePath || '/'} ${error.message ?? 'does not match'}${allowed}${extra}${within}`;
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
