/** Builtins that steer: choose, repeat, cut short, raise. */
import type { Json } from '@weft/kernel';
import { Sum } from '../arithmetic.js';
import type { Meter } from '../budget.js';
import { collect, firstOf, many, single, stoppable, type Code, type Emit, type EmitPath, type Env } from '../code.js';
import { describe } from '../dump.js';
import { Raised, raise } from '../failure.js';
import type { Path } from '../path.js';
import { ELEMENT_BYTES, FIELD_BYTES, isArray, isObject, isTrue, keysOf, newFields } from '../value.js';
import { filters, values, type BuiltinEntry } from './define.js';

export const CONTROL: readonly BuiltinEntry[] = [
  filters('empty/0', () =>
    single(
      () => undefined,
      () => undefined,
    ),
  ),
  values('error/0', (_meter, input) => {
    throw new Raised(input);
  }),
  values('error/1', (_meter, _input, value) => {
    throw new Raised(value!);
  }),
  values('not/0', (_meter, input) => !isTrue(input)),
  filters('select/1', ([condition]) => select(condition!)),
  filters('map/1', ([f]) => map(f!)),
  filters('recurse/0', () => recurse(CHILDREN)),
  filters('recurse/1', ([f]) => recurse(f!)),
  filters('recurse/2', ([f, condition]) => recurse(chain(f!, select(condition!)))),
  filters('repeat/1', ([f]) => repeat(f!)),
  filters('while/2', ([condition, update]) => whileTrue(condition!, update!)),
  filters('until/2', ([condition, update]) => until(condition!, update!)),
  filters('range/1', ([upto]) => range([ZERO, upto!, ONE])),
  filters('range/2', ([from, upto]) => range([from!, upto!, ONE])),
  filters('range/3', (args) => range(args)),
  filters('first/1', ([f]) => first(f!)),
  filters('last/1', ([f]) => last(f!)),
  filters('limit/2', ([count, f]) => counted(count!, limit(f!))),
  filters('skip/2', ([count, f]) => counted(count!, skip(f!))),
  filters('nth/2', ([position, f]) => counted(position!, nth(f!))),
  filters('isempty/1', ([f]) => single((meter, env, input) => firstOf(f!, meter, env, input) === undefined)),
  filters('any/0', () => anyOf(ITEMS, SELF, true)),
  filters('any/1', ([condition]) => anyOf(ITEMS, condition!, true)),
  filters('any/2', ([source, condition]) => anyOf(source!, condition!, true)),
  filters('all/0', () => anyOf(ITEMS, SELF, false)),
  filters('all/1', ([condition]) => anyOf(ITEMS, condition!, false)),
  filters('all/2', ([source, condition]) => anyOf(source!, condition!, false)),
  filters('add/1', ([f]) => sum(f!)),
  filters('walk/1', ([f]) => walk(f!)),
];

const SELF = single((_meter, _env, input) => input);
const ZERO = single(() => 0);
const ONE = single(() => 1);

/** The children of a container; nothing of anything else. */
const CHILDREN: Code = many(
  (meter, _env, input, emit) => eachChild(meter, input, (_key, child) => emit(child)),
  (meter, _env, path, input, emit) => eachChild(meter, input, (key, child) => emit(path && { key, parent: path, length: path.length + 1 }, child)),
);

function eachChild(meter: Meter, value: Json, visit: (key: Json, child: Json) => void): void {
  if (isArray(value)) {
    for (const [i, item] of value.entries()) {
      meter.step();
      visit(i, item);
    }
  } else if (isObject(value)) {
    for (const key of keysOf(meter, value)) {
      meter.step();
      visit(key, value[key]!);
    }
  }
}

function chain(left: Code, right: Code): Code {
  return many(
    (meter, env, input, emit) => left.each(meter, env, input, (value) => right.each(meter, env, value, emit)),
    (meter, env, path, input, emit) => left.paths(meter, env, path, input, (inner, value) => right.paths(meter, env, inner, value, emit)),
  );
}

function select(condition: Code): Code {
  const paths: Code['paths'] = (meter, env, path, input, emit) =>
    condition.each(meter, env, input, (verdict) => {
      if (isTrue(verdict)) emit(path, input);
    });
  const { one } = condition;
  if (one === undefined) {
    return many((meter, env, input, emit) => {
      condition.each(meter, env, input, (verdict) => {
        if (isTrue(verdict)) emit(input);
      });
    }, paths);
  }
  return single((meter, env, input) => {
    meter.step();
    const verdict = one(meter, env, input);
    return verdict !== undefined && isTrue(verdict) ? input : undefined;
  }, paths);
}

