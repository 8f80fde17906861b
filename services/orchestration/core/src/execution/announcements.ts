// What the world is told of a decision: derived from its events, so that an unpublished commit is published with the same ids.
import type { Json } from '@weft/kernel';
import type { ExecutionEvent } from './execution.events.js';
import type { ExecutionState } from './execution.state.js';

/** What names the execution in every announcement. */
export type ExecutionFacts = Pick<ExecutionState, 'executionId' | 'definition' | 'request' | 'context' | 'taint'>;

export type Announcement =
  | { readonly to: 'results'; readonly id: string; readonly status: 'completed' | 'faulted'; readonly output?: Json; readonly error?: Json }
  | { readonly to: 'lifecycle'; readonly id: string; readonly type: string; readonly data?: Json };

const WORKFLOW = 'io.serverlessworkflow.workflow';

/** Announcements of one history row. Ids are made of execution, version and ordinal. */
export function announcementsOf(facts: ExecutionFacts, sequence: number, events: readonly ExecutionEvent[]): Announcement[] {
  const announcements: Announcement[] = [];
  const idOf = (ordinal: number): string => `${facts.executionId}/${sequence}/${ordinal}`;
  events.forEach((event, ordinal) => {
    const id = idOf(ordinal);
    if (event.type === 'ExecutionStarted') announcements.push({ to: 'lifecycle', id, type: `${WORKFLOW}.started.v1` });
    else if (event.type === 'EventEmitted') announcements.push(emitted(id, event.event));
    else if (event.type === 'ExecutionCompleted') {
      announcements.push({ to: 'lifecycle', id, type: `${WORKFLOW}.completed.v1` }, { to: 'results', id, status: 'completed', output: event.output });
    } else if (event.type === 'ExecutionFaulted') {
      announcements.push({ to: 'lifecycle', id, type: `${WORKFLOW}.faulted.v1` }, { to: 'results', id, status: 'faulted', error: event.error });
    }
  });
  return announcements;
}

function emitted(id: string, event: Json): Announcement {
  const fields = typeof event === 'object' && event !== null && !Array.isArray(event) ? (event as { readonly [name: string]: Json }) : {};
  return { to: 'lifecycle', id, type: typeof fields['type'] === 'string' ? fields['type'] : 'ai.weft.emitted.v1', data: fields['data'] ?? null };
}
