/** Reading, writing and deleting inside a value, by one key or by a path of keys. Values are copied before they change. */
import type { Json, JsonObject } from '@weft/kernel';
import type { Meter } from './budget.js';
import { describe } from './dump.js';
import { raise } from './failure.js';
import { compare, sortValues } from './ordering.js';
import { codePoints, occurrences, sliceCodePoints, toCodePointOffsets } from './text.js';
import { copyArray, copyObject, ELEMENT_BYTES, FIELD_BYTES, fieldOf, isArray, isObject, newFields, typeName, type Fields } from './value.js';

const ARRAY_INDEX_MAX = 536_870_911;
const PATH_KEYS_MAX = 10_000;

/**
 * Containers that one update has copied and nobody else has seen yet: they may be written in place,
 * which keeps an update of many paths linear.
 */
export type Owned = Set<object>;

/** `target[key]`: a field, an element, a slice, or the positions of a sub-array. What is not there is null. */
export function index(meter: Meter, target: Json, key: Json): Json {
  if (typeof key === 'string') {
    if (isObject(target)) return fieldOf(target, key);
    if (target === null) return null;
  } else if (typeof key === 'number') {
    if (isArray(target)) return elementOf(target, key);
    if (target === null) return null;
  } else if (isObject(key)) {
    if (target === null || isArray(target) || typeof target === 'string') return slice(meter, target, fieldOf(key, 'start'), fieldOf(key, 'end'));
  } else if (isArray(key)) {
    if (isArray(target)) return positionsOf(meter, target, key);
    if (target === null) return null;
  } else if (key === null && target === null) return null;
  return raise(`Cannot index ${typeName(target)} with ${describe(meter, key)}`);
}

/** `target[from:to]` of an array or of the code points of a text. Null bounds are open; null has only null slices. */
export function slice(meter: Meter, target: Json, from: Json, to: Json): Json {
  if (target === null) return null;
  if (typeof target === 'string') {
    const [start, end] = bounds(codePoints(meter, target), from, to);
    return sliceCodePoints(meter, target, start, end);
  }
  if (!isArray(target)) return raise(`Cannot index ${typeName(target)} with object`);
  const [start, end] = bounds(target.length, from, to);
  meter.work((end - start) >> 5);
  meter.take((end - start) * ELEMENT_BYTES);
  return target.slice(start, end);
}

/** Code point offsets (of a text) or element offsets (of an array) at which the needle occurs; null in null. */
export function indices(meter: Meter, target: Json, needle: Json): Json {
  if (target === null) return null;
  if (typeof target === 'string' && typeof needle === 'string') return toCodePointOffsets(meter, target, occurrences(meter, target, needle));
  if (isArray(target) && isArray(needle)) return positionsOf(meter, target, needle);
  if (isArray(target)) return positionsOf(meter, target, [needle]);
  return index(meter, target, needle);
}

/** The value at a path; null once something on the way is null. */
export function getPath(meter: Meter, root: Json, keys: readonly Json[]): Json {
  if (keys.length > PATH_KEYS_MAX) return raise('Path too deep');
  let value = root;
  for (const key of keys) {
    if (value === null) return null;
    meter.step();
    value = index(meter, value, key);
  }
  return value;
}

/** The root with the value at the path replaced. Missing containers are made; containers in `owned` are written in place. */
export function setPath(meter: Meter, root: Json, keys: readonly Json[], value: Json, owned: Owned): Json {
  if (keys.length > PATH_KEYS_MAX) return raise('Path too deep');
  const containers: Json[] = [];
  let container = root;
  for (const key of keys) {
    meter.step();
    containers.push(container);
    if (containers.length < keys.length) container = index(meter, container, key);
  }
  let changed = value;
  for (let i = keys.length - 1; i >= 0; i--) changed = setKey(meter, containers[i]!, keys[i]!, changed, owned);
  return changed;
}

/** The root without what the paths lead to. Paths that lead nowhere are ignored. */
export function deletePaths(meter: Meter, root: Json, paths: readonly Json[]): Json {
  for (const path of paths) {
    if (!isArray(path)) return raise('Path must be specified as an array');
    if (path.length > PATH_KEYS_MAX) return raise('Path too deep');
  }
  const sorted = sortValues(meter, [...(paths as readonly (readonly Json[])[])], (path) => path);
  if (sorted.length === 0) return root;
  return sorted[0]!.length === 0 ? null : deleteSorted(meter, root, sorted, 0);
}

function elementOf(array: readonly Json[], position: number): Json {
  const floor = Math.floor(position);
  return array[floor < 0 ? floor + array.length : floor] ?? null;
}

function positionsOf(meter: Meter, array: readonly Json[], part: readonly Json[]): Json {
  if (part.length === 0) return null;
  const found: number[] = [];
  for (let at = 0; at + part.length <= array.length; at++) {
    let same = 0;
    while (same < part.length && compare(meter, array[at + same]!, part[same]!) === 0) same++;
    if (same === part.length) found.push(at);
  }
  meter.take(found.length * ELEMENT_BYTES);
  return found;
}

