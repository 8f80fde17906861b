// Tasks that hold other tasks, and those that choose, wait and fail.
import { BuilderError, type Expression } from './expression.js';
import { variable, type Ref, type Unknown } from './handles.js';
import { standardTask, type Connected, type Duration, type TaskOptions, type Tasks, type TaskWith } from './task.js';
import type { Condition, Evaluated, Text, Values } from './value.js';

/** `set`: the output is this value, with its expressions evaluated. */
export const set = <const V extends Values | Text, const O extends TaskOptions = object>(value: V, options?: O): TaskWith<O, V extends string ? unknown : Evaluated<V>> =>
  standardTask({ set: value, ...options }) as TaskWith<O, V extends string ? unknown : Evaluated<V>>;

/** `wait`: goes on after this time, which survives restarts. */
export const wait = <Input = unknown, const O extends TaskOptions = object>(duration: Duration, options?: O): TaskWith<O, Input> => standardTask({ wait: duration, ...options }) as TaskWith<O, Input>;

/** An error as RFC 9457 has it. */
export interface ErrorFields {
  /** An absolute URI. */
  readonly type: Text;
  readonly status: number;
  readonly title?: Text;
  readonly detail?: Text;
  readonly instance?: Text;
}

/** `raise`: fails with this error, or with that of `use.errors` of this name. */
export const raise = <const O extends TaskOptions = object>(error: string | ErrorFields, options?: O): TaskWith<O, never> => standardTask({ raise: { error }, ...options }) as TaskWith<O, never>;

/** `do`: tasks one after the other. */
export const sequence = <const L extends Tasks, const O extends TaskOptions = object>(tasks: L & Connected<L>, options?: O): TaskWith<O> => standardTask({ do: tasks, ...options }) as TaskWith<O>;

/** A case of a `switch`: without `when` it always holds. */
export interface Case {
  readonly when?: Condition;
  readonly then: string;
}
type CaseRecord = { readonly [name: string]: Case };
type CasePairs = readonly (readonly [name: string, one: Case])[];
type ThenOfCases<C> = C extends CasePairs ? C[number][1]['then'] : C extends CaseRecord ? C[keyof C]['then'] : never;
type Defaults<C> = { [K in keyof C]: C[K] extends { readonly when: unknown } ? never : K }[keyof C];
/** Two cases without `when` cannot both be meant: the second would never be reached. */
type OneDefault<C> = C extends CasePairs ? C : { readonly [K in keyof C]: C[K] extends { readonly when: unknown } ? C[K] : [Defaults<C>] extends [K] ? C[K] : Case & { readonly when: Condition } };

/** `switch`: goes on where the first case that holds says. @throws BuilderError when several have no `when`. */
export function cases<const C extends CaseRecord | CasePairs, const O extends TaskOptions = object>(choices: C & OneDefault<C>, options?: O): TaskWith<O, unknown, ThenOfCases<C>> {
  const pairs: CasePairs = Array.isArray(choices) ? (choices as CasePairs) : Object.entries(choices as CaseRecord);
  const defaults = pairs.filter(([, { when }]) => when === undefined).map(([name]) => `\`${name}\``);
  if (defaults.length > 1) throw new BuilderError(`Expected at most one case without \`when\` but found ${defaults.join(' and ')}: the first of them always holds.`);
  return standardTask({ switch: pairs.map(([name, fields]) => ({ [name]: fields })), ...options }) as TaskWith<O, unknown, ThenOfCases<C>>;
}

type ItemOf<In> = In extends Expression<infer T> ? (NonNullable<T> extends readonly (infer I)[] ? I : Unknown) : Unknown;

/** The variables of a loop, for its `while` and its tasks. */
export interface LoopVariables<Item = Unknown> {
  readonly item: Ref<Item>;
  readonly index: Ref<number>;
}

/** `for`: the tasks for each item of `in`, one pass after the other. `each` (default `item`) and `at` (default `index`) name the variables. */
export function forEach<const In extends Text, const O extends TaskOptions & { readonly while?: Condition } = object>(
  loop: { readonly each?: string; readonly in: In; readonly at?: string; readonly while?: Condition | ((variables: LoopVariables<ItemOf<In>>) => Condition) },
  tasks: Tasks | ((variables: LoopVariables<ItemOf<In>>) => Tasks),
  options?: O,
): TaskWith<O> {
  const { while: condition, ...over } = loop;
  const variables = { item: variable<ItemOf<In>>(loop.each ?? 'item'), index: variable<number>(loop.at ?? 'index') } as LoopVariables<ItemOf<In>>;
  const goesOn = typeof condition === 'function' ? condition(variables) : condition;
  return standardTask({ for: over, while: goesOn, do: typeof tasks === 'function' ? tasks(variables) : tasks, ...options }) as TaskWith<O>;
}

/** `fork`: all branches at once; the output is the list of theirs. With `compete` the first that succeeds is the output. */
export function fork<const O extends TaskOptions & { readonly compete?: boolean } = object>(branches: Tasks, options?: O): TaskWith<O> {
  const { compete, ...rest } = (options ?? {}) as TaskOptions & { readonly compete?: boolean };
  return standardTask({ fork: { branches, compete }, ...rest }) as TaskWith<O>;
}

/** When and how often to try again. */
export interface RetryPolicy {
  readonly when?: Condition;
  readonly exceptWhen?: Condition;
  readonly delay?: Duration;
  readonly backoff?: { readonly constant: object } | { readonly linear: object } | { readonly exponential: object };
  readonly limit?: { readonly attempt?: { readonly count?: number; readonly duration?: Duration }; readonly duration?: Duration };
  readonly jitter?: { readonly from: Duration; readonly to: Duration };
}

/** Which errors to catch and what to do about them. */
export interface Catch {
  readonly errors?: { readonly with?: { readonly type?: string; readonly status?: number; readonly instance?: string; readonly title?: string; readonly detail?: string; readonly details?: string } };
  /** Name of the variable for the error. Default `error`. */
  readonly as?: string;
  readonly when?: Condition;
  readonly exceptWhen?: Condition;
  /** A policy, or the name of one in `use.retries`. */
  readonly retry?: string | RetryPolicy;
  readonly do?: Tasks | ((error: Ref<CaughtError>) => Tasks);
}

/** What the variable of a `catch` holds. */
export interface CaughtError {
  readonly type: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly instance: string;
}

/** `try`: the tasks, and what to do when one of them fails. */
export function attempt<const O extends TaskOptions = object>(tasks: Tasks, clause: Catch, options?: O): TaskWith<O> {
  const handler = typeof clause.do === 'function' ? clause.do(variable<CaughtError>(clause.as ?? 'error') as Ref<CaughtError>) : clause.do;
  return standardTask({ try: tasks, catch: { ...clause, do: handler }, ...options }) as TaskWith<O>;
}
