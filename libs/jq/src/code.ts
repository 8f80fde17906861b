/** What a program is compiled into: closures that push their outputs. */
import type { Json } from '@weft/kernel';
import type { Meter } from './budget.js';
import { excerpt } from './dump.js';
import { Raised, raise } from './failure.js';
import type { Path } from './path.js';
import { ELEMENT_BYTES } from './value.js';

export type Emit = (value: Json) => void;
/** An undefined path marks a value that was computed, not reached: it has no place below the root. */
export type EmitPath = (path: Path | undefined, value: Json) => void;

/** Gives the only output, or undefined when there is none. */
export type One = (meter: Meter, env: Env, input: Json) => Json | undefined;
/** Pushes every output in order. A receiver that has enough throws a signal of its own. */
export type Each = (meter: Meter, env: Env, input: Json, emit: Emit) => void;
/** Pushes every output with its path, for an input that stands at a path itself. */
export type Paths = (meter: Meter, env: Env, path: Path | undefined, input: Json, emit: EmitPath) => void;

/** A compiled expression. `one` exists when there is never more than one output: the fast way, without callbacks. */
export interface Code {
  readonly one: One | undefined;
  readonly each: Each;
  readonly paths: Paths;
}

/** What a variable, a filter parameter or a label stands for, in an immutable list: backtracking needs no undo. */
export class Cell {
  constructor(
    readonly content: Json | Closure | Signal,
    readonly parent: Env,
  ) {}
}

export type Env = Cell | null;

/** An argument of a function: its code, and the surroundings it was written in. */
export class Closure {
  constructor(
    readonly code: Code,
    readonly env: Env,
  ) {}
}

/** Charged for catching something thrown: the engine takes about as long as for this many steps. */
export const THROW_STEPS = 20;

/** Thrown to leave what is producing outputs: `break`, and everything that needs only some of them. Compared by identity. */
export class Signal {}

/** Code with at most one output. Without `paths` its output counts as computed. */
export function single(one: One, paths?: Paths): Code {
  const each: Each = (meter, env, input, emit) => {
    const value = one(meter, env, input);
    if (value !== undefined) emit(value);
  };
  return { one, each, paths: paths ?? computed(each) };
}

/** Code with any number of outputs. Without `paths` its outputs count as computed. */
export function many(each: Each, paths?: Paths): Code {
  return { one: undefined, each, paths: paths ?? computed(each) };
}

/** The cell `hops` levels out. */
export function outward(env: Env, hops: number): Env {
  let cell = env;
  for (let i = hops; i > 0; i--) cell = cell!.parent;
  return cell;
}

/** The first output, or undefined; what follows it is not computed. */
export function firstOf(code: Code, meter: Meter, env: Env, input: Json): Json | undefined {
  if (code.one !== undefined) return code.one(meter, env, input);
  let first: Json | undefined;
  stoppable(meter, (stop) =>
    code.each(meter, env, input, (value) => {
      first = value;
      throw stop;
    }),
  );
  return first;
}

/** All outputs as one array. */
export function collect(code: Code, meter: Meter, env: Env, input: Json): Json[] {
  if (code.one !== undefined) {
    const value = code.one(meter, env, input);
    meter.take(ELEMENT_BYTES);
    return value === undefined ? [] : [value];
  }
  const values: Json[] = [];
  code.each(meter, env, input, (value) => {
    meter.step();
    meter.take(ELEMENT_BYTES);
    values.push(value);
  });
  return values;
}

/** Runs a producer that may be left early by throwing the signal it is given. */
export function stoppable(meter: Meter, produce: (stop: Signal) => void): void {
  const stop = new Signal();
  const { depth } = meter;
  try {
    produce(stop);
  } catch (thrown) {
    if (thrown !== stop) throw thrown;
    meter.depth = depth;
    meter.work(THROW_STEPS);
  }
}

/**
 * Runs a producer and answers the error it raised, if any. Errors raised by the receiver of its outputs pass through:
 * they come from what follows, not from the producer.
 */
export function attempt<T extends unknown[]>(meter: Meter, produce: (emit: (...output: T) => void) => void, emit: (...output: T) => void): Raised | undefined {
  const { depth } = meter;
  let passing: unknown;
  try {
    produce((...output) => {
      try {
        emit(...output);
      } catch (thrown) {
        passing = thrown;
        throw thrown;
      }
    });
    return undefined;
  } catch (thrown) {
    if (thrown === passing || !(thrown instanceof Raised)) throw thrown;
    meter.depth = depth;
    meter.work(THROW_STEPS);
    return thrown;
  }
}

/** The path itself; raises an error when the value was computed. */
export function reached(meter: Meter, path: Path | undefined, value: Json): Path {
  return path ?? raise(`Invalid path expression with result ${excerpt(meter, value)}`);
}

/** Outputs without paths. One that is the very input keeps the input's path, as in jq. */
function computed(each: Each): Paths {
  return (meter, env, path, input, emit) => each(meter, env, input, (value) => emit(value === input && typeof value !== 'string' ? path : undefined, value));
}
