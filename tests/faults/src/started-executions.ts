// Executions that others start: by a task, by an event that one emits, at a time. Each once, none lost, each end told as it was.
import type { HistoryEvent } from './history-fold.js';
import type { ExecutionSeen, KillsInput, SqlSeen } from './kills-checker.js';

interface Child {
  readonly parent: string;
  readonly id: string;
  readonly isAwaited: boolean;
  readonly ends: readonly string[];
}

const OVER = ['completed', 'faulted', 'cancelled'];

/** Sentences about what was to be started and is not there, or not over, or whose end its parent never heard of. */
export function missingStarts({ requests, sql, startsPerExecution = {} }: KillsInput): readonly string[] {
  const byId = new Map(sql.executions.map((execution) => [execution.id, execution]));
  const lost = childrenIn(sql).flatMap(({ parent, id, isAwaited, ends }) => {
    const child = byId.get(id);
    if (!child) return [`Execution ${parent} started ${id}, which is not in the database`];
    return byId.get(parent)?.status === 'completed' && isAwaited && ends.length === 0 ? [`Execution ${parent} completed without the end of ${id}, which it started`] : [];
  });
  const asked = new Set(requests.flatMap(({ id, executionId = '' }) => [id, executionId]));
  // A child is under way as long as its parent waits for it, and that one is judged.
  const isOwn = ({ id, requestSource, requestId = '', parent }: ExecutionSeen): boolean => requestSource !== undefined && parent === undefined && !asked.has(id) && !asked.has(requestId);
  const unfinished = sql.executions.filter((execution) => !OVER.includes(execution.status) && isOwn(execution));
  const ids = new Set(requests.flatMap(({ executionId }) => executionId ?? []));
  const few = sql.executions
    .filter(({ id, status }) => ids.has(id) && status === 'completed')
    .flatMap(({ id }) =>
      Object.entries(startsPerExecution).flatMap(([workflow, { executions: wanted }]) => {
        const had = sql.executions.filter((execution) => execution.workflow === workflow && execution.status === 'completed' && isStartedBy(execution, id)).length;
        return had < wanted ? [`Execution ${id} completed, and ${had} of the ${wanted} executions of ${workflow} that it was to start`] : [];
      }),
    );
  return [...lost, ...few, ...unfinished.map(({ id, status, workflow = '' }) => `Execution ${id} of ${workflow}, which no request started, is ${status} and not over`)];
}

/** Sentences about executions that stand for the same start, that nobody started, or whose end was taken twice or wrongly. */
export function repeatedStarts({ sql, startsPerExecution = {}, requests }: KillsInput): readonly string[] {
  const byId = new Map(sql.executions.map((execution) => [execution.id, execution]));
  const children = childrenIn(sql);
  const started = new Set(children.map(({ id }) => id));
  const ids = new Set(requests.flatMap(({ executionId }) => executionId ?? []));
  const seen = new Map<string, string>();
  return [
    ...sql.executions.flatMap(({ id, requestSource, requestId }) => {
      if (requestSource === undefined) return [];
      const name = JSON.stringify([requestSource, requestId]);
      const other = seen.get(name);
      seen.set(name, id);
      return other === undefined ? [] : [`Executions ${other} and ${id} stand for the same start: ${requestId} of ${requestSource}`];
    }),
    ...sql.executions.flatMap(({ id, parent }) => (parent === undefined || started.has(id) ? [] : [`Execution ${id} names ${parent} as its parent, which did not start it`])),
    ...children.flatMap(({ parent, id, ends }) => {
      if (ends.length > 1) return [`Execution ${parent} took the end of ${id} ${ends.length} times`];
      const [end] = ends;
      const status = byId.get(id)?.status;
      return end === undefined || status === undefined || end === status ? [] : [`Execution ${parent} took ${id} for ${end}, but it is ${status}`];
    }),
    ...[...ids].flatMap((id) =>
      Object.entries(startsPerExecution).flatMap(([workflow, { executions: wanted }]) => {
        const had = sql.executions.filter((execution) => execution.workflow === workflow && isStartedBy(execution, id)).length;
        return had > wanted ? [`Execution ${id} started ${had} executions of ${workflow} and not ${wanted}`] : [];
      }),
    ),
  ];
}

const isStartedBy = ({ parent, requestId = '' }: ExecutionSeen, id: string): boolean => parent === id || (parent === undefined && requestId.includes(`/${id}/`));

function childrenIn({ history }: SqlSeen): readonly Child[] {
  const children = new Map<string, { readonly parent: string; readonly id: string; readonly isAwaited: boolean; readonly ends: string[] }>();
  const events = history.toSorted((left, right) => left.sequence - right.sequence).flatMap(({ execution, events: of }) => of.map((event) => ({ execution, event })));
  for (const { execution, event } of events) {
    const { type, child: id = '', isAwaited = true, status = '' }: HistoryEvent = event;
    const name = `${execution}/${id}`;
    if (type === 'ChildStarted') children.set(name, { parent: execution, id, isAwaited, ends: [] });
    else if (type === 'ChildEnded') children.get(name)?.ends.push(status);
  }
  return [...children.values()];
}
