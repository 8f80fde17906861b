// What an author gives for the parameters of an operation, as the arguments that its request is made of.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { bareType, FORM } from './media-type.js';
import type { Operation } from './operation.js';

/**
 * The arguments of an operation. The body goes by the name `body`, in OpenAPI 2.0 by that of its parameter; fields of a form may stand among the
 * parameters. A value that is a text, number or boolean takes the form that its parameter has: what is in a URL is text anyway.
 */
export function operationArguments(operation: Operation, given: JsonObject): JsonObject {
  const { parameters, body } = operation.wire;
  const known = new Set(parameters.map(({ argument }) => argument));
  const args: Record<string, Json> = {};
  const others: Record<string, Json> = {};
  for (const [name, value] of Object.entries(given)) {
    if (known.has(name)) args[name] = fitted(value, schemaOf(operation.input, name), operation.input);
    else if (name === body?.argument || (body && name === operation.bodyParameter)) args[body.argument] = value;
    else others[name] = value;
  }
  if (!body || args[body.argument] !== undefined || bareType(body.mediaType) !== FORM || Object.keys(others).length === 0) return { ...args, ...others };
  return { ...args, [body.argument]: others };
}

/** The value in the type that its schema names, where it is a scalar that can be read so. */
function fitted(value: Json, schema: JsonObject, root: JsonObject): Json {
  const types = Array.isArray(schema['type']) ? (schema['type'] as readonly Json[]) : [schema['type']];
  if (Array.isArray(value)) return types.includes('array') ? (value as readonly Json[]).map((item) => fitted(item, resolved(schema['items'], root), root)) : value;
  if (typeof value === 'object') return value;
  const is = (type: string): boolean => types.includes(type);
  if (is('array') && !is(typeof value)) return [fitted(value, resolved(schema['items'], root), root)];
  if (typeof value === 'string') {
    if ((is('integer') || is('number')) && !is('string') && /^-?\d+(\.\d+)?$/.test(value)) return Number(value);
    if (is('boolean') && !is('string') && (value === 'true' || value === 'false')) return value === 'true';
    return value;
  }
  const fits = typeof value === 'boolean' ? is('boolean') : is('number') || is('integer');
  return is('string') && !fits ? String(value) : value;
}

const schemaOf = (input: JsonObject, name: string): JsonObject => resolved(isJsonObject(input['properties']) ? input['properties'][name] : undefined, input);

/** The schema, or what it refers to in `$defs`. */
function resolved(schema: Json | undefined, root: JsonObject): JsonObject {
  if (!isJsonObject(schema)) return {};
  const name = typeof schema['$ref'] === 'string' ? schema['$ref'].replace('#/$defs/', '') : undefined;
  const target = name !== undefined && isJsonObject(root['$defs']) ? root['$defs'][name] : schema;
  return isJsonObject(target) ? target : {};
}
