// Whether an event is one that a `listen` waits for.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { canonicalJson } from '@weft/workflow';
import type { ActivationKey } from '../execution/execution.events.js';
import type { KeptSignal } from '../execution/execution.state.js';
import type { Advance } from '../interpreter/advance.js';
import type { EventFilter } from '../program/event-filter.js';
import { ExpressionFailed } from '../program/expression.js';
import type { Task } from '../program/program.js';
import { textOf } from './listen-key.js';

/** Evaluates expressions of filters: an execution that listens, or nobody yet. */
export type Evaluating = Pick<Advance, 'evaluate'>;

/** What an event must have, as it was evaluated when the task was reached. */
export interface Expected {
  readonly with: JsonObject;
  /** By name; a correlation that expects nothing is not listed. */
  readonly correlate: JsonObject;
}

/** Where a filter is evaluated: the task that listens, and its activation. */
export interface ListeningAt {
  readonly task: Task;
  readonly key: ActivationKey;
  readonly taskInput: Json;
}

/** @throws ExpressionFailed */
export function expectedOf(advance: Evaluating, { attributes, correlations }: EventFilter, at: ListeningAt): Expected {
  const correlate = correlations.flatMap(({ name, expect }) => (expect ? [[name, advance.evaluate(expect, at.taskInput, at)] as const] : []));
  return { with: advance.evaluate(attributes, at.taskInput, at) as JsonObject, correlate: Object.fromEntries(correlate) };
}

/** @param bound values that earlier events of the same activation have bound, by the name of the correlation. */
export function fits(advance: Evaluating, filter: EventFilter, expected: Expected, { event }: Pick<KeptSignal, 'event'>, at: ListeningAt, bound: JsonObject = {}): boolean {
  const attributes = isJsonObject(event) ? event : {};
  for (const [name, wanted] of Object.entries(expected.with ?? {})) if (!isEqual(attributes[name], wanted)) return false;
  try {
    if (filter.dataHolds && advance.evaluate(filter.dataHolds, attributes['data'] ?? null, at) !== true) return false;
    return filter.correlations.every(({ name, from, expect }) => {
      const value = advance.evaluate(from, event, at);
      if (expect) return isEqual(value, expected.correlate?.[name] ?? null);
      return Object.hasOwn(bound, name) ? isEqual(value, bound[name]!) : value !== null;
    });
  } catch (fault) {
    // An event of someone else's making must not fail the workflow: what cannot be compared does not fit.
    if (fault instanceof ExpressionFailed) return false;
    throw fault;
  }
}

/** Values that an event gives the names of a filter's correlations; undefined when it has none. The event fits. */
export function correlationKeys(advance: Evaluating, { correlations }: EventFilter, { event }: Pick<KeptSignal, 'event'>, at: ListeningAt): JsonObject | undefined {
  return correlations.length === 0 ? undefined : Object.fromEntries(correlations.map(({ name, from }) => [name, advance.evaluate(from, event, at)]));
}

function isEqual(value: Json | undefined, wanted: Json): boolean {
  if (value === undefined) return false;
  const [text, wantedText] = [textOf(value), textOf(wanted)];
  return text !== undefined && wantedText !== undefined ? text === wantedText : canonicalJson(value) === canonicalJson(wanted);
}
