import type { Json } from '@weft/kernel';
import type { Meter } from './budget.js';
import { finite } from './dump.js';
import { isArray, keysOf, newFields, type Fields } from './value.js';

/**
 * Makes a computed value fit to leave the evaluator: every number finite, nesting and size within the budget. Size counts as
 * JSON would write it, so that a small value which holds itself many times over does not explode in whoever stores it.
 * Parts that need no change are kept as they are.
 */
export function settle(meter: Meter, value: Json, level = 0): Json {
  if (typeof value === 'number') return finite(value);
  if (typeof value === 'string') {
    meter.take(value.length);
    return value;
  }
  if (typeof value !== 'object' || value === null) return value;
  meter.nesting(level);
  return isArray(value) ? settleArray(meter, value, level) : settleObject(meter, value as Readonly<Record<string, Json>>, level);
}

function settleArray(meter: Meter, value: readonly Json[], level: number): Json {
  let changed: Json[] | undefined;
  for (let i = 0; i < value.length; i++) {
    meter.step();
    const item = value[i]!;
    const settled = settle(meter, item, level + 1);
    if (!Object.is(settled, item)) (changed ??= value.slice())[i] = settled;
  }
  return changed ?? value;
}

function settleObject(meter: Meter, value: Readonly<Record<string, Json>>, level: number): Json {
  let changed: Fields | undefined;
  for (const key of keysOf(meter, value)) {
    meter.step();
    const item = value[key]!;
    const settled = settle(meter, item, level + 1);
    if (Object.is(settled, item)) continue;
    changed ??= Object.assign(newFields(), value);
    changed[key] = settled;
  }
  return changed ?? value;
}
