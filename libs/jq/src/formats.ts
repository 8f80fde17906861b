/** The formats behind `@name`: values to text. Source: jq 1.7 manual, Format strings and escaping; RFC 3986, 4180, 4648. */
import type { Json } from '@weft/kernel';
import type { FormatName } from './ast.js';
import type { Meter } from './budget.js';
import { describe, numberText, toJson } from './dump.js';
import { raise } from './failure.js';
import { isArray, takeText } from './value.js';

type Format = (meter: Meter, value: Json) => string;

const HTML: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', "'": '&apos;', '"': '&quot;' };
const TSV: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\\': '\\\\', '\0': '\\0' };
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const HEX = '0123456789ABCDEF';
const URI_UNRESERVED = /^[A-Za-z0-9\-._~]$/;
/** Characters a format may make of one, at most; charged before the work. */
const GROWTH = 9;

/** Text stays as it is; all else becomes JSON. */
export function toText(meter: Meter, value: Json): string {
  return typeof value === 'string' ? value : toJson(meter, value);
}

/** What each format does with a value. */
export const FORMATS: Readonly<Record<FormatName, Format>> = {
  text: toText,
  json: toJson,
  csv: (meter, value) => row(meter, value, 'csv', ',', (text) => `"${text.replaceAll('"', '""')}"`),
  tsv: (meter, value) => row(meter, value, 'tsv', '\t', (text) => text.replace(/[\t\n\r\\\0]/g, (character) => TSV[character]!)),
  html: (meter, value) => charged(meter, toText(meter, value)).replace(/[<>&'"]/g, (character) => HTML[character]!),
  uri: (meter, value) => uri(charged(meter, toText(meter, value))),
  urid: (meter, value) => uriDecoded(meter, charged(meter, toText(meter, value))),
  sh: (meter, value) => (isArray(value) ? value.map((item) => shell(meter, item)).join(' ') : shell(meter, value)),
  base64: (meter, value) => encode(utf8(charged(meter, toText(meter, value))), BASE64, 6, 4),
  base64d: (meter, value) => base64Decoded(meter, charged(meter, toText(meter, value))),
  base32: (meter, value) => encode(utf8(charged(meter, toText(meter, value))), BASE32, 5, 8),
  base32d: (meter, value) => base32Decoded(meter, charged(meter, toText(meter, value))),
};

function charged(meter: Meter, text: string): string {
  meter.work(text.length);
  takeText(meter, text.length * GROWTH);
  return text;
}

function row(meter: Meter, value: Json, name: string, separator: string, escape: (text: string) => string): string {
  if (!isArray(value)) return raise(`${describe(meter, value)} cannot be ${name}-formatted, only an array can be`);
  const cells = value.map((cell) => {
    meter.step();
    if (cell === null) return '';
    if (typeof cell === 'number') return Number.isNaN(cell) ? '' : numberText(cell);
    if (typeof cell === 'boolean') return String(cell);
    if (typeof cell === 'string') return escape(charged(meter, cell));
    return raise(`${describe(meter, cell)} is not valid in a ${name} row`);
  });
  return cells.join(separator);
}

function shell(meter: Meter, value: Json): string {
  meter.step();
  if (typeof value === 'string') return `'${charged(meter, value).replaceAll("'", "'\\''")}'`;
  if (typeof value === 'object' && value !== null) return raise(`${describe(meter, value)} can not be escaped for shell`);
  return toJson(meter, value);
}

function uri(text: string): string {
  let encoded = '';
  for (const character of text) encoded += URI_UNRESERVED.test(character) ? character : percents(character);
  return encoded;
}

function percents(character: string): string {
  let encoded = '';
  for (const byte of utf8(character)) encoded += `%${HEX[byte >> 4]}${HEX[byte & 15]}`;
  return encoded;
}

function uriDecoded(meter: Meter, text: string): string {
  const fault = (): never => raise(`${describe(meter, text)} is not a valid uri encoding`);
  return text.replace(/(?:%[^]{0,2})+/g, (run) => {
    if (!/^(?:%[0-9a-fA-F]{2})+$/.test(run)) return fault();
    const bytes = run
      .slice(1)
      .split('%')
      .map((digits) => Number.parseInt(digits, 16));
    return utf8Decoded(bytes, true) ?? fault();
  });
}

/** UTF-8 bytes of a text; a lone surrogate becomes U+FFFD. Source: RFC 3629. */
export function utf8(text: string): number[] {
  const bytes: number[] = [];
  for (const character of text) {
    let point = character.codePointAt(0)!;
    if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd;
    if (point < 0x80) bytes.push(point);
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 63));
    else if (point < 0x10000) bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
    else bytes.push(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 63), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
  }
  return bytes;
}

