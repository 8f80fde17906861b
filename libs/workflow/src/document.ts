// Open Workflow Specification 1.0.3: the documents this engine carries out, as types. The schema is document.schema.ts.
import type { Json, JsonObject } from '@weft/kernel';
import type { ErrorFilter } from './error-type.js';
import type { TaskKind } from './task-kind.js';

/** jq: bare, or as a whole in `${ }`. */
export type ExpressionText = string;

/** `continue`, `exit`, `end`, or the name of a task of the same list. */
export type FlowDirective = string;

/** ISO 8601 text, or an object of units. `parseDuration` reads it. */
export type Duration = string | { readonly days?: number; readonly hours?: number; readonly minutes?: number; readonly seconds?: number; readonly milliseconds?: number };

export interface DocumentHead {
  /** 1.0.0 to 1.0.3. */
  readonly dsl: string;
  readonly namespace: string;
  readonly name: string;
  /** Semantic version. */
  readonly version: string;
  readonly title?: string;
  readonly summary?: string;
  readonly tags?: JsonObject;
  readonly metadata?: JsonObject;
}

/** A schema written in place; JSON Schema, draft 2020-12. */
export interface InlineSchema {
  readonly format?: string;
  readonly document: Json;
}

/** What all tasks may say. */
export interface TaskCommon {
  readonly if?: ExpressionText;
  readonly input?: { readonly from?: ExpressionText | JsonObject };
  readonly output?: { readonly as?: ExpressionText | JsonObject };
  readonly export?: { readonly as?: ExpressionText | JsonObject };
  readonly then?: FlowDirective;
  readonly metadata?: JsonObject;
}

export interface ErrorDefinition {
  readonly type: string;
  readonly status: number;
  readonly title?: string;
  readonly detail?: string;
  /** Accepted and replaced: the engine sets the pointer of the task that raises. */
  readonly instance?: string;
}

export interface RetryPolicyDefinition {
  readonly when?: ExpressionText;
  readonly exceptWhen?: ExpressionText;
  readonly delay?: Duration;
  readonly backoff?: { readonly constant?: JsonObject; readonly linear?: JsonObject; readonly exponential?: JsonObject };
  /** `count`: retries after the first try. */
  readonly limit?: { readonly attempt?: { readonly count?: number } };
  readonly jitter?: { readonly from: Duration; readonly to: Duration };
}

export interface CatchDefinition {
  readonly errors?: { readonly with?: ErrorFilter };
  /** Name of the error variable. Default `error`. */
  readonly as?: string;
  readonly when?: ExpressionText;
  readonly exceptWhen?: ExpressionText;
  /** A policy, or the name of one in `use.retries`. */
  readonly retry?: string | RetryPolicyDefinition;
  readonly do?: TaskList;
}

export interface SwitchCaseDefinition {
  readonly when?: ExpressionText;
  readonly then: FlowDirective;
}

export interface HttpArguments {
  readonly method: string;
  readonly endpoint: string | { readonly uri: string };
  readonly headers?: string | Readonly<Record<string, string>>;
  readonly query?: string | Readonly<Record<string, string>>;
  readonly body?: Json;
  /** Default `content`. */
  readonly output?: 'raw' | 'content' | 'response';
  readonly redirect?: boolean;
}

export interface ForDefinition {
  /** Name of the variable that holds the item. Default `item`. */
  readonly each?: string;
  /** The list; evaluated once. */
  readonly in: ExpressionText;
  /** Name of the variable that holds the index, from 0. Default `index`. */
  readonly at?: string;
}

export interface ForkDefinition {
  /** Each a branch of its own. */
  readonly branches: TaskList;
  /** Whether the first branch that succeeds is the output, and the others are cancelled. Default false. */
  readonly compete?: boolean;
}

export interface EventFilterDefinition {
  /** Attributes that the event must have; `data` may be a condition `${ }` on the event's data. */
  readonly with: JsonObject;
  /** By name: what to take from the event (an expression on its envelope) and what it must be. */
  readonly correlate?: Readonly<Record<string, { readonly from: ExpressionText; readonly expect?: string }>>;
}

export interface ListenDefinition {
  readonly to: { readonly one: EventFilterDefinition };
  /** What of the event is the output. Default `data`. */
  readonly read?: 'data' | 'envelope';
}

export type DoTask = TaskCommon & { readonly do: TaskList };
export type SetTask = TaskCommon & { readonly set: JsonObject | string };
export type SwitchTask = TaskCommon & { readonly switch: readonly Readonly<Record<string, SwitchCaseDefinition>>[] };
export type CallTask = TaskCommon & { readonly call: string; readonly with?: JsonObject };
export type TryTask = TaskCommon & { readonly try: TaskList; readonly catch: CatchDefinition };
export type WaitTask = TaskCommon & { readonly wait: Duration };
export type EmitTask = TaskCommon & { readonly emit: { readonly event: { readonly with: JsonObject } } };
export type ForTask = TaskCommon & { readonly for: ForDefinition; readonly while?: ExpressionText; readonly do: TaskList };
export type ForkTask = TaskCommon & { readonly fork: ForkDefinition };
export type ListenTask = TaskCommon & { readonly listen: ListenDefinition };
export type RaiseTask = TaskCommon & { readonly raise: { readonly error: string | ErrorDefinition } };

export type RunTask = TaskCommon & { readonly run: JsonObject };

/** Definition of a task by the key that tells its kind. */
export interface TaskByKind {
  readonly do: DoTask;
  readonly set: SetTask;
  readonly switch: SwitchTask;
  readonly call: CallTask;
  readonly try: TryTask;
  readonly wait: WaitTask;
  readonly emit: EmitTask;
  readonly raise: RaiseTask;
  readonly for: ForTask;
  readonly fork: ForkTask;
  readonly listen: ListenTask;
  readonly run: RunTask;
}

export type TaskDefinition = TaskByKind[TaskKind];
/** Tasks in order; each item has one key, the task's name. */
export type TaskList = readonly Readonly<Record<string, TaskDefinition>>[];

/** A document that was checked: `parseWorkflow` lets nothing else through. */
export interface Workflow {
  readonly document: DocumentHead;
  readonly input?: { readonly schema?: InlineSchema; readonly from?: ExpressionText | JsonObject };
  readonly output?: { readonly as?: ExpressionText | JsonObject };
  readonly use?: { readonly errors?: Readonly<Record<string, ErrorDefinition>>; readonly retries?: Readonly<Record<string, RetryPolicyDefinition>> };
  readonly do: TaskList;
}
