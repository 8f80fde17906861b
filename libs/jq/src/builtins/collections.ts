/** Builtins over arrays and objects. */
import type { Json, JsonObject } from '@weft/kernel';
import { Sum } from '../arithmetic.js';
import type { Meter } from '../budget.js';
import { collect, firstOf, single, type Code, type Env } from '../code.js';
import { describe } from '../dump.js';
import { JQ_LEVELS_MAX, raise } from '../failure.js';
import { compare, equals, sortedKeys, sortValues } from '../ordering.js';
import { includes } from '../text.js';
import { copyArray, ELEMENT_BYTES, FIELD_BYTES, fieldOf, isArray, isObject, isTrue, keysOf, newFields, typeName } from '../value.js';
import { filters, values, type BuiltinEntry } from './define.js';

export const COLLECTIONS: readonly BuiltinEntry[] = [
  values('keys/0', (meter, input) => (isObject(input) ? sortedKeys(meter, input) : positions(meter, input))),
  values('keys_unsorted/0', (meter, input) => (isObject(input) ? keysOf(meter, input) : positions(meter, input))),
  values('has/1', (_meter, input, key) => has(input, key!)),
  values('contains/1', (meter, input, part) => contains(meter, input, part!, 0)),
  values('add/0', (meter, input) => {
    const total = new Sum(meter);
    for (const item of children(meter, input)) total.add(item);
    return total.total;
  }),
  filters('map_values/1', ([f]) => mapValues(f!)),
  values('to_entries/0', (meter, input) => toEntries(meter, input)),
  values('from_entries/0', (meter, input) => fromEntries(meter, children(meter, input))),
  filters('with_entries/1', ([f]) => withEntries(f!)),
  values('reverse/0', reverse),
  values('flatten/0', (meter, input) => flatten(meter, input, Number.POSITIVE_INFINITY)),
  values('flatten/1', (meter, input, depth) => {
    if (typeof depth !== 'number') return raise('flatten depth must be a number');
    return depth < 0 ? raise('flatten depth must not be negative') : flatten(meter, input, depth);
  }),
  values('sort/0', (meter, input) => sortValues(meter, copyArray(meter, sortable(meter, input)), (item) => item)),
  filters('sort_by/1', ([f]) => byKey(f!, (_meter, keyed) => keyed.map(({ item }) => item))),
  filters('group_by/1', ([f]) => byKey(f!, (meter, keyed) => groups(meter, keyed).map((group) => group.map(({ item }) => item)))),
  values('unique/0', (meter, input) => {
    const keyed = sortable(meter, input).map((item) => ({ item, key: item }));
    return groups(
      meter,
      sortValues(meter, keyed, ({ key }) => key),
    ).map(([leader]) => leader!.item);
  }),
  filters('unique_by/1', ([f]) => byKey(f!, (meter, keyed) => groups(meter, keyed).map(([leader]) => leader!.item))),
  values('min/0', (meter, input) => extreme(meter, sortable(meter, input), sortable(meter, input), -1)),
  values('max/0', (meter, input) => extreme(meter, sortable(meter, input), sortable(meter, input), 1)),
  filters('min_by/1', ([f]) => extremeBy(f!, -1)),
  filters('max_by/1', ([f]) => extremeBy(f!, 1)),
  values('transpose/0', transpose),
  values('bsearch/1', (meter, input, wanted) => bsearch(meter, input, wanted!)),
];

/** The elements of an array or the values of an object; an error for anything else. */
export function children(meter: Meter, input: Json): readonly Json[] {
  if (isArray(input)) return input;
  if (isObject(input)) return keysOf(meter, input).map((key) => input[key]!);
  return raise(`Cannot iterate over ${describe(meter, input)}`);
}

function positions(meter: Meter, input: Json): readonly Json[] {
  if (!isArray(input)) return raise(`${describe(meter, input)} has no keys`);
  meter.work(input.length >> 3);
  meter.take(input.length * ELEMENT_BYTES);
  return input.map((_, i) => i);
}

