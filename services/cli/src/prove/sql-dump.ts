// What the store says after the run, in the words of the judge.
import type { Pool } from '@weft/adapter-postgres';

export interface SqlDump {
  readonly executions: readonly { readonly id: string; readonly status: string; readonly requestId: string; readonly review?: string }[];
  readonly resultsApplied: readonly { readonly execution: string; readonly job: string; readonly generation: number; readonly count: number }[];
  readonly openTimers: readonly { readonly execution: string; readonly timer: string }[];
  readonly unpublishedCommits: number;
}

const EXECUTIONS = `
select e.id, e.request_id as "requestId", r.kind as review,
  case when e.status = 'running' and w.kind is not null then 'waiting' else e.status end as status
from orchestration.executions e
left join lateral (select kind from orchestration.waits w where w.tenant = e.tenant and w.execution_id = e.id and w.kind <> 'job' limit 1) w on true
left join lateral (select kind from orchestration.reviews r where r.tenant = e.tenant and r.execution_id = e.id and r.status = 'open' limit 1) r on true`;

const APPLIED = `
select h.execution_id as execution, e.value ->> 'job' as job, (e.value ->> 'generation')::int as generation, count(*)::int as count
from orchestration.history h, json_array_elements(h.structure::json) e
where e.value ->> 'type' = 'JobCompleted' group by 1, 2, 3`;

const TIMERS = `
select w.execution_id as execution, w.id as timer from orchestration.waits w
join orchestration.executions e on e.tenant = w.tenant and e.id = w.execution_id
where w.kind = 'timer' and e.status <> 'running'`;

export async function dumpOf(pool: Pool): Promise<SqlDump> {
  const rows = async <T extends object>(sql: string): Promise<T[]> => (await pool.query<T>(sql)).rows;
  const [unpublished] = await rows<{ count: number }>('select count(*)::int as count from orchestration.commits where not published');
  const executions = await rows<{ id: string; status: string; requestId: string; review: string | null }>(EXECUTIONS);
  return {
    executions: executions.map(({ review, ...execution }) => ({ ...execution, ...(review === null ? {} : { review }) })),
    resultsApplied: await rows(APPLIED),
    openTimers: await rows(TIMERS),
    unpublishedCommits: unpublished?.count ?? 0,
  };
}
