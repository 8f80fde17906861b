import type { Json, JsonObject } from '@weft/kernel';
import type { Meter } from './budget.js';
import { JQ_LEVELS_MAX, raise } from './failure.js';
import { keysOf } from './value.js';

/**
 * jq's total order: null, false, true, numbers, texts, arrays, objects. NaN is below every number, itself included.
 * Objects compare first by their sorted keys, then value by value. Source: jq manual, `sort`.
 * @returns negative, zero or positive.
 */
export function compare(meter: Meter, a: Json, b: Json, level = 0): number {
  meter.step();
  if (typeof a === 'number' && typeof b === 'number') return a < b || Number.isNaN(a) ? -1 : a === b ? 0 : 1;
  if (typeof a === 'string' && typeof b === 'string') return compareMeteredTexts(meter, a, b);
  const ranks = rankOf(a) - rankOf(b);
  if (ranks !== 0 || typeof a !== 'object' || a === null) return ranks;
  meter.nesting(level);
  if (level >= JQ_LEVELS_MAX) return raise('Comparison too deep');
  if (Array.isArray(a) && Array.isArray(b)) return compareArrays(meter, a, b, level);
  return compareObjects(meter, a as JsonObject, b as JsonObject, level);
}

/** Equality by value; NaN equals nothing. */
export function equals(meter: Meter, a: Json, b: Json, level = 0): boolean {
  meter.step();
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    if (typeof a === 'string' && typeof b === 'string' && a.length === b.length) meter.work(a.length >> 7);
    return a === b;
  }
  // The same container is equal to itself unless a NaN hides in it, which jq decides by identity too.
  if (a === b) return true;
  meter.nesting(level);
  if (level >= JQ_LEVELS_MAX) return raise('Equality check too deep');
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => equals(meter, item as Json, b[i] as Json, level + 1));
  }
  if (Array.isArray(b)) return false;
  const [left, right] = [a as JsonObject, b as JsonObject];
  const keys = keysOf(meter, left);
  if (keys.length !== keysOf(meter, right).length) return false;
  return keys.every((key) => Object.hasOwn(right, key) && equals(meter, left[key]!, right[key]!, level + 1));
}

/** Code point order, which is the order of UTF-8 bytes. */
export function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left === right) continue;
    const leftIsSurrogate = (left & 0xf800) === 0xd800;
    const rightIsSurrogate = (right & 0xf800) === 0xd800;
    if (leftIsSurrogate !== rightIsSurrogate) return leftIsSurrogate ? 1 : -1;
    return left - right;
  }
  return a.length - b.length;
}

/** Own keys in code point order. */
export function sortedKeys(meter: Meter, object: JsonObject): string[] {
  return sortTexts(meter, keysOf(meter, object));
}

/** Sorts values in place in jq's order, stably. */
export function sortValues<T>(meter: Meter, items: T[], keyOf: (item: T) => Json): T[] {
  return items.sort((a, b) => compare(meter, keyOf(a), keyOf(b)));
}

function sortTexts(meter: Meter, texts: string[]): string[] {
  if (texts.length < 2) return texts;
  return texts.sort((a, b) => compareMeteredTexts(meter, a, b));
}

function compareMeteredTexts(meter: Meter, a: string, b: string): number {
  meter.work(1 + (Math.min(a.length, b.length) >> 6));
  return compareTexts(a, b);
}

function rankOf(value: Json): number {
  if (value === null) return 0;
  if (value === false) return 1;
  if (value === true) return 2;
  if (typeof value === 'number') return 3;
  if (typeof value === 'string') return 4;
  return Array.isArray(value) ? 5 : 6;
}

function compareArrays(meter: Meter, a: readonly Json[], b: readonly Json[], level: number): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = compare(meter, a[i]!, b[i]!, level + 1);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareObjects(meter: Meter, a: JsonObject, b: JsonObject, level: number): number {
  const left = sortedKeys(meter, a);
  const right = sortedKeys(meter, b);
  const keys = compareArrays(meter, left, right, level);
  if (keys !== 0) return keys;
  for (const key of left) {
    const order = compare(meter, a[key]!, b[key]!, level + 1);
    if (order !== 0) return order;
  }
  return 0;
}
