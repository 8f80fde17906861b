/** How builtins are declared: as plain functions of values, or as builders over compiled arguments. */
import type { Json } from '@weft/kernel';
import type { Node } from '../ast.js';
import type { Meter } from '../budget.js';
import { many, single, type Code, type Emit, type Env } from '../code.js';

/** Builds the code of a call from its compiled arguments; the argument nodes tell what is written in the program. */
export type Builtin = (args: readonly Code[], nodes: readonly Node[]) => Code;

/** A row of a table of builtins: `name/arity` and how to build a call. */
export type BuiltinEntry = readonly [signature: string, builtin: Builtin];

/** A function of the input and of each argument's value. Undefined means no output. */
export type ValueFunction = (meter: Meter, input: Json, ...args: Json[]) => Json | undefined;

/** A builtin over values, for all combinations of its arguments; the last argument changes slowest unless `isFirstSlowest`. */
export function values(signature: string, apply: ValueFunction, isFirstSlowest = false): BuiltinEntry {
  return [signature, (args) => overValues(apply, args, isFirstSlowest)];
}

/** A builtin whose arguments are filters. */
export function filters(signature: string, builtin: Builtin): BuiltinEntry {
  return [signature, builtin];
}

function overValues(apply: ValueFunction, args: readonly Code[], isFirstSlowest: boolean): Code {
  const [first, second] = args;
  const one = first?.one;
  if (first === undefined) {
    return single((meter, _env, input) => {
      meter.step();
      return apply(meter, input);
    });
  }
  if (second === undefined && one !== undefined) {
    return single((meter, env, input) => {
      meter.step();
      const value = one(meter, env, input);
      return value === undefined ? undefined : apply(meter, input, value);
    });
  }
  const order = args.map((_, i) => (isFirstSlowest ? i : args.length - 1 - i));
  return fixedArity(args) ? singleOver(apply, args) : many((meter, env, input, emit) => combine(apply, args, order, meter, env, input, emit, [], 0));
}

function fixedArity(args: readonly Code[]): boolean {
  return args.every((arg) => arg.one !== undefined);
}

function singleOver(apply: ValueFunction, args: readonly Code[]): Code {
  const ones = args.map((arg) => arg.one!);
  return single((meter, env, input) => {
    meter.step();
    const given: Json[] = [];
    for (const one of ones) {
      const value = one(meter, env, input);
      if (value === undefined) return undefined;
      given.push(value);
    }
    return apply(meter, input, ...given);
  });
}

function combine(apply: ValueFunction, args: readonly Code[], order: readonly number[], meter: Meter, env: Env, input: Json, emit: Emit, chosen: readonly Json[], at: number): void {
  const position = order[at];
  if (position === undefined) {
    meter.step();
    const value = apply(meter, input, ...chosen);
    if (value !== undefined) emit(value);
    return;
  }
  args[position]!.each(meter, env, input, (value) => {
    const next = chosen.slice();
    next[position] = value;
    combine(apply, args, order, meter, env, input, emit, next, at + 1);
  });
}
