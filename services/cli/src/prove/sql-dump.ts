// What the store says after the run: rows as they stand, in the words of the judge, who does the counting.
import type { Pool } from '@weft/adapter-postgres';

/** One event of a history, without its payload. */
export interface DumpedEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface SqlDump {
  readonly executions: readonly {
    readonly id: string;
    readonly status: string;
    readonly requestSource: string;
    readonly requestId: string;
    readonly workflow: string;
    readonly parent?: string;
    readonly review?: string;
  }[];
  readonly history: readonly { readonly execution: string; readonly sequence: number; readonly commit: string; readonly atMs: number; readonly events: readonly DumpedEvent[] }[];
  readonly waits: readonly { readonly execution: string; readonly id: string; readonly kind: string }[];
  readonly commits: readonly { readonly service: string; readonly id: string; readonly published: boolean; readonly members: string }[];
  readonly leaves: readonly { readonly service: string; readonly commit: string }[];
  readonly redeliveries: number;
}

const EXECUTIONS = `
select e.id, e.request_source as "requestSource", e.request_id as "requestId", split_part(e.definition, ':', 1) as workflow, e.parent, r.kind as review,
  case when e.status = 'running' and w.kind is not null then 'waiting' else e.status end as status
from orchestration.executions e
left join lateral (select kind from orchestration.waits w where w.tenant = e.tenant and w.execution_id = e.id and w.kind <> 'job' limit 1) w on true
left join lateral (select kind from orchestration.reviews r where r.tenant = e.tenant and r.execution_id = e.id and r.status = 'open' limit 1) r on true`;

const HISTORY = `
select execution_id as execution, sequence, commit_id as commit, (extract(epoch from recorded_at) * 1000)::float8 as "atMs", structure
from orchestration.history order by execution_id, sequence`;
const WAITS = 'select execution_id as execution, id, kind from orchestration.waits';
const LEAVES = 'select service, commit_id as commit from audit.leaves';
const REDELIVERIES = 'select count(*)::int as count from routing.requests where redeliver_at is not null';
const COMMIT_TABLES = `select table_schema as service from information_schema.tables where table_name = 'commits' order by 1`;

/** @param pool of a user who may read every schema. */
export async function dumpOf(pool: Pool): Promise<SqlDump> {
  const rows = async <T extends object>(sql: string): Promise<T[]> => (await pool.query<T>(sql)).rows;
  const executions = await rows<Omit<SqlDump['executions'][number], 'parent' | 'review'> & { readonly parent: string | null; readonly review: string | null }>(EXECUTIONS);
  const history = await rows<Omit<SqlDump['history'][number], 'events'> & { readonly structure: string }>(HISTORY);
  const commits = [];
  for (const { service } of await rows<{ service: string }>(COMMIT_TABLES))
    commits.push(...(await rows<SqlDump['commits'][number]>(`select '${service}' as service, id, published, members from ${service}.commits`)));
  return {
    executions: executions.map(({ parent, review, ...execution }) => ({ ...execution, ...(parent === null ? {} : { parent }), ...(review === null ? {} : { review }) })),
    history: history.map(({ structure, ...row }) => ({ ...row, events: JSON.parse(structure) as DumpedEvent[] })),
    waits: await rows(WAITS),
    commits,
    leaves: await rows(LEAVES),
    redeliveries: (await rows<{ count: number }>(REDELIVERIES))[0]?.count ?? 0,
  };
}

const UNDER_WAY = ['running', 'waiting'];

/** Whether nothing is left to do: every commit published and in the log, every start heard of, nothing under way that waits for nobody. */
export const isAtRest = ({ executions, commits, leaves, redeliveries }: SqlDump): boolean =>
  redeliveries === 0 &&
  executions.every(({ status, review }) => !UNDER_WAY.includes(status) || review !== undefined) &&
  commits.length === leaves.length &&
  commits.every(({ published }) => published);
