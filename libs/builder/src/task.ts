// A task and what all tasks may say; lists of tasks, checked as far as types can.
import type { Json, JsonObject } from '@weft/kernel';
import { encodeObject, Finished } from './encode.js';
import { BuilderError, isExpression } from './expression.js';
import { isTaskList, spotInTask } from './places.js';
import type { Condition, Shaped, Shaping, Text } from './value.js';

declare const FACTS: unique symbol;

/** Where the workflow goes on: besides these, a task of the same list. */
export type Directive = 'continue' | 'exit' | 'end';

/** A task of a document, made by one of the functions of this package. */
export interface Task<out Output = unknown, out Then extends string = string, out Context = unknown> {
  readonly definition: JsonObject;
  /** For types alone: what it gives, where it goes on, what it exports. */
  readonly [FACTS]?: { readonly output: Output; readonly then: Then; readonly context: Context };
}

/** Milliseconds to days, ISO 8601 text, or an expression that gives such a text. */
export type Duration = Text | { readonly days?: number; readonly hours?: number; readonly minutes?: number; readonly seconds?: number; readonly milliseconds?: number };

/** A schema in place, or an external one. */
export type Schema = { readonly format?: string; readonly document: Json } | { readonly format?: string; readonly resource: Resource };

/** An external resource. */
export interface Resource {
  readonly name?: string;
  readonly endpoint: Text | object;
}

/** What all tasks may say, named as the standard names it. */
export interface TaskOptions {
  /** Skips the task unless it is true. */
  readonly if?: Condition;
  readonly input?: { readonly schema?: Schema; readonly from?: Shaping };
  readonly output?: { readonly schema?: Schema; readonly as?: Shaping };
  /** Replaces `$context`. */
  readonly export?: { readonly schema?: Schema; readonly as?: Shaping };
  /** A duration, or the name of a timeout in `use.timeouts`. */
  readonly timeout?: string | { readonly after: Duration };
  /** Where to go on: `continue` (default), `exit`, `end`, or a task of the same list. */
  readonly then?: string;
  readonly metadata?: JsonObject;
}

/** What a task with these options gives, when its kind gives Raw. */
export type OutputWith<Options, Raw> = Options extends { readonly output: { readonly as: infer S } } ? Shaped<S> : Raw;
/** Where a task with these options goes on, besides to the next one. */
export type ThenWith<Options> = Options extends { readonly then: infer T extends string } ? T : never;
/** What a task with these options exports; `Unexported` when nothing. */
export type ContextWith<Options> = Options extends { readonly export: { readonly as: infer S } } ? Shaped<S> : Unexported;

declare const UNEXPORTED: unique symbol;
export interface Unexported {
  readonly [UNEXPORTED]: true;
}

/** The task of some options, for a kind whose output is Raw. */
export type TaskWith<Options, Raw = unknown, Then extends string = never> = Task<OutputWith<Options, Raw>, ThenWith<Options> | Then, ContextWith<Options>>;

/** Tasks by name, in the order in which they are written. Names that are numbers need the form of pairs. */
export type TaskRecord = { readonly [name: string]: Task };
export type TaskPairs = readonly (readonly [name: string, task: Task])[];
export type Tasks = TaskRecord | TaskPairs;

type ThenOf<T> = T extends Task<unknown, infer Then, unknown> ? Then : never;
type GoesTo<Then extends string, Names> = string extends Then ? true : [Then] extends [Directive | Names] ? true : false;

/** A record whose tasks go on only to tasks that are in it; any other is refused at its name. */
export type Connected<L> = L extends TaskPairs ? L : { readonly [K in keyof L]: GoesTo<ThenOf<L[K]>, keyof L> extends true ? L[K] : Task & { readonly goesTo: Directive | keyof L } };

const DIRECTIVES: readonly string[] = ['continue', 'exit', 'end'];

/** A task from the fields of the standard. Fields may hold expressions and lists of tasks; the functions for each kind do the same with types. */
export function standardTask<Output = unknown>(fields: object): Task<Output, string, unknown> {
  const call = (fields as { readonly call?: unknown }).call;
  return { definition: encodeObject(withLists(fields, [], call) as object, spotInTask) };
}

// `with.subscription.foreach.do` of a task lies deepest.
const LIST_DEPTH_MAX = 3;

/** Lists of tasks become JSON; a value that is none of theirs stays. */
function withLists(value: unknown, path: readonly string[], call: unknown): unknown {
  if (isTaskList(path, call)) return value === undefined ? value : taskList(value as Tasks, path.join('/'));
  if (path.length > LIST_DEPTH_MAX || typeof value !== 'object' || value === null || Array.isArray(value) || isExpression(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withLists(item, [...path, key], call)]));
}

/** A list of tasks as the document writes it. @throws BuilderError for names and targets that cannot be. */
export function taskList(tasks: Tasks, place: string): Finished {
  const pairs: TaskPairs = Array.isArray(tasks) ? (tasks as TaskPairs) : Object.entries(tasks as TaskRecord);
  const names = pairs.map(([name]) => name);
  if (!Array.isArray(tasks)) refuseNumbers(names, place);
  for (const [i, name] of names.entries()) {
    if (names.indexOf(name) < i) throw new BuilderError(`Expected names that differ in ${place} but \`${name}\` stands there more than once.`);
  }
  for (const [name, task] of pairs) {
    // The branches of a fork run at the same time: none goes on to another.
    for (const then of targetsOf(task.definition)) refuseTarget(then, name, place === 'fork/branches' ? [] : names);
  }
  return new Finished(pairs.map(([name, { definition }]) => ({ [name]: definition })));
}

function refuseNumbers(names: readonly string[], place: string): void {
  const number = names.find((name) => /^(?:0|[1-9]\d*)$/.test(name));
  if (number !== undefined) throw new BuilderError(`Expected pairs [name, task] for ${place}, as JavaScript moves the name ${number} to the front of an object.`);
}

function refuseTarget(then: string, name: string, names: readonly string[]): void {
  if (DIRECTIVES.includes(then) || names.includes(then)) return;
  throw new BuilderError(`Expected \`then\` of \`${name}\` to be ${[...DIRECTIVES, ...names].map((one) => `\`${one}\``).join(', ')} but found \`${then}\`, which is no task of the same list.`);
}

function targetsOf(definition: JsonObject): readonly string[] {
  const cases = Array.isArray(definition['switch']) ? (definition['switch'] as readonly JsonObject[]).flatMap((entry) => Object.values(entry)) : [];
  return [definition, ...cases].map((one) => (one as JsonObject)['then']).filter((then) => typeof then === 'string');
}
