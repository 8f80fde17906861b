/** The compiler: each kind of node of the syntax tree becomes closures. Semantics: the jq manual, 1.7. */
import type { Json } from '@weft/kernel';
import { index, slice } from './access.js';
import { BINARY, negate } from './arithmetic.js';
import type { Node, ObjectField } from './ast.js';
import type { Meter } from './budget.js';
import { compileCall, compileDefinition } from './call.js';
import { attempt, Cell, collect, many, outward, Signal, single, THROW_STEPS, type Code, type Emit, type EmitPath, type Env, type One } from './code.js';
import { describe, excerpt } from './dump.js';
import { Raised, raise, SyntaxFault } from './failure.js';
import { FORMATS } from './formats.js';
import { below, type Path } from './path.js';
import { bindEach, compileBinding } from './pattern.js';
import { hopsTo, withCell, withFunction, type Scope } from './scope.js';
import { compileUpdate } from './update.js';
import { FIELD_BYTES, fieldOf, isArray, isObject, isTrue, keysOf, newFields, takeText } from './value.js';

/** Compiles a node in its scope. Throws `SyntaxFault` for names that mean nothing. */
export function compileNode(node: Node, scope: Scope): Code {
  switch (node.kind) {
    case 'identity':
      return IDENTITY;
    case 'descend':
      return DESCEND;
    case 'literal': {
      const { value } = node;
      return single(() => value);
    }
    case 'text':
      return compileText(node, scope);
    case 'format': {
      const format = FORMATS[node.format];
      return single((meter, _env, input) => format(meter, input));
    }
    case 'index':
      return compileIndex(node, scope);
    case 'slice':
      return compileSlice(node, scope);
    case 'iterate':
      return compileIterate(compileNode(node.target, scope));
    case 'comma':
      return compileComma(node.items.map((item) => compileNode(item, scope)));
    case 'pipe':
      return pipe(compileNode(node.left, scope), compileNode(node.right, scope));
    case 'binary':
      return lifted(compileNode(node.left, scope), compileNode(node.right, scope), BINARY[node.operator]);
    case 'logic':
      return compileLogic(node.operator === 'and', compileNode(node.left, scope), compileNode(node.right, scope));
    case 'alternative':
      return compileAlternative(compileNode(node.left, scope), compileNode(node.right, scope));
    case 'update':
      return compileUpdate(node.operator, node.target, compileNode(node.target, scope), compileNode(node.value, scope));
    case 'negate':
      return pipe(
        compileNode(node.operand, scope),
        single((meter, _env, input) => negate(meter, input)),
      );
    case 'if':
      return compileIf(node, scope);
    case 'try':
      return compileTry(compileNode(node.body, scope), node.handler === undefined ? undefined : compileNode(node.handler, scope));
    case 'reduce':
      return compileReduce(node, scope);
    case 'foreach':
      return compileForeach(node, scope);
    case 'bind':
      return compileBind(node, scope);
    case 'define':
      return compileNode(node.body, withFunction(scope, compileDefinition(node.definition, scope, compileNode)));
    case 'call':
      return compileCall(node, scope, compileNode);
    case 'variable':
      return compileVariable(node, scope);
    case 'label':
      return compileLabel(node, scope);
    case 'break': {
      const hops = hopsTo(scope, 'label', node.name);
      if (hops === undefined) throw new SyntaxFault('"break" inside its label', JSON.stringify(`break $${node.name}`), node.at);
      const leave = (env: Env): never => {
        throw outward(env, hops)!.content;
      };
      return single((_meter, env) => leave(env));
    }
    case 'array':
      return compileArray(node.items === undefined ? undefined : compileNode(node.items, scope));
    case 'object':
      return compileObject(node.fields, scope);
  }
}

const IDENTITY: Code = {
  one: (_meter, _env, input) => input,
  each: (_meter, _env, input, emit) => emit(input),
  paths: (_meter, _env, path, input, emit) => emit(path, input),
};

const DESCEND: Code = many(
  (meter, _env, input, emit) => descend(meter, input, emit),
  (meter, _env, path, input, emit) => descendPaths(meter, path, input, emit),
);

