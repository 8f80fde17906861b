// How a `listen` is found by an event that names no execution: equal keys, looked up in an index.
import { hash32, isJsonObject, type Json } from '@weft/kernel';

/** Values that an event may be found by. A bigger event has to name its execution. */
export const EVENT_VALUES_MAX = 1_000;

/**
 * The key of a `listen`: of the type that it waits for and the first correlated value that a plain path takes; of the type alone
 * when there is none. It only narrows the search: whether the event is taken is decided by the execution.
 * @param eventType '' = any.
 */
export function listenKey(eventType: string, correlated?: { readonly path: string; readonly value: string }): string {
  return eventType !== '' && correlated ? keyOf(`${eventType}\n${correlated.path}\n${correlated.value}`) : keyOf(eventType);
}

/** The keys of all that might take an event; undefined when it has more values than `EVENT_VALUES_MAX`. */
export function listenKeysOf(eventType: string, event: Json): readonly string[] | undefined {
  const keys = [keyOf(''), keyOf(eventType)];
  const open: { readonly path: string; readonly value: Json }[] = [{ path: '', value: event }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { path, value } = next;
    if (isJsonObject(value)) for (const [name, field] of Object.entries(value)) open.push({ path: `${path}.${name}`, value: field });
    const text = textOf(value);
    if (text !== undefined) keys.push(listenKey(eventType, { path, value: text }));
    if (keys.length + open.length > EVENT_VALUES_MAX) return undefined;
  }
  return keys;
}

/** A correlated value as text, so that `"7"` in a document equals 7 in an event; undefined for what no text stands for. */
export const textOf = (value: Json | undefined): string | undefined => (typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined);

const keyOf = (text: string): string => `${hex(hash32(text))}${hex(hash32(`weft\n${text}`))}`;
const hex = (hash: number): string => hash.toString(16).padStart(8, '0');