function has(input: Json, key: Json): boolean {
  if (isObject(input) && typeof key === 'string') return Object.hasOwn(input, key);
  if (isArray(input) && typeof key === 'number') return key >= 0 && key < input.length;
  return raise(`Cannot check whether ${typeName(input)} has a ${typeName(key)} key`);
}

function contains(meter: Meter, whole: Json, part: Json, level: number): boolean {
  meter.step();
  meter.nesting(level);
  if (level > JQ_LEVELS_MAX) return raise('Containment check too deep');
  if (isObject(whole) && isObject(part)) {
    return keysOf(meter, part).every((key) => Object.hasOwn(whole, key) && contains(meter, whole[key]!, part[key]!, level + 1));
  }
  if (isArray(whole) && isArray(part)) return part.every((wanted) => whole.some((item) => containsSome(meter, item, wanted, level + 1)));
  if (typeof whole === 'string' && typeof part === 'string') return includes(meter, whole, part);
  if (typeName(whole) === typeName(part)) return equals(meter, whole, part);
  return raise(`${describe(meter, whole)} and ${describe(meter, part)} cannot have their containment checked`);
}

/** Inside containers, values of different types simply do not contain each other. */
function containsSome(meter: Meter, whole: Json, part: Json, level: number): boolean {
  meter.step();
  return typeName(whole) === typeName(part) && contains(meter, whole, part, level);
}

function mapValues(f: Code): Code {
  return single((meter, env, input) => {
    meter.step();
    if (isArray(input)) {
      const items: Json[] = [];
      for (const item of input) {
        meter.step();
        meter.take(ELEMENT_BYTES);
        const value = firstOf(f, meter, env, item);
        if (value !== undefined) items.push(value);
      }
      return items;
    }
    if (!isObject(input)) return raise(`Cannot iterate over ${describe(meter, input)}`);
    const fields = newFields();
    for (const key of keysOf(meter, input)) {
      meter.take(FIELD_BYTES);
      const value = firstOf(f, meter, env, input[key]!);
      if (value !== undefined) fields[key] = value;
    }
    return fields;
  });
}

function toEntries(meter: Meter, input: Json): Json[] {
  const keys: readonly Json[] = isObject(input) ? keysOf(meter, input) : positions(meter, input);
  const held = children(meter, input);
  meter.work(keys.length);
  meter.take(keys.length * 3 * FIELD_BYTES);
  return keys.map((key, i) => {
    const entry = newFields();
    entry['key'] = key;
    entry['value'] = held[i]!;
    return entry;
  });
}

function fromEntries(meter: Meter, entries: readonly Json[]): Json {
  const fields = newFields();
  for (const entry of entries) {
    meter.step();
    meter.take(FIELD_BYTES);
    if (!isObject(entry)) return raise(`Cannot index ${typeName(entry)} with ${describe(meter, 'key')}`);
    fields[entryKey(meter, entry)] = entryValue(entry);
  }
  return fields;
}

function entryKey(meter: Meter, entry: JsonObject): string {
  let key = fieldOf(entry, 'key');
  for (const name of ['k', 'name', 'Name', 'Key', 'K']) {
    if (key === null && isTrue(fieldOf(entry, name))) key = fieldOf(entry, name);
  }
  if (typeof key === 'string') return key;
  return typeof key === 'object' && key !== null ? raise(`Cannot use ${describe(meter, key)} as object key`) : String(key);
}

function entryValue(entry: JsonObject): Json {
  const name = ['value', 'v', 'Value', 'V'].find((candidate) => Object.hasOwn(entry, candidate));
  return name === undefined ? null : fieldOf(entry, name);
}

function withEntries(f: Code): Code {
  return single((meter, env, input) => {
    meter.step();
    const entries = toEntries(meter, input);
    const changed: Json[] = [];
    for (const entry of entries) changed.push(...collect(f, meter, env, entry));
    return fromEntries(meter, changed);
  });
}