function descend(meter: Meter, value: Json, emit: Emit): void {
  meter.step();
  emit(value);
  if (typeof value !== 'object' || value === null) return;
  meter.enter();
  if (isArray(value)) for (const item of value) descend(meter, item, emit);
  else if (isObject(value)) for (const key of keysOf(meter, value)) descend(meter, value[key]!, emit);
  meter.leave();
}

function descendPaths(meter: Meter, path: Path | undefined, value: Json, emit: EmitPath): void {
  meter.step();
  emit(path, value);
  if (typeof value !== 'object' || value === null) return;
  meter.enter();
  eachPath(meter, path, value, (inner, item) => descendPaths(meter, inner, item, emit));
  meter.leave();
}

/** The children of a container with their paths. */
function eachPath(meter: Meter, path: Path | undefined, value: Json, emit: EmitPath): void {
  const parent = path ?? raise(`Invalid path expression near attempt to iterate through ${excerpt(meter, value)}`);
  if (isArray(value)) {
    for (const [i, item] of value.entries()) {
      meter.step();
      emit(below(parent, i), item);
    }
  } else if (isObject(value)) {
    for (const key of keysOf(meter, value)) {
      meter.step();
      emit(below(parent, key), value[key]!);
    }
  } else raise(`Cannot iterate over ${describe(meter, value)}`);
}

function step(meter: Meter, path: Path | undefined, key: Json, value: Json): Path {
  return below(path ?? raise(`Invalid path expression near attempt to access element ${excerpt(meter, key)} of ${excerpt(meter, value)}`), key);
}

/** The left side's outputs, each as the input of the right side. */
export function pipe(left: Code, right: Code): Code {
  if (left === IDENTITY) return right;
  if (right === IDENTITY) return left;
  const paths: Code['paths'] = (meter, env, path, input, emit) => left.paths(meter, env, path, input, (inner, value) => right.paths(meter, env, inner, value, emit));
  const [leftOne, rightOne] = [left.one, right.one];
  if (leftOne !== undefined && rightOne !== undefined) {
    return single((meter, env, input) => {
      const value = leftOne(meter, env, input);
      return value === undefined ? undefined : rightOne(meter, env, value);
    }, paths);
  }
  if (leftOne !== undefined) {
    return many((meter, env, input, emit) => {
      const value = leftOne(meter, env, input);
      if (value !== undefined) right.each(meter, env, value, emit);
    }, paths);
  }
  return many((meter, env, input, emit) => left.each(meter, env, input, (value) => right.each(meter, env, value, emit)), paths);
}

/** A function of two values over all combinations; the right side's outputs change slowest. */
function lifted(left: Code, right: Code, apply: (meter: Meter, left: Json, right: Json) => Json): Code {
  const [leftOne, rightOne] = [left.one, right.one];
  if (leftOne !== undefined && rightOne !== undefined) {
    return single((meter, env, input) => {
      meter.step();
      const b = rightOne(meter, env, input);
      if (b === undefined) return undefined;
      const a = leftOne(meter, env, input);
      return a === undefined ? undefined : apply(meter, a, b);
    });
  }
  return many((meter, env, input, emit) =>
    right.each(meter, env, input, (b) =>
      left.each(meter, env, input, (a) => {
        meter.step();
        emit(apply(meter, a, b));
      }),
    ),
  );
}

function compileIndex(node: Extract<Node, { kind: 'index' }>, scope: Scope): Code {
  const target = compileNode(node.target, scope);
  if (node.key.kind === 'literal') return pipe(target, keyed(node.key.value));
  const key = compileNode(node.key, scope);
  const paths: Code['paths'] = (meter, env, path, input, emit) =>
    key.each(meter, env, input, (name) =>
      target.paths(meter, env, path, input, (inner, value) => {
        meter.step();
        emit(step(meter, inner, name, value), index(meter, value, name));
      }),
    );
  const { one, each } = lifted(target, key, index);
  return { one, each, paths };
}

/** A field or element whose key is written in the program. */
function keyed(key: Json): Code {
  const paths: Code['paths'] = (meter, _env, path, value, emit) => {
    meter.step();
    emit(step(meter, path, key, value), index(meter, value, key));
  };
  if (typeof key !== 'string') {
    return single((meter, _env, value) => {
      meter.step();
      return index(meter, value, key);
    }, paths);
  }
  return single((meter, _env, value) => {
    meter.step();
    return isObject(value) ? fieldOf(value, key) : index(meter, value, key);
  }, paths);
}

