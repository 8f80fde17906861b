// What executions tell each other: begin, end before your time, I have ended.
import type { Json } from '@weft/kernel';
import type { Announcement, ExecutionFacts } from '../execution/announcements.js';
import type { ExecutionEvent } from '../execution/execution.events.js';
import type { ExecutionState } from '../execution/execution.state.js';
import { itemOf } from '../interpreter/loop.js';
import type { ChildStatus, OpenChild, ParentExecution, WorkflowName } from './child.state.js';

/** A child as it is to begin. The definition that `latest` names is chosen where it begins, once. */
export interface ChildBeginning {
  readonly execution: string;
  readonly workflow: WorkflowName;
  readonly parent: ParentExecution;
  readonly input: Json;
}

/** How a child ended, for the execution that waits for it. */
export interface ChildEnd {
  readonly child: string;
  readonly status: ChildStatus;
  readonly output?: Json;
  readonly error?: Json;
}

type Started = Extract<ExecutionEvent, { type: 'ChildStarted' }>;

/** What a start tells of; undefined when the child was given up in the same decision. */
export function startAnnouncement(facts: ExecutionFacts, id: string, event: Started): Announcement | undefined {
  const open = facts.children?.[event.child];
  if (open) return startOf(facts, id, open);
  if (event.isAwaited !== false || !event.workflow) return undefined;
  const child = { id: event.child, key: event.key, called: { workflow: event.workflow, input: event.input ?? null } };
  return startOf(facts, id, child, false);
}

/** The end of an execution, told to its parent where that waits for it. */
export function endAnnouncement(facts: ExecutionFacts, id: string, end: Omit<ChildEnd, 'child'>): Announcement[] {
  const { parent, executionId: child } = facts;
  return parent?.isAwaited ? [{ to: 'parent', id, execution: parent.execution, ended: { child, ...end } }] : [];
}

/** Children that nobody waits for any more, and that have not ended by themselves. */
export function stopAnnouncements(facts: ExecutionFacts, sequence: number, events: readonly ExecutionEvent[], before: NonNullable<ExecutionState['children']>): readonly Announcement[] {
  const ended = new Set(events.flatMap((event) => (event.type === 'ChildEnded' ? [event.child] : [])));
  return Object.values(before)
    .filter(({ id }) => !facts.children?.[id] && !ended.has(id))
    .map((child): Announcement => {
      const { begins, id } = startOf(facts, `${facts.executionId}/${sequence}/stop/${child.id}`, child);
      return { to: 'stop', id, begins: { ...begins, input: null } };
    });
}

/** The beginnings of all children that an execution waits for, told again: one that has begun does not begin twice, one that has ended says so. */
export const childrenAgain = (state: ExecutionState): readonly Announcement[] => Object.values(state.children ?? {}).map((child) => startOf(state, `${state.executionId}/again/${child.id}`, child));

/** The end of an execution that has ended, for the parent that asks again. */
export function endedAgain(state: ExecutionState): readonly Announcement[] {
  const { executionId, status, output = null, error = null } = state;
  const end = status === 'completed' ? { status, output } : ({ status: status === 'cancelled' ? 'cancelled' : 'faulted', error } as const);
  return endAnnouncement(state, `${executionId}/ended-again`, end);
}

function startOf(facts: ExecutionFacts, id: string, child: OpenChild, isAwaited = true): { readonly to: 'child'; readonly id: string; readonly begins: ChildBeginning } {
  const map = facts.activations?.[child.key]?.map;
  const { workflow, input } = child.called ?? { workflow: map?.workflow ?? NOWHERE, input: itemOf(map, child.item ?? 0) };
  const { depth = 0, root = facts.executionId } = facts.parent ?? {};
  const parent: ParentExecution = { execution: facts.executionId, key: child.key, ...(child.item === undefined ? {} : { item: child.item }), depth: depth + 1, root, isAwaited };
  return { to: 'child', id, begins: { execution: child.id, workflow, parent, input } };
}

// The activation is gone: only a stop tells of such a child, and it needs no name.
const NOWHERE: WorkflowName = { namespace: '', name: '', version: '' };
