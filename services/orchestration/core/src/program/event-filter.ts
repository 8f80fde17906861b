// Which events a `listen` is for.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { embeddedExpression } from '@weft/jq';
import { earlyFilter, type EarlyFilter } from './early-filter.js';
import { bareExpression, template, type Evaluate } from './expression.js';

export interface EventFilter {
  /** Attributes with what each must be, evaluated once when the task is reached. */
  readonly attributes: Evaluate;
  /** Condition on the event's data. */
  readonly dataHolds?: Evaluate;
  readonly correlations: readonly Correlation[];
  /** What is known of it when the execution starts. */
  readonly early?: EarlyFilter;
}

export interface Correlation {
  readonly name: string;
  /** Takes the value from the event's envelope. */
  readonly from: Evaluate;
  /** The same as a path of plain names, such as `.data.order.id`, when it is one. */
  readonly path?: string;
  /** What the value must be, evaluated once when the task is reached; without it the first value binds the name. */
  readonly expect?: Evaluate;
}

/** What `any: []` stands for. */
export const EVERY_EVENT: EventFilter = { attributes: () => ({}), correlations: [] };

// What a correlation takes by a path of plain names can be looked for in an event without knowing who listens.
const PLAIN_PATH = /^(?:\.[A-Za-z_][A-Za-z0-9_]*)+$/;

/** @param filter `with` and `correlate`. @param names variables beside those that every expression has. */
export function compileEventFilter(filter: JsonObject, names: readonly string[]): EventFilter {
  const wanted = filter['with'] as JsonObject;
  const { data, ...attributes } = wanted;
  const condition = typeof data === 'string' && embeddedExpression(data) !== undefined ? data : undefined;
  const correlations = isJsonObject(filter['correlate']) ? Object.entries(filter['correlate']).map(([name, given]) => compileCorrelation(name, given as JsonObject, names)) : [];
  const early = earlyFilter(filter, new Map(correlations.flatMap(({ name, path }) => (path === undefined ? [] : [[name, path] as const]))));
  return {
    attributes: template(condition === undefined ? wanted : attributes, names),
    ...(condition === undefined ? {} : { dataHolds: bareExpression(condition, names) }),
    correlations,
    ...(early ? { early } : {}),
  };
}

function compileCorrelation(name: string, { from, expect }: { readonly from?: Json; readonly expect?: Json }, names: readonly string[]): Correlation {
  const source = (embeddedExpression(String(from)) ?? String(from)).trim();
  return { name, from: bareExpression(source, names), ...(PLAIN_PATH.test(source) ? { path: source } : {}), ...(expect === undefined ? {} : { expect: template(expect, names) }) };
}