function compileSlice(node: Extract<Node, { kind: 'slice' }>, scope: Scope): Code {
  const target = compileNode(node.target, scope);
  const from = node.from === undefined ? NULL : compileNode(node.from, scope);
  const to = node.to === undefined ? NULL : compileNode(node.to, scope);
  const range: Code = lifted(to, from, (_meter, end, start) => sliceKey(start, end));
  const { one, each } = lifted(target, range, (meter, value, key) => {
    const { start, end } = key as { readonly start: Json; readonly end: Json };
    return slice(meter, value, start, end);
  });
  return {
    one,
    each,
    paths: (meter, env, path, input, emit) =>
      range.each(meter, env, input, (key) => target.paths(meter, env, path, input, (inner, value) => emit(step(meter, inner, key, value), index(meter, value, key)))),
  };
}

const NULL: Code = single(() => null);

function sliceKey(start: Json, end: Json): Json {
  const key = newFields();
  key['start'] = start;
  key['end'] = end;
  return key;
}

function compileIterate(target: Code): Code {
  return pipe(target, ITERATE);
}

const ITERATE: Code = many(
  (meter, _env, value, emit) => {
    if (isArray(value)) {
      for (const item of value) {
        meter.step();
        emit(item);
      }
    } else if (isObject(value)) {
      for (const key of keysOf(meter, value)) {
        meter.step();
        emit(value[key]!);
      }
    } else raise(`Cannot iterate over ${describe(meter, value)}`);
  },
  (meter, _env, path, value, emit) => eachPath(meter, path, value, emit),
);

function compileComma(items: readonly Code[]): Code {
  return many(
    (meter, env, input, emit) => {
      for (const item of items) {
        meter.step();
        item.each(meter, env, input, emit);
      }
    },
    (meter, env, path, input, emit) => {
      for (const item of items) {
        meter.step();
        item.paths(meter, env, path, input, emit);
      }
    },
  );
}

function compileLogic(isAnd: boolean, left: Code, right: Code): Code {
  const [leftOne, rightOne] = [left.one, right.one];
  if (leftOne !== undefined && rightOne !== undefined) {
    return single((meter, env, input) => {
      meter.step();
      const a = leftOne(meter, env, input);
      if (a === undefined) return undefined;
      if (isTrue(a) !== isAnd) return !isAnd;
      const b = rightOne(meter, env, input);
      return b === undefined ? undefined : isTrue(b);
    });
  }
  return many((meter, env, input, emit) =>
    left.each(meter, env, input, (a) => {
      meter.step();
      if (isTrue(a) !== isAnd) emit(!isAnd);
      else right.each(meter, env, input, (b) => emit(isTrue(b)));
    }),
  );
}

/** `left // right`: the true outputs of the left side, whose errors count as no output; the right side when there are none. */
function compileAlternative(left: Code, right: Code): Code {
  const each: Code['each'] = (meter, env, input, emit) => {
    let isFound = false;
    attempt<[Json]>(
      meter,
      (push) =>
        left.each(meter, env, input, (value) => {
          if (!isTrue(value)) return;
          isFound = true;
          push(value);
        }),
      emit,
    );
    if (!isFound) right.each(meter, env, input, emit);
  };
  const paths: Code['paths'] = (meter, env, path, input, emit) => {
    let isFound = false;
    attempt<[Path | undefined, Json]>(
      meter,
      (push) =>
        left.paths(meter, env, path, input, (inner, value) => {
          if (!isTrue(value)) return;
          isFound = true;
          push(inner, value);
        }),
      emit,
    );
    if (!isFound) right.paths(meter, env, path, input, emit);
  };
  const [leftOne, rightOne] = [left.one, right.one];
  if (leftOne === undefined || rightOne === undefined) return many(each, paths);
  return single((meter, env, input) => {
    meter.step();
    const value = quiet(leftOne, meter, env, input);
    return value !== undefined && isTrue(value) ? value : rightOne(meter, env, input);
  }, paths);
}

