// JSON Schema (draft 2020-12), compiled once for each schema.
import { rejection, type Json, type Rejection } from '@weft/kernel';
import type { SchemaFinding } from '@weft/validation/core';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { createHash } from 'node:crypto';

const SCHEMA_BYTES_MAX = 256 * 1024;
const COMPILED_MAX = 500;

export type Check = { readonly ok: true; readonly findings: readonly SchemaFinding[]; readonly schemaDigest: string } | { readonly ok: false; readonly rejection: Rejection };

export class SchemaChecker {
  // Least recently used first.
  readonly #compiled = new Map<string, ValidateFunction>();

  /** Checks a value. Refused (`input-invalid`): a schema that is too large, is not one, or refers to another document. */
  check(schema: Json, value: Json): Check {
    const text = JSON.stringify(schema);
    if (Buffer.byteLength(text) > SCHEMA_BYTES_MAX) return invalid(`Expected a schema of at most ${SCHEMA_BYTES_MAX} bytes but it has ${Buffer.byteLength(text)}.`);
    const schemaDigest = createHash('sha256').update(text).digest('hex');
    let validate: ValidateFunction;
    try {
      validate = this.#validatorOf(schemaDigest, schema);
    } catch (fault) {
      return invalid(`Expected a JSON Schema (draft 2020-12) but ${fault instanceof Error ? fault.message : String(fault)}.`);
    }
    if (validate(value)) return { ok: true, findings: [], schemaDigest };
    return { ok: true, schemaDigest, findings: (validate.errors ?? []).map(({ instancePath, keyword, message }) => ({ pointer: instancePath, keyword, message: message ?? 'is not allowed' })) };
  }

  #validatorOf(digest: string, schema: Json): ValidateFunction {
    const known = this.#compiled.get(digest);
    this.#compiled.delete(digest);
    const validate = known ?? compile(schema);
    this.#compiled.set(digest, validate);
    if (this.#compiled.size > COMPILED_MAX) this.#compiled.delete(this.#compiled.keys().next().value!);
    return validate;
  }
}

/** An instance of its own for each schema: `$id`s of two authors never meet. Nothing is fetched. */
function compile(schema: Json): ValidateFunction {
  const ajv = new Ajv2020({ strict: false, allErrors: true, logger: false });
  addFormats.default(ajv);
  if (typeof schema !== 'boolean' && (typeof schema !== 'object' || schema === null)) throw new Error('it is neither an object nor true or false');
  return ajv.compile(schema as object | boolean);
}

const invalid = (message: string): Check => ({ ok: false, rejection: rejection('input-invalid', message) });
