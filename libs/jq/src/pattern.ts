/** Binding variables with `as`: plain names, destructuring, and alternatives with `?//`. */
import type { Json } from '@weft/kernel';
import { index } from './access.js';
import type { Node, Pattern } from './ast.js';
import type { Meter } from './budget.js';
import { attempt, Cell, outward, type Code, type Env } from './code.js';
import { describe } from './dump.js';
import { raise } from './failure.js';
import { hopsTo, withCell, type Scope } from './scope.js';

type Compile = (node: Node, scope: Scope) => Code;
type Continue = (env: Env) => void;

/** Pushes the surroundings of the body, once for each way to bind. */
type Bind = (meter: Meter, env: Env, value: Json, body: Continue) => void;

/** Compiled patterns: the scope of the body, and how a value becomes the body's surroundings. */
export interface Binding {
  readonly scope: Scope;
  /** One for each pattern; the next is tried when one raises, or when the body raises under it. */
  readonly alternatives: readonly Bind[];
  /** Exists when there is exactly one way to bind. */
  readonly one: ((meter: Meter, env: Env, value: Json) => Env) | undefined;
}

/** Compiles what stands after `as`. */
export function compileBinding(patterns: readonly Pattern[], scope: Scope, compile: Compile): Binding {
  const [first] = patterns;
  if (patterns.length > 1) return compileAlternatives(patterns, scope, compile);
  const { scope: bodyScope, each, one } = compilePattern(first!, scope, compile);
  return { scope: bodyScope, alternatives: [each], one };
}

/** Runs the body for each way to bind the value. Errors of what receives the body's outputs never select another alternative. */
export function bindEach<T extends unknown[]>(binding: Binding, meter: Meter, env: Env, value: Json, body: (inner: Env, emit: (...output: T) => void) => void, emit: (...output: T) => void): void {
  const { alternatives } = binding;
  for (const [i, bind] of alternatives.entries()) {
    if (i === alternatives.length - 1) bind(meter, env, value, (inner) => body(inner, emit));
    else if (attempt<T>(meter, (own) => bind(meter, env, value, (inner) => body(inner, own)), emit) === undefined) return;
  }
}

/** Every variable of every alternative is known in the body; those of other alternatives are null. */
function compileAlternatives(patterns: readonly Pattern[], scope: Scope, compile: Compile): Binding {
  const names = [...new Set(patterns.flatMap(namesOf))];
  const bodyScope = names.reduce((inner, name) => withCell(inner, 'variable', name), scope);
  const alternatives = patterns.map((pattern): Bind => {
    const { scope: own, each } = compilePattern(pattern, scope, compile);
    const bound = new Set(namesOf(pattern));
    const hops = names.map((name) => (bound.has(name) ? hopsTo(own, 'variable', name) : undefined));
    const bodyEnv = (env: Env, cells: Env): Env => hops.reduce<Env>((inner, steps) => new Cell(steps === undefined ? null : outward(cells, steps)!.content, inner), env);
    return (meter, env, value, body) =>
      each(meter, env, value, (cells) => {
        meter.work(hops.length);
        body(bodyEnv(env, cells));
      });
  });
  return { scope: bodyScope, alternatives, one: undefined };
}

/** One compiled pattern. */
interface Compiled {
  readonly scope: Scope;
  readonly each: Bind;
  readonly one: Binding['one'];
}

function compilePattern(pattern: Pattern, scope: Scope, compile: Compile): Compiled {
  if (pattern.kind === 'name') {
    return {
      scope: withCell(scope, 'variable', pattern.name),
      one: (_meter, env, value) => new Cell(value, env),
      each: (_meter, env, value, body) => body(new Cell(value, env)),
    };
  }
  return sequence(scope, pattern.kind === 'array' ? arrayParts(pattern.items, compile) : objectParts(pattern.fields, compile));
}

/** Binds one part of a container; compiled in the scope that the parts before it made. */
type Part = (scope: Scope) => Compiled;

function sequence(scope: Scope, parts: readonly Part[]): Compiled {
  const bindings: Compiled[] = [];
  let inner = scope;
  for (const part of parts) {
    const binding = part(inner);
    bindings.push(binding);
    inner = binding.scope;
  }
  const each = (meter: Meter, env: Env, value: Json, body: Continue, at: number): void => {
    const binding = bindings[at];
    if (binding === undefined) return body(env);
    meter.step();
    binding.each(meter, env, value, (next) => each(meter, next, value, body, at + 1));
  };
  const isSingle = bindings.every((binding) => binding.one !== undefined);
  return {
    scope: inner,
    each: (meter, env, value, body) => each(meter, env, value, body, 0),
    one: isSingle ? (meter, env, value) => bindings.reduce((next, binding) => binding.one!(meter, next, value), env) : undefined,
  };
}

function arrayParts(items: readonly Pattern[], compile: Compile): Part[] {
  return items.map((item, position) => (scope) => {
    const inner = compilePattern(item, scope, compile);
    return {
      scope: inner.scope,
      each: (meter, env, value, body) => inner.each(meter, env, index(meter, value, position), body),
      one: inner.one && ((meter, env, value) => inner.one!(meter, env, index(meter, value, position))),
    };
  });
}

function objectParts(fields: Extract<Pattern, { kind: 'object' }>['fields'], compile: Compile): Part[] {
  return fields.flatMap(({ variable, key, pattern }) => {
    const targets: Pattern[] = [];
    if (variable !== undefined) targets.push({ kind: 'name', name: variable });
    if (pattern !== undefined) targets.push(pattern);
    return targets.map((target) => (scope: Scope) => fieldPart(compile(key, scope), compilePattern(target, scope, compile), key));
  });
}

function fieldPart(keyCode: Code, inner: Compiled, key: Node): Compiled {
  if (key.kind === 'literal') {
    const name = key.value;
    return {
      scope: inner.scope,
      each: (meter, env, value, body) => inner.each(meter, env, index(meter, value, name), body),
      one: inner.one && ((meter, env, value) => inner.one!(meter, env, index(meter, value, name))),
    };
  }
  return {
    scope: inner.scope,
    one: undefined,
    each: (meter, env, value, body) =>
      keyCode.each(meter, env, value, (name) => {
        if (typeof name !== 'string') return raise(`Cannot use ${describe(meter, name)} as object key`);
        inner.each(meter, env, index(meter, value, name), body);
      }),
  };
}

function namesOf(pattern: Pattern): string[] {
  switch (pattern.kind) {
    case 'name':
      return [pattern.name];
    case 'array':
      return pattern.items.flatMap(namesOf);
    case 'object':
      return pattern.fields.flatMap((field) => [...(field.variable === undefined ? [] : [field.variable]), ...(field.pattern === undefined ? [] : namesOf(field.pattern))]);
  }
}