/** The output, or undefined when there is none or an error was raised. */
function quiet(one: One, meter: Meter, env: Env, input: Json): Json | undefined {
  const { depth } = meter;
  try {
    return one(meter, env, input);
  } catch (thrown) {
    if (!(thrown instanceof Raised)) throw thrown;
    meter.depth = depth;
    meter.work(THROW_STEPS);
    return undefined;
  }
}

function compileIf(node: Extract<Node, { kind: 'if' }>, scope: Scope): Code {
  const condition = compileNode(node.condition, scope);
  const whenTrue = compileNode(node.whenTrue, scope);
  const whenFalse = node.whenFalse === undefined ? IDENTITY : compileNode(node.whenFalse, scope);
  const paths: Code['paths'] = (meter, env, path, input, emit) =>
    condition.each(meter, env, input, (verdict) => {
      meter.step();
      (isTrue(verdict) ? whenTrue : whenFalse).paths(meter, env, path, input, emit);
    });
  const [conditionOne, trueOne, falseOne] = [condition.one, whenTrue.one, whenFalse.one];
  if (conditionOne !== undefined && trueOne !== undefined && falseOne !== undefined) {
    return single((meter, env, input) => {
      meter.step();
      const verdict = conditionOne(meter, env, input);
      if (verdict === undefined) return undefined;
      return isTrue(verdict) ? trueOne(meter, env, input) : falseOne(meter, env, input);
    }, paths);
  }
  return many(
    (meter, env, input, emit) =>
      condition.each(meter, env, input, (verdict) => {
        meter.step();
        (isTrue(verdict) ? whenTrue : whenFalse).each(meter, env, input, emit);
      }),
    paths,
  );
}

function compileTry(body: Code, handler: Code | undefined): Code {
  const paths: Code['paths'] = (meter, env, path, input, emit) => {
    const error = attempt<[Path | undefined, Json]>(meter, (push) => body.paths(meter, env, path, input, push), emit);
    if (error !== undefined) handler?.each(meter, env, error.value, (value) => emit(undefined, value));
  };
  const { one } = body;
  const handlerOne = handler === undefined ? nothing : handler.one;
  if (one !== undefined && handlerOne !== undefined) {
    return single((meter, env, input) => {
      meter.step();
      const { depth } = meter;
      let error: Json;
      try {
        return one(meter, env, input);
      } catch (thrown) {
        if (!(thrown instanceof Raised)) throw thrown;
        meter.depth = depth;
        meter.work(THROW_STEPS);
        error = thrown.value;
      }
      return handlerOne(meter, env, error);
    }, paths);
  }
  return many((meter, env, input, emit) => {
    meter.step();
    const error = attempt<[Json]>(meter, (push) => body.each(meter, env, input, push), emit);
    if (error !== undefined) handler?.each(meter, env, error.value, emit);
  }, paths);
}

const nothing: One = () => undefined;

function compileReduce(node: Extract<Node, { kind: 'reduce' }>, scope: Scope): Code {
  const source = compileNode(node.source, scope);
  const initial = compileNode(node.initial, scope);
  const binding = compileBinding(node.patterns, scope, compileNode);
  const update = compileNode(node.update, binding.scope);
  const bindOne = binding.one;
  const updateOne = update.one;
  const last = (meter: Meter, env: Env, state: Json): Json => {
    if (updateOne !== undefined) return updateOne(meter, env, state) ?? null;
    let after: Json = null;
    update.each(meter, env, state, (value) => {
      after = value;
    });
    return after;
  };
  const fold = (meter: Meter, env: Env, input: Json, start: Json): Json => {
    let state = start;
    source.each(meter, env, input, (item) => {
      meter.step();
      if (bindOne !== undefined) state = last(meter, bindOne(meter, env, item), state);
      else
        bindEach<[]>(
          binding,
          meter,
          env,
          item,
          (inner) => {
            state = last(meter, inner, state);
          },
          ignore,
        );
    });
    return state;
  };
  const paths: Code['paths'] = (meter, env, path, input, emit) =>
    initial.paths(meter, env, path, input, (startPath, start) => {
      let [at, state] = [startPath, start];
      source.each(meter, env, input, (item) => {
        meter.step();
        const advance = (inner: Env): void => {
          let [nextAt, next]: [Path | undefined, Json] = [undefined, null];
          update.paths(meter, inner, at, state, (...reachedNow) => {
            [nextAt, next] = reachedNow;
          });
          [at, state] = [nextAt, next];
        };
        bindEach<[]>(binding, meter, env, item, advance, ignore);
      });
      emit(at, state);
    });
  const { one } = initial;
  if (one === undefined) return many((meter, env, input, emit) => initial.each(meter, env, input, (start) => emit(fold(meter, env, input, start))), paths);
  return single((meter, env, input) => {
    const start = one(meter, env, input);
    return start === undefined ? undefined : fold(meter, env, input, start);
  }, paths);
}

