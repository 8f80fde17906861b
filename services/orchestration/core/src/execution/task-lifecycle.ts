// Lifecycle events of tasks: from the events of one row, and the activations before and after it.
import { isJsonObject, type Instant, type Json } from '@weft/kernel';
import type { Announcement } from './announcements.js';
import type { ActivationKey, ExecutionEvent } from './execution.events.js';
import { ROOT, type ExecutionState } from './execution.state.js';

type Activations = Pick<ExecutionState, 'activations'>;
type TaskChange = 'created' | 'started' | 'suspended' | 'resumed' | 'retried' | 'cancelled' | 'faulted' | 'completed';

interface Told {
  readonly change: TaskChange;
  readonly task: string;
  readonly at?: Instant;
  readonly output?: Json;
  readonly error?: Json;
}

/** What became of tasks in one row. Ids are made of execution, version and number. Of an output what the row itself has of it. */
export function taskAnnouncements(executionId: string, sequence: number, events: readonly ExecutionEvent[], before: Activations, after: Activations): Announcement[] {
  const told = events.flatMap((event) => toldOf(event, events, after));
  return [...told, ...cancelledIn(events, before, after)].map(({ change, task, at, output, error }, n): Announcement => ({
    to: 'lifecycle',
    id: `${executionId}/${sequence}/task/${n}`,
    type: `io.serverlessworkflow.task.${change}.v1`,
    task,
    standard: { when: `${change}At`, ...(at === undefined ? {} : { at }), fields: { task, ...(error === undefined ? {} : { error }) }, ...(output === undefined ? {} : { output }) },
  }));
}

function toldOf(event: ExecutionEvent, row: readonly ExecutionEvent[], after: Activations): readonly Told[] {
  switch (event.type) {
    case 'TaskEntered':
      return (['created', 'started'] as const).map((change) => ({ change, task: event.pointer, at: event.at }));
    case 'TaskCompleted': {
      const output = event.output ?? resultOf(row, event.key);
      return [{ change: 'completed', task: pointerOf(event.key), at: event.at, ...(output === undefined ? {} : { output }) }];
    }
    case 'RetryScheduled':
      return [...faulted(event.error), { change: 'retried', task: pointerOf(event.key) }];
    case 'ErrorCaught':
    case 'BranchFailed':
      return faulted(event.error);
    case 'ExecutionFaulted':
      return faulted(event.error, event.at);
    case 'ExecutionSuspended':
    case 'ExecutionResumed': {
      const change = event.type === 'ExecutionSuspended' ? 'suspended' : 'resumed';
      return tasksOf(after).map((key) => ({ change, task: pointerOf(key), at: event.at }));
    }
    default:
      return [];
  }
}

/** The task that an error comes from. */
function faulted(error: Json, at?: Instant): readonly Told[] {
  const instance = isJsonObject(error) ? error['instance'] : undefined;
  return typeof instance === 'string' && instance.startsWith('/do/') ? [{ change: 'faulted', task: instance, error, ...(at === undefined ? {} : { at }) }] : [];
}

/** Tasks that are there no more and have neither completed nor failed. */
function cancelledIn(events: readonly ExecutionEvent[], before: Activations, after: Activations): readonly Told[] {
  const entered = events.flatMap((event) => (event.type === 'TaskEntered' ? [event.key] : []));
  const ended = new Set<string>(events.flatMap((event) => (event.type === 'TaskCompleted' ? [event.key] : [])));
  const failed = new Set(events.flatMap((event) => ('error' in event && event.error !== undefined ? faulted(event.error).map(({ task }) => task) : [])));
  return [...new Set([...tasksOf(before), ...entered])]
    .filter((key) => !(key in after.activations) && !ended.has(key) && !failed.has(pointerOf(key)))
    .map((key) => {
      // What is around a task that ended the whole execution by its error has failed with it.
      const cause = events.some(({ type }) => type === 'ExecutionFaulted') ? [...failed].find((task) => task.startsWith(`${pointerOf(key)}/`)) : undefined;
      return { change: cause === undefined ? 'cancelled' : 'faulted', task: pointerOf(key) };
    });
}

const tasksOf = ({ activations }: Activations): readonly ActivationKey[] => Object.keys(activations).filter((key) => key !== ROOT);

const pointerOf = (key: ActivationKey): string => key.split('#')[0]!;

const resultOf = (row: readonly ExecutionEvent[], key: ActivationKey): Json | undefined => {
  const result = row.find((event) => event.type === 'JobCompleted' && event.key === key);
  return result?.type === 'JobCompleted' ? result.output : undefined;
};
