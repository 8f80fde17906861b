// An expression as a value: jq that is written once the place where it stands is known.

/** Carries the jq of an expression; registered, so that two copies of this package understand each other. */
export const JQ: unique symbol = Symbol.for('weft.builder.jq');
declare const RESULT: unique symbol;

/**
 * What an expression sees depends on where it stands: `before` (`if`, `input.from`), the `task` itself, its `output` (`output.as`) and `export` (`export.as`),
 * an `event` or message that is judged, and the output of the whole `workflow`. Source: Open Workflow Specification 1.0.3, dsl.md, runtime expressions.
 */
export type Place = 'before' | 'task' | 'output' | 'export' | 'event' | 'workflow';

/** How tightly the outermost operator of a jq text binds; what binds less tightly than its surroundings goes into parentheses. */
export enum Binding {
  pipe,
  comma,
  alternative,
  or,
  and,
  comparison,
  sum,
  product,
  term,
}

export interface Rendered {
  readonly text: string;
  readonly binding: Binding;
}

/** jq that gives a T. Made by handles, operators and templates; never by hand. */
export interface Expression<out T = unknown> {
  readonly [JQ]: (place: Place) => Rendered;
  readonly [RESULT]?: T;
}

export function expression<T>(render: (place: Place) => Rendered): Expression<T> {
  return { [JQ]: render };
}

export const isExpression = (value: unknown): value is Expression => typeof value === 'object' && value !== null && JQ in value;

/** The jq of an expression, in parentheses where it binds less tightly than asked. */
export function rendered(value: Expression, place: Place, least: Binding = Binding.pipe): string {
  const { text, binding } = value[JQ](place);
  return binding < least ? `(${text})` : text;
}

/** A mistake in a workflow that types could not rule out; the message says what to write instead. */
export class BuilderError extends Error {
  override readonly name = 'BuilderError';
}
