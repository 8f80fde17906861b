// Compiles a published definition: pointers in the form of the conformance suite, every expression a closure.
import { invariant, isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { extensionsOf, functionNameOf, iteratorVariablesOf, loopVariablesOf, pointerTo, schemaProblem, searchAttributesOf, type ErrorFilter } from '@weft/workflow';
import { asyncApiArguments } from './asyncapi-call.js';
import { callArguments } from './call-arguments.js';
import { withResource } from './call-resource.js';
import { compileDataCheck, schemaOf } from './data-schema.js';
import { compileDuration } from './duration.js';
import { bareExpression, template, type Evaluate } from './expression.js';
import { compileExtensions, type DeclaredExtension } from './extension.js';
import { FUNCTION_DEPTH_MAX, functionOf, type CalledFunction } from './function-call.js';
import { compileIterator, type ItemIterator } from './item-iterator.js';
import { compileListening } from './listen.js';
import { compileRaised } from './raised-error.js';
import { compileRetry, type RetryClause } from './retry.js';
import { compileProcess } from './run.js';
import { workflowCall } from './workflow-call.js';
import { compileSearchAttributes } from './search-attributes.js';
import type { CatchClause, Loop, Program, RaisedError, Resources, Scope, SwitchCase, Task, TaskBase } from './program.js';
import { compileSubscription } from './subscription.js';
import { compileTimeout } from './timeout.js';

/** What the server decides where a definition leaves it open. */
export interface ProgramSettings {
  /** Retries of a policy without `limit.attempt.count`, integer >= 0. Default: `RETRIES_WITHOUT_LIMIT`. */
  readonly retriesWithoutLimit?: number;
}

/** Tasks of a definition with those of its functions and extensions, at every place that calls them: no more are compiled. */
export const TASKS_COMPILED_MAX = 50_000;

const NO_RESOURCES: Resources = new Map();

/**
 * @param definition the document of a definition version, as publish stored it. A document it cannot compile is a defect.
 * @param resources what publish locked for it.
 */
export function compileProgram(definition: Json, resources: Resources = NO_RESOURCES, { retriesWithoutLimit }: ProgramSettings = {}): Program {
  const document = object(definition, '');
  const head = object(document['document'], '/document');
  const compiler = new Compiler(document, resources, retriesWithoutLimit);
  const root = compiler.scope(document['do'], '/do', []);
  compiler.scopes.set('', root);
  const input = optionalObject(document['input']);
  const output = optionalObject(document['output']);
  const searchAttributes = compileSearchAttributes(searchAttributesOf(document));
  const inputSchema = schemaOf(input, resources);
  const outputCheck = compileDataCheck(output, 'output', 'the workflow', resources);
  const timeout = compileTimeout(document['timeout'], compiler.timeouts, []);
  return {
    namespace: text(head['namespace']),
    name: text(head['name']),
    version: text(head['version']),
    definition,
    root,
    ...earlyFiltersOf(compiler.tasks.values()),
    tasks: compiler.tasks,
    scopes: compiler.scopes,
    ...(searchAttributes ? { searchAttributes } : {}),
    ...(input?.['from'] === undefined ? {} : { inputFrom: expressionOrTemplate(input['from'], []) }),
    ...(output?.['as'] === undefined ? {} : { outputAs: expressionOrTemplate(output['as'], []) }),
    ...(outputCheck ? { outputCheck } : {}),
    ...(timeout ? { timeout } : {}),
    ...(inputSchema === undefined ? {} : { inputProblem: (value: Json) => schemaProblem(inputSchema, value) }),
  };
}

function earlyFiltersOf(tasks: Iterable<Task>): Pick<Program, 'early'> {
  const early = [...tasks].flatMap((task) => (task.kind === 'listen' ? task.filters.flatMap((filter) => filter.early ?? []) : []));
  return early.length === 0 ? {} : { early };
}

class Compiler {
  readonly tasks = new Map<string, Task>();
  readonly scopes = new Map<string, Scope>();
  readonly timeouts: JsonObject;
  #use: JsonObject;
  readonly #extensions: readonly DeclaredExtension[];
  /** The task that those of an extension run around, while those are compiled. */
  #extended: TaskBase | undefined;
  /** Functions that are being compiled, the innermost last. */
  readonly #calling: string[] = [];

  constructor(
    document: JsonObject,
    private readonly resources: Resources,
    private readonly retriesWithoutLimit: number | undefined,
  ) {
    this.#use = optionalObject(document['use']) ?? {};
    this.timeouts = optionalObject(this.#use['timeouts']) ?? {};
    this.#extensions = extensionsOf(this.#use);
  }

  /** @param names variables that a surrounding `catch` adds. */
  scope(list: Json | undefined, pointer: string, names: readonly string[]): Scope {
    invariant(Array.isArray(list), `${pointer} is a task list`);
    const tasks = (list as readonly Json[]).map((entry, position) => {
      const [name, definition] = Object.entries(object(entry, pointer))[0]!;
      const place = pointerTo(pointer, position, name);
      return this.#add(name, object(definition, place), place, names);
    });
    return { tasks, positions: new Map(tasks.map((task, position) => [task.name, position])) };
  }

  #add(name: string, definition: JsonObject, pointer: string, names: readonly string[]): Task {
    invariant(this.tasks.size < TASKS_COMPILED_MAX, `a definition has at most ${TASKS_COMPILED_MAX} tasks, with those of its functions and extensions wherever they run`);
    const task = this.#extend(this.#task(name, definition, pointer, names));
    this.tasks.set(task.pointer, task);
    return task;
  }

  #extend(task: Task): Task {
    if (this.#extensions.length === 0) return task;
    if (this.#extended) return { ...task, extended: this.#extended };
    this.#extended = task;
    const extensions = compileExtensions(this.#extensions, task, (list, pointer) => this.scope(list, pointer, []));
    this.#extended = undefined;
    return extensions ? { ...task, extensions } : task;
  }

  #task(name: string, definition: JsonObject, pointer: string, names: readonly string[]): Task {
    const base = taskBase(name, definition, pointer, names, this.timeouts, this.resources);
    if (definition['for'] !== undefined) return { ...base, kind: 'for', ...this.#loop(definition, pointer, names) };
    if (definition['fork'] !== undefined) return { ...base, kind: 'fork', ...this.#fork(object(definition['fork'], pointer), pointer, names) };
    if (definition['listen'] !== undefined)
      return { ...base, kind: 'listen', ...compileListening(object(definition['listen'], pointer), names), ...this.#foreach(definition['foreach'], pointer, names) };
    if (definition['do'] !== undefined && definition['try'] === undefined) return { ...base, kind: 'do', scope: this.#inner(definition['do'], pointer, `${pointer}/do`, names) };
    if (definition['set'] !== undefined) return { ...base, kind: 'set', value: template(definition['set'], names) };
    if (definition['switch'] !== undefined) return { ...base, kind: 'switch', cases: switchCases(definition['switch'], names) };
    if (definition['raise'] !== undefined) return { ...base, kind: 'raise', error: this.#raised(object(definition['raise'], pointer)['error'], names) };
    if (definition['emit'] !== undefined) return { ...base, kind: 'emit', event: template(object(object(definition['emit'], pointer)['event'], pointer)['with']!, names) };
    if (definition['wait'] !== undefined) return { ...base, kind: 'wait', duration: compileDuration(definition['wait'], names) };
    if (definition['try'] !== undefined)
      return { ...base, kind: 'try', scope: this.#inner(definition['try'], pointer, `${pointer}/try`, names), catch: this.#catch(object(definition['catch'], pointer), pointer, names) };
    if (definition['run'] !== undefined) {
      const process = compileProcess(object(definition['run'], pointer), base.outputAs, names, this.resources);
      return { ...base, ...(process ?? { kind: 'run-workflow', ...workflowCall(object(definition['run'], pointer), names) }) };
    }
    const call = definition['call'];
    invariant(typeof call === 'string', `${pointer} is a task of a known kind`);
    const given = definition['with'] ?? {};
    const called = functionOf(call, this.#use, this.resources);
    if (called) return { ...base, kind: 'function', arguments: template(given, names), scope: this.#function(call, called, pointer) };
    const job = functionNameOf(call);
    if (job === 'review' || job === 'agent' || job === 'map') return { ...base, kind: job, arguments: template(given, names) };
    const args = withResource(job, given, this.resources);
    return job === 'asyncapi' ? this.#asyncApi(base, object(args, pointer), pointer, names) : { ...base, kind: 'job', job, ...callArguments(args, this.#use, names) };
  }

  #asyncApi(base: TaskBase, given: JsonObject, pointer: string, names: readonly string[]): Task {
    const args = asyncApiArguments(given, this.#use, names);
    const { foreach, consume } = optionalObject(given['subscription']) ?? {};
    const subscription = compileSubscription(optionalObject(consume), foreach !== undefined, names);
    if (!subscription) return { ...base, kind: 'job', job: 'asyncapi', ...args };
    return { ...base, kind: 'subscription', ...args, ...subscription, ...this.#foreach(foreach, pointer, names, 'with/subscription/foreach') };
  }

  #inner(list: Json, holder: string, pointer: string, names: readonly string[]): Scope {
    const scope = this.scope(list, pointer, names);
    this.scopes.set(holder, scope);
    return scope;
  }

  /** A function sees nothing of where it is called but `$context`: no variables of loops and catches. */
  #function(call: string, { task: definition, use }: CalledFunction, caller: string): Scope {
    invariant(
      !this.#calling.includes(call) && this.#calling.length < FUNCTION_DEPTH_MAX,
      `${caller}: function ${call} calls itself, or functions call each other more than ${FUNCTION_DEPTH_MAX} deep`,
    );
    this.#calling.push(call);
    const outside = this.#use;
    this.#use = use;
    const task = this.#add(call, definition, pointerTo(`${caller}/call`, call), []);
    this.#use = outside;
    this.#calling.pop();
    const scope = { tasks: [task], positions: new Map([[task.name, 0]]) };
    this.scopes.set(caller, scope);
    return scope;
  }

  #loop(definition: JsonObject, pointer: string, names: readonly string[]): Loop & { readonly scope: Scope } {
    const loop = object(definition['for'], pointer);
    const [each, at] = loopVariablesOf(definition);
    const inside = [...names, each, at];
    return {
      each,
      at,
      in: bareExpression(text(loop['in']), names),
      ...(definition['while'] === undefined ? {} : { while: bareExpression(text(definition['while']), inside) }),
      scope: this.#inner(definition['do']!, pointer, `${pointer}/do`, inside),
    };
  }

  #foreach(given: Json | undefined, pointer: string, names: readonly string[], at = 'foreach'): { readonly foreach?: ItemIterator } {
    if (given === undefined) return {};
    const foreach = object(given, pointer);
    const inside = [...names, ...iteratorVariablesOf(foreach)];
    const scope = (list: Json): Scope => this.#inner(list, pointer, `${pointer}/${at}/do`, inside);
    return {
      foreach: compileIterator(
        foreach,
        scope,
        (as) => expressionOrTemplate(as, inside),
        (place) => compileDataCheck(foreach[place], place, `${pointer}/${at}`, this.resources),
      ),
    };
  }

  #fork(fork: JsonObject, pointer: string, names: readonly string[]): { readonly branches: readonly Task[]; readonly isCompeting: boolean } {
    return { branches: this.scope(fork['branches'], `${pointer}/fork/branches`, names).tasks, isCompeting: fork['compete'] === true };
  }

  #catch(clause: JsonObject, pointer: string, names: readonly string[]): CatchClause {
    const as = typeof clause['as'] === 'string' ? clause['as'] : 'error';
    const inside = [...names, as];
    const filter = optionalObject(optionalObject(clause['errors'])?.['with']) as ErrorFilter | undefined;
    const result: { -readonly [K in keyof CatchClause]: CatchClause[K] } = { as };
    if (filter) result.with = filter;
    if (clause['when'] !== undefined) result.when = bareExpression(text(clause['when']), inside);
    if (clause['exceptWhen'] !== undefined) result.exceptWhen = bareExpression(text(clause['exceptWhen']), inside);
    if (clause['retry'] !== undefined) result.retry = this.#retry(clause['retry'], inside, names);
    if (clause['do'] !== undefined) result.do = this.#inner(clause['do'], `${pointer}/catch`, `${pointer}/catch/do`, inside);
    return result;
  }

  #retry(given: Json, names: readonly string[], outside: readonly string[]): RetryClause {
    const policy = typeof given === 'string' ? object(optionalObject(this.#use['retries'])?.[given], pointerTo('/use/retries', given)) : object(given, 'retry');
    return compileRetry(policy, names, outside, this.retriesWithoutLimit);
  }

  #raised(given: Json | undefined, names: readonly string[]): RaisedError {
    return compileRaised(typeof given === 'string' ? object(optionalObject(this.#use['errors'])?.[given], pointerTo('/use/errors', given)) : object(given, 'error'), names);
  }
}

const DATA_CHECKS = [
  ['inputCheck', 'input'],
  ['outputCheck', 'output'],
  ['exportCheck', 'export'],
] as const;

function taskBase(name: string, definition: JsonObject, pointer: string, names: readonly string[], timeouts: JsonObject, resources: Resources): TaskBase {
  const base: { -readonly [K in keyof TaskBase]: TaskBase[K] } = { pointer, name, definition };
  if (definition['if'] !== undefined) base.if = bareExpression(text(definition['if']), names);
  const from = optionalObject(definition['input'])?.['from'];
  const outputAs = optionalObject(definition['output'])?.['as'];
  const exportAs = optionalObject(definition['export'])?.['as'];
  if (from !== undefined) base.inputFrom = expressionOrTemplate(from, names);
  if (outputAs !== undefined) base.outputAs = expressionOrTemplate(outputAs, names);
  if (exportAs !== undefined) base.exportAs = expressionOrTemplate(exportAs, names);
  if (definition['then'] !== undefined) base.then = text(definition['then']);
  const timeout = compileTimeout(definition['timeout'], timeouts, names);
  if (timeout) base.timeout = timeout;
  for (const [check, place] of DATA_CHECKS) {
    const compiled = compileDataCheck(definition[place], place, pointer, resources);
    if (compiled) base[check] = compiled;
  }
  return base;
}

function switchCases(list: Json, names: readonly string[]): readonly SwitchCase[] {
  invariant(Array.isArray(list), 'a switch is a list of cases');
  return (list as readonly Json[]).map((entry) => {
    const [name, given] = Object.entries(object(entry, 'switch'))[0]!;
    const one = object(given, name);
    return { name, then: typeof one['then'] === 'string' ? one['then'] : 'continue', ...(one['when'] === undefined ? {} : { when: bareExpression(text(one['when']), names) }) };
  });
}

/** `from` and `as` are expressions when they are texts, and templates when they are objects. */
const expressionOrTemplate = (given: Json, names: readonly string[]): Evaluate => (typeof given === 'string' ? bareExpression(given, names) : template(given, names));

function object(value: Json | undefined, what: string): JsonObject {
  invariant(isJsonObject(value), `${what || 'the definition'} is an object`);
  return value;
}

const optionalObject = (value: Json | undefined): JsonObject | undefined => (isJsonObject(value) ? value : undefined);

function text(value: Json | undefined): string {
  invariant(typeof value === 'string', 'a text is a text');
  return value;
}
