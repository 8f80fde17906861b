// Keeping an event until its `listen` is reached, within bounds.
import { SIGNALS_KEPT_MAX, SIGNALS_KEPT_SIZE_MAX, type ExecutionState, type KeptSignal } from '../execution/execution.state.js';
import { jsonLength } from './json-length.js';
import { listenKey, listenKeysOf } from './listen-key.js';

/** Why an event is kept: it was sent to the execution, or it is one that the execution has subscribed to by what it carries, or by its type alone. */
export type KeptFor = 'address' | 'value' | 'type';

/** By what an execution has subscribed to an event that it has not reached a `listen` for. */
export function subscribedBy({ subscriptions }: ExecutionState, { eventType, event }: KeptSignal): 'value' | 'type' | undefined {
  if (!subscriptions) return undefined;
  if ((listenKeysOf(eventType, event) ?? []).some((key) => key !== listenKey(eventType) && subscriptions.includes(key))) return 'value';
  return subscriptions.includes(listenKey(eventType)) ? 'type' : undefined;
}

export interface Keeping {
  readonly size?: number;
  readonly early?: true;
  readonly drops?: readonly { readonly source: string; readonly id: string }[];
}

/**
 * What keeping one more event takes; undefined when there is no room. An event that was sent to the execution is refused then, and
 * may be sent again. Whoever sent one that came early knows of no execution: the oldest of them make room for one that carries the
 * right value, and none do for one that only has the type.
 * @param isMeasured whether its size counts; executions of earlier releases are bounded by number alone.
 */
export function keep({ signals }: ExecutionState, { event }: KeptSignal, why: KeptFor, isMeasured: boolean): Keeping | undefined {
  const size = isMeasured ? jsonLength(event) : 0;
  const isEarly = why !== 'address';
  const alike = Object.values(signals).filter(({ early }) => (early === true) === isEarly);
  const kept = { count: alike.length, size: alike.reduce((sum, each) => sum + (each.size ?? 0), 0) };
  const drops: KeptSignal[] = [];
  while (kept.count >= SIGNALS_KEPT_MAX || kept.size + size > SIGNALS_KEPT_SIZE_MAX) {
    const oldest = why === 'value' ? alike[drops.length] : undefined;
    if (!oldest) return undefined;
    drops.push(oldest);
    kept.count--;
    kept.size -= oldest.size ?? 0;
  }
  return { ...(isMeasured ? { size } : {}), ...(isEarly ? { early: true } : {}), ...(drops.length > 0 ? { drops: drops.map(({ source, id }) => ({ source, id })) } : {}) };
}
