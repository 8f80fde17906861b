/** A regular expression with its flags, compiled once, and its matches in a text as jq tells them. */
import type { Json } from '@weft/kernel';
import type { Meter } from '../budget.js';
import { raise } from '../failure.js';
import { ELEMENT_BYTES, FIELD_BYTES, newFields } from '../value.js';
import { parsePattern } from './parse-pattern.js';
import { programOf, type Program } from './program.js';
import { Searcher, type Slots } from './run-program.js';
import { PatternInvalid } from './syntax.js';

/** One that can be run. */
export interface RegularExpression {
  readonly program: Program;
  readonly names: readonly (string | null)[];
  readonly isGlobal: boolean;
  readonly isLongest: boolean;
  readonly skipsEmpty: boolean;
}

const FLAGS = /^[gimnpslx]*$/;
const TEXT_CHARACTERS_MAX = 4_096;
const COMPILED_MAX = 500;

// The same few come again and again; an expression compiles to the same program whoever asks.
const compiled = new Map<string, RegularExpression>();

/** Compiles a pattern with jq's flags: g all matches, i without case, x extended, s single line, n no empty matches, l longest, p dot matches line breaks. Raises jq's errors. */
export function regularExpression(meter: Meter, text: string, flags: string): RegularExpression {
  const key = `${flags}/${text}`;
  const known = compiled.get(key);
  if (known) return known;
  if (!FLAGS.test(flags) || flags.includes('m')) raise(`${flags} is not a valid modifier string`);
  if (text.length > TEXT_CHARACTERS_MAX) raise(`Expected a regex of at most ${TEXT_CHARACTERS_MAX} characters but got ${text.length}`);
  meter.work(text.length);
  const made = compiledFrom(text, flags);
  // Worth as much as a step for each instruction, also when it is kept: then others pay less.
  meter.work(made.program.length);
  if (compiled.size >= COMPILED_MAX) compiled.clear();
  compiled.set(key, made);
  return made;
}

function compiledFrom(text: string, flags: string): RegularExpression {
  try {
    const { pattern, names } = parsePattern(text, { ignoresCase: flags.includes('i'), dotMatchesAll: flags.includes('p'), isMultiline: false, isExtended: flags.includes('x') });
    return { program: programOf(pattern), names, isGlobal: flags.includes('g'), isLongest: flags.includes('l'), skipsEmpty: flags.includes('n') };
  } catch (thrown) {
    if (thrown instanceof PatternInvalid) return raise(`${text} (at offset 0) is not a valid regex: ${thrown.message}`);
    throw thrown;
  }
}

/** Whether it matches anywhere. */
export function isMatch(meter: Meter, expression: RegularExpression, text: string): boolean {
  return searcherOf(meter, expression, pointsOf(meter, text)).find(0) !== undefined;
}

/** Every match, or the first alone without the flag g: {offset, length, string, captures}, in code points. */
export function matchesOf(meter: Meter, expression: RegularExpression, text: string): Json[] {
  const points = pointsOf(meter, text);
  return found(meter, expression, points).map((slots) => matchOf(meter, expression, points, slots));
}

/** The same matches with the text before each, and what follows the last: {edits: [[gap, match]], tail}. */
export function editsOf(meter: Meter, expression: RegularExpression, text: string): Json {
  const points = pointsOf(meter, text);
  let from = 0;
  const edits = found(meter, expression, points).map((slots): Json => {
    const gap = textOf(meter, points, from, slots[0]!);
    from = slots[1]!;
    return [gap, matchOf(meter, expression, points, slots)];
  });
  const fields = newFields();
  fields['edits'] = edits;
  fields['tail'] = textOf(meter, points, from, points.length);
  return fields;
}

function found(meter: Meter, expression: RegularExpression, points: Int32Array): Slots[] {
  const searcher = searcherOf(meter, expression, points);
  const all: Slots[] = [];
  for (let from = 0; from <= points.length;) {
    const slots = searcher.find(from);
    if (!slots) break;
    meter.step();
    all.push(slots);
    if (!expression.isGlobal) break;
    from = slots[1]! === slots[0]! ? slots[1]! + 1 : slots[1]!;
  }
  return all;
}

const searcherOf = (meter: Meter, { program, names, isLongest, skipsEmpty }: RegularExpression, text: Int32Array): Searcher =>
  new Searcher(meter, { program, text, groups: names.length, isLongest, skipsEmpty });

function pointsOf(meter: Meter, text: string): Int32Array {
  meter.work(text.length >> 3);
  meter.take(text.length * 4);
  const points = new Int32Array(text.length);
  let count = 0;
  for (let at = 0; at < text.length; count++) {
    const point = text.codePointAt(at)!;
    points[count] = point;
    at += point > 0xffff ? 2 : 1;
  }
  return points.subarray(0, count);
}

function matchOf(meter: Meter, { names }: RegularExpression, points: Int32Array, slots: Slots): Json {
  meter.take(FIELD_BYTES * 4 + names.length * (FIELD_BYTES * 4 + ELEMENT_BYTES));
  meter.work(names.length * 2);
  const match = capture(meter, points, slots[0]!, slots[1]!);
  match['captures'] = names.map((name, i) => {
    const group = capture(meter, points, slots[i * 2 + 2]!, slots[i * 2 + 3]!);
    group['name'] = name;
    return group;
  });
  return match;
}

function capture(meter: Meter, points: Int32Array, start: number, end: number) {
  const fields = newFields();
  fields['offset'] = end < 0 ? -1 : start;
  fields['length'] = end < 0 ? 0 : end - start;
  fields['string'] = end < 0 ? null : textOf(meter, points, start, end);
  return fields;
}

const SLICE_POINTS = 8_192;

function textOf(meter: Meter, points: Int32Array, start: number, end: number): string {
  meter.work((end - start) >> 4);
  meter.take(end - start);
  let text = '';
  for (let at = start; at < end; at += SLICE_POINTS) text += String.fromCodePoint(...points.subarray(at, Math.min(end, at + SLICE_POINTS)));
  return text;
}
