// What the world is told of a decision: derived from its events, so that an unpublished commit is published with the same ids.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { endAnnouncement, startAnnouncement, stopAnnouncements, type ChildBeginning, type ChildEnd } from '../child/child.announce.js';
import { isAboutReview, changesOfQueue, reviewAnnouncement } from '../review/review.announce.js';
import type { ExecutionEvent, ForkedFrom } from './execution.events.js';
import type { ExecutionState } from './execution.state.js';
import { lifecycleOf, operatedData, type LifecycleData } from './lifecycle.js';

/** What names the execution in every announcement. */
export type ExecutionFacts = Pick<ExecutionState, 'executionId' | 'definition' | 'request' | 'context' | 'taint' | 'from'> &
  Partial<Pick<ExecutionState, 'reviews' | 'children' | 'activations' | 'models' | 'parent' | 'hops'>>;

/** What the state before a row has that announcements are derived from. */
export type BeforeRow = Pick<ExecutionState, 'reviews' | 'children'> & Partial<Pick<ExecutionState, 'activations'>>;

export type Announcement =
  | { readonly to: 'results'; readonly id: string; readonly status: 'completed' | 'faulted' | 'cancelled'; readonly output?: Json; readonly error?: Json }
  | { readonly to: 'lifecycle'; readonly id: string; readonly type: string; readonly data?: Json; readonly standard?: LifecycleData; readonly task?: string; readonly emitted?: EmittedEvent }
  /** To another execution: begin at a task of this one. */
  | { readonly to: 'commands'; readonly id: string; readonly execution: string; readonly forkFrom: ForkedFrom; readonly reason: string }
  /** To an execution that a task of this one starts: begin; and, where nobody waits for it any more: end, or do not begin. */
  | { readonly to: 'child' | 'stop'; readonly id: string; readonly begins: ChildBeginning }
  /** To the execution that waits for this one. */
  | { readonly to: 'parent'; readonly id: string; readonly execution: string; readonly ended: ChildEnd };

/** A CloudEvent as a workflow emitted it, for whoever listens. */
export interface EmittedEvent {
  readonly event: JsonObject & { readonly id: string; readonly source: string; readonly type: string };
  /** How many executions followed each other by emitted events, this one included. */
  readonly hops: number;
}

/**
 * Announcements of one history row. Ids are made of execution, version and ordinal.
 * @param before the state before the row: reviews that nobody decided and that are open no longer are withdrawn, those that are open again (a retry, a fork) are asked, and children that nobody waits for any more are stopped. Default: none of it is told of.
 */
export function announcementsOf(facts: ExecutionFacts, sequence: number, events: readonly ExecutionEvent[], before?: BeforeRow): Announcement[] {
  const announcements: Announcement[] = [];
  const idOf = (ordinal: number): string => `${facts.executionId}/${sequence}/${ordinal}`;
  // What a task of another execution started answers to that one, and to no request.
  const ended = (id: string, end: Omit<ChildEnd, 'child'>): readonly Announcement[] => (facts.parent ? endAnnouncement(facts, id, end) : [{ to: 'results', id, ...end }]);
  const [first] = events;
  // What a fork carries from another execution was told by that one.
  const carried = first?.type === 'ExecutionStarted' ? (first.carried ?? 0) : 0;
  events.forEach((event, ordinal) => {
    if (ordinal > 0 && ordinal <= carried) return;
    const id = idOf(ordinal);
    // Two of one event are told apart by what is after its ordinal.
    lifecycleOf(event).forEach((told, n) => announcements.push({ to: 'lifecycle', id: n === 0 ? id : `${id}/${n}`, ...told }));
    if (event.type === 'EventEmitted') announcements.push(emitted(id, event.event, facts));
    else if (event.type === 'ExecutionCompleted') announcements.push(...ended(id, { status: 'completed', output: event.output }));
    else if (event.type === 'ExecutionFaulted') announcements.push(...ended(id, { status: 'faulted', error: event.error }));
    else if (event.type === 'ExecutionCancelled' || event.type === 'ExecutionTerminated') announcements.push(...ended(id, { status: 'cancelled', error: event.error }));
    else if (event.type === 'ExecutionRetried') announcements.push({ to: 'lifecycle', id, type: 'ai.weft.execution.retried.v1', data: operatedData(event) });
    else if (event.type === 'ChildStarted') {
      const start = startAnnouncement(facts, id, event);
      if (start) announcements.push(start);
    } else if (isAboutReview(event)) announcements.push({ to: 'lifecycle', id, ...reviewAnnouncement(event) });
    else if (event.type === 'ExecutionForked') {
      const { operation, kind, version, key, by, execution, reason = '' } = event;
      announcements.push({ to: 'commands', id, execution, forkFrom: { execution: facts.executionId, version, key, operation, kind, by }, reason });
    }
  });
  if (!before) return announcements;
  const own = carried === 0 ? events : events.slice(carried + 1);
  if (before.reviews !== facts.reviews) announcements.push(...changesOfQueue(facts, sequence, own, before.reviews));
  if (before.children && before.children !== facts.children) announcements.push(...stopAnnouncements(facts, sequence, own, before.children));
  return announcements;
}

function emitted(id: string, event: Json, { hops = 0 }: ExecutionFacts): Announcement {
  const fields = isJsonObject(event) ? event : {};
  const type = typeof fields['type'] === 'string' ? fields['type'] : 'ai.weft.emitted.v1';
  const about = { to: 'lifecycle', type, data: fields['data'] ?? null } as const;
  // Executions of earlier releases emit what their author gave, and nobody listens to that.
  if (fields['specversion'] === undefined || typeof fields['id'] !== 'string') return { ...about, id };
  return { ...about, id: fields['id'], emitted: { event: fields as EmittedEvent['event'], hops: hops + 1 } };
}
