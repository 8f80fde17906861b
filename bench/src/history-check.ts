// What the run claims, asked of the store afterwards: a bench that skipped work must not pass.
import type { Pool } from '@weft/adapter-postgres';

export interface HistoryFacts {
  readonly fsync: string;
  readonly synchronousCommit: string;
  readonly commits: number;
  readonly historyRows: number;
  readonly jobsCarriedOut: number;
  /** Sentences about what is not as it must be; empty when all is. */
  readonly violations: readonly string[];
}

const EVENTS = `
  select h.execution_id, h.sequence, e.value ->> 'type' as type, e.value ->> 'key' as key
  from orchestration.history h, json_array_elements(h.structure::json) e
  where h.execution_id = any($1::uuid[])`;

/** Checks chains of `jobs` jobs: every result has a row of its own, and that row schedules the next job. */
export async function checkChains(pool: Pool, executionIds: readonly string[], jobs: number): Promise<HistoryFacts> {
  const violations: string[] = [];
  const one = async <T>(sql: string, values: readonly unknown[] = []): Promise<T> => Object.values((await pool.query<Record<string, T>>(sql, [...values])).rows[0] ?? {})[0] as T;
  const expected = executionIds.length * jobs;
  const ids = [executionIds];

  const completed = await one<number>(`select count(*)::int from orchestration.executions where id = any($1::uuid[]) and status = 'completed'`, ids);
  if (completed !== executionIds.length) violations.push(`Expected ${executionIds.length} completed executions but the store has ${completed}.`);
  const results = await one<number>(`select count(*)::int from (${EVENTS}) e where type = 'JobCompleted'`, ids);
  if (results !== expected) violations.push(`Expected ${expected} applied results but the store has ${results}.`);
  const rowsWithTwo = await one<number>(`select count(*)::int from (select 1 from (${EVENTS}) e where type = 'JobCompleted' group by execution_id, sequence having count(*) > 1) x`, ids);
  if (rowsWithTwo > 0) violations.push(`Expected each result to have a history row of its own but ${rowsWithTwo} rows have several.`);
  const appliedTwice = await one<number>(`select count(*)::int from (select 1 from (${EVENTS}) e where type = 'JobCompleted' group by execution_id, key having count(*) > 1) x`, ids);
  if (appliedTwice > 0) violations.push(`Expected each result once but ${appliedTwice} jobs have several.`);
  const chained = await one<number>(
    `with e as (${EVENTS}) select count(*)::int from e done join e scheduled using (execution_id, sequence) where done.type = 'JobCompleted' and scheduled.type = 'JobScheduled'`,
    ids,
  );
  if (chained !== executionIds.length * (jobs - 1))
    violations.push(`Expected ${executionIds.length * (jobs - 1)} jobs scheduled by the decision that applied the result before but there are ${chained}.`);
  const unequal = await one<number>(
    `select count(*)::int from (select execution_id from orchestration.history where execution_id = any($1::uuid[]) group by execution_id having count(*) <> max(sequence) + 1 or min(sequence) <> 0) x`,
    ids,
  );
  if (unequal > 0) violations.push(`Expected histories without gaps but ${unequal} have one.`);

  return {
    fsync: await one<string>('show fsync'),
    synchronousCommit: await one<string>('show synchronous_commit'),
    commits: await one<number>(`select count(distinct commit_id)::int from orchestration.history where execution_id = any($1::uuid[])`, ids),
    historyRows: await one<number>(`select count(*)::int from orchestration.history where execution_id = any($1::uuid[])`, ids),
    jobsCarriedOut: results,
    violations,
  };
}
