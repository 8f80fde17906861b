// A definition compiled for the interpreter: tasks by pointer, expressions as closures.
import type { Json } from '@weft/kernel';
import type { ErrorFilter, LockedResource } from '@weft/workflow';
import type { CallArguments } from './call-arguments.js';
import type { DataCheck } from './data-schema.js';
import type { DurationMs } from './duration.js';
import type { EarlyFilter } from './early-filter.js';
import type { Evaluate } from './expression.js';
import type { ItemIterator } from './item-iterator.js';
import type { Listening } from './listen.js';
import type { RetryClause } from './retry.js';
import type { SearchAttributesOf } from './search-attributes.js';
import type { Subscription } from './subscription.js';

/** What a task does with control after it completes: `continue`, `exit`, `end`, or a task of the same scope. */
export type FlowDirective = string;

/** What all tasks have. */
export interface TaskBase {
  readonly pointer: string;
  readonly name: string;
  /** The task as it was written, for `$task.definition`. */
  readonly definition: Json;
  readonly if?: Evaluate;
  readonly inputFrom?: Evaluate;
  readonly outputAs?: Evaluate;
  readonly exportAs?: Evaluate;
  readonly then?: FlowDirective;
  /** How long an activation may take, retries and `catch` included. */
  readonly timeout?: DurationMs;
  /** Of the raw input, the transformed output, and what becomes of `$context`. */
  readonly inputCheck?: DataCheck;
  readonly outputCheck?: DataCheck;
  readonly exportCheck?: DataCheck;
  /** Extensions of the definition that may run around it, in their order; absent: none. */
  readonly extensions?: readonly Extension[];
  /** Of a task of an extension: the task that it runs around, which is its `$task`. */
  readonly extended?: TaskBase;
}

/** Tasks that run before and after another one. */
export interface Extension {
  readonly name: string;
  /** Whether it applies, evaluated when the task has begun. */
  readonly when?: Evaluate;
  readonly before?: Scope;
  readonly after?: Scope;
}

/** Tasks that run one after the other. */
export interface Scope {
  readonly tasks: readonly Task[];
  readonly positions: ReadonlyMap<string, number>;
}

export interface SwitchCase {
  readonly name: string;
  readonly when?: Evaluate;
  readonly then: FlowDirective;
}

export interface CatchClause {
  /** Fields of the error that must be equal. */
  readonly with?: ErrorFilter;
  /** Name of the error variable. */
  readonly as: string;
  readonly when?: Evaluate;
  readonly exceptWhen?: Evaluate;
  readonly retry?: RetryClause;
  readonly do?: Scope;
}

export interface RaisedError {
  /** In its canonical form, or what gives it. */
  readonly type: string | Evaluate;
  readonly status: number;
  readonly title?: Evaluate;
  readonly detail?: Evaluate;
  readonly instance?: Evaluate;
}

export interface Loop {
  /** Names of the variables that hold the item and its index. */
  readonly each: string;
  readonly at: string;
  readonly in: Evaluate;
  readonly while?: Evaluate;
}

/** Which workflow a `run` starts, and with what. */
export interface WorkflowCall {
  /** Gives {namespace, name, version, input}. */
  readonly called: Evaluate;
  /** Whether the task waits for its end. */
  readonly isAwaited: boolean;
  /** Whether its output is that of the task; else null is. */
  readonly isReturned: boolean;
}

export type Task = TaskBase &
  (
    | { readonly kind: 'do'; readonly scope: Scope }
    | { readonly kind: 'set'; readonly value: Evaluate }
    | { readonly kind: 'switch'; readonly cases: readonly SwitchCase[] }
    | { readonly kind: 'raise'; readonly error: RaisedError }
    | { readonly kind: 'emit'; readonly event: Evaluate }
    | { readonly kind: 'wait'; readonly duration: DurationMs }
    | ({ readonly kind: 'job'; readonly job: string } & CallArguments)
    /** `call: asyncapi` that takes messages one by one: a job for every few of them. */
    | ({ readonly kind: 'subscription'; readonly foreach?: ItemIterator } & Subscription & CallArguments)
    | { readonly kind: 'agent'; readonly arguments: Evaluate }
    /** A call of a function that is a task: that task is the one of its scope. */
    | { readonly kind: 'function'; readonly arguments: Evaluate; readonly scope: Scope }
    | { readonly kind: 'review'; readonly arguments: Evaluate }
    | { readonly kind: 'map'; readonly arguments: Evaluate }
    | ({ readonly kind: 'run-workflow' } & WorkflowCall)
    | { readonly kind: 'try'; readonly scope: Scope; readonly catch: CatchClause }
    | ({ readonly kind: 'for'; readonly scope: Scope } & Loop)
    | { readonly kind: 'fork'; readonly branches: readonly Task[]; readonly isCompeting: boolean }
    | ({ readonly kind: 'listen'; readonly foreach?: ItemIterator } & Listening)
  );

/** Documents from outside that publish has fetched and locked, by their address. */
export type Resources = ReadonlyMap<string, Pick<LockedResource, 'digest' | 'content'>>;

export interface Program {
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly definition: Json;
  readonly root: Scope;
  /** What an execution is found by; undefined when the definition names nothing. */
  readonly searchAttributes?: SearchAttributesOf;
  readonly inputFrom?: Evaluate;
  /** Says what is wrong with an input, or undefined. */
  readonly inputProblem?: (input: Json) => string | undefined;
  readonly outputAs?: Evaluate;
  /** Of the transformed output. */
  readonly outputCheck?: DataCheck;
  /** How long an execution may take. */
  readonly timeout?: DurationMs;
  /** By what events find an execution that has not reached its `listen`; undefined when nothing it listens for correlates. */
  readonly early?: readonly EarlyFilter[];
  readonly tasks: ReadonlyMap<string, Task>;
  /** The scope whose tasks run inside an activation, by the pointer of what holds it. */
  readonly scopes: ReadonlyMap<string, Scope>;
}
