// Being found by events before a `listen` is reached.
import { ROOT } from '../execution/execution.state.js';
import type { EarlyFilter } from '../program/early-filter.js';
import type { EventFilter } from '../program/event-filter.js';
import { ExpressionFailed } from '../program/expression.js';
import type { Program } from '../program/program.js';
import { listenKey, textOf } from '../signal/listen-key.js';
import { EARLY_EVENTS } from '../upgrade/engine-flags.js';
import type { Advance } from './advance.js';

/** Subscribes an execution that begins to all events that its document correlates, as far as they are known by now. */
export function subscribe(advance: Advance): void {
  if (!advance.has(EARLY_EVENTS)) return;
  const correlations = keysOf(advance, advance.program);
  if (correlations.length > 0) advance.record({ type: 'Subscribed', correlations });
}

/** Subscribes an execution that goes on under another version to what that correlates and the one before did not. */
export function subscribeAlso(advance: Advance, before: Program): void {
  if (!advance.has(EARLY_EVENTS)) return;
  const known = new Set(keysOf(advance, before));
  const added = keysOf(advance, advance.program).filter((key) => !known.has(key));
  if (added.length > 0) advance.record({ type: 'Subscribed', correlations: [...(advance.state.subscriptions ?? []), ...added] });
}

const keysOf = (advance: Advance, { early = [] }: Program): readonly string[] => [...new Set(early.flatMap((filter) => keyOf(advance, filter) ?? []))];

/** A `listen` for events of a type is reached: its values are known now, and what only has the type is not for it. */
export function narrowSubscriptions(advance: Advance, { early }: EventFilter, eventType: string): void {
  const { subscriptions } = advance.state;
  const byType = listenKey(eventType);
  if (!subscriptions || !early || early.correlated || !subscriptions.includes(byType)) return;
  advance.record({ type: 'Subscribed', correlations: subscriptions.filter((key) => key !== byType) });
}

function keyOf(advance: Advance, { eventType, correlated }: EarlyFilter): string | undefined {
  try {
    const type = textOf(advance.evaluate(eventType, null, { key: ROOT }));
    const value = correlated && textOf(advance.evaluate(correlated.value, null, { key: ROOT }));
    // Any type would be every event of the tenant.
    if (type === undefined || type === '' || (correlated && value === undefined)) return undefined;
    return listenKey(type, correlated && { path: correlated.path, value: value! });
  } catch (fault) {
    // Its `listen` will say what is wrong with it.
    if (fault instanceof ExpressionFailed) return undefined;
    throw fault;
  }
}
