// What a run claims, asked of the store afterwards: a bench that skipped work must not pass.
import type { Pool } from '@weft/adapter-postgres';

/** How durable the store was while the bench ran. */
export interface Durability {
  readonly fsync: string;
  readonly synchronousCommit: string;
}

export interface HistoryFacts extends Durability {
  readonly commits: number;
  readonly historyRows: number;
  readonly jobsCarriedOut: number;
  /** Sentences about what is not as it must be; empty when all is. */
  readonly violations: readonly string[];
}

/** One value of one row. */
export async function one<T>(pool: Pool, sql: string, values: readonly unknown[] = []): Promise<T> {
  return Object.values((await pool.query<Record<string, T>>(sql, [...values])).rows[0] ?? {})[0] as T;
}

export async function durabilityOf(pool: Pool): Promise<Durability> {
  return { fsync: await one(pool, 'show fsync'), synchronousCommit: await one(pool, 'show synchronous_commit') };
}

/** The events of $1::uuid[] executions, one row each. */
export const EVENTS = `
  select h.execution_id, h.sequence, h.recorded_at, e.value, e.value ->> 'type' as type, e.value ->> 'key' as key
  from orchestration.history h, json_array_elements(h.structure::json) e
  where h.execution_id = any($1::uuid[])`;

/** Asks for counts and says where one is not what it must be. */
export class Checks {
  readonly violations: string[] = [];

  constructor(
    private readonly pool: Pool,
    private readonly executionIds: readonly string[],
  ) {}

  /** @param sql counts something of `$1::uuid[]` executions. @param what completes "Expected N ..." */
  async expect(expected: number, what: string, sql: string): Promise<number> {
    const found = await one<number>(this.pool, sql, [this.executionIds]);
    if (found !== expected) this.violations.push(`Expected ${expected} ${what} but the store has ${found}.`);
    return found;
  }
}

/** What holds of every workload: all completed, every result applied once, histories without gaps. @returns the results applied. */
async function checkEnds(checks: Checks, executions: number, jobs: number): Promise<number> {
  await checks.expect(executions, 'completed executions', `select count(*)::int from orchestration.executions where id = any($1::uuid[]) and status = 'completed'`);
  await checks.expect(executions, 'ends, one an execution', `select count(*)::int from (${EVENTS}) e where type = 'ExecutionCompleted'`);
  const results = await checks.expect(executions * jobs, 'applied results', `select count(*)::int from (${EVENTS}) e where type = 'JobCompleted'`);
  await checks.expect(0, 'jobs with several results', `select count(*)::int from (select 1 from (${EVENTS}) e where type = 'JobCompleted' group by execution_id, key having count(*) > 1) x`);
  await checks.expect(
    0,
    'histories with a gap',
    `select count(*)::int from (select execution_id from orchestration.history where execution_id = any($1::uuid[]) group by execution_id having count(*) <> max(sequence) + 1 or min(sequence) <> 0) x`,
  );
  return results;
}

async function facts(pool: Pool, executionIds: readonly string[], jobsCarriedOut: number, violations: readonly string[]): Promise<HistoryFacts> {
  return {
    ...(await durabilityOf(pool)),
    commits: await one<number>(pool, `select count(distinct commit_id)::int from orchestration.history where execution_id = any($1::uuid[])`, [executionIds]),
    historyRows: await one<number>(pool, `select count(*)::int from orchestration.history where execution_id = any($1::uuid[])`, [executionIds]),
    jobsCarriedOut,
    violations,
  };
}

/** Checks executions of `jobs` jobs of which nothing more is claimed than that each result was applied once. */
export async function checkJobs(pool: Pool, executionIds: readonly string[], jobs: number): Promise<HistoryFacts> {
  const checks = new Checks(pool, executionIds);
  const results = await checkEnds(checks, executionIds.length, jobs);
  return facts(pool, executionIds, results, checks.violations);
}

/** Checks chains of `jobs` jobs: every result has a row of its own, and that row schedules the next job. */
export async function checkChains(pool: Pool, executionIds: readonly string[], jobs: number): Promise<HistoryFacts> {
  const checks = new Checks(pool, executionIds);
  const results = await checkEnds(checks, executionIds.length, jobs);
  await checks.expect(
    0,
    'history rows with several results',
    `select count(*)::int from (select 1 from (${EVENTS}) e where type = 'JobCompleted' group by execution_id, sequence having count(*) > 1) x`,
  );
  await checks.expect(
    executionIds.length * (jobs - 1),
    'jobs scheduled by the decision that applied the result before',
    `with e as (${EVENTS}) select count(*)::int from e done join e scheduled using (execution_id, sequence) where done.type = 'JobCompleted' and scheduled.type = 'JobScheduled'`,
  );
  return facts(pool, executionIds, results, checks.violations);
}

/** What is left of a crash: all completed, every job's result applied once, whatever was carried out again. @returns also the last end, milliseconds since the epoch. */
export async function checkCrash(pool: Pool, executionIds: readonly string[], jobs: number): Promise<{ readonly completed: number; readonly lastMs: number; readonly violations: readonly string[] }> {
  const checks = new Checks(pool, executionIds);
  await checkEnds(checks, executionIds.length, jobs);
  return {
    completed: await one<number>(pool, `select count(*)::int from orchestration.executions where id = any($1::uuid[]) and status = 'completed'`, [executionIds]),
    lastMs: await one<number>(pool, `select (extract(epoch from max(ended_at)) * 1000)::float8 from orchestration.executions where id = any($1::uuid[])`, [executionIds]),
    violations: checks.violations,
  };
}

/** Checks forks of `jobs` jobs: all scheduled by the first decision, each result applied once, and one join after the last of them. */
export async function checkForks(pool: Pool, executionIds: readonly string[], jobs: number, fork: string): Promise<HistoryFacts> {
  const checks = new Checks(pool, executionIds);
  const results = await checkEnds(checks, executionIds.length, jobs);
  const joins = `(${EVENTS}) e where type = 'BranchesJoined' and key = '${fork}'`;
  await checks.expect(executionIds.length * jobs, 'jobs scheduled by the first decision', `select count(*)::int from (${EVENTS}) e where type = 'JobScheduled' and sequence = 0`);
  await checks.expect(executionIds.length * jobs, 'jobs scheduled', `select count(*)::int from (${EVENTS}) e where type = 'JobScheduled'`);
  await checks.expect(executionIds.length, 'joins', `select count(*)::int from ${joins}`);
  await checks.expect(
    executionIds.length,
    'joins by the decision that applied the last result',
    `select count(*)::int from (select execution_id, sequence from ${joins}) joined join (select execution_id, max(sequence) as sequence from (${EVENTS}) e where type = 'JobCompleted' group by execution_id) last using (execution_id, sequence)`,
  );
  return facts(pool, executionIds, results, checks.violations);
}
