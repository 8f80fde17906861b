/** Functions: definitions, calls of them, of filter parameters and of builtins. */
import type { Json } from '@weft/kernel';
import { heightOf, type Definition, type Node } from './ast.js';
import type { Meter } from './budget.js';
import { BUILTINS, refusal, SUPPLIED } from './builtins/table.js';
import { Cell, Closure, many, outward, single, type Code, type Env } from './code.js';
import { SyntaxFault } from './failure.js';
import { findCallable, rootScope, withCell, withFunction, type FunctionEntry, type Scope } from './scope.js';

/** Definitions inside each other that may be compiled a second time; deeper ones are taken for many-valued when recursive. */
const ASSUMPTIONS_MAX = 3;

type Compile = (node: Node, scope: Scope) => Code;

/** Compiles a function's body in its own scope. */
export function compileDefinition(definition: Definition, scope: Scope, compile: Compile): FunctionEntry {
  const { program } = scope;
  const entry: FunctionEntry = {
    kind: 'function',
    definition,
    level: scope.level,
    height: heightOf(definition.body),
    isSingle: program.assumptions < ASSUMPTIONS_MAX,
    isRecursive: false,
    body: undefined,
  };
  const bodyScope = definition.parameters
    .filter((parameter) => parameter.isValue)
    .reduce(
      (inner, parameter) => withCell(inner, 'variable', parameter.name),
      definition.parameters.reduce((inner, parameter) => withCell(inner, 'filter', parameter.name), withFunction(scope, entry)),
    );
  program.assumptions++;
  let body = compile(definition.body, bodyScope);
  if (entry.isSingle && entry.isRecursive && body.one === undefined) {
    entry.isSingle = false;
    body = compile(definition.body, bodyScope);
  }
  program.assumptions--;
  entry.isSingle = body.one !== undefined;
  entry.body = body;
  return entry;
}

/** Compiles a call by name and number of arguments: the program's own functions first, then the builtins. */
export function compileCall(node: Extract<Node, { kind: 'call' }>, scope: Scope, compile: Compile): Code {
  const { name, args } = node;
  const callable = findCallable(scope, name, args.length);
  if (callable?.kind === 'filter') return callFilter(scope.level - callable.level);
  if (callable !== undefined) return callFunction(callable, args, scope, compile);
  const signature = `${name}/${args.length}`;
  const builtin = BUILTINS.get(signature);
  if (builtin !== undefined)
    return builtin(
      args.map((arg) => compile(arg, scope)),
      args,
    );
  const supplied = suppliedFunction(signature, scope, compile);
  if (supplied !== undefined) return callFunction(supplied, args, scope, compile);
  throw new SyntaxFault(refusal(name) ?? 'a function that is defined', JSON.stringify(signature), node.at);
}

function suppliedFunction(signature: string, scope: Scope, compile: Compile): FunctionEntry | undefined {
  const definition = SUPPLIED.get(signature);
  if (definition === undefined) return undefined;
  const { program } = scope;
  const known = program.supplied.get(signature);
  if (known !== undefined) return known;
  const entry = compileDefinition(definition, rootScope(program), compile);
  program.supplied.set(signature, entry);
  return entry;
}

function callFilter(hops: number): Code {
  // A cell found by a filter's name holds a closure: the scope keeps kinds apart.
  const closureIn = (env: Env): Closure => outward(env, hops)!.content as Closure;
  return many(
    (meter, env, input, emit) => {
      const { code, env: own } = closureIn(env);
      meter.step();
      meter.enter();
      code.each(meter, own, input, emit);
      meter.leave();
    },
    (meter, env, path, input, emit) => {
      const { code, env: own } = closureIn(env);
      meter.step();
      meter.enter();
      code.paths(meter, own, path, input, emit);
      meter.leave();
    },
  );
}

/** Makes the cell content for one argument. A filter parameter that is passed on is passed as it is, so that closures do not pile up. */
type MakeArgument = (env: Env) => Closure;

function argumentMaker(arg: Node, scope: Scope, compile: Compile): MakeArgument {
  if (arg.kind === 'call' && arg.args.length === 0) {
    const callable = findCallable(scope, arg.name, 0);
    if (callable?.kind === 'filter') {
      const hops = scope.level - callable.level;
      return (env) => outward(env, hops)!.content as Closure;
    }
  }
  const code = compile(arg, scope);
  return (env) => new Closure(code, env);
}

function callFunction(entry: FunctionEntry, args: readonly Node[], scope: Scope, compile: Compile): Code {
  if (entry.body === undefined) entry.isRecursive = true;
  const { height } = entry;
  const hops = scope.level - entry.level;
  const makers = args.map((arg) => argumentMaker(arg, scope, compile));
  const values = entry.definition.parameters.flatMap((parameter, i) => (parameter.isValue ? [compile(args[i]!, scope)] : []));
  const frame = (env: Env): Env => makers.reduce<Env>((inner, make) => new Cell(make(env), inner), outward(env, hops));
  /** All combinations of the value arguments; the first one changes slowest. */
  const eachFrame = (meter: Meter, env: Env, input: Json, inner: Env, at: number, run: (frame: Env) => void): void => {
    const value = values[at];
    if (value === undefined) run(inner);
    else value.each(meter, env, input, (content) => eachFrame(meter, env, input, new Cell(content, inner), at + 1, run));
  };
  const paths: Code['paths'] = (meter, env, path, input, emit) =>
    eachFrame(meter, env, input, frame(env), 0, (inner) => {
      meter.step();
      meter.enter(height);
      entry.body!.paths(meter, inner, path, input, emit);
      meter.leave(height);
    });
  const ones = values.map((value) => value.one);
  if (entry.isSingle && ones.every((one) => one !== undefined)) {
    return single((meter, env, input) => {
      let inner = frame(env);
      for (const one of ones) {
        const content = one(meter, env, input);
        if (content === undefined) return undefined;
        inner = new Cell(content, inner);
      }
      meter.step();
      meter.enter(height);
      const value = entry.body!.one!(meter, inner, input);
      meter.leave(height);
      return value;
    }, paths);
  }
  return many(
    (meter, env, input, emit) =>
      eachFrame(meter, env, input, frame(env), 0, (inner) => {
        meter.step();
        meter.enter(height);
        entry.body!.each(meter, inner, input, emit);
        meter.leave(height);
      }),
    paths,
  );
}
