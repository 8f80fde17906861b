// Makes TypeScript types of the standard's JSON Schema: shape alone, without the words of the standard.
import { isJsonObject, objectOf, type Json, type JsonObject } from '@weft/kernel';

const HEADER = `// Types of documents of the Open Workflow Specification 1.0.3. Generated from its schema: do not edit.
// Made anew by: RECORD_TYPES=1 npx vitest run libs/workflow/src/generated
import type { Json, JsonObject } from '@weft/kernel';
`;

/** One file with a type for the document and for each definition of the schema. @param root name of the type of the document. */
export function typesOf(schema: JsonObject, root: string): string {
  const { $defs, ...document } = schema;
  const types = Object.entries(objectOf($defs)).map(([name, definition]) => `export type ${typeName(name)} = ${typeOf(definition as Json)};\n`);
  return [HEADER, `export type ${root} = ${typeOf(document)};\n`, ...types].join('\n');
}

/**
 * The type of what a schema allows. What a type cannot say (patterns, limits, conditions) is left out: validation says it.
 * @param outside fields that the schema around it requires.
 */
function typeOf(schema: Json, outside: readonly string[] = []): string {
  if (!isJsonObject(schema)) return schema === false ? 'undefined' : 'Json';
  const required = [...outside, ...((schema['required'] ?? []) as readonly string[])];
  const parts = [own(schema, required), reference(schema), ...all(schema['allOf'], required), union(schema['oneOf']), union(schema['anyOf'])].filter((part) => part !== undefined);
  const distinct = [...new Set(parts)];
  if (distinct.length === 0) return 'Json';
  return distinct.length === 1 ? distinct[0]! : distinct.map(grouped).join(' & ');
}

function own(schema: JsonObject, required: readonly string[]): string | undefined {
  const { type, enum: allowed, const: only } = schema;
  if (only !== undefined) return literal(only);
  if (Array.isArray(allowed)) return (allowed as readonly Json[]).map(literal).join(' | ');
  if (isJsonObject(schema['properties'])) return fieldsOf(schema['properties'], required, schema['additionalProperties'] === true);
  switch (type) {
    case 'string':
      return 'string';
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'array':
      return `readonly ${grouped(typeOf(schema['items'] ?? true))}[]`;
    case 'object':
      return isShaped(schema) ? undefined : isJsonObject(schema['additionalProperties']) ? `Readonly<Record<string, ${typeOf(schema['additionalProperties'])}>>` : 'JsonObject';
    default:
      return undefined;
  }
}

const literal = (value: Json): string => (typeof value === 'string' ? `'${value}'` : JSON.stringify(value));

/** Whether others of its keywords say which fields an object has. */
const isShaped = (schema: JsonObject): boolean => ['$ref', 'allOf', 'oneOf', 'anyOf'].some((keyword) => schema[keyword] !== undefined);

function fieldsOf(properties: JsonObject, required: readonly string[], isOpen: boolean): string {
  const fields = Object.entries(properties).map(([name, schema]) => `readonly ${/^\w+$/.test(name) ? name : `'${name}'`}${required.includes(name) ? '' : '?'}: ${typeOf(schema as Json)};`);
  const lines = isOpen ? [...fields, 'readonly [name: string]: unknown;'] : fields;
  return `{\n${lines.map((line) => `  ${line.replaceAll('\n', '\n  ')}\n`).join('')}}`;
}

const reference = ({ $ref }: JsonObject): string | undefined => (typeof $ref === 'string' ? typeName($ref.split('/').at(-1)!) : undefined);

const all = (schemas: Json | undefined, required: readonly string[]): readonly string[] => (Array.isArray(schemas) ? (schemas as readonly Json[]).map((schema) => typeOf(schema, required)) : []);

/** Alternatives; those that only say which fields must be there are no types of their own. */
function union(schemas: Json | undefined): string | undefined {
  if (!Array.isArray(schemas)) return undefined;
  const kinds = (schemas as readonly JsonObject[]).filter((schema) => Object.keys(schema).some((keyword) => keyword !== 'required')).map((schema) => typeOf(schema));
  return kinds.length === 0 ? undefined : kinds.includes('Json') ? 'Json' : [...new Set(kinds)].map(grouped).join(' | ');
}

const grouped = (type: string): string => (/ [|&] |^readonly /.test(type) && !isClosed(type) ? `(${type})` : type);

/** Whether a type is one pair of braces from end to end. */
function isClosed(type: string): boolean {
  if (!type.startsWith('{') || !type.endsWith('}')) return false;
  let depth = 0;
  for (const [position, character] of [...type].entries()) {
    if (character === '{') depth++;
    if (character === '}' && --depth === 0) return position === type.length - 1;
  }
  return false;
}

const typeName = (name: string): string => `${name[0]!.toUpperCase()}${name.slice(1)}`;
