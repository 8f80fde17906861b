/** Values as JSON text, in jq's spelling. */
import type { Json, JsonObject } from '@weft/kernel';
import type { Meter } from './budget.js';
import { JQ_LEVELS_MAX } from './failure.js';
import { isArray, keysOf, takeText, typeName } from './value.js';

const DESCRIPTION_BYTES_MAX = 29;

/** A finite number for every number: NaN has no JSON and becomes null, infinities become the largest double. */
export function finite(value: number): number | null {
  if (Number.isFinite(value)) return value;
  if (Number.isNaN(value)) return null;
  return value > 0 ? Number.MAX_VALUE : -Number.MAX_VALUE;
}

/** A number in jq's spelling: the shortest digits that read back the same, fixed notation up to 17 digits and 15 zeros. */
export function numberText(value: number): string {
  if (Number.isSafeInteger(value)) return Object.is(value, -0) ? '-0' : String(value);
  const number = finite(value);
  if (number === null) return 'null';
  const [mantissa = '', exponentText = '0'] = Math.abs(number).toExponential().split('e');
  const digits = mantissa.replace('.', '');
  const point = Number(exponentText) + 1;
  const sign = number < 0 ? '-' : '';
  if (point <= -4 || point > digits.length + 15) {
    const exponent = String(Math.abs(point - 1)).padStart(2, '0');
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    return `${sign}${digits[0]}${fraction}e${point > 0 ? '+' : '-'}${exponent}`;
  }
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return sign + digits.padEnd(point, '0');
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** The value as compact JSON text. */
export function toJson(meter: Meter, value: Json): string {
  if (typeof value === 'string') return quoted(meter, value);
  if (typeof value === 'number') return numberText(value);
  const weight = nativeLength(meter, value, 0);
  if (Number.isNaN(weight)) return written(meter, value, 0);
  takeText(meter, weight);
  // The engine writes such values as jq does, and several times as fast as this file.
  const text = JSON.stringify(value);
  if (text.length > weight) takeText(meter, text.length - weight);
  return text;
}

/** About how long the engine's own text of the value is, or NaN when jq would spell some part of it in another way. */
function nativeLength(meter: Meter, value: Json, level: number): number {
  if (typeof value === 'string') return value.includes('\u007f') ? Number.NaN : value.length + 3;
  if (typeof value === 'number') return isSpeltAlike(value) ? 8 : Number.NaN;
  if (typeof value !== 'object' || value === null) return 5;
  meter.nesting(level);
  if (level > JQ_LEVELS_MAX) return Number.NaN;
  let length = 2;
  if (isArray(value)) {
    meter.work(1 + value.length);
    for (const item of value) length += nativeLength(meter, item, level + 1);
    return length;
  }
  const fields = value as JsonObject;
  for (const key of keysOf(meter, fields)) {
    meter.step();
    length += nativeLength(meter, key, level) + nativeLength(meter, fields[key]!, level + 1);
  }
  return length;
}

function isSpeltAlike(value: number): boolean {
  const magnitude = Math.abs(value);
  return magnitude < 1e15 && (magnitude >= 1e-4 || Object.is(value, 0));
}

function written(meter: Meter, value: Json, level: number): string {
  meter.step();
  if (typeof value === 'string') return quoted(meter, value);
  if (typeof value === 'number') return numberText(value);
  if (value === null || typeof value === 'boolean') return String(value);
  meter.nesting(level);
  if (level > JQ_LEVELS_MAX) return '<skipped: too deep>';
  let text = '';
  if (isArray(value)) {
    for (const item of value) text += (text === '' ? '' : ',') + written(meter, item, level + 1);
    takeText(meter, value.length + 2);
    return `[${text}]`;
  }
  const fields = value as JsonObject;
  for (const key of keysOf(meter, fields)) text += `${text === '' ? '' : ','}${quoted(meter, key)}:${written(meter, fields[key]!, level + 1)}`;
  takeText(meter, 2);
  return `{${text}}`;
}

/** A value in an error message: its type and the beginning of its JSON text. */
export function describe(meter: Meter, value: Json): string {
  return `${typeName(value)} (${excerpt(meter, value)})`;
}

/** The beginning of a value's JSON text, at most 29 bytes of UTF-8. */
export function excerpt(meter: Meter, value: Json): string {
  const dump = partial(meter, value, DESCRIPTION_BYTES_MAX + 1);
  if (utf8Bytes(dump) <= DESCRIPTION_BYTES_MAX) return dump;
  const closing = { '"': '"', '[': ']', '{': '}' }[dump[0] ?? ''] ?? '';
  let kept = '';
  let bytes = 3 + closing.length;
  for (const character of dump) {
    bytes += utf8Bytes(character);
    if (bytes > DESCRIPTION_BYTES_MAX) break;
    kept += character;
  }
  return `${kept}...${closing}`;
}

/** Bytes of a text in UTF-8. */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if ((unit & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      bytes += 4;
      i++;
    } else bytes += 3;
  }
  return bytes;
}

function quoted(meter: Meter, text: string): string {
  meter.work(text.length >> 5);
  takeText(meter, text.length + 3);
  const result = quote(text);
  const escapes = result.length - text.length - 2;
  meter.work(escapes >> 2);
  takeText(meter, escapes);
  return result;
}

function quote(text: string): string {
  const result = JSON.stringify(text);
  return result.includes('\u007f') ? result.replaceAll('\u007f', '\\u007f') : result;
}

/** The JSON text, cut somewhere after `lengthMin` characters. */
function partial(meter: Meter, value: Json, lengthMin: number): string {
  if (typeof value === 'string') return quote(value.slice(0, lengthMin));
  if (typeof value === 'number') return numberText(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (isArray(value)) return partialList(meter, '[', ']', value, lengthMin, (item, left) => partial(meter, item, left));
  const fields = value as JsonObject;
  return partialList(meter, '{', '}', keysOf(meter, fields), lengthMin, (key, left) => `${quote(key.slice(0, lengthMin))}:${partial(meter, fields[key]!, left)}`);
}

function partialList<T>(meter: Meter, open: string, close: string, items: readonly T[], lengthMin: number, write: (item: T, left: number) => string): string {
  let text = open;
  for (const item of items) {
    meter.step();
    if (text.length > lengthMin) return text;
    text += (text.length > 1 ? ',' : '') + write(item, Math.max(lengthMin - text.length, 0));
  }
  return text + close;
}
