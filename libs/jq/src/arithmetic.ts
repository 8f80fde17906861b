import type { Json, JsonObject } from '@weft/kernel';
import type { BinaryOperator } from './ast.js';
import type { Meter } from './budget.js';
import { describe } from './dump.js';
import { JQ_LEVELS_MAX, raise } from './failure.js';
import { compare, equals } from './ordering.js';
import { splitText } from './text.js';
import { copyArray, copyObject, ELEMENT_BYTES, FIELD_BYTES, isArray, isObject, keysOf, takeText, type Fields } from './value.js';

const REPEATED_BYTES_MAX = 2 ** 31;
const INTEGER_LIMIT = 2 ** 63;

export type BinaryFunction = (meter: Meter, left: Json, right: Json) => Json;

/** What each operator does with two values. */
export const BINARY: Readonly<Record<BinaryOperator, BinaryFunction>> = {
  '+': add,
  '-': subtract,
  '*': multiply,
  '/': divide,
  '%': remainder,
  '==': (meter, left, right) => equals(meter, left, right),
  '!=': (meter, left, right) => !equals(meter, left, right),
  '<': (meter, left, right) => compare(meter, left, right) < 0,
  '<=': (meter, left, right) => compare(meter, left, right) <= 0,
  '>': (meter, left, right) => compare(meter, left, right) > 0,
  '>=': (meter, left, right) => compare(meter, left, right) >= 0,
};

export function add(meter: Meter, left: Json, right: Json): Json {
  if (typeof left === 'number' && typeof right === 'number') return left + right;
  if (left === null) return right;
  if (right === null) return left;
  if (typeof left === 'string' && typeof right === 'string') {
    takeText(meter, left.length + right.length);
    return left + right;
  }
  if (isArray(left) && isArray(right)) {
    meter.work((left.length + right.length) >> 5);
    meter.take((left.length + right.length) * ELEMENT_BYTES);
    return left.concat(right);
  }
  if (isObject(left) && isObject(right)) return assign(meter, copyObject(meter, left), right);
  return raise(`${describe(meter, left)} and ${describe(meter, right)} cannot be added`);
}

/** Adds up values one by one. Containers grow in place, so that a long sum stays linear. */
export class Sum {
  total: Json = null;
  private isOwned = false;

  constructor(private readonly meter: Meter) {}

  add(value: Json): void {
    this.meter.step();
    const { meter, total } = this;
    if (isArray(total) && isArray(value)) {
      const items = this.isOwned ? (total as Json[]) : copyArray(meter, total);
      meter.work(value.length >> 4);
      meter.take(value.length * ELEMENT_BYTES);
      for (const item of value) items.push(item);
      this.own(items);
    } else if (isObject(total) && isObject(value)) {
      this.own(assign(meter, this.isOwned ? (total as Fields) : copyObject(meter, total), value));
    } else if (typeof total === 'string' && typeof value === 'string') {
      meter.take(value.length + ELEMENT_BYTES);
      this.total = total + value;
    } else {
      this.isOwned = this.isOwned && value === null;
      this.total = add(meter, total, value);
    }
  }

  private own(total: Json): void {
    this.total = total;
    this.isOwned = true;
  }
}

export function negate(meter: Meter, value: Json): Json {
  return typeof value === 'number' ? -value : raise(`${describe(meter, value)} cannot be negated`);
}

function assign(meter: Meter, fields: Fields, more: JsonObject): Fields {
  const keys = keysOf(meter, more);
  meter.take(keys.length * FIELD_BYTES);
  for (const key of keys) fields[key] = more[key]!;
  return fields;
}

function subtract(meter: Meter, left: Json, right: Json): Json {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (isArray(left) && isArray(right)) {
    meter.work(left.length);
    meter.take(left.length * ELEMENT_BYTES);
    return left.filter((item) => !right.some((other) => compare(meter, item, other) === 0));
  }
  return raise(`${describe(meter, left)} and ${describe(meter, right)} cannot be subtracted`);
}

function multiply(meter: Meter, left: Json, right: Json): Json {
  if (typeof left === 'number' && typeof right === 'number') return left * right;
  if (typeof left === 'string' && typeof right === 'number') return repeat(meter, left, right);
  if (typeof left === 'number' && typeof right === 'string') return repeat(meter, right, left);
  if (isObject(left) && isObject(right)) return merge(meter, left, right, 0);
  return raise(`${describe(meter, left)} and ${describe(meter, right)} cannot be multiplied`);
}

function repeat(meter: Meter, text: string, times: number): Json {
  if (Number.isNaN(times) || times < 0) return null;
  const characters = text.length * Math.floor(times);
  if (text === '') return '';
  if (characters >= REPEATED_BYTES_MAX) return raise('Repeat string result too long');
  takeText(meter, characters);
  return text.repeat(Math.floor(times));
}

function merge(meter: Meter, left: JsonObject, right: JsonObject, level: number): Json {
  meter.nesting(level);
  if (level > JQ_LEVELS_MAX) return raise('Object merge too deep');
  const fields = copyObject(meter, left);
  for (const key of keysOf(meter, right)) {
    meter.take(FIELD_BYTES);
    const value = right[key]!;
    const before = Object.hasOwn(fields, key) ? fields[key]! : null;
    fields[key] = isObject(before) && isObject(value) ? merge(meter, before, value, level + 1) : value;
  }
  return fields;
}

function divide(meter: Meter, left: Json, right: Json): Json {
  if (typeof left === 'number' && typeof right === 'number') {
    return right === 0 ? raise(`${describe(meter, left)} and ${describe(meter, right)} cannot be divided because the divisor is zero`) : left / right;
  }
  if (typeof left === 'string' && typeof right === 'string') return splitText(meter, left, right);
  return raise(`${describe(meter, left)} and ${describe(meter, right)} cannot be divided`);
}

/** Remainder of integers: both sides lose their fraction, the sign is the left one's. */
function remainder(meter: Meter, left: Json, right: Json): Json {
  if (typeof left !== 'number' || typeof right !== 'number') return raise(`${describe(meter, left)} and ${describe(meter, right)} cannot be divided (remainder)`);
  if (Number.isNaN(left) || Number.isNaN(right)) return Number.NaN;
  const divisor = Math.trunc(right);
  if (divisor === 0) return raise(`${describe(meter, left)} and ${describe(meter, right)} cannot be divided (remainder) because the divisor is zero`);
  if (Math.abs(left) < INTEGER_LIMIT && Math.abs(divisor) < INTEGER_LIMIT) return (Math.trunc(left) % divisor) + 0;
  return Number(saturated(left) % saturated(divisor));
}

function saturated(value: number): bigint {
  if (value >= INTEGER_LIMIT) return 2n ** 63n - 1n;
  return value < -INTEGER_LIMIT ? -(2n ** 63n) : BigInt(Math.trunc(value));
}
