// JSON Schema (draft 2020-12), compiled once for each schema.
import { isJsonObject, rejection, type Json, type Rejection } from '@weft/kernel';
import type { SchemaFinding } from '@weft/validation/core';
import { Ajv2020, type ErrorObject, type Options, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { hash } from 'node:crypto';
import { canonicalText } from './canonical-text.js';
import { TimeUp, withinTime } from './time-limit.js';

const SCHEMA_BYTES_MAX = 256 * 1024;
const COMPILED_MAX = 500;
const COMPILE_MS_MAX = 1_000;
const CHECK_MS_MAX = 100;
// What is larger is checked against the clock whatever its schema says: each wrong item is an error to be kept.
const QUICK_CHARACTERS_MAX = 16 * 1024;
// Keywords that can cost more than in proportion to the value: regular expressions backtrack, unique items are compared in pairs.
const COSTLY = /"(?:pattern|patternProperties|uniqueItems|format|\$ref|\$dynamicRef)":/;
const DIALECT = /^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/;
// All errors, because a verdict names all its evidence.
const OPTIONS: Options = { strict: false, allErrors: true, logger: false };

export type Check = { readonly ok: true; readonly findings: readonly SchemaFinding[]; readonly schemaDigest: string } | { readonly ok: false; readonly rejection: Rejection };

interface Compiled {
  readonly validate: ValidateFunction;
  /** SHA-256 of the canonical schema, hex. */
  readonly digest: string;
  readonly isCostly: boolean;
}

export class SchemaChecker {
  // Least recently used first.
  readonly #compiled = new Map<string, Compiled>();
  // Judges schemas themselves.
  readonly #meta = new Ajv2020(OPTIONS);

  /**
   * Checks a value. Refused (`input-invalid`): a schema that is too large, is not one, or refers to another document; a value that
   * cannot be judged in time.
   * @param valueCharacters length of the value as JSON, or more.
   */
  check(schema: Json, value: Json, valueCharacters: number): Check {
    const text = JSON.stringify(schema);
    if (Buffer.byteLength(text) > SCHEMA_BYTES_MAX) return invalid(`Expected a schema of at most ${SCHEMA_BYTES_MAX} bytes but it has ${Buffer.byteLength(text)}.`);
    let compiled: Compiled;
    try {
      compiled = this.#compiledOf(schema, text);
    } catch (fault) {
      return invalid(`Expected a JSON Schema (draft 2020-12) but ${fault instanceof Error ? fault.message : String(fault)}.`);
    }
    const { validate, digest, isCostly } = compiled;
    try {
      const isValid = isCostly || valueCharacters > QUICK_CHARACTERS_MAX ? withinTime(CHECK_MS_MAX, () => validate(value)) : validate(value);
      return { ok: true, schemaDigest: digest, findings: isValid ? [] : (validate.errors ?? []).map(findingOf) };
    } catch (fault) {
      if (fault instanceof TimeUp) return invalid(`Expected a value that its schema can judge but ${fault.message}: a pattern backtracks too far, or there is too much to compare.`);
      if (fault instanceof RangeError) return invalid('Expected a value that its schema can judge but the two are nested too deep.');
      throw fault;
    } finally {
      validate.errors = null;
    }
  }

  #compiledOf(schema: Json, text: string): Compiled {
    const key = hash('sha256', text, 'base64');
    const known = this.#compiled.get(key);
    this.#compiled.delete(key);
    const compiled = known ?? { validate: this.#compile(schema), digest: hash('sha256', canonicalText(schema), 'hex'), isCostly: COSTLY.test(text) };
    this.#compiled.set(key, compiled);
    if (this.#compiled.size > COMPILED_MAX) this.#compiled.delete(this.#compiled.keys().next().value!);
    return compiled;
  }

  #compile(schema: Json): ValidateFunction {
    if (typeof schema !== 'boolean' && !isJsonObject(schema)) throw new Error('it is neither an object nor true or false');
    const dialect = typeof schema === 'boolean' ? undefined : schema['$schema'];
    if (dialect !== undefined && (typeof dialect !== 'string' || !DIALECT.test(dialect))) throw new Error(`it says that it is of ${JSON.stringify(dialect).slice(0, 120)}`);
    return withinTime(COMPILE_MS_MAX, () => {
      if (!this.#meta.validateSchema(schema)) throw new Error(this.#meta.errorsText(this.#meta.errors, { dataVar: 'schema', separator: '; ' }).slice(0, 500));
      // An instance of its own for each schema: `$id`s of two authors never meet. Nothing is fetched.
      const ajv = new Ajv2020({ ...OPTIONS, meta: false, validateSchema: false });
      addFormats.default(ajv);
      return ajv.compile(schema);
    });
  }
}

const findingOf = (error: ErrorObject): SchemaFinding => ({ pointer: error.instancePath, keyword: error.keyword, message: sentence(error) });

function sentence({ keyword, message = 'is not allowed', params }: ErrorObject): string {
  if (keyword === 'enum')
    return `${message}: ${(params as { readonly allowedValues: readonly unknown[] }).allowedValues
      .map((value) => JSON.stringify(value))
      .join(', ')
      .slice(0, 300)}`;
  if (keyword === 'additionalProperties') return `${message}: ${JSON.stringify((params as { readonly additionalProperty: string }).additionalProperty).slice(0, 120)}`;
  return message;
}

const invalid = (message: string): Check => ({ ok: false, rejection: rejection('input-invalid', message) });
