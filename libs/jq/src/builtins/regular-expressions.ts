/** Builtins over regular expressions. Those that only rearrange matches are written in jq (`supplied.ts`). */
import type { Json } from '@weft/kernel';
import type { Meter } from '../budget.js';
import { describe } from '../dump.js';
import { raise } from '../failure.js';
import { editsOf, isMatch, matchesOf, regularExpression, type RegularExpression } from '../regex/regular-expression.js';
import { isArray, typeName } from '../value.js';
import { values, type BuiltinEntry } from './define.js';

export const REGULAR_EXPRESSIONS: readonly BuiltinEntry[] = [...matching('_matches', matchesOf), ...matching('test', isMatch), matching('_edits', editsOf)[1]];

/** A builtin over a pattern that may come with its flags in a list, and one over pattern and flags. */
function matching(name: string, apply: (meter: Meter, expression: RegularExpression, text: string) => Json): readonly [BuiltinEntry, BuiltinEntry] {
  const run = (meter: Meter, input: Json, pattern: Json, flags: Json): Json => {
    if (typeof input !== 'string') return raise(`${describe(meter, input)} cannot be matched, as it is not a string`);
    if (typeof pattern !== 'string') return raise(`${describe(meter, pattern)} cannot be matched, as it is not a string`);
    if (flags !== null && typeof flags !== 'string') return raise(`${describe(meter, flags)} is not a string`);
    return apply(meter, regularExpression(meter, pattern, flags ?? ''), input);
  };
  return [values(`${name}/1`, (meter, input, given) => run(meter, input, ...patternAndFlags(given!))), values(`${name}/2`, (meter, input, pattern, flags) => run(meter, input, pattern!, flags!))];
}

/** A pattern alone, or in a list with its flags. */
function patternAndFlags(given: Json): readonly [pattern: Json, flags: Json] {
  if (typeof given === 'string') return [given, null];
  if (isArray(given) && given.length > 0) return [given[0]!, given[1] ?? null];
  return raise(`${typeName(given)} not a string or array`);
}