function map(f: Code): Code {
  const { one } = f;
  const items = chain(ITEMS, f);
  return single((meter, env, input) => {
    meter.step();
    if (one === undefined || !isArray(input)) return collect(items, meter, env, input);
    meter.take(FIELD_BYTES + input.length * ELEMENT_BYTES);
    const mapped: Json[] = [];
    for (const item of input) {
      meter.step();
      const value = one(meter, env, item);
      if (value !== undefined) mapped.push(value);
    }
    return mapped;
  });
}

const ITEMS: Code = many((meter, _env, input, emit) => {
  if (!isArray(input) && !isObject(input)) raise(`Cannot iterate over ${describe(meter, input)}`);
  eachChild(meter, input, (_key, child) => emit(child));
});

/** The input, then the same of each output of `f`. A single-valued `f` runs as a loop, without nesting. */
function recurse(f: Code): Code {
  const descend = (meter: Meter, env: Env, value: Json, emit: Emit): void => {
    meter.step();
    emit(value);
    meter.enter();
    f.each(meter, env, value, (child) => descend(meter, env, child, emit));
    meter.leave();
  };
  const descendPaths = (meter: Meter, env: Env, path: Path | undefined, value: Json, emit: EmitPath): void => {
    meter.step();
    emit(path, value);
    meter.enter();
    f.paths(meter, env, path, value, (inner, child) => descendPaths(meter, env, inner, child, emit));
    meter.leave();
  };
  const { one } = f;
  if (one === undefined) return many(descend, descendPaths);
  return many((meter, env, input, emit) => {
    for (let value: Json | undefined = input; value !== undefined; value = one(meter, env, value)) {
      meter.step();
      emit(value);
    }
  }, descendPaths);
}

/** The outputs of `f` on the same input, over and over: it ends by an error or when its receiver has enough. */
function repeat(f: Code): Code {
  return many((meter, env, input, emit) => {
    for (;;) {
      meter.step();
      f.each(meter, env, input, emit);
    }
  });
}

function whileTrue(condition: Code, update: Code): Code {
  const again = (meter: Meter, env: Env, value: Json, emit: Emit): void =>
    condition.each(meter, env, value, (verdict) => {
      meter.step();
      if (!isTrue(verdict)) return;
      emit(value);
      meter.enter();
      update.each(meter, env, value, (next) => again(meter, env, next, emit));
      meter.leave();
    });
  const [conditionOne, updateOne] = [condition.one, update.one];
  if (conditionOne === undefined || updateOne === undefined) return many(again);
  return many((meter, env, input, emit) => {
    for (let value: Json | undefined = input; value !== undefined; value = updateOne(meter, env, value)) {
      meter.step();
      if (!isTrue(conditionOne(meter, env, value) ?? false)) return;
      emit(value);
    }
  });
}

function until(condition: Code, update: Code): Code {
  const again = (meter: Meter, env: Env, value: Json, emit: Emit): void =>
    condition.each(meter, env, value, (verdict) => {
      meter.step();
      if (isTrue(verdict)) return emit(value);
      meter.enter();
      update.each(meter, env, value, (next) => again(meter, env, next, emit));
      meter.leave();
    });
  const [conditionOne, updateOne] = [condition.one, update.one];
  if (conditionOne === undefined || updateOne === undefined) return many(again);
  return single((meter, env, input) => {
    for (let value: Json | undefined = input; value !== undefined; value = updateOne(meter, env, value)) {
      meter.step();
      const verdict = conditionOne(meter, env, value);
      if (verdict === undefined) return undefined;
      if (isTrue(verdict)) return value;
    }
    return undefined;
  });
}

function range([from, upto, by]: readonly Code[]): Code {
  return many((meter, env, input, emit) =>
    from!.each(meter, env, input, (start) =>
      upto!.each(meter, env, input, (end) =>
        by!.each(meter, env, input, (stride) => {
          if (typeof start !== 'number' || typeof end !== 'number' || typeof stride !== 'number') return raise('Range bounds must be numeric');
          if (stride > 0) for (let value = start; value < end; value += stride) emit((meter.step(), value));
          else if (stride < 0) for (let value = start; value > end; value += stride) emit((meter.step(), value));
          else if (start < end) for (;;) emit((meter.step(), start));
        }),
      ),
    ),
  );
}

function first(f: Code): Code {
  return single(
    (meter, env, input) => firstOf(f, meter, env, input),
    (meter, env, path, input, emit) => {
      let found: (() => void) | undefined;
      stoppable(meter, (stop) =>
        f.paths(meter, env, path, input, (inner, value) => {
          found = () => emit(inner, value);
          throw stop;
        }),
      );
      found?.();
    },
  );
}