function reverse(meter: Meter, input: Json): Json {
  if (input === null) return [];
  if (typeof input === 'string') {
    meter.work(input.length >> 2);
    meter.take(input.length * ELEMENT_BYTES);
    return Array.from(input).reverse().join('');
  }
  if (isArray(input)) return copyArray(meter, input).reverse();
  return raise(`Cannot reverse ${describe(meter, input)}`);
}

function flatten(meter: Meter, input: Json, depth: number): Json {
  const flat: Json[] = [];
  const spread = (items: readonly Json[], left: number, level: number): void => {
    meter.nesting(level);
    for (const item of items) {
      meter.step();
      if (isArray(item) && left > 0) spread(item, left - 1, level + 1);
      else {
        meter.take(ELEMENT_BYTES);
        flat.push(item);
      }
    }
  };
  spread(children(meter, input), depth, 0);
  return flat;
}

function sortable(meter: Meter, input: Json): readonly Json[] {
  return isArray(input) ? input : raise(`${describe(meter, input)} cannot be sorted, as it is not an array`);
}

interface Keyed {
  readonly item: Json;
  readonly key: Json;
}

/** Items sorted by all outputs of `f`, handed on with their keys. */
function byKey(f: Code, finish: (meter: Meter, keyed: readonly Keyed[]) => Json): Code {
  return single((meter, env, input) => {
    meter.step();
    return finish(
      meter,
      sortValues(meter, keysBy(f, meter, env, input), ({ key }) => key),
    );
  });
}

function keysBy(f: Code, meter: Meter, env: Env, input: Json): Keyed[] {
  return sortable(meter, input).map((item) => {
    meter.step();
    meter.take(FIELD_BYTES);
    return { item, key: collect(f, meter, env, item) };
  });
}

function groups(meter: Meter, sorted: readonly Keyed[]): Keyed[][] {
  const found: Keyed[][] = [];
  let current: Keyed[] = [];
  for (const keyed of sorted) {
    meter.take(ELEMENT_BYTES);
    if (current.length > 0 && compare(meter, current[0]!.key, keyed.key) === 0) current.push(keyed);
    else found.push((current = [keyed]));
  }
  return found;
}

/** The first of the smallest or the last of the greatest items. */
function extreme(meter: Meter, items: readonly Json[], keys: readonly Json[], direction: 1 | -1): Json {
  let best = 0;
  for (let i = 1; i < items.length; i++) {
    const order = compare(meter, keys[i]!, keys[best]!);
    if (direction === 1 ? order >= 0 : order < 0) best = i;
  }
  return items[best] ?? null;
}

function extremeBy(f: Code, direction: 1 | -1): Code {
  return single((meter, env, input) => {
    const keyed = keysBy(f, meter, env, input);
    return extreme(
      meter,
      keyed.map(({ item }) => item),
      keyed.map(({ key }) => key),
      direction,
    );
  });
}

function transpose(meter: Meter, input: Json): Json {
  const rows = children(meter, input).map((row) => (isArray(row) ? row : raise(`Cannot index ${typeName(row)} with number`)));
  meter.work(rows.length);
  const width = rows.reduce((widest, row) => Math.max(widest, row.length), 0);
  meter.work((width * rows.length) >> 2);
  meter.take(width * (rows.length + 1) * ELEMENT_BYTES);
  return Array.from({ length: width }, (_, column) => rows.map((row) => row[column] ?? null));
}

/** The position of a value in a sorted array, or -1 - (where it would stand). */
function bsearch(meter: Meter, input: Json, wanted: Json): number {
  if (!isArray(input)) return raise(`${describe(meter, input)} cannot be searched from`);
  let [low, high] = [0, input.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const order = compare(meter, input[middle]!, wanted);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return -1 - low;
}
