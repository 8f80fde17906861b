// Typed handles: `input.customer.id` is jq that says where to find it.
import { Binding, BuilderError, expression, JQ, type Expression, type Place, type Rendered } from './expression.js';

type IsAny<T> = 0 extends 1 & T ? true : false;

/** An expression whose fields are expressions: `ref.customer.id`. Of a list take items with `at` and `first`. */
export type Ref<T> = IsAny<T> extends true ? T : Expression<T> & FieldsOf<NonNullable<T>>;

type FieldsOf<T> = T extends readonly unknown[] ? unknown : T extends object ? { readonly [K in keyof T]-?: Ref<T[K]> } : unknown;

/** Nothing is known of it, so every field may be asked for. */
// oxlint-disable-next-line typescript/no-explicit-any -- a field of an unknown type can only be allowed by `any`
export type Unknown = any;

/** Names that an expression can use, with the types of what they hold. */
export interface Handles<Input = Unknown, Context = Unknown, Output = Unknown> {
  /** The task's input: `.`, or `$input` where `.` is something else. */
  readonly input: Ref<Input>;
  /** What tasks exported: `$context`. */
  readonly context: Ref<Context>;
  /** What the task gave; only in `output.as` and `export.as`, and in `output.as` of the workflow. */
  readonly output: Ref<Output>;
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A handle on what some jq gives. */
export function handle<T>(render: (place: Place) => Rendered): Ref<T> {
  const handler: ProxyHandler<Expression> = {
    get: (target, key) => (key === JQ ? target[JQ] : typeof key === 'string' ? fieldOf(target, key) : undefined),
  };
  return new Proxy(expression<T>(render), handler) as Ref<T>;
}

/** A field by its name, where TypeScript's own notation does not do: `field(input, 'content-type')`. */
export function field<T, K extends keyof T & string>(of: Expression<T>, name: K): Ref<T[K]>;
export function field(of: Expression, name: string): Unknown;
export function field(of: Expression, name: string): unknown {
  return handle((place) => termOf(of, place, IDENTIFIER.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`));
}

const fieldOf = (of: Expression, key: string): unknown => (/^\d+$/.test(key) ? handle((place) => termOf(of, place, `[${key}]`)) : field(of, key));

/** An expression followed by what jq allows after a term: a field, an index, a slice. */
export function termOf(of: Expression, place: Place, suffix: string): Rendered {
  const { text, binding } = of[JQ](place);
  const term = binding < Binding.term ? `(${text})` : text;
  // `..a` is something else: a field of `.` needs one dot.
  return { text: term === '.' && suffix.startsWith('.') ? suffix : `${term}${suffix}`, binding: Binding.term };
}

const fixed = (text: string): Rendered => ({ text, binding: Binding.term });

/** A variable by name: of a loop, a `catch`, an iteration over events. */
export const variable = <T = Unknown>(name: string): Ref<T> => handle(() => fixed(`$${name}`));

/** The handles for a task whose input and context have these types. */
export const handles = <Input = Unknown, Context = Unknown, Output = Unknown>(): Handles<Input, Context, Output> => ({
  input: handle<Input>((place) => fixed(inputIn(place))),
  context: variable<Context>('context'),
  output: handle<Output>((place) => fixed(outputIn(place))),
});

function inputIn(place: Place): string {
  if (place === 'workflow') throw new BuilderError('Expected `output` or `context` in `output.as` of the workflow but found `input`: what the workflow was given is `info.workflow.input`.');
  return place === 'before' || place === 'task' ? '.' : '$input';
}

function outputIn(place: Place): string {
  if (place === 'output' || place === 'export' || place === 'workflow') return '.';
  throw new BuilderError('Expected `output` only in `output.as` and `export.as`: elsewhere a task has no output yet.');
}

/** The task's input, where its type does not matter. */
export const input: Unknown = handles().input;
/** What tasks exported, where its type does not matter. */
export const context: Unknown = handles().context;
/** What the task gave, where its type does not matter. */
export const output: Unknown = handles().output;
/** Whatever `.` is where the expression stands: the data of an event in its filter, the events so far in `until`. */
export const it: Unknown = handle(() => fixed('.'));
/** The secret of this name, for arguments of calls; it must be in `use.secrets`. */
export const secret = (name: string): Ref<Unknown> => field(variable('secrets'), name);

/** What the standard's descriptors tell: `info.workflow.id`, `info.task.name`, `info.runtime.version`. */
export const info: { readonly workflow: Unknown; readonly task: Unknown; readonly runtime: Unknown } = { workflow: variable('workflow'), task: variable('task'), runtime: variable('runtime') };
