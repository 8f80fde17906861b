import type { Json, JsonObject } from '@weft/kernel';
import type { Meter } from './budget.js';

/** An object under construction, before anyone else sees it. */
export interface Fields {
  [key: string]: Json;
}

export type TypeName = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object';

/** Charged for one element of an array. */
export const ELEMENT_BYTES = 8;
/** Charged for one field of an object, its value not included. */
export const FIELD_BYTES = 32;

/** An empty object without prototype: every key, `__proto__` too, is an ordinary one. */
export function newFields(): Fields {
  return Object.create(null) as Fields;
}

export function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

export function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** jq's truth: everything but null and false. */
export function isTrue(value: Json): boolean {
  return value !== null && value !== false;
}

export function typeName(value: Json): TypeName {
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value as TypeName;
  return Array.isArray(value) ? 'array' : 'object';
}

/** The field's value, or null when the object has no such field of its own. */
export function fieldOf(object: JsonObject, key: string): Json {
  return Object.hasOwn(object, key) ? object[key]! : null;
}

/** The object's own keys, as they stand. */
export function keysOf(meter: Meter, object: JsonObject): string[] {
  const keys = Object.keys(object);
  meter.work(keys.length);
  meter.take(keys.length * ELEMENT_BYTES);
  return keys;
}

export function copyArray(meter: Meter, array: readonly Json[]): Json[] {
  meter.work(array.length >> 5);
  meter.take(array.length * ELEMENT_BYTES);
  return array.slice();
}

export function copyObject(meter: Meter, object: JsonObject): Fields {
  const copy = newFields();
  const keys = keysOf(meter, object);
  meter.work(keys.length * 2);
  meter.take(keys.length * FIELD_BYTES);
  for (const key of keys) copy[key] = object[key]!;
  return copy;
}

/** Charges for a text just before it is built. */
export function takeText(meter: Meter, characters: number): void {
  meter.work(characters >> 8);
  meter.take(characters);
}
