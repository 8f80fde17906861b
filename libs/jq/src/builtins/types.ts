/** Builtins about what a value is, and conversions between types. */
import type { Json } from '@weft/kernel';
import type { Meter } from '../budget.js';
import { single } from '../code.js';
import { describe, excerpt, toJson, utf8Bytes } from '../dump.js';
import { JQ_LEVELS_MAX, raise } from '../failure.js';
import { jsonLevels, wordProblem } from '../json-text.js';
import { toText } from '../formats.js';
import { codePoints } from '../text.js';
import { isArray, isObject, keysOf, takeText, typeName } from '../value.js';
import { filters, values, type BuiltinEntry } from './define.js';

const NUMBER = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const NOT_A_NUMBER = /^-?nan$/i;
/** Longest text that is read as a number. */
const NUMBER_CHARACTERS_MAX = 1_000;

export const TYPES: readonly BuiltinEntry[] = [
  values('type/0', (_meter, input) => typeName(input)),
  values('length/0', length),
  values('utf8bytelength/0', (meter, input) => {
    if (typeof input !== 'string') return raise(`${describe(meter, input)} only strings have UTF-8 byte length`);
    meter.work(input.length >> 4);
    return utf8Bytes(input);
  }),
  values('tostring/0', toText),
  values('tonumber/0', toNumber),
  values('toboolean/0', (meter, input) => {
    if (typeof input === 'boolean') return input;
    if (input === 'true' || input === 'false') return input === 'true';
    return raise(`${describe(meter, input)} cannot be parsed as a boolean`);
  }),
  values('tojson/0', (meter, input) => toJson(meter, input)),
  values('fromjson/0', fromJson),
  values('infinite/0', () => Number.POSITIVE_INFINITY),
  values('nan/0', () => Number.NaN),
  values('isinfinite/0', (meter, input) => Math.abs(numeric(meter, input)) === Number.POSITIVE_INFINITY),
  values('isnan/0', (meter, input) => Number.isNaN(numeric(meter, input))),
  values('isnormal/0', (meter, input) => Number.isFinite(numeric(meter, input)) && Math.abs(numeric(meter, input)) >= 2 ** -1022),
  values('have_decnum/0', () => false),
  values('have_literal_numbers/0', () => true),
  selector('nulls', (value) => value === null),
  selector('booleans', (value) => typeof value === 'boolean'),
  selector('numbers', (value) => typeof value === 'number'),
  selector('strings', (value) => typeof value === 'string'),
  selector('arrays', isArray),
  selector('objects', isObject),
  selector('iterables', (value) => isArray(value) || isObject(value)),
  selector('scalars', (value) => !isArray(value) && !isObject(value)),
  selector('values', (value) => value !== null),
  selector('finites', (value) => typeof value === 'number' && Number.isFinite(value)),
  selector('normals', (value) => typeof value === 'number' && Number.isFinite(value) && Math.abs(value) >= 2 ** -1022),
];

/** The number, or an error of the expression. */
export function numeric(meter: Meter, value: Json): number {
  return typeof value === 'number' ? value : raise(`${describe(meter, value)} number required`);
}

/** A number from a number or from its text in JSON's spelling. */
export function toNumber(meter: Meter, input: Json): number {
  if (typeof input === 'number') return input;
  if (typeof input !== 'string') return raise(`${describe(meter, input)} cannot be parsed as a number`);
  meter.work(input.length >> 6);
  if (input.length <= NUMBER_CHARACTERS_MAX) {
    if (NUMBER.test(input)) return Number(input);
    if (NOT_A_NUMBER.test(input)) return Number.NaN;
  }
  return raise(`${describe(meter, input)} cannot be parsed as a number`);
}

function length(meter: Meter, input: Json): Json {
  if (typeof input === 'string') return codePoints(meter, input);
  if (typeof input === 'number') return Math.abs(input);
  if (input === null) return 0;
  if (isArray(input)) return input.length;
  if (isObject(input)) return keysOf(meter, input).length;
  return raise(`${describe(meter, input)} has no length`);
}

function fromJson(meter: Meter, input: Json): Json {
  if (typeof input !== 'string') return raise(`${describe(meter, input)} only strings can be parsed`);
  meter.work(input.length >> 2);
  takeText(meter, input.length * 4);
  if (NOT_A_NUMBER.test(input)) return Number.NaN;
  const fault = (what: string): never => raise(`${what} (while parsing '${excerpt(meter, input).slice(1, -1)}')`);
  if (jsonLevels(input) > JQ_LEVELS_MAX) return fault('Exceeds depth limit for parsing');
  try {
    return JSON.parse(input) as Json;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return fault(wordProblem(input) ?? 'Invalid JSON text');
    throw thrown;
  }
}

function selector(name: string, matches: (value: Json) => boolean): BuiltinEntry {
  return filters(`${name}/0`, () =>
    single(
      (meter, _env, input) => {
        meter.step();
        return matches(input) ? input : undefined;
      },
      (_meter, _env, path, input, emit) => {
        if (matches(input)) emit(path, input);
      },
    ),
  );
}
