// Tasks that publish events and wait for them.
import { standardTask, type Duration, type TaskOptions, type Tasks, type TaskWith } from './task.js';
import type { Condition, Shaping, Text, Value } from './value.js';

/** Attributes of a CloudEvent. */
export interface EventAttributes {
  readonly id?: Text;
  readonly source?: Text;
  readonly type?: Text;
  readonly time?: Text;
  readonly subject?: Text;
  readonly datacontenttype?: Text;
  readonly dataschema?: Text;
  readonly data?: Value;
  readonly [extension: string]: Value | undefined;
}

/** `emit`: publishes a CloudEvent. */
export const emit = <const O extends TaskOptions = object>(event: EventAttributes & { readonly source: Text; readonly type: Text }, options?: O): TaskWith<O> =>
  standardTask({ emit: { event: { with: event } }, ...options }) as TaskWith<O>;

/** Which events are meant; `data` as an expression is a condition on the event's data, `it`. */
export interface EventFilter {
  readonly with: EventAttributes;
  /** By name: what to take from the event, `it` being the whole of it, and what it must be. */
  readonly correlate?: { readonly [name: string]: { readonly from: Condition; readonly expect?: Text } };
}

/** Events to consume: one, any of some (until a condition holds or other events arrive), or all of some. */
export type EventStrategy = { readonly one: EventFilter } | { readonly any: readonly EventFilter[]; readonly until?: Condition | EventStrategy } | { readonly all: readonly EventFilter[] };

/** What to do with each event or message as it arrives. */
export interface Iteration {
  /** Name of the variable for it. Default `item`. */
  readonly item?: string;
  /** Name of the variable for the index, from 0. Default `index`. */
  readonly at?: string;
  readonly do?: Tasks;
  readonly output?: { readonly schema?: object; readonly as?: Shaping };
  readonly export?: { readonly schema?: object; readonly as?: Shaping };
}

export interface ListenOptions extends TaskOptions {
  /** What of each event is given. Default `data`. */
  readonly read?: 'data' | 'envelope' | 'raw';
  readonly foreach?: Iteration;
}

/** `listen`: waits for events; the output is the list of them. */
export function listen<Data = unknown, const O extends ListenOptions = object>(to: EventStrategy, options?: O): TaskWith<O, Data[]> {
  const { read, ...rest } = (options ?? {}) as ListenOptions;
  return standardTask({ listen: { to, read }, ...rest }) as TaskWith<O, Data[]>;
}

/** What a subscription of `call: asyncapi` consumes. */
export interface Subscription {
  readonly filter?: Text;
  readonly consume: { readonly for?: Duration } & ({ readonly amount: number } | { readonly while: Text } | { readonly until: Text });
  readonly foreach?: Iteration;
}