function bounds(length: number, from: Json, to: Json): readonly [start: number, end: number] {
  if ((from !== null && typeof from !== 'number') || (to !== null && typeof to !== 'number')) {
    return raise('Start and end indices of an array slice must be numbers');
  }
  const place = (bound: number): number => Math.min(Math.max(bound < 0 ? bound + length : bound, 0), length);
  const start = from === null || Number.isNaN(from) ? 0 : Math.floor(place(from));
  const end = to === null || Number.isNaN(to) ? length : Math.ceil(place(to));
  return [start, Math.max(start, end)];
}

function setKey(meter: Meter, target: Json, key: Json, value: Json, owned: Owned): Json {
  if (typeof key === 'string') {
    if (target !== null && !isObject(target)) return raise(`Cannot index ${typeName(target)} with ${describe(meter, key)}`);
    const fields = writableFields(meter, target, owned);
    meter.take(FIELD_BYTES);
    fields[key] = value;
    return fields;
  }
  if (typeof key === 'number') {
    if (target !== null && !isArray(target)) return raise(`Cannot index ${typeName(target)} with ${describe(meter, key)}`);
    return setElement(meter, target, key, value, owned);
  }
  if (isObject(key)) {
    if (typeof target === 'string') return raise('Cannot update string slices');
    if (target !== null && !isArray(target)) return raise(`Cannot update field at object index of ${typeName(target)}`);
    return setSlice(meter, target ?? [], key, value, owned);
  }
  if (isArray(target)) return raise(`Cannot update field at ${typeName(key)} index of array`);
  return raise(`Cannot index ${typeName(target)} with ${describe(meter, key)}`);
}

function writableFields(meter: Meter, target: JsonObject | null, owned: Owned): Fields {
  if (target !== null && owned.has(target)) return target as Fields;
  const fields = target === null ? newFields() : copyObject(meter, target);
  owned.add(fields);
  return fields;
}

function setElement(meter: Meter, target: readonly Json[] | null, position: number, value: Json, owned: Owned): Json {
  if (Number.isNaN(position)) return raise('Cannot set array element at NaN index');
  const length = target?.length ?? 0;
  const at = Math.floor(position) + (position < 0 ? length : 0);
  if (at < 0) return raise('Out of bounds negative array index');
  if (at > ARRAY_INDEX_MAX) return raise('Array index too large');
  const grown = Math.max(at - length + 1, 0);
  meter.take(grown * ELEMENT_BYTES);
  meter.work(grown >> 3);
  let items: Json[];
  if (target !== null && owned.has(target)) items = target as Json[];
  else {
    items = target === null ? [] : copyArray(meter, target);
    owned.add(items);
  }
  while (items.length < at) items.push(null);
  items[at] = value;
  return items;
}

function setSlice(meter: Meter, target: readonly Json[], key: JsonObject, value: Json, owned: Owned): Json {
  const [start, end] = bounds(target.length, fieldOf(key, 'start'), fieldOf(key, 'end'));
  if (!isArray(value)) return raise('A slice of an array can only be assigned another array');
  meter.take((target.length + value.length) * ELEMENT_BYTES);
  meter.work((target.length + value.length) >> 4);
  const items = target.slice(0, start).concat(value, target.slice(end));
  owned.add(items);
  return items;
}

/** All paths are longer than `level` and share their keys before it. */
function deleteSorted(meter: Meter, target: Json, paths: readonly (readonly Json[])[], level: number): Json {
  meter.nesting(level);
  const doomed: Json[] = [];
  const owned: Owned = new Set();
  let result = target;
  for (let i = 0; i < paths.length;) {
    const key = paths[i]![level]!;
    let end = i + 1;
    while (end < paths.length && compare(meter, paths[end]![level]!, key) === 0) end++;
    // A path that ends here takes all that lie below it with it; sorting puts it first.
    if (paths[i]!.length === level + 1) doomed.push(key);
    else {
      const before = target === null ? null : index(meter, target, key);
      if (before !== null) {
        const after = deleteSorted(meter, before, paths.slice(i, end), level + 1);
        if (after !== before) result = setKey(meter, result, key, after, owned);
      }
    }
    meter.step();
    i = end;
  }
  return deleteKeys(meter, result, doomed);
}

function deleteKeys(meter: Meter, target: Json, keys: readonly Json[]): Json {
  if (target === null || keys.length === 0) return target;
  if (isObject(target)) {
    const fields = copyObject(meter, target);
    for (const key of keys) {
      if (typeof key !== 'string') return raise(`Cannot delete field at ${typeName(key)} index of object`);
      delete fields[key];
    }
    return fields;
  }
  if (!isArray(target)) return raise(`Cannot delete fields from ${typeName(target)}`);
  const doomed = new Set<number>();
  for (const key of keys) {
    if (typeof key === 'number') doomed.add(Math.floor(key) + (key < 0 ? target.length : 0));
    else if (isObject(key)) {
      const [start, end] = bounds(target.length, fieldOf(key, 'start'), fieldOf(key, 'end'));
      meter.work(end - start);
      for (let i = start; i < end; i++) doomed.add(i);
    } else return raise(`Cannot delete field at ${typeName(key)} index of array`);
  }
  meter.work(target.length >> 3);
  meter.take(target.length * ELEMENT_BYTES);
  return target.filter((_, i) => !doomed.has(i));
}
