import type { Json } from '@weft/kernel';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
const compiled = new WeakMap<object, ValidateFunction>();

/** What is wrong with a value by a JSON Schema (draft 2020-12), as one sentence; undefined when nothing is. */
export function schemaProblem(schema: Json, value: Json): string | undefined {
  if (typeof schema === 'boolean') return schema ? undefined : 'Expected nothing: the schema allows no value.';
  const validate = validatorOf(schema as object);
  if (validate(value)) return undefined;
  const problems = (validate.errors ?? []).slice(0, 5).map(({ instancePath, message }) => `${instancePath || 'the value'} ${message ?? 'is not allowed'}`);
  return `Expected a value that satisfies the schema but ${problems.join('; ')}.`;
}

/** Whether a schema can be used: what is wrong with it otherwise. */
export function schemaFault(schema: Json): string | undefined {
  try {
    if (typeof schema !== 'boolean') validatorOf(schema as object);
    return undefined;
  } catch (fault) {
    return fault instanceof Error ? fault.message : String(fault);
  }
}

function validatorOf(schema: object): ValidateFunction {
  let validate = compiled.get(schema);
  if (!validate) {
    validate = ajv.compile(schema);
    compiled.set(schema, validate);
  }
  return validate;
}
