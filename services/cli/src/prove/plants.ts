// Faults planted between what happened and the judge, or on the wire: each is something that the judge must see.
import type { ResultSeen } from './trial.js';
import type { DumpedEvent, SqlDump } from './sql-dump.js';

/** `none`, or the fault to plant. `no-key` is on the wire: idempotency keys get lost on the way to the receiver. */
export const PLANTS = ['none', 'no-key', 'lost-result', 'applied-twice', 'orphan-timer', 'early-timer', 'history-gap', 'unpublished', 'unlogged', 'child-lost', 'started-twice'] as const;
export type Plant = (typeof PLANTS)[number];

export interface Evidence {
  readonly sql: SqlDump;
  readonly results: readonly ResultSeen[];
}

/** The evidence with the fault in it. The product is not touched: it is as if it had done this. */
export function withPlant(plant: Plant, { sql, results }: Evidence): Evidence {
  switch (plant) {
    case 'none':
    case 'no-key':
      return { sql, results };
    case 'lost-result':
      return { sql, results: results.slice(1) };
    case 'applied-twice':
      return { results, sql: withEvents(sql, 'JobCompleted', (event) => [event, event]) };
    case 'early-timer':
      return { results, sql: withEvents(sql, 'TimerSet', (event) => [{ ...event, due: Number(event['due']) + 3_600_000 }]) };
    case 'orphan-timer':
      return { results, sql: { ...sql, waits: [...sql.waits, { execution: sql.executions[0]!.id, id: 'planted', kind: 'timer' }] } };
    case 'history-gap': {
      const gap = sql.history.findIndex(({ sequence }) => sequence === 1);
      return { results, sql: { ...sql, history: sql.history.filter((_, index) => index !== gap) } };
    }
    case 'unpublished':
      return { results, sql: { ...sql, commits: sql.commits.map((commit, index) => (index === 0 ? { ...commit, published: false } : commit)) } };
    case 'child-lost': {
      const lost = sql.executions.find(({ parent }) => parent !== undefined);
      return { results, sql: { ...sql, executions: sql.executions.filter((execution) => execution !== lost), history: sql.history.filter(({ execution }) => execution !== lost?.id) } };
    }
    case 'started-twice': {
      const begun = sql.executions.find(({ requestId }) => requestId.startsWith('on/'))!;
      return { results, sql: { ...sql, executions: [...sql.executions, { ...begun, id: 'planted' }] } };
    }
    case 'unlogged':
      return { results, sql: { ...sql, leaves: sql.leaves.slice(1) } };
  }
}

/** Changes the first event of a type. */
function withEvents(sql: SqlDump, type: string, change: (event: DumpedEvent) => readonly DumpedEvent[]): SqlDump {
  let isDone = false;
  const history = sql.history.map((row) => ({
    ...row,
    events: row.events.flatMap((event) => {
      if (isDone || event.type !== type) return [event];
      isDone = true;
      return change(event);
    }),
  }));
  return { ...sql, history };
}