function ignore(): void {}

function compileForeach(node: Extract<Node, { kind: 'foreach' }>, scope: Scope): Code {
  const source = compileNode(node.source, scope);
  const initial = compileNode(node.initial, scope);
  const binding = compileBinding(node.patterns, scope, compileNode);
  const update = compileNode(node.update, binding.scope);
  const extract = node.extract === undefined ? IDENTITY : compileNode(node.extract, binding.scope);
  return many(
    (meter, env, input, emit) =>
      initial.each(meter, env, input, (start) => {
        let state = start;
        const advance = (inner: Env, push: Emit): void =>
          update.each(meter, inner, state, (after) => {
            state = after;
            extract.each(meter, inner, after, push);
          });
        source.each(meter, env, input, (item) => {
          meter.step();
          bindEach<[Json]>(binding, meter, env, item, advance, emit);
        });
      }),
    (meter, env, path, input, emit) =>
      initial.paths(meter, env, path, input, (startPath, start) => {
        let [at, state] = [startPath, start];
        const advance = (inner: Env, push: EmitPath): void =>
          update.paths(meter, inner, at, state, (afterPath, after) => {
            [at, state] = [afterPath, after];
            extract.paths(meter, inner, afterPath, after, push);
          });
        source.each(meter, env, input, (item) => {
          meter.step();
          bindEach<[Path | undefined, Json]>(binding, meter, env, item, advance, emit);
        });
      }),
  );
}

function compileBind(node: Extract<Node, { kind: 'bind' }>, scope: Scope): Code {
  const source = compileNode(node.source, scope);
  const binding = compileBinding(node.patterns, scope, compileNode);
  const body = compileNode(node.body, binding.scope);
  const paths: Code['paths'] = (meter, env, path, input, emit) =>
    source.each(meter, env, input, (value) => {
      meter.step();
      bindEach<[Path | undefined, Json]>(binding, meter, env, value, (inner, push) => body.paths(meter, inner, path, input, push), emit);
    });
  const [sourceOne, bindOne, bodyOne] = [source.one, binding.one, body.one];
  if (sourceOne !== undefined && bindOne !== undefined && bodyOne !== undefined) {
    return single((meter, env, input) => {
      meter.step();
      const value = sourceOne(meter, env, input);
      return value === undefined ? undefined : bodyOne(meter, bindOne(meter, env, value), input);
    }, paths);
  }
  return many(
    (meter, env, input, emit) =>
      source.each(meter, env, input, (value) => {
        meter.step();
        if (bindOne !== undefined) body.each(meter, bindOne(meter, env, value), input, emit);
        else bindEach<[Json]>(binding, meter, env, value, (inner, push) => body.each(meter, inner, input, push), emit);
      }),
    paths,
  );
}

/** Variables up to this many cells out are read without charge. */
const NEAR_HOPS = 16;

function compileVariable(node: Extract<Node, { kind: 'variable' }>, scope: Scope): Code {
  const { name } = node;
  const hops = hopsTo(scope, 'variable', name);
  // A cell found by a variable's name holds a value: the scope keeps kinds apart.
  if (hops !== undefined && hops > NEAR_HOPS) {
    return single((meter, env) => {
      meter.work(hops >> 3);
      return outward(env, hops)!.content as Json;
    });
  }
  if (hops !== undefined) return single((_meter, env) => outward(env, hops)!.content as Json);
  if (scope.program.variables.has(name)) {
    return single((meter) => (Object.hasOwn(meter.variables, name) ? (meter.variables[name] as Json) : null));
  }
  if (name === 'ENV') throw new SyntaxFault('an expression without "$ENV", as the environment is out of reach', '"$ENV"', node.at);
  throw new SyntaxFault('a variable that is defined here', JSON.stringify(`$${name}`), node.at);
}

