// A workflow as it is put together: its head, then tasks, each knowing what the ones before it gave.
import type { JsonObject } from '@weft/kernel';
import type { Authentication, Endpoint } from './calls.js';
import type { ErrorFields, RetryPolicy } from './control.js';
import { encode } from './encode.js';
import type { EventStrategy } from './events.js';
import { BuilderError } from './expression.js';
import { handles, type Handles, type Unknown } from './handles.js';
import { spotInDocument } from './places.js';
import { taskList, type Connected, type Duration, type Schema, type Task, type TaskPairs, type TaskRecord, type Tasks, type Unexported } from './task.js';
import type { Condition, Shaping } from './value.js';

/** What the workflow's tasks may name. */
export interface Use {
  readonly authentications?: { readonly [name: string]: Authentication };
  readonly catalogs?: { readonly [name: string]: { readonly endpoint: Endpoint } };
  readonly errors?: { readonly [name: string]: ErrorFields };
  readonly extensions?: { readonly [name: string]: Extension } | readonly (readonly [name: string, extension: Extension])[];
  readonly functions?: { readonly [name: string]: Task };
  readonly retries?: { readonly [name: string]: RetryPolicy };
  readonly secrets?: readonly string[];
  readonly timeouts?: { readonly [name: string]: { readonly after: Duration } };
}

/** Tasks around every task of a kind. */
export interface Extension {
  readonly extend: 'call' | 'composite' | 'emit' | 'for' | 'listen' | 'raise' | 'run' | 'set' | 'switch' | 'try' | 'wait' | 'all';
  readonly when?: Condition;
  readonly before?: Tasks;
  readonly after?: Tasks;
}

/** All that a document says besides its tasks; names are those of the standard. */
export interface Head {
  /** Default `1.0.3`. */
  readonly dsl?: string;
  /** Default `default`. */
  readonly namespace?: string;
  /** Semantic version. Default `0.1.0`. */
  readonly version?: string;
  readonly title?: string;
  readonly summary?: string;
  readonly tags?: JsonObject;
  readonly metadata?: JsonObject;
  readonly input?: { readonly schema?: Schema; readonly from?: Shaping };
  readonly output?: { readonly schema?: Schema; readonly as?: Shaping };
  readonly use?: Use;
  readonly timeout?: string | { readonly after: Duration };
  readonly schedule?: { readonly every?: Duration; readonly cron?: string; readonly after?: Duration; readonly on?: EventStrategy };
  readonly evaluate?: { readonly language?: string; readonly mode?: 'strict' | 'loose' };
}

type OutputOf<T> = T extends Task<infer Output, string, unknown> ? Output : unknown;
type ContextAfter<T, Before> = T extends Task<unknown, string, infer Context> ? (Context extends Unexported ? Before : Context) : Before;

/** A workflow so far: Input is what its next task is given, Context what `$context` holds. */
export interface Workflow<Input = Unknown, Context = Unknown> {
  /** Adds one task. As a function it is given handles with the types that are known at this place. */
  task<T extends Task>(name: string, task: T | ((handles: Handles<Input, Context>) => T)): Workflow<OutputOf<T>, ContextAfter<T, Context>>;
  /** Adds tasks, as an object by name or as pairs. */
  do<const L extends TaskRecord | TaskPairs>(tasks: L & Connected<L>): Workflow;
  /** The document, as JSON. @throws BuilderError for what types could not rule out, such as a `then` that names no task of its list. */
  toDocument(): JsonObject;
}

/**
 * Begins a workflow. @example
 * workflow<{ text: string }>('triage', { version: '1.0.0' })
 *   .task('judge', ({ input }) => infer<{ urgent: boolean }>({ prompt: input.text, schema: URGENT }))
 *   .task('answer', ({ input }) => set({ queue: iff(input.urgent, 'now', 'later') }))
 */
export function workflow<Input = Unknown>(name: string, head: Head = {}): Workflow<Input, Record<string, Unknown>> {
  return extended(name, head, []) as unknown as Workflow<Input, Record<string, Unknown>>;
}

function extended(name: string, head: Head, tasks: TaskPairs): Workflow {
  return {
    task: (taskName, task) => extended(name, head, [...tasks, [taskName, typeof task === 'function' ? task(handles()) : task]]) as never,
    do: (added) => extended(name, head, [...tasks, ...pairsOf(added)]),
    toDocument: () => documentOf(name, head, tasks),
  };
}

function pairsOf(tasks: Tasks): TaskPairs {
  // Checked as it is written: later tasks may be what these go on to.
  return Array.isArray(tasks) ? (tasks as TaskPairs) : (Object.entries(tasks as TaskRecord) satisfies TaskPairs);
}

function documentOf(name: string, head: Head, tasks: TaskPairs): JsonObject {
  const { dsl = '1.0.3', namespace = 'default', version = '0.1.0', title, summary, tags, metadata, use, ...rest } = head;
  if (tasks.length === 0) throw new BuilderError(`Expected at least one task in the workflow \`${name}\` but it has none: add some with \`task\` or \`do\`.`);
  const document = { document: { dsl, namespace, name, version, title, summary, tags, metadata }, ...rest, use: use && usable(use), do: taskList(tasks, 'do') };
  return encode(document, [], spotInDocument) as JsonObject;
}

function usable({ functions, extensions, ...rest }: Use): object {
  const named =
    extensions === undefined ? undefined : Array.isArray(extensions) ? (extensions as readonly (readonly [string, Extension])[]) : Object.entries(extensions as { readonly [name: string]: Extension });
  return {
    ...rest,
    functions: functions && Object.fromEntries(Object.entries(functions).map(([name, { definition }]) => [name, definition])),
    extensions: named?.map(([name, { before, after, ...fields }]) => ({
      [name]: { ...fields, before: before && taskList(before, `${name}/before`), after: after && taskList(after, `${name}/after`) },
    })),
  };
}

/** Whether a value is a workflow of this package, also of another copy of it. */
export const isWorkflow = (value: unknown): value is Workflow => typeof value === 'object' && value !== null && typeof (value as Partial<Workflow>).toDocument === 'function';
