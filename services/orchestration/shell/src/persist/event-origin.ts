// What is known of an event beside what it says, kept with it until it starts something.
import { isJsonObject, type Json } from '@weft/kernel';

export interface EventOrigin {
  /** How many executions followed each other by emitted events until it; 0 = it came from outside. */
  readonly hops: number;
  /** Labels of what it was made of. */
  readonly taint: readonly string[];
}

// No name of an attribute of a CloudEvent.
const FIELD = 'weft:origin';

export const withOrigin = (event: Json, origin: EventOrigin): Json => (isJsonObject(event) ? { ...event, [FIELD]: { hops: origin.hops, taint: origin.taint } } : event);

export function originOf(event: Json): EventOrigin {
  const origin = isJsonObject(event) ? event[FIELD] : undefined;
  if (!isJsonObject(origin)) return { hops: 0, taint: [] };
  const { hops, taint } = origin;
  return { hops: typeof hops === 'number' ? hops : 0, taint: Array.isArray(taint) ? taint.filter((label): label is string => typeof label === 'string') : [] };
}

export function withoutOrigin(event: Json): Json {
  if (!isJsonObject(event)) return event;
  const { [FIELD]: _origin, ...own } = event;
  return own;
}
