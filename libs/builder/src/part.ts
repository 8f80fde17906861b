// Parts of a program: values, expressions and calls, before they are carried out or printed.
import { isJsonObject, objectOf, type Json, type JsonObject } from '@weft/kernel';
import type { FunctionName } from './builder-functions.js';
import type { Path, Spot } from './places.js';

export type Part =
  | { readonly kind: 'value'; readonly value: string | number | boolean | null }
  | { readonly kind: 'expression'; readonly jq: string; readonly spot: Spot }
  | { readonly kind: 'list'; readonly items: readonly Part[] }
  | ObjectPart
  | { readonly kind: 'call'; readonly name: FunctionName; readonly args: readonly Part[] };

export type Field = readonly [name: string, part: Part];
export interface ObjectPart {
  readonly kind: 'object';
  readonly fields: readonly Field[];
}

export const valuePart = (value: string | number | boolean | null): Part => ({ kind: 'value', value });
export const objectPart = (fields: readonly Field[]): ObjectPart => ({ kind: 'object', fields });
export const callPart = (name: FunctionName, ...args: readonly Part[]): Part => ({ kind: 'call', name, args });

/** How values at a path are read: where their expressions stand, and which of them are lists of tasks. */
export interface Reading {
  readonly spot: (path: Path) => Spot;
  /** The part that a value is, when it is not data. */
  readonly special?: (value: Json, path: Path) => Part | undefined;
}

export function partOf(value: Json, path: Path, reading: Reading): Part {
  const special = reading.special?.(value, path);
  if (special) return special;
  if (Array.isArray(value)) return { kind: 'list', items: (value as readonly Json[]).map((item, i) => partOf(item, [...path, i], reading)) };
  if (isJsonObject(value)) return objectPart(fieldsOf(value, path, reading));
  return typeof value === 'string' ? textPart(value, path, reading.spot(path)) : valuePart(value as number | boolean | null);
}

export const fieldsOf = (value: JsonObject, path: Path, reading: Reading): Field[] => Object.entries(value).map(([key, item]) => [key, partOf(item, [...path, key], reading)]);

/** An expression when writing it again gives the same text, else the text itself. */
function textPart(text: string, path: Path, spot: Spot): Part {
  const isData = path.includes('metadata') || path.includes('schema');
  const jq = spot.bare ? text : (/^\$\{ ([\s\S]+) \}$/.exec(text)?.[1] ?? '');
  return isData || jq === '' || jq !== jq.trim() || jq.includes('${') ? valuePart(text) : { kind: 'expression', jq, spot };
}

/** A list of one-key objects: an object by name where JavaScript keeps those in order, else pairs. */
export function namedPart(list: Json | undefined, read: (item: JsonObject) => Part): Part {
  const named = ((Array.isArray(list) ? list : []) as readonly Json[]).flatMap((item) => Object.entries(objectOf(item)).map(([name, fields]): Field => [name, read(objectOf(fields))]));
  const names = new Set(named.map(([name]) => name));
  const keepsOrder = names.size === named.length && ![...names].some((name) => /^(?:0|[1-9]\d*)$/.test(name));
  return keepsOrder ? objectPart(named) : { kind: 'list', items: named.map(([name, part]) => ({ kind: 'list', items: [valuePart(name), part] })) };
}