function compileLabel(node: Extract<Node, { kind: 'label' }>, scope: Scope): Code {
  const body = compileNode(node.body, withCell(scope, 'label', node.name));
  const within = <T>(meter: Meter, env: Env, run: (inner: Env) => T): T | undefined => {
    const signal = new Signal();
    const { depth } = meter;
    try {
      return run(new Cell(signal, env));
    } catch (thrown) {
      if (thrown !== signal) throw thrown;
      meter.depth = depth;
      meter.work(THROW_STEPS);
      return undefined;
    }
  };
  const { one } = body;
  return {
    one: one && ((meter, env, input) => within(meter, env, (inner) => one(meter, inner, input))),
    each: (meter, env, input, emit) => within(meter, env, (inner) => body.each(meter, inner, input, emit)),
    paths: (meter, env, path, input, emit) => within(meter, env, (inner) => body.paths(meter, inner, path, input, emit)),
  };
}

function compileArray(items: Code | undefined): Code {
  if (items === undefined) return single(() => []);
  return single((meter, env, input) => {
    meter.step();
    meter.take(FIELD_BYTES);
    return collect(items, meter, env, input);
  });
}

function compileObject(fields: readonly ObjectField[], scope: Scope): Code {
  const pairs = fields.map(({ key, value }) => ({ key: compileNode(key, scope), value: compileNode(value, scope) }));
  if (pairs.every(({ key, value }) => key.one !== undefined && value.one !== undefined)) {
    const ones = pairs.map(({ key, value }) => ({ key: key.one!, value: value.one! }));
    return single((meter, env, input) => {
      meter.work(1 + ones.length);
      meter.take((1 + ones.length) * FIELD_BYTES);
      const object = newFields();
      for (const { key, value } of ones) {
        const name = key(meter, env, input);
        if (name === undefined) return undefined;
        const content = value(meter, env, input);
        if (content === undefined) return undefined;
        object[objectKey(meter, name)] = content;
      }
      return object;
    });
  }
  const build = (meter: Meter, env: Env, input: Json, emit: Emit, chosen: readonly (readonly [string, Json])[]): void => {
    const pair = pairs[chosen.length];
    if (pair === undefined) {
      meter.work(1 + 2 * pairs.length);
      meter.take((1 + pairs.length) * FIELD_BYTES);
      const object = newFields();
      for (const [name, content] of chosen) object[name] = content;
      return emit(object);
    }
    pair.key.each(meter, env, input, (name) =>
      pair.value.each(meter, env, input, (content) => {
        meter.work(1 + (chosen.length >> 1));
        build(meter, env, input, emit, [...chosen, [objectKey(meter, name), content]]);
      }),
    );
  };
  return many((meter, env, input, emit) => build(meter, env, input, emit, []));
}

function objectKey(meter: Meter, name: Json): string {
  return typeof name === 'string' ? name : raise(`Cannot use ${describe(meter, name)} as object key`);
}

function compileText(node: Extract<Node, { kind: 'text' }>, scope: Scope): Code {
  const format = FORMATS[node.format];
  const parts = node.parts.map((part) => (typeof part === 'string' ? part : compileNode(part, scope)));
  const ones = parts.map((part) => (typeof part === 'string' ? part : part.one));
  if (ones.every((part) => part !== undefined)) {
    return single((meter, env, input) => {
      meter.step();
      let text = '';
      for (const part of ones) {
        const piece = typeof part === 'string' ? part : part(meter, env, input);
        if (piece === undefined) return undefined;
        text += typeof part === 'string' ? part : format(meter, piece);
      }
      takeText(meter, text.length);
      return text;
    });
  }
  const build = (meter: Meter, env: Env, input: Json, emit: Emit, at: number, tail: string): void => {
    if (at < 0) return emit(tail);
    const part = parts[at]!;
    const prepend = (piece: string): void => {
      meter.work(2);
      takeText(meter, piece.length + tail.length);
      build(meter, env, input, emit, at - 1, piece + tail);
    };
    if (typeof part === 'string') prepend(part);
    else part.each(meter, env, input, (value) => prepend(format(meter, value)));
  };
  return many((meter, env, input, emit) => build(meter, env, input, emit, parts.length - 1, ''));
}
