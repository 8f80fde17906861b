/** jq's own test files, read from where the shared fixtures lie beside the repository or where WEFT_FIXTURES says. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { compile } from './expression.js';

const folder = process.env['WEFT_FIXTURES'] ?? fileURLToPath(new URL('../../../../shared/fixtures', import.meta.url));

/** Groups that pass today; the README of the package lists why the others do not. */
const FLOORS = { man: 229, jq: 519, base64: 10, uri: 20 } as const;

const budget = { steps: 20_000_000, depth: 10_000, bytes: 2 ** 30 };

describe.each(Object.entries(FLOORS))('%s.test of jq', (name, floor) => {
  const file = `${folder}/jq/${name}.test`;
  it.skipIf(!existsSync(file))(`passes at least ${floor} groups`, () => {
    const passed = groupsOf(readFileSync(file, 'utf8')).filter(passes);
    expect(passed.length).toBeGreaterThanOrEqual(floor);
  });
});

/** Groups of lines parted by blank lines; lines that start with # are comments. */
function groupsOf(text: string): string[][] {
  return text
    .replace(/^#.*\n/gm, '')
    .split(/\n\s*\n/)
    .map((group) => group.split('\n').filter((line) => line.trim() !== ''))
    .filter((group) => group.length > 0);
}

function passes([program = '', input = '', ...expected]: readonly string[]): boolean {
  if (program.startsWith('%%FAIL')) return !compile(input).ok;
  const compiled = compile(program);
  if (!compiled.ok) return false;
  const outcome = compiled.expression.all(parse(input), {}, { budget });
  if (!outcome.ok) return expected.length === 0 && outcome.failure.code === 'expression-failed';
  return isDeepStrictEqual(JSON.parse(JSON.stringify(outcome.values)), JSON.parse(JSON.stringify(expected.map(parse))));
}

/** JSON as jq reads it: a byte order mark may precede it, and NaN is a number. */
function parse(text: string): Json {
  const json = text.replace(/^\ufeff/, '');
  try {
    return JSON.parse(json) as Json;
  } catch {
    return JSON.parse(json.replace(/-?\b(?:nan|NaN)\b/g, 'null').replace(/\bInfinity\b/g, '1e999')) as Json;
  }
}