/** The text of UTF-8 bytes. A wrong byte becomes U+FFFD, or with `isStrict` makes the whole undefined. */
function utf8Decoded(bytes: readonly number[], isStrict: boolean): string | undefined {
  let text = '';
  for (let i = 0; i < bytes.length;) {
    const [point, length] = sequenceAt(bytes, i);
    if (point < 0 && isStrict) return undefined;
    text += point < 0 ? '\ufffd' : String.fromCodePoint(point);
    i += length;
  }
  return text;
}

function sequenceAt(bytes: readonly number[], start: number): readonly [point: number, length: number] {
  const lead = bytes[start]!;
  if (lead < 0x80) return [lead, 1];
  const length = lead >= 0xf0 && lead < 0xf5 ? 4 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xc2 && lead < 0xe0 ? 2 : 0;
  if (length === 0) return [-1, 1];
  let point = lead & (0xff >> (length + 1));
  for (let i = 1; i < length; i++) {
    const byte = bytes[start + i];
    if (byte === undefined || (byte & 0xc0) !== 0x80) return [-1, i];
    point = (point << 6) | (byte & 0x3f);
  }
  const pointMin = length === 2 ? 0x80 : length === 3 ? 0x800 : 0x10000;
  const isValid = point >= pointMin && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
  return [isValid ? point : -1, length];
}

function encode(bytes: readonly number[], alphabet: string, bits: number, group: number): string {
  let encoded = '';
  let pending = 0;
  let held = 0;
  for (const byte of bytes) {
    pending = (pending << 8) | byte;
    held += 8;
    while (held >= bits) {
      held -= bits;
      encoded += alphabet[(pending >> held) & ((1 << bits) - 1)];
    }
    pending &= (1 << held) - 1;
  }
  if (held > 0) encoded += alphabet[(pending << (bits - held)) & ((1 << bits) - 1)];
  return encoded.padEnd(Math.ceil(encoded.length / group) * group, '=');
}

function decode(text: string, alphabet: string, bits: number): number[] | undefined {
  const bytes: number[] = [];
  let pending = 0;
  let held = 0;
  for (const character of text) {
    const value = alphabet.indexOf(character);
    if (value < 0) return undefined;
    pending = ((pending << bits) | value) & 0xffff;
    held += bits;
    if (held >= 8) {
      held -= 8;
      bytes.push((pending >> held) & 0xff);
    }
  }
  return bytes;
}

function base64Decoded(meter: Meter, text: string): string {
  const digits = withoutPadding(text);
  const bytes = decode(digits, BASE64, 6);
  if (bytes === undefined) return raise(`${describe(meter, text)} is not valid base64 data`);
  if (digits.length % 4 === 1) return raise(`${describe(meter, text)} trailing base64 byte found`);
  return utf8Decoded(bytes, false) ?? '';
}

function base32Decoded(meter: Meter, text: string): string {
  const bytes = decode(withoutPadding(text), BASE32, 5);
  if (bytes === undefined) return raise(`${describe(meter, text)} is not valid base32 data`);
  return utf8Decoded(bytes, false) ?? '';
}

function withoutPadding(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === '=') end--;
  return text.slice(0, end);
}
