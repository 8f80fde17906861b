/** Writing through paths: `=`, `|=` and the arithmetic updates. */
import type { Json } from '@weft/kernel';
import { deletePaths, getPath, setPath, type Owned } from './access.js';
import { BINARY } from './arithmetic.js';
import type { BinaryOperator, Node, UpdateOperator } from './ast.js';
import type { Meter } from './budget.js';
import { firstOf, many, reached, single, type Code, type Env, type One } from './code.js';
import { keysFrom, ROOT } from './path.js';
import { isTrue } from './value.js';

/** What becomes of the value at a path; undefined deletes it. */
type Change = (before: Json) => Json | undefined;

/** Applies a change wherever the target leads, against the original input; deletions come last and together. */
export type Modify = (meter: Meter, env: Env, input: Json, change: Change) => Json;

/** Compiles an update of `target`. `value` is the right side. */
export function compileUpdate(operator: UpdateOperator, targetNode: Node, target: Code, value: Code): Code {
  const modify = modifier(targetNode, target);
  if (operator === '|=') return single((meter, env, input) => modify(meter, env, input, (before) => firstOf(value, meter, env, before)));
  const change = changeOf(operator);
  const { one } = value;
  if (one === undefined) {
    return many((meter, env, input, emit) => value.each(meter, env, input, (right) => emit(modify(meter, env, input, (before) => change(meter, before, right)))));
  }
  const apply: One = (meter, env, input) => {
    const right = one(meter, env, input);
    return right === undefined ? undefined : modify(meter, env, input, (before) => change(meter, before, right));
  };
  return single(apply);
}

/** How the target of an update is walked: straight to one place when its keys are written in the program. */
export function modifier(targetNode: Node, target: Code): Modify {
  const keys = literalKeys(targetNode);
  if (keys !== undefined) {
    return (meter, _env, input, change) => {
      const after = change(getPath(meter, input, keys));
      return after === undefined ? deletePaths(meter, input, [keys]) : setPath(meter, input, keys, after, new Set());
    };
  }
  return (meter, env, input, change) => {
    let root = input;
    let owned: Owned = new Set();
    const doomed: Json[] = [];
    target.paths(meter, env, ROOT, input, (path, value) => {
      meter.step();
      const place = keysFrom(meter, reached(meter, path, value));
      const before = getPath(meter, root, place);
      // A change may keep what it is shown. What it is shown, or may hold, must not be written in place later.
      if (typeof before === 'object' && before !== null && (owned.has(before) || place.some((key) => typeof key === 'object'))) owned = new Set();
      const after = change(before);
      if (after === undefined) doomed.push(place);
      else root = setPath(meter, root, place, after, owned);
    });
    return doomed.length === 0 ? root : deletePaths(meter, root, doomed);
  };
}

function changeOf(operator: Exclude<UpdateOperator, '|='>): (meter: Meter, before: Json, right: Json) => Json {
  if (operator === '=') return (_meter, _before, right) => right;
  if (operator === '//=') return (_meter, before, right) => (isTrue(before) ? before : right);
  return BINARY[operator.slice(0, -1) as BinaryOperator];
}

/** The keys of a chain of fields and elements such as `.a.b[0]`, or undefined for any other target. */
function literalKeys(node: Node): Json[] | undefined {
  if (node.kind === 'identity') return [];
  if (node.kind !== 'index' || node.key.kind !== 'literal') return undefined;
  const keys = literalKeys(node.target);
  keys?.push(node.key.value);
  return keys;
}
