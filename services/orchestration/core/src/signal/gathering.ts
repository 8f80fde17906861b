// What a subscription that goes on has come to, and how the events of a history change it.
import { isJsonObject, type Json } from '@weft/kernel';
import type { ExecutionEvent } from '../execution/execution.events.js';
import type { ExecutionDraft } from '../execution/execution.draft.js';
import { recorded } from '../execution/recorded.js';
import { remember } from './received.js';
import { signalKey } from '../execution/execution.state.js';

/** Items that a subscription has had, and the one that it is about. */
export interface Gathering {
  /** What came of each item, in the order in which they were taken. */
  readonly items: readonly Json[];
  /** Of the item that it is about, or was about last; -1 before the first. */
  readonly index: number;
  readonly item?: Json;
  /** Whether the tasks of `foreach` run. */
  readonly isBusy?: true;
  /** Values of correlations by name: later events must have the same. */
  readonly bound?: Json;
  /** Of all items, in characters of JSON. */
  readonly size: number;
}

export const NOTHING: Gathering = { items: [], index: -1, size: 0 };

type EventOf<T extends ExecutionEvent['type']> = Extract<ExecutionEvent, { type: T }>;

export function keepSignal(draft: ExecutionDraft, event: EventOf<'SignalReceived'>): void {
  const { source, id, eventType, early, size, drops = [] } = event;
  remember(draft, signalKey(event));
  for (const dropped of drops) draft.remove('signals', signalKey(dropped));
  draft.put('signals', signalKey(event), { source, id, eventType, event: event.event, ...(early ? { early } : {}), ...(size === undefined ? {} : { size }) });
}

export function takeSignal(draft: ExecutionDraft, event: EventOf<'SignalTaken'>): void {
  const { key, use, closes, keys, size = 0 } = event;
  const item = readAs(event.read, draft.state.signals[signalKey(event)]?.event ?? null);
  draft.remove('signals', signalKey(event));
  if (use === undefined) {
    draft.removeWhere('listens', (listen) => listen.key === key);
    return draft.change(key, { value: [item] });
  }
  if (closes !== undefined) draft.remove('listens', closes);
  const before = draft.activation(key).gathering ?? NOTHING;
  const items = use === 'gather' ? [...before.items, item] : before.items;
  const bound = keys === undefined ? before.bound : { ...(isJsonObject(keys) ? keys : {}), ...(isJsonObject(before.bound) ? before.bound : {}) };
  const gathering = { ...before, items, size: before.size + size, ...(bound === undefined ? {} : { bound }), ...(use === 'item' ? { item } : {}) };
  draft.change(key, { value: use === 'item' ? item : items, gathering });
}

export function beginItem(draft: ExecutionDraft, event: EventOf<'ItemBegun'>): void {
  const before = draft.activation(event.key).gathering ?? NOTHING;
  const item = event.item ?? before.item ?? null;
  draft.change(event.key, { value: item, visits: {}, gathering: { ...before, item, index: before.index + 1, isBusy: true } });
  // Items count like tasks: what goes round without entering any ends too.
  draft.set({ entered: draft.state.entered + 1 });
}

export function endItem(draft: ExecutionDraft, { key, output, size, isKept }: EventOf<'ItemEnded'>): void {
  const { value, gathering = NOTHING } = draft.activation(key);
  const { isBusy: _isBusy, item: _item, ...rest } = gathering;
  const items = isKept === false ? rest.items : [...rest.items, recorded(draft.state, output, value)];
  draft.change(key, { value: items, gathering: { ...rest, items, size: rest.size + size } });
}

function readAs(read: EventOf<'SignalTaken'>['read'], event: Json): Json {
  if (read === 'envelope') return event;
  const data = isJsonObject(event) ? (event['data'] ?? null) : null;
  return read === 'data' || typeof data === 'string' ? data : JSON.stringify(data);
}
