// The functions of the default catalogue. Arguments are those of docs/workflow-profile.md.
import type { Json } from '@weft/kernel';
import type { Expression } from './expression.js';
import { standardTask, type Duration, type TaskOptions, type TaskWith } from './task.js';
import type { Text, Value, Values } from './value.js';

/** A JSON Schema, or an expression that gives one. */
type JsonSchema = Json | Text;

interface Generation {
  readonly temperature?: number | Text;
  readonly maxTokens?: number | Text;
  readonly stream?: Value;
}
type Asked = { readonly prompt: Value; readonly messages?: never } | { readonly messages: Value; readonly prompt?: never };

export type InferArguments = Asked & Generation & { readonly instructions?: Text; readonly schema?: JsonSchema; readonly tools?: Value; readonly toolChoice?: Value };
export type EmbedArguments = { readonly text: Text; readonly texts?: never } | { readonly texts: Value; readonly text?: never };
export type AgentArguments = Asked &
  Generation & {
    readonly name?: string;
    readonly instructions: Text;
    readonly tools?: Value;
    readonly schema?: JsonSchema;
    readonly repairs?: number | Text;
    readonly limits?: Value;
    readonly onLimit?: 'fail' | 'answer' | Expression;
    readonly parallel?: number | Text;
    readonly context?: Value;
    readonly agents?: Value;
    readonly handOff?: Value;
  };
export interface RecallArguments {
  readonly scope: Text;
  readonly query?: Text;
  /** 1 to 50. */
  readonly limit?: number | Text;
  readonly trust?: 'untrusted' | 'derived' | 'stated' | Expression;
}
export interface RememberArguments {
  readonly scope: Text;
  readonly text: Text;
  readonly metadata?: Values | Text;
}
export interface ValidateArguments {
  readonly value: Value;
  readonly schema: JsonSchema;
  readonly policy?: Text;
}
export interface ReviewArguments {
  readonly title: Text;
  readonly subject: Value;
  readonly form?: JsonSchema;
  readonly assignees?: Value;
  readonly approvals?: number | Text;
  readonly due?: Duration;
  readonly remindAfter?: Duration;
  readonly escalate?: Value;
  readonly expires?: Duration;
}
export interface ToolArguments {
  readonly name: Text;
  readonly arguments?: Value;
}
/** The workflow runs once for each item of `in`, at most `concurrency` at a time. */
export interface MapArguments {
  readonly in: Value;
  readonly workflow: { readonly namespace: Text; readonly name: Text; readonly version?: Text };
  readonly concurrency?: number | Text;
  readonly onError?: Text;
}

export interface Verdict {
  readonly verdict: string;
  readonly evidence: unknown;
  readonly schemaDigest: string;
  readonly policy?: string;
}
export interface Decided<Form = unknown> {
  readonly outcome: string;
  readonly comment?: string;
  readonly form?: Form;
  readonly decidedBy: unknown;
  readonly review: string;
}
export interface Embeddings {
  readonly embeddings: number[][];
  readonly dims: number;
  readonly model: string;
}

const catalogued =
  <A, Default = unknown>(name: string) =>
  <Output = Default, const O extends TaskOptions = object>(args: A, options?: O): TaskWith<O, Output> =>
    standardTask({ call: name, with: args, ...options }) as TaskWith<O, Output>;

/** Asks a model; say what it answers as `infer<Answer>(...)` when `schema` makes it data. */
export const infer = catalogued<InferArguments>('infer');
/** Lets a model work in turns with tools, within limits. */
export const agent = catalogued<AgentArguments>('agent');
/** Asks a model for embeddings. */
export const embed = catalogued<EmbedArguments, Embeddings>('embed');
/** Finds memory items of a scope. */
export const recall = catalogued<RecallArguments>('recall');
/** Keeps a text in a scope. */
export const remember = catalogued<RememberArguments>('remember');
/** Judges a value; a failing verdict is an answer. */
export const validate = catalogued<ValidateArguments, Verdict>('validate');
/** Asks people to decide and waits for them. */
export const review = catalogued<ReviewArguments, Decided>('review');
/** Calls a declared tool under its grant. */
export const tool = catalogued<ToolArguments>('tool');
/** Runs a workflow for each item of a list, several at a time. */
export const map = catalogued<MapArguments, unknown[]>('map');
