// A `listen` compiled: its filters in one list, and when it is over.
import { isJsonObject, type JsonObject } from '@weft/kernel';
import { compileEventFilter, EVERY_EVENT, type EventFilter } from './event-filter.js';
import { bareExpression, type Evaluate } from './expression.js';

/** one: the first event. any: the first that fits a filter, or all until something. all: one event for each filter. */
export type Consumption = 'one' | 'any' | 'all';

/** How an event becomes an item: its data, its envelope, or its data as text. */
export type EventReading = 'data' | 'envelope' | 'raw';

export interface Listening {
  readonly to: Consumption;
  /** Those of `to`, then from `ending` on those of the events that end it. */
  readonly filters: readonly EventFilter[];
  /** Index of the first filter of `until`; the number of filters when no event ends it. */
  readonly ending: number;
  /** How many of the events that end it must come: of `all` one for each filter. */
  readonly until?: Evaluate | Consumption;
  readonly read: EventReading;
}

/** @param listen what stands under `listen`. */
export function compileListening(listen: JsonObject, names: readonly string[]): Listening {
  const to = listen['to'] as JsonObject;
  const own = filtersOf(to, names);
  const { until } = to;
  const condition = typeof until === 'string' ? bareExpression(until, names) : undefined;
  const ended = isJsonObject(until) ? filtersOf(until, names) : undefined;
  const read = listen['read'];
  return {
    to: own.to,
    filters: [...own.filters, ...(ended?.filters ?? [])],
    ending: own.filters.length,
    ...(own.to === 'any' && (condition ?? ended) ? { until: condition ?? ended!.to } : {}),
    read: read === 'envelope' || read === 'raw' ? read : 'data',
  };
}

function filtersOf(strategy: JsonObject, names: readonly string[]): { readonly to: Consumption; readonly filters: readonly EventFilter[] } {
  const to = (['one', 'all', 'any'] as const).find((each) => strategy[each] !== undefined) ?? 'any';
  const given = strategy[to];
  const listed = (to === 'one' ? [given] : given) as readonly JsonObject[];
  const filters = listed.map((filter) => compileEventFilter(filter, names));
  return { to, filters: to === 'any' && filters.length === 0 ? [EVERY_EVENT] : filters };
}
