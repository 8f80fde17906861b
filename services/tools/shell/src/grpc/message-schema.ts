// Messages as JSON Schemas of their JSON form. Source: protobuf.dev, ProtoJSON.
import { ScalarType, type DescEnum, type DescField, type DescMessage } from '@bufbuild/protobuf';
import { FieldDescriptorProto_Label, FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import type { Json, JsonObject } from '@weft/kernel';

const MESSAGES_MAX = 500;
// Pairs of alternatives grow with the square; the encoder refuses two of one in any case.
const ALTERNATIVES_MAX = 8;

/** The schema of a message as it is written (`input`) or read, with what it consists of in `$defs`. @throws Error when it consists of too much. */
export function messageSchema(message: DescMessage, io: 'input' | 'output'): JsonObject {
  const definitions: Record<string, Json> = {};
  const reference = (inner: DescMessage): Json => {
    const known = WELL_KNOWN[inner.typeName];
    if (known) return known;
    const name = inner.typeName;
    if (!Object.hasOwn(definitions, name)) {
      if (Object.keys(definitions).length >= MESSAGES_MAX) throw new Error(`it consists of more than ${MESSAGES_MAX} messages`);
      definitions[name] = true;
      definitions[name] = bodyOf(inner, io, reference);
    }
    return { $ref: `#/$defs/${name}` };
  };
  const known = WELL_KNOWN[message.typeName];
  if (known) return known;
  const body = bodyOf(message, io, reference);
  return { ...body, ...(Object.keys(definitions).length > 0 ? { $defs: definitions } : {}) };
}

/** What is on the wire of a message and everything that it consists of: two that are equal here understand each other. */
export function wireOf(message: DescMessage): Json {
  const seen = new Map<string, Json>();
  const visit = (desc: DescMessage): void => {
    if (seen.has(desc.typeName)) return;
    seen.set(desc.typeName, null);
    seen.set(
      desc.typeName,
      desc.fields.map((field): Json => [field.number, field.jsonName, field.fieldKind, typeNameOf(field), field.oneof?.name ?? null]),
    );
    for (const field of desc.fields) {
      if (field.message) visit(field.message);
      if (field.enum)
        seen.set(
          field.enum.typeName,
          field.enum.values.map((value): Json => [value.number, value.name]),
        );
    }
  };
  visit(message);
  return Object.fromEntries([...seen].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function typeNameOf(field: DescField): string {
  const value = field.message?.typeName ?? field.enum?.typeName ?? String(field.scalar);
  return field.fieldKind === 'map' ? `${field.mapKey} ${field.mapKind} ${value}` : field.fieldKind === 'list' ? `${field.listKind} ${value}` : value;
}

function bodyOf(message: DescMessage, io: 'input' | 'output', reference: (inner: DescMessage) => Json): JsonObject {
  const required = io === 'input' ? message.fields.filter(isRequired).map(({ jsonName }) => jsonName) : [];
  const exclusive = io === 'input' ? message.oneofs.filter(({ fields }) => fields.length <= ALTERNATIVES_MAX).flatMap(({ fields }) => pairs(fields)) : [];
  return {
    type: 'object',
    properties: Object.fromEntries(message.fields.map((field) => [field.jsonName, fieldSchema(field, reference)])),
    ...(required.length > 0 ? { required } : {}),
    ...(exclusive.length > 0 ? { allOf: exclusive.map(([left, right]) => ({ not: { required: [left.jsonName, right.jsonName] } })) } : {}),
    ...(io === 'input' ? { additionalProperties: false } : {}),
  };
}

const isRequired = (field: DescField): boolean => field.proto.label === FieldDescriptorProto_Label.REQUIRED || field.presence === FeatureSet_FieldPresence.LEGACY_REQUIRED;

function pairs(fields: readonly DescField[]): readonly (readonly [DescField, DescField])[] {
  return fields.flatMap((left, index) => fields.slice(index + 1).map((right) => [left, right] as const));
}

function fieldSchema(field: DescField, reference: (inner: DescMessage) => Json): Json {
  switch (field.fieldKind) {
    case 'list':
      return { type: 'array', items: valueSchema(field.scalar, field.enum, field.message, reference) };
    case 'map':
      return { type: 'object', additionalProperties: valueSchema(field.scalar, field.enum, field.message, reference) };
    default:
      return valueSchema(field.scalar, field.enum, field.message, reference);
  }
}

function valueSchema(scalar: ScalarType | undefined, named: DescEnum | undefined, message: DescMessage | undefined, reference: (inner: DescMessage) => Json): Json {
  if (message) return reference(message);
  // A value that is not known here travels as its number.
  if (named) return named.typeName === 'google.protobuf.NullValue' ? { type: 'null' } : { anyOf: [{ enum: named.values.map(({ name }) => name) }, { type: 'integer' }] };
  return scalar === undefined ? true : SCALARS[scalar];
}

const INT64: Json = { type: ['integer', 'string'], pattern: '^-?[0-9]{1,20}$' };
const UINT64: Json = { type: ['integer', 'string'], pattern: '^[0-9]{1,20}$', minimum: 0 };
const INT32: Json = { type: 'integer', minimum: -(2 ** 31), maximum: 2 ** 31 - 1 };
const UINT32: Json = { type: 'integer', minimum: 0, maximum: 2 ** 32 - 1 };
const REAL: Json = { anyOf: [{ type: 'number' }, { enum: ['NaN', 'Infinity', '-Infinity'] }] };
const BYTES: Json = { type: 'string', contentEncoding: 'base64' };

const SCALARS: Readonly<Record<ScalarType, Json>> = {
  [ScalarType.DOUBLE]: REAL,
  [ScalarType.FLOAT]: REAL,
  [ScalarType.INT64]: INT64,
  [ScalarType.UINT64]: UINT64,
  [ScalarType.INT32]: INT32,
  [ScalarType.FIXED64]: UINT64,
  [ScalarType.FIXED32]: UINT32,
  [ScalarType.BOOL]: { type: 'boolean' },
  [ScalarType.STRING]: { type: 'string' },
  [ScalarType.BYTES]: BYTES,
  [ScalarType.UINT32]: UINT32,
  [ScalarType.SFIXED32]: INT32,
  [ScalarType.SFIXED64]: INT64,
  [ScalarType.SINT32]: INT32,
  [ScalarType.SINT64]: INT64,
};

const WELL_KNOWN: Readonly<Record<string, JsonObject>> = {
  'google.protobuf.Timestamp': { type: 'string', format: 'date-time' },
  'google.protobuf.Duration': { type: 'string', pattern: '^-?[0-9]{1,12}([.][0-9]{1,9})?s$' },
  'google.protobuf.FieldMask': { type: 'string' },
  'google.protobuf.Struct': { type: 'object' },
  'google.protobuf.Value': {},
  'google.protobuf.ListValue': { type: 'array' },
  'google.protobuf.Any': { type: 'object', required: ['@type'], properties: { '@type': { type: 'string' } } },
  'google.protobuf.DoubleValue': { anyOf: [REAL, { type: 'null' }] },
  'google.protobuf.FloatValue': { anyOf: [REAL, { type: 'null' }] },
  'google.protobuf.Int64Value': { type: ['integer', 'string', 'null'] },
  'google.protobuf.UInt64Value': { type: ['integer', 'string', 'null'] },
  'google.protobuf.Int32Value': { type: ['integer', 'null'] },
  'google.protobuf.UInt32Value': { type: ['integer', 'null'], minimum: 0 },
  'google.protobuf.BoolValue': { type: ['boolean', 'null'] },
  'google.protobuf.StringValue': { type: ['string', 'null'] },
  'google.protobuf.BytesValue': { anyOf: [BYTES, { type: 'null' }] },
};
