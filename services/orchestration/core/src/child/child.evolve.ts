// What children do to the state of the execution that started them.
import { isJsonObject, type Json } from '@weft/kernel';
import type { ExecutionDraft } from '../execution/execution.draft.js';
import type { ExecutionEvent } from '../execution/execution.events.js';
import { entriesOf, withEntry } from './chunked.js';
import { childPlace, type MapState, type OpenChild } from './child.state.js';

type EventOf<T extends ExecutionEvent['type']> = Extract<ExecutionEvent, { type: T }>;

export function beginMap(draft: ExecutionDraft, { key, workflow, items, count, concurrency, onError }: EventOf<'MapBegun'>): void {
  draft.change(key, { map: { workflow, items, count, concurrency, onError, next: 0, ended: 0, results: [] } });
}

export function openChild(draft: ExecutionDraft, { key, child: id, item, workflow, input, isAwaited }: EventOf<'ChildStarted'>): void {
  // Children count like tasks: what starts them for ever ends too.
  draft.set({ entered: draft.state.entered + 1 });
  const { map } = draft.activation(key);
  if (map && item !== undefined) draft.change(key, { map: { ...map, next: Math.max(map.next, item + 1) } });
  if (isAwaited === false) return;
  draft.put('children', id, { id, key, ...(item === undefined ? {} : { item }), ...(workflow ? { called: { workflow, input: input ?? null } } : {}) });
}

/** A child that failed is another one when it is started again; one that completed is not run twice. */
export function closeChild(draft: ExecutionDraft, event: EventOf<'ChildEnded'>): void {
  const { key, item, status } = event;
  draft.remove('children', event.child);
  const { map } = draft.activation(key);
  if (status !== 'completed' && map?.onError !== 'collect') raiseGeneration(draft, event);
  if (item === undefined || !map) {
    if (status === 'completed') draft.change(key, { value: event.output ?? null });
    return;
  }
  const result = status === 'completed' ? { output: event.output ?? null } : { error: event.error ?? null };
  const after: MapState = { ...map, ended: map.ended + 1, results: withEntry(map.results, item, result) };
  draft.change(key, { map: after, ...(after.ended === after.count ? { value: outputOf(after) } : {}) });
}

/** The output of a map whose items have all ended, in the order of the items. */
function outputOf({ results, count, onError }: MapState): Json {
  const entries = entriesOf(results, count);
  return onError === 'collect' ? entries : entries.map((entry) => (isJsonObject(entry) ? (entry['output'] ?? null) : null));
}

/** Children whose activation is gone are cancelled: started again, they are others. */
export function dropChildren(draft: ExecutionDraft, isGone: (child: OpenChild) => boolean = () => true): void {
  for (const child of Object.values(draft.state.children ?? {})) {
    if (!isGone(child)) continue;
    draft.remove('children', child.id);
    raiseGeneration(draft, child);
  }
}

function raiseGeneration(draft: ExecutionDraft, child: Pick<OpenChild, 'key' | 'item'>): void {
  const place = childPlace(draft.state, child);
  draft.put('generations', place, (draft.state.generations[place] ?? 0) + 1);
}
