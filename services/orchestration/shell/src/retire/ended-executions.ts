// Executions that ended long ago: reading them whole for an archive, and letting go of them.
import { execute, faultOf, type Pool } from '@weft/adapter-postgres';
import type { Instant } from '@weft/kernel';
import { firstIdOf } from '../persist/first-id.js';

/** An execution that may be archived, as its row says. */
export interface EndedExecution {
  readonly tenant: string;
  readonly id: string;
  readonly status: string;
  /** `namespace/name:version`, and the digest of the document. */
  readonly definition: string;
  readonly digest: string;
  readonly request: { readonly source: string; readonly id: string; readonly type: string };
  readonly traceId: string;
  readonly startedAt: Instant;
  readonly endedAt: Instant;
  readonly attributes: readonly (readonly [name: string, value: string])[];
}

/** A history row with everything that its digest covers. */
export interface EndedMember {
  readonly executionId: string;
  readonly sequence: number;
  readonly tenant: string;
  readonly recordedAtMs: number;
  readonly structure: string;
  /** Null once erased. */
  readonly payload: string | null;
  readonly payloadSalt: Buffer;
  readonly payloadDigest: Buffer;
  readonly commitId: string;
}

/** Where a walk through the ended executions stands. */
export interface RetirePlace {
  readonly tenant: string;
  readonly id: string;
}

export const FIRST_PLACE: RetirePlace = { tenant: '', id: '00000000-0000-0000-0000-000000000000' };

// Those whose commits are all told and logged: nobody will ask for their rows again, and their proofs can be made. Asked of each by
// itself: as a join it reads the whole history and all commits for every page.
const PAGE_SQL = `
select e.tenant, e.id, e.status, e.definition, e.digest, e.request_source, e.request_id, e.request_type, e.trace_id,
  (extract(epoch from e.started_at) * 1000)::float8 as started, (extract(epoch from e.ended_at) * 1000)::float8 as ended,
  coalesce((select json_agg(json_build_array(a.name, a.value) order by a.name, a.value) from orchestration.search_attributes a where a.tenant = e.tenant and a.execution_id = e.id), '[]') as attributes
from orchestration.executions e
where (e.tenant, e.id) > ($2, $3::uuid) and e.id < $4::uuid and e.ended_at < $1::timestamptz
  and coalesce((
    select bool_and(coalesce((select c.sequenced is not null and c.published from orchestration.commits c where c.id = h.commit_id), false))
    from orchestration.history h where h.execution_id = e.id), true)
order by e.tenant, e.id limit $5`;

const MEMBERS_SQL = `
select execution_id as "executionId", sequence, tenant, (extract(epoch from recorded_at) * 1000)::float8 as "recordedAtMs", structure, payload,
  payload_salt as "payloadSalt", payload_digest as "payloadDigest", commit_id as "commitId"
from orchestration.history where execution_id = any($1::uuid[]) order by execution_id, sequence`;

// One statement: whoever looks in between sees an execution whole or not at all. Only those that have ended, whatever is asked.
const RETIRE_SQL = `
with gone as (
  delete from orchestration.executions e using unnest($1::text[], $2::uuid[]) as n(tenant, id)
  where e.tenant = n.tenant and e.id = n.id and e.ended_at is not null
  returning e.tenant, e.id
), attributes as (
  delete from orchestration.search_attributes a using gone where a.tenant = gone.tenant and a.execution_id = gone.id
), subscriptions as (
  delete from orchestration.subscriptions s using gone where s.tenant = gone.tenant and s.execution_id = gone.id
), waits as (
  delete from orchestration.waits w using gone where w.tenant = gone.tenant and w.execution_id = gone.id
), reviews as (
  delete from orchestration.reviews r using gone where r.tenant = gone.tenant and r.execution_id = gone.id
), snapshots as (
  delete from orchestration.snapshots s using gone where s.tenant = gone.tenant and s.execution_id = gone.id
), history as (
  delete from orchestration.history h using gone where h.execution_id = gone.id and h.tableoid::regclass::text <> all($3::text[])
)
select count(*)::int as retired from gone`;

const PARTITIONS_SQL = `
select c.relname as name, b[1] as first, b[2] as "end" from pg_inherits i
join pg_class c on c.oid = i.inhrelid, regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \\(''([0-9a-f-]+)''\\) TO \\(''([0-9a-f-]+)''\\)') as b
where i.inhparent = 'orchestration.history'::regclass and b is not null and b[2]::uuid <= $1::uuid
  and c.relname < 'history_' || to_char(now() at time zone 'UTC', 'YYYY_MM') order by 2`;

