/** Every name that comes with the language. */
import type { Definition } from '../ast.js';
import { parseDefinitions } from '../parser.js';
import { ELEMENT_BYTES } from '../value.js';
import { COLLECTIONS } from './collections.js';
import { CONTROL } from './control.js';
import { DATES } from './dates.js';
import { values, type Builtin, type BuiltinEntry } from './define.js';
import { MATH } from './math.js';
import { PATHS } from './paths.js';
import { REGULAR_EXPRESSIONS } from './regular-expressions.js';
import { STREAMS } from './streams.js';
import { SUPPLIED_TEXT } from './supplied.js';
import { TEXTS } from './texts.js';
import { TYPES } from './types.js';

/** Lists what there is, private names left out. */
const SELF: BuiltinEntry = values('builtins/0', (meter) => {
  const names = [...BUILTINS.keys(), ...SUPPLIED.keys()].filter((name) => !name.startsWith('_'));
  meter.work(names.length);
  meter.take(names.length * ELEMENT_BYTES);
  return names;
});

/** Builtins written in TypeScript, by name/arity. */
export const BUILTINS: ReadonlyMap<string, Builtin> = new Map([SELF, ...CONTROL, ...TYPES, ...COLLECTIONS, ...PATHS, ...TEXTS, ...REGULAR_EXPRESSIONS, ...MATH, ...DATES, ...STREAMS]);

/** Builtins written in jq, by name/arity. */
export const SUPPLIED: ReadonlyMap<string, Definition> = new Map(parseDefinitions(SUPPLIED_TEXT).map((definition) => [`${definition.name}/${definition.parameters.length}`, definition]));

const REASONS: readonly (readonly [reason: string, names: readonly string[]])[] = [
  ['the environment is out of reach', ['env']],
  ['it has one input only', ['input', 'inputs', 'input_filename', 'input_line_number']],
  ['it writes nothing but its output', ['debug', 'stderr', 'halt', 'halt_error']],
  ['it reads no files', ['modulemeta', 'get_search_list']],
];

const REFUSED: ReadonlyMap<string, string> = new Map(REASONS.flatMap(([reason, names]) => names.map((name) => [name, reason])));

/** Why a known name of jq is refused, as the end of "Expected ...", or undefined for a name jq does not know. */
export function refusal(name: string): string | undefined {
  const reason = REFUSED.get(name);
  return reason === undefined ? undefined : `an expression without "${name}" (${reason})`;
}
