/** Texts as jq sees them: sequences of code points, searched in linear time. */
import type { Meter } from './budget.js';
import { ELEMENT_BYTES } from './value.js';

const LONG_NEEDLE_CHARACTERS = 32;

/** Number of code points. */
export function codePoints(meter: Meter, text: string): number {
  meter.work(text.length >> 4);
  let pairs = 0;
  for (let i = 0; i < text.length - 1; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      pairs++;
      i++;
    }
  }
  return text.length - pairs;
}

/** The code points from `from` (included) to `to` (excluded), both within bounds. */
export function sliceCodePoints(meter: Meter, text: string, from: number, to: number): string {
  const start = unitOffset(meter, text, 0, from);
  return text.slice(start, unitOffset(meter, text, start, to - from));
}

/** Every offset, in code units, at which the needle occurs; occurrences may overlap. An empty needle occurs nowhere. */
export function occurrences(meter: Meter, text: string, needle: string): number[] {
  const found: number[] = [];
  if (needle === '') return found;
  search(meter, text, needle, (at) => {
    meter.step();
    meter.take(ELEMENT_BYTES);
    found.push(at);
    return at + 1;
  });
  return found;
}

/** Whether the needle occurs in the text. */
export function includes(meter: Meter, text: string, needle: string): boolean {
  let isFound = needle === '';
  search(meter, text, needle, () => {
    isFound = true;
    return undefined;
  });
  return isFound;
}

/** The pieces between occurrences that do not overlap. An empty separator parts the code points; an empty text has no pieces. */
export function splitText(meter: Meter, text: string, separator: string): string[] {
  if (text === '') return [];
  if (separator === '') {
    meter.work(text.length >> 1);
    meter.take(text.length * ELEMENT_BYTES);
    return Array.from(text);
  }
  const pieces: string[] = [];
  let start = 0;
  search(meter, text, separator, (at) => {
    meter.step();
    meter.take(ELEMENT_BYTES + (at - start));
    pieces.push(text.slice(start, at));
    start = at + separator.length;
    return start;
  });
  pieces.push(text.slice(start));
  return pieces;
}

/** Translates ascending offsets in code units into offsets in code points. */
export function toCodePointOffsets(meter: Meter, text: string, offsets: readonly number[]): number[] {
  meter.work(text.length >> 4);
  let unit = 0;
  let point = 0;
  return offsets.map((offset) => {
    while (unit < offset) {
      unit += isPair(text, unit) ? 2 : 1;
      point++;
    }
    return point;
  });
}

/** `visit` gets each occurrence and answers where to go on, or undefined to stop. */
function search(meter: Meter, text: string, needle: string, visit: (at: number) => number | undefined): void {
  if (needle === '' || needle.length > text.length) return;
  if (needle.length > LONG_NEEDLE_CHARACTERS) return searchLong(meter, text, needle, visit);
  meter.work((text.length * needle.length) >> 9);
  let at = text.indexOf(needle);
  while (at >= 0) {
    const next = visit(at);
    if (next === undefined) return;
    at = text.indexOf(needle, next);
  }
}

/** Knuth, Morris, Pratt: the engine's own search is quadratic for long needles that nearly match everywhere. */
function searchLong(meter: Meter, text: string, needle: string, visit: (at: number) => number | undefined): void {
  meter.work((text.length + needle.length) >> 3);
  meter.take(needle.length * 4);
  const borders = new Int32Array(needle.length + 1);
  borders[0] = -1;
  for (let i = 0, border = -1; i < needle.length;) {
    while (border >= 0 && needle.charCodeAt(i) !== needle.charCodeAt(border)) border = borders[border]!;
    borders[++i] = ++border;
  }
  let matched = 0;
  let resumeAt = 0;
  for (let i = 0; i < text.length; i++) {
    while (matched >= 0 && text.charCodeAt(i) !== needle.charCodeAt(matched)) matched = borders[matched]!;
    matched++;
    if (matched < needle.length) continue;
    const at = i + 1 - matched;
    matched = borders[matched]!;
    if (at < resumeAt) continue;
    const next = visit(at);
    if (next === undefined) return;
    resumeAt = next;
  }
}

function isPair(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
}

function unitOffset(meter: Meter, text: string, start: number, points: number): number {
  meter.work(points >> 4);
  let unit = start;
  for (let i = 0; i < points; i++) unit += isPair(text, unit) ? 2 : 1;
  return unit;
}
