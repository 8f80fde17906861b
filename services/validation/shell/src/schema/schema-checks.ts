// JSON Schemas that arrive with jobs, compiled once and kept while they are used. Source: JSON Schema 2020-12.
import { hash } from 'node:crypto';
import { isJsonObject, rejection, type Json, type Rejection } from '@weft/kernel';
import type { SchemaFinding } from '@weft/validation/core';
import { Ajv2020, type ErrorObject, type Options, type ValidateFunction } from 'ajv/dist/2020.js';
import * as formats from 'ajv-formats';
import { canonicalText } from './canonical-text.js';
import { TimeUp, withinTime } from './time-limit.js';

/** A schema that can judge. */
export interface SchemaCheck {
  /** SHA-256 of the canonical schema, hex. */
  readonly digest: string;
  /** What is wrong with a value; a rejection when that cannot be told in time. @param size characters of the value as JSON. */
  readonly find: (value: Json, size: number) => Found;
}

export type Found = { readonly ok: true; readonly findings: readonly SchemaFinding[] } | { readonly ok: false; readonly rejection: Rejection };
export type Compiled = { readonly ok: true; readonly check: SchemaCheck } | { readonly ok: false; readonly rejection: Rejection };

const SCHEMAS_MAX = 500;
const SCHEMA_CHARACTERS_MAX = 256 * 1024;
const COMPILE_MS_MAX = 1_000;
const JUDGE_MS_MAX = 100;
// What is larger is judged against the clock whatever its schema says: each wrong item is an error to be kept.
const QUICK_CHARACTERS_MAX = 16 * 1024;
// Keywords that can cost more than in proportion to the value: regular expressions backtrack, unique items are compared in pairs.
const COSTLY = /"(?:pattern|patternProperties|uniqueItems|format|\$ref|\$dynamicRef)":/;
const DIALECT = /^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/;

// Compiled with all errors, because a verdict names all its evidence.
const OPTIONS: Options = { strict: false, allErrors: true, logger: false };
const addFormats = ((formats.default as unknown as { readonly default?: unknown }).default ?? formats.default) as (ajv: Ajv2020) => void;

export class SchemaChecks {
  readonly #kept = new Map<string, Compiled>();
  // Judges schemas themselves. Each schema is compiled by an instance of its own: two may carry the same $id.
  readonly #meta = new Ajv2020(OPTIONS);

  /** The check of a schema; rejection `input-invalid` when it is none that can be used. */
  checkFor(schema: Json): Compiled {
    if (typeof schema !== 'boolean' && !isJsonObject(schema)) return refused(`Expected \`schema\` of validate to be a JSON Schema but got ${JSON.stringify(schema).slice(0, 80)}.`);
    const text = JSON.stringify(schema);
    if (text.length > SCHEMA_CHARACTERS_MAX) return refused(`Expected \`schema\` of validate to have at most ${SCHEMA_CHARACTERS_MAX} characters but it has ${text.length}.`);
    const key = hash('sha256', text, 'base64');
    const known = this.#kept.get(key);
    // The least recently used one goes first.
    if (known) this.#kept.delete(key);
    const compiled = known ?? this.#compile(schema, text);
    this.#kept.set(key, compiled);
    if (this.#kept.size > SCHEMAS_MAX) this.#kept.delete(this.#kept.keys().next().value!);
    return compiled;
  }

  #compile(schema: boolean | { readonly [key: string]: Json }, text: string): Compiled {
    const dialect = typeof schema === 'boolean' ? undefined : schema['$schema'];
    if (dialect !== undefined && (typeof dialect !== 'string' || !DIALECT.test(dialect))) return refused(`Expected \`schema\` of validate to be of JSON Schema 2020-12 but it says ${JSON.stringify(dialect).slice(0, 120)}.`);
    try {
      const validate = withinTime(COMPILE_MS_MAX, () => {
        if (!this.#meta.validateSchema(schema)) throw new Error(this.#meta.errorsText(this.#meta.errors, { dataVar: 'schema', separator: '; ' }).slice(0, 500));
        const ajv = new Ajv2020({ ...OPTIONS, meta: false, validateSchema: false });
        addFormats(ajv);
        // References are resolved within the schema alone: what is not there is never fetched.
        return ajv.compile(schema);
      });
      const digest = hash('sha256', canonicalText(schema), 'hex');
      const isCostly = COSTLY.test(text);
      return { ok: true, check: { digest, find: (value, size) => find(validate, value, isCostly || size > QUICK_CHARACTERS_MAX) } };
    } catch (error) {
      return refused(`Expected \`schema\` of validate to be a JSON Schema that can be used but ${error instanceof Error ? error.message : String(error)}.`);
    }
  }
}

function find(validate: ValidateFunction, value: Json, isCostly: boolean): Found {
  try {
    const isValid = isCostly ? withinTime(JUDGE_MS_MAX, () => validate(value)) : validate(value);
    return { ok: true, findings: isValid ? [] : (validate.errors ?? []).map(findingOf) };
  } catch (error) {
    if (!(error instanceof TimeUp || error instanceof RangeError)) throw error;
    return refused(`Expected a value that the schema can judge but ${error instanceof TimeUp ? `it took longer than ${error.limitMs} ms` : 'it is nested too deep'}.`);
  } finally {
    validate.errors = null;
  }
}

const findingOf = (error: ErrorObject): SchemaFinding => ({ pointer: error.instancePath, keyword: error.keyword, message: sentence(error) });

function sentence({ keyword, message = 'does not match', params }: ErrorObject): string {
  if (keyword === 'enum') return `${message}: ${(params as { readonly allowedValues: readonly unknown[] }).allowedValues.map((value) => JSON.stringify(value)).join(', ').slice(0, 300)}`;
  if (keyword === 'additionalProperties') return `${message}: ${JSON.stringify((params as { readonly additionalProperty: string }).additionalProperty).slice(0, 120)}`;
  return message;
}

const refused = (message: string): { readonly ok: false; readonly rejection: Rejection } => ({ ok: false, rejection: rejection('input-invalid', message) });