/** A month of history. Ids from `first` on and before `end`. */
export interface HistoryPartition {
  readonly name: string;
  readonly first: string;
  readonly end: string;
}

interface EndedRow {
  readonly tenant: string;
  readonly id: string;
  readonly status: string;
  readonly definition: string;
  readonly digest: string;
  readonly request_source: string;
  readonly request_id: string;
  readonly request_type: string;
  readonly trace_id: string;
  readonly started: number;
  readonly ended: number;
  readonly attributes: readonly (readonly [string, string])[];
}

const LOCK_ATTEMPTS_MAX = 5;

export class EndedExecutions {
  /** @param pool of the engine role: it sees every tenant. */
  constructor(private readonly pool: Pool) {}

  /** A page of those that ended before an instant, in order of tenant and id, after a place. */
  async page(before: Instant, after: RetirePlace, limit: number): Promise<readonly EndedExecution[]> {
    const rows = await execute<EndedRow>(this.pool, { name: 'orchestration-ended-2', text: PAGE_SQL, values: [new Date(before), after.tenant, after.id, firstIdOf(before), limit] });
    return rows.map((row) => ({
      tenant: row.tenant,
      id: row.id,
      status: row.status,
      definition: row.definition,
      digest: row.digest,
      request: { source: row.request_source, id: row.request_id, type: row.request_type },
      traceId: row.trace_id,
      startedAt: Math.round(row.started),
      endedAt: Math.round(row.ended),
      attributes: row.attributes,
    }));
  }

  /** The histories of executions, in order of execution and sequence. */
  async members(ids: readonly string[]): Promise<readonly EndedMember[]> {
    const rows = await execute<EndedMember>(this.pool, { name: 'orchestration-ended-members-1', text: MEMBERS_SQL, values: [ids] });
    return rows.map((row) => ({ ...row, recordedAtMs: Math.round(row.recordedAtMs) }));
  }

  /** Months of history that are over, lie wholly before an instant and in which nothing runs or ended later: archived, they go as a whole. */
  async wholePartitions(before: Instant): Promise<readonly HistoryPartition[]> {
    const partitions = await execute<HistoryPartition>(this.pool, { name: 'orchestration-partitions-1', text: PARTITIONS_SQL, values: [firstIdOf(before)] });
    const whole: HistoryPartition[] = [];
    // Few: one a month.
    for (const partition of partitions) {
      const [later] = await execute(this.pool, {
        name: 'orchestration-partition-later-1',
        text: 'select 1 from orchestration.executions where id >= $1::uuid and id < $2::uuid and (ended_at is null or ended_at >= $3::timestamptz) limit 1',
        values: [partition.first, partition.end, new Date(before)],
      });
      if (!later) whole.push(partition);
    }
    return whole;
  }

  /** Lets go of executions that have ended. Their histories stay where their partition is about to be dropped. @returns how many there were. */
  async retire(executions: readonly RetirePlace[], keeping: readonly HistoryPartition[] = []): Promise<number> {
    const values = [executions.map(({ tenant }) => tenant), executions.map(({ id }) => id), keeping.map(({ name }) => `orchestration.${name}`)];
    const [row] = await execute<{ retired: number }>(this.pool, { name: 'orchestration-retire-1', text: RETIRE_SQL, values });
    return row!.retired;
  }

  /**
   * Drops a month of history in which no execution is left. It waits for the lock only briefly, because everybody waits behind it.
   * @returns false when an execution is left, or the lock was not to be had: try again another time.
   */
  async drop({ name, first, end }: HistoryPartition): Promise<boolean> {
    const client = await this.pool.connect();
    try {
      for (let attempt = 1; attempt <= LOCK_ATTEMPTS_MAX; attempt++) {
        try {
          await client.query(`begin; set local lock_timeout = '300ms'; lock table orchestration.history in access exclusive mode`);
          const { rows } = await client.query('select 1 from orchestration.executions where id >= $1::uuid and id < $2::uuid limit 1', [first, end]);
          if (rows.length === 0) await client.query('select orchestration.drop_history_partition($1)', [name]);
          await client.query('commit');
          return rows.length === 0;
        } catch (fault) {
          await client.query('rollback');
          if ((fault as { code?: string }).code !== LOCK_NOT_AVAILABLE) throw faultOf(fault);
        }
      }
      return false;
    } finally {
      client.release();
    }
  }
}

const LOCK_NOT_AVAILABLE = '55P03';