function last(f: Code): Code {
  return single(
    (meter, env, input) => {
      let found: Json | undefined;
      f.each(meter, env, input, (value) => {
        found = value;
      });
      return found;
    },
    (meter, env, path, input, emit) => {
      let found: (() => void) | undefined;
      f.paths(meter, env, path, input, (inner, value) => {
        found = () => emit(inner, value);
      });
      found?.();
    },
  );
}

/** What a counting builtin does with the outputs of its filter, by their position from 0 and the count it was given. */
interface Window {
  readonly name: string;
  readonly fault: string;
  readonly f: Code;
  readonly isOpen: (count: number) => boolean;
  readonly passes: (position: number, count: number) => boolean;
  readonly isLast: (position: number, count: number) => boolean;
}

function limit(f: Code): Window {
  return { name: 'limit', fault: 'negative count', f, isOpen: (count) => count > 0, passes: () => true, isLast: (position, count) => position + 1 >= count };
}

function skip(f: Code): Window {
  return { name: 'skip', fault: 'negative count', f, isOpen: () => true, passes: (position, count) => position >= count, isLast: () => false };
}

function nth(f: Code): Window {
  return {
    name: 'nth',
    fault: 'negative indices',
    f,
    isOpen: () => true,
    passes: (position, count) => position + 1 > count,
    isLast: (position, count) => position + 1 > count,
  };
}

function counted(count: Code, { name, fault, f, isOpen, passes, isLast }: Window): Code {
  const checked = (meter: Meter, value: Json): number => {
    if (typeof value !== 'number') return raise(`${name} needs a number, not ${describe(meter, value)}`);
    return value < 0 ? raise(`${name} doesn't support ${fault}`) : value;
  };
  const run = <T extends unknown[]>(meter: Meter, size: number, produce: (push: (...output: T) => void) => void, emit: (...output: T) => void): void => {
    if (!isOpen(size)) return;
    let position = 0;
    stoppable(meter, (stop) =>
      produce((...output) => {
        meter.step();
        const at = position++;
        if (passes(at, size)) emit(...output);
        if (isLast(at, size)) throw stop;
      }),
    );
  };
  return many(
    (meter, env, input, emit) => count.each(meter, env, input, (value) => run<[Json]>(meter, checked(meter, value), (push) => f.each(meter, env, input, push), emit)),
    (meter, env, path, input, emit) => count.each(meter, env, input, (value) => run<[Path | undefined, Json]>(meter, checked(meter, value), (push) => f.paths(meter, env, path, input, push), emit)),
  );
}

/** `any` looks for a true verdict, `all` for a false one; both stop at the first. */
function anyOf(source: Code, condition: Code, wanted: boolean): Code {
  return single((meter, env, input) => {
    let isFound = false;
    stoppable(meter, (stop) =>
      source.each(meter, env, input, (item) => {
        meter.step();
        condition.each(meter, env, item, (verdict) => {
          if (isTrue(verdict) !== wanted) return;
          isFound = true;
          throw stop;
        });
      }),
    );
    return isFound === wanted;
  });
}

function sum(f: Code): Code {
  return single((meter, env, input) => {
    const total = new Sum(meter);
    f.each(meter, env, input, (value) => total.add(value));
    return total.total;
  });
}

/** Applies `f` to every value from the leaves up. */
function walk(f: Code): Code {
  const within = (meter: Meter, env: Env, value: Json): Json => {
    meter.step();
    if (typeof value !== 'object' || value === null) return value;
    meter.enter();
    const changed = isArray(value) ? walkArray(meter, env, value) : walkObject(meter, env, value);
    meter.leave();
    return changed;
  };
  const walkArray = (meter: Meter, env: Env, value: readonly Json[]): Json => {
    const items: Json[] = [];
    for (const item of value) {
      const inner = within(meter, env, item);
      meter.take(ELEMENT_BYTES);
      if (f.one === undefined) f.each(meter, env, inner, (output) => items.push(output));
      else {
        const output = f.one(meter, env, inner);
        if (output !== undefined) items.push(output);
      }
    }
    return items;
  };
  const walkObject = (meter: Meter, env: Env, value: Json): Json => {
    const fields = newFields();
    if (!isObject(value)) return value;
    for (const key of keysOf(meter, value)) {
      const output = firstOf(f, meter, env, within(meter, env, value[key]!));
      meter.take(FIELD_BYTES);
      if (output !== undefined) fields[key] = output;
    }
    return fields;
  };
  const { one } = f;
  if (one === undefined) return many((meter, env, input, emit) => f.each(meter, env, within(meter, env, input), emit));
  return single((meter, env, input) => one(meter, env, within(meter, env, input)));
}
