/** Builtins over texts. */
import type { Json } from '@weft/kernel';
import { add } from '../arithmetic.js';
import type { Meter } from '../budget.js';
import { describe, numberText } from '../dump.js';
import { raise } from '../failure.js';
import { FORMATS } from '../formats.js';
import { occurrences, splitText, toCodePointOffsets } from '../text.js';
import { ELEMENT_BYTES, isArray, takeText } from '../value.js';
import { values, type BuiltinEntry } from './define.js';

const WHITE = /^[\p{White_Space}]$/u;

export const TEXTS: readonly BuiltinEntry[] = [
  values('startswith/1', (meter, input, prefix) => {
    const [text, start] = both('startswith', input, prefix!);
    meter.work(start.length >> 7);
    return text.startsWith(start);
  }),
  values('endswith/1', (meter, input, suffix) => {
    const [text, end] = both('endswith', input, suffix!);
    meter.work(end.length >> 7);
    return text.endsWith(end);
  }),
  values('ltrimstr/1', (meter, input, prefix) => withoutPrefix(meter, ...both('startswith', input, prefix!))),
  values('rtrimstr/1', (meter, input, suffix) => withoutSuffix(meter, ...both('endswith', input, suffix!))),
  values('trimstr/1', (meter, input, affix) => {
    const [text, cut] = both('startswith', input, affix!);
    return withoutSuffix(meter, withoutPrefix(meter, text, cut), cut);
  }),
  values('trim/0', (meter, input) => trimmed(meter, input, true, true)),
  values('ltrim/0', (meter, input) => trimmed(meter, input, true, false)),
  values('rtrim/0', (meter, input) => trimmed(meter, input, false, true)),
  values('split/1', (meter, input, separator) => {
    if (typeof input !== 'string' || typeof separator !== 'string') return raise('split input and separator must be strings');
    return splitText(meter, input, separator);
  }),
  values('join/1', join),
  values('ascii_downcase/0', (meter, input) => mapped(meter, 'ascii_downcase', input, /[A-Z]+/g, (run) => run.toLowerCase())),
  values('ascii_upcase/0', (meter, input) => mapped(meter, 'ascii_upcase', input, /[a-z]+/g, (run) => run.toUpperCase())),
  values('ascii/0', (meter, input) => (typeof input === 'number' && input >= 0 && input < 128 ? String.fromCharCode(input) : raise(`${describe(meter, input)} is not an ASCII code`))),
  values('explode/0', (meter, input) => {
    if (typeof input !== 'string') return raise('explode input must be a string');
    meter.work(input.length >> 1);
    meter.take(input.length * ELEMENT_BYTES);
    return Array.from(input, (character) => character.codePointAt(0)!);
  }),
  values('implode/0', implode),
  values('_strindices/1', (meter, input, needle) => {
    if (typeof input !== 'string') return raise(`${describe(meter, input)} cannot be searched, as it is not a string`);
    if (typeof needle !== 'string') return raise(`${describe(meter, needle!)} is not a string`);
    return toCodePointOffsets(meter, input, occurrences(meter, input, needle));
  }),
  values('format/1', (meter, input, name) => {
    if (typeof name === 'string' && Object.hasOwn(FORMATS, name)) return FORMATS[name as keyof typeof FORMATS](meter, input);
    return raise(`${describe(meter, name!)} is not a valid format`);
  }),
];

function both(name: string, input: Json, other: Json): readonly [string, string] {
  return typeof input === 'string' && typeof other === 'string' ? [input, other] : raise(`${name}() requires string inputs`);
}

function withoutPrefix(meter: Meter, text: string, prefix: string): string {
  meter.work(prefix.length >> 7);
  return text.startsWith(prefix) ? text.slice(prefix.length) : text;
}

function withoutSuffix(meter: Meter, text: string, suffix: string): string {
  meter.work(suffix.length >> 7);
  return text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text;
}

function trimmed(meter: Meter, input: Json, isLeft: boolean, isRight: boolean): string {
  if (typeof input !== 'string') return raise('trim input must be a string');
  let [start, end] = [0, input.length];
  if (isLeft) while (start < end && WHITE.test(input[start]!)) start++;
  if (isRight) while (end > start && WHITE.test(input[end - 1]!)) end--;
  meter.work(input.length - (end - start));
  return input.slice(start, end);
}

/** Texts, numbers and booleans with the separator between them; null counts as empty. */
function join(meter: Meter, input: Json, separator: Json | undefined): Json {
  if (!isArray(input)) return raise(`Cannot iterate over ${describe(meter, input)}`);
  if (typeof separator !== 'string') return input.length === 0 ? '' : raise(`${describe(meter, separator ?? null)} cannot join texts`);
  let joined = '';
  for (const [i, item] of input.entries()) {
    meter.step();
    const piece = item === null ? '' : typeof item === 'number' ? numberText(item) : typeof item === 'boolean' ? String(item) : item;
    const before = i === 0 ? '' : joined + separator;
    if (typeof piece !== 'string') return add(meter, before, piece);
    meter.take(separator.length + piece.length);
    joined = before + piece;
  }
  meter.work(joined.length >> 8);
  return joined;
}

function mapped(meter: Meter, name: string, input: Json, runs: RegExp, change: (run: string) => string): string {
  if (typeof input !== 'string') return raise(`${name} input must be a string`);
  meter.work(input.length >> 2);
  takeText(meter, input.length);
  return input.replace(runs, change);
}

function implode(meter: Meter, input: Json): string {
  if (!isArray(input)) return raise('implode input must be an array');
  let text = '';
  for (const point of input) {
    meter.step();
    meter.take(2);
    if (typeof point !== 'number' || Number.isNaN(point)) return raise(`${describe(meter, point)} can't be imploded, unicode codepoint needs to be numeric`);
    const whole = Math.trunc(point);
    const isScalar = whole >= 0 && whole <= 0x10ffff && (whole < 0xd800 || whole > 0xdfff);
    text += isScalar ? String.fromCodePoint(whole) : '\ufffd';
  }
  return text;
}
