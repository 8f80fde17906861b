// One item after the other of what a subscription gives: each has the tasks of `foreach` run on it, and what comes of it is gathered.
import type { ActivationKey } from '../execution/execution.events.js';
import type { ItemIterator } from '../program/item-iterator.js';
import { jsonLength } from '../signal/json-length.js';
import type { Advance, Step } from './advance.js';
import { shapeOutput } from './shape-output.js';

/** Begins the item that was taken last. @param isKept whether what comes of it is gathered. @returns undefined when it has no tasks and so has ended already. */
export function beginItem(advance: Advance, key: ActivationKey, iterator: ItemIterator, isKept = true): Step {
  advance.record({ type: 'ItemBegun', key });
  if (iterator.scope) return { go: 'enter', scope: key, position: 0 };
  endItem(advance, key, iterator, isKept);
  return undefined;
}

/** An item's tasks have ended: `output` of the iterator, then `export` on what that gives. */
export function endItem(advance: Advance, key: ActivationKey, iterator: ItemIterator, isKept = true): void {
  const { value, gathering } = advance.activation(key);
  const { output, exported } = shapeOutput(advance, iterator, value, { task: advance.taskOf(key), key, isInside: true, taskInput: gathering?.item ?? null });
  const gathered = isKept ? { size: jsonLength(output), ...(output === value ? {} : { output }) } : ({ size: 0, isKept } as const);
  advance.record({ type: 'ItemEnded', key, ...gathered, ...(exported === undefined ? {} : { exported }) });
}
