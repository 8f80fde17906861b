// From which task of an execution another one can start, and what it carries from there.
import { rejection, type Instant, type Rejection } from '@weft/kernel';
import type { ActivationKey, DefinitionVersion, ExecutionEvent } from './execution.events.js';
import { isTimeLimit } from './execution.state.js';

/** The decision that entered a task, and the activation that it entered. */
export interface ForkPoint {
  readonly version: number;
  readonly key: ActivationKey;
}

/** One history row, oldest first: its events, and its sequence. */
export interface HistoryRow {
  readonly sequence: number;
  readonly events: readonly ExecutionEvent[];
}

export type ForkPointReading = { readonly ok: true; readonly point: ForkPoint } | { readonly ok: false; readonly rejection: Rejection };

const TASKS_NAMED_MAX = 20;

/**
 * The last time that the execution entered a task. Tasks that only a cancel's handler entered do not count.
 * @param task its name, its JSON Pointer, or a pointer with iteration; '' = the one that the execution faulted at. @returns rejection `unknown-task`.
 */
export function forkPointOf(rows: readonly HistoryRow[], task: string): ForkPointReading {
  const entered = rows.flatMap(({ sequence, events }) => {
    const cancel = events.findIndex((event) => event.type === 'CancelRequested');
    return events.slice(0, cancel === -1 ? undefined : cancel).flatMap((event) => (event.type === 'TaskEntered' ? [{ version: sequence, key: event.key, pointer: event.pointer }] : []));
  });
  const cancelledAt = rows.find(({ events }) => events.some((event) => event.type === 'CancelRequested'))?.sequence ?? Infinity;
  const possible = entered.filter(({ version }) => version <= cancelledAt);
  const wanted = task === '' ? failedTaskOf(rows) : task;
  const found = possible.findLast(({ key, pointer }) => key === wanted || pointer === wanted || nameOf(pointer) === wanted);
  if (found) return { ok: true, point: { version: found.version, key: found.key } };
  const names = [...new Set(possible.map(({ pointer }) => nameOf(pointer)))].slice(0, TASKS_NAMED_MAX).join(', ');
  const what =
    wanted === undefined
      ? 'a task to start from, as this execution did not fault at one, but none was named'
      : `a task that this execution has entered but got ${JSON.stringify(wanted.slice(0, 200))}`;
  return { ok: false, rejection: rejection('unknown-task', `Expected ${what}. It has entered: ${names || 'none'}.`) };
}

/** Name of a task: the last part of its pointer. */
const nameOf = (pointer: string): string =>
  pointer
    .slice(pointer.lastIndexOf('/') + 1)
    .replaceAll('~1', '/')
    .replaceAll('~0', '~');

function failedTaskOf(rows: readonly HistoryRow[]): string | undefined {
  const faulted = rows.flatMap(({ events }) => events).findLast((event) => event.type === 'ExecutionFaulted');
  return faulted?.type === 'ExecutionFaulted' && faulted.task?.position === undefined ? faulted.task?.key : undefined;
}

// The new execution has a beginning of its own, and subscribes by itself; forks of the other one are not its own, and an action that was approved there would be done once more.
const LEFT_BEHIND: ReadonlySet<ExecutionEvent['type']> = new Set(['ExecutionStarted', 'Subscribed', 'ExecutionForked', 'ActionApproved']);

/** The definition that an execution was pinned to after these events, its first one among them. */
export function definitionAfter(events: readonly ExecutionEvent[]): DefinitionVersion | undefined {
  const last = events.findLast((event) => event.type === 'DefinitionMigrated' || event.type === 'ExecutionStarted');
  return last?.type === 'DefinitionMigrated' ? last.to : last?.type === 'ExecutionStarted' ? last.definition : undefined;
}

/** Events before an activation was entered, as the new execution's own from `now` on: jobs and reviews get its ids, and so its idempotency keys. Undefined when it was never entered. */
export function carriedEvents(
  events: readonly ExecutionEvent[],
  key: ActivationKey,
  from: string,
  to: string,
  now: Instant,
): { readonly carried: readonly ExecutionEvent[]; readonly entered: Extract<ExecutionEvent, { type: 'TaskEntered' }> } | undefined {
  const at = events.findLastIndex((event) => event.type === 'TaskEntered' && event.key === key);
  const entered = events[at];
  if (entered?.type !== 'TaskEntered') return undefined;
  const renamed = (id: string): string => (id.startsWith(from) ? to + id.slice(from.length) : id);
  const before = events.slice(0, at);
  const ended = new Set(before.flatMap((event) => (event.type === 'ChildEnded' ? [event.child] : [])));
  const carried = before.flatMap((event): ExecutionEvent[] => {
    if (LEFT_BEHIND.has(event.type)) return [];
    // A child that goes on answers to the other execution: this one starts another.
    if (event.type === 'ChildStarted' && event.isAwaited !== false && !ended.has(event.child)) return [];
    if ('job' in event) return [{ ...event, job: renamed(event.job) }];
    if ('review' in event) return [{ ...event, review: renamed(event.review) }];
    // What the other execution was asked, this one was not: asked the same under the same id, it does it.
    if ('operation' in event) return [{ ...event, operation: `${from}/${event.operation}` }];
    // What ran there runs on here: it has as much time as it had.
    if (event.type === 'TimerSet' && isTimeLimit(event.purpose)) return [{ ...event, due: event.due + (now - entered.at) }];
    if (event.type === 'RetriesLimited') return [{ ...event, until: event.until + (now - entered.at) }];
    if (event.type === 'SubscriptionBegun' && event.until !== undefined) return [{ ...event, until: event.until + (now - entered.at) }];
    if (event.type === 'EventEmitted') return [{ ...event, emission: renamed(event.emission) }];
    return [event];
  });
  return { carried, entered };
}
