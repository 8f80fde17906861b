/** Builtins over regular expressions. Those that only rearrange matches are written in jq (`supplied.ts`). */
import type { Json } from '@weft/kernel';
import type { Meter } from '../budget.js';
import { describe } from '../dump.js';
import { raise } from '../failure.js';
import { editsOf, isMatch, matchesOf, regularExpression } from '../regex/regular-expression.js';
import { isArray, typeName } from '../value.js';
import { values, type BuiltinEntry } from './define.js';

export const REGULAR_EXPRESSIONS: readonly BuiltinEntry[] = [
  values('_matches/2', (meter, input, pattern, flags) => {
    const { text, expression } = prepared(meter, input, pattern!, flags!);
    return matchesOf(meter, expression, text);
  }),
  values('_edits/2', (meter, input, pattern, flags) => {
    const { text, expression } = prepared(meter, input, pattern!, flags!);
    return editsOf(meter, expression, text);
  }),
  values('test/2', (meter, input, pattern, flags) => {
    const { text, expression } = prepared(meter, input, pattern!, flags!);
    return isMatch(meter, expression, text);
  }),
  values('test/1', (meter, input, given) => {
    const [pattern, flags] = patternAndFlags(given!);
    const { text, expression } = prepared(meter, input, pattern, flags);
    return isMatch(meter, expression, text);
  }),
  values('_matches/1', (meter, input, given) => {
    const [pattern, flags] = patternAndFlags(given!);
    const { text, expression } = prepared(meter, input, pattern, flags);
    return matchesOf(meter, expression, text);
  }),
];

/** A pattern alone, or in a list with its flags. */
function patternAndFlags(given: Json): readonly [pattern: Json, flags: Json] {
  if (typeof given === 'string') return [given, null];
  if (isArray(given) && given.length > 0) return [given[0]!, given[1] ?? null];
  return raise(`${typeName(given)} not a string or array`);
}

function prepared(meter: Meter, input: Json, pattern: Json, flags: Json) {
  if (typeof input !== 'string') return raise(`${describe(meter, input)} cannot be matched, as it is not a string`);
  if (typeof pattern !== 'string') return raise(`${describe(meter, pattern)} cannot be matched, as it is not a string`);
  if (flags !== null && typeof flags !== 'string') return raise(`${describe(meter, flags)} is not a string`);
  return { text: input, expression: regularExpression(meter, pattern, flags ?? '') };
}
