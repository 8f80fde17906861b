/** Test files in the form of jq's own: a program, an input, the outputs; groups parted by blank lines. Source: jq's tests/jq.test. */
import type { Json } from '@weft/kernel';
import type { Budget } from './budget.js';
import { compile } from './expression.js';

/** One group that is not passed. */
export interface Miss {
  readonly program: string;
  /** What came instead, as a sentence. */
  readonly reason: string;
}

/** What became of a file. */
export interface SuiteResult {
  readonly passed: number;
  /** Without the skipped ones. */
  readonly total: number;
  /** Groups that import modules: they read files. */
  readonly skipped: number;
  readonly misses: readonly Miss[];
}

/** Far above what workflows get: the files try what is large and deep. */
const BUDGET: Budget = { steps: 20_000_000, depth: 100_000, bytes: 2 ** 30 };

const MODULES = /^\s*(import|include)\b|\bmodulemeta\b/;
const NOT_FINITE = /-?\b(?:nan|NaN)\b|-?\bInfinity\b/g;

/**
 * Runs the text of a test file. Its deepest groups nest 10,000 levels: whoever wants them to pass runs this on a stack of at
 * least 64 MiB, as a worker thread can have it.
 */
export function runSuite(text: string): SuiteResult {
  const groups = groupsOf(text);
  const own = groups.filter(([program = '', input = '']) => !MODULES.test(program.startsWith('%%FAIL') ? input : program));
  const misses = own.flatMap((group): Miss[] => {
    const reason = objectionTo(group);
    return reason === undefined ? [] : [{ program: group[0] ?? '', reason }];
  });
  return { passed: own.length - misses.length, total: own.length, skipped: groups.length - own.length, misses };
}

/** Groups of lines parted by blank lines; lines that start with # are comments. */
function groupsOf(text: string): string[][] {
  return text
    .replace(/^#.*\n/gm, '')
    .split(/\n\s*\n/)
    .map((group) => group.split('\n').filter((line) => line.trim() !== ''))
    .filter((group) => group.length > 0);
}

/** Why a group does not pass; undefined when it does. */
function objectionTo([program = '', input = '', ...expected]: readonly string[]): string | undefined {
  if (program.startsWith('%%FAIL')) return compile(input).ok ? 'Expected a text that is refused but it compiles.' : undefined;
  const compiled = compile(program);
  if (!compiled.ok) return compiled.failure.message;
  const wanted = expected.map((line) => canonical(parse(line)));
  const outcome = compiled.expression.all(parse(input), {}, { budget: BUDGET });
  if (outcome.ok) return differ(outcome.values, wanted);
  if (outcome.failure.code !== 'expression-failed') return outcome.failure.message;
  // An error may follow the outputs that are asked for.
  return wanted.length === 0 ? undefined : beforeTheError(program, parse(input), wanted, outcome.failure.message);
}

function beforeTheError(program: string, input: Json, wanted: readonly string[], message: string): string | undefined {
  const bounded = compile(`limit(${wanted.length}; ${program}\n)`);
  const outcome = bounded.ok ? bounded.expression.all(input, {}, { budget: BUDGET }) : undefined;
  return outcome?.ok ? differ(outcome.values, wanted) : message;
}

function differ(values: readonly Json[], wanted: readonly string[]): string | undefined {
  const got = values.map(canonical);
  return got.length === wanted.length && got.every((text, i) => text === wanted[i]) ? undefined : `Expected ${wanted.join(' ').slice(0, 200)} but got ${got.join(' ').slice(0, 200)}.`;
}

/** JSON as jq reads it: a byte order mark may precede it, and NaN is a number. */
function parse(text: string): Json {
  const json = text.replace(/^\ufeff/, '');
  try {
    return JSON.parse(json) as Json;
  } catch {
    const marked = JSON.parse(json.replace(NOT_FINITE, (word) => `"\\u0000${word}"`)) as Json;
    return restored(marked);
  }
}

function restored(value: Json): Json {
  if (typeof value === 'string') return value.startsWith('\u0000') ? (/nan/i.test(value) ? Number.NaN : value.includes('-') ? -Infinity : Infinity) : value;
  if (Array.isArray(value)) return value.map((item: Json) => restored(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, restored(item as Json)]));
}

/** One text for what is equal: keys sorted, NaN as null. */
function canonical(value: Json): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item === Infinity
        ? Number.MAX_VALUE
        : item === -Infinity
          ? -Number.MAX_VALUE
          : item,
  );
}
