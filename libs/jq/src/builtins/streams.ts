/** Builtins over the streaming form of values: [path, leaf] and [path] events. */
import type { Json } from '@weft/kernel';
import { setPath, type Owned } from '../access.js';
import type { Meter } from '../budget.js';
import { many, type Code, type Emit } from '../code.js';
import { describe } from '../dump.js';
import { raise } from '../failure.js';
import { ELEMENT_BYTES, isArray, isObject, keysOf } from '../value.js';
import { filters, type BuiltinEntry } from './define.js';

export const STREAMS: readonly BuiltinEntry[] = [
  filters('tostream/0', () => many((meter, _env, input, emit) => stream(meter, input, [], emit))),
  filters('fromstream/1', ([events]) => fromStream(events!)),
];

function stream(meter: Meter, value: Json, path: readonly Json[], emit: Emit): void {
  meter.step();
  meter.nesting(path.length);
  meter.take((path.length + 3) * ELEMENT_BYTES);
  const keys: readonly Json[] = isArray(value) ? [...value.keys()] : isObject(value) ? keysOf(meter, value) : [];
  if (keys.length === 0) return emit([path, value]);
  for (const key of keys) stream(meter, (value as Readonly<Record<string | number, Json>>)[key as string | number]!, [...path, key], emit);
  emit([[...path, keys.at(-1)!]]);
}

/** Whole values from events: one is complete with a leaf at its top, or when the event that closes it has a path of one key. */
function fromStream(events: Code): Code {
  return many((meter, env, input, emit) => {
    let value: Json = null;
    let owned: Owned = new Set();
    events.each(meter, env, input, (event) => {
      meter.step();
      if (!isArray(event) || !isArray(event[0] ?? null)) return raise(`Invalid streaming format: ${describe(meter, event)}`);
      const path = event[0] as readonly Json[];
      const isLeaf = event.length > 1;
      if (isLeaf) value = setPath(meter, value, path, event[1]!, owned);
      if (isLeaf ? path.length > 0 : path.length > 1) return;
      const whole = value;
      value = null;
      owned = new Set();
      emit(whole);
    });
  });
}
