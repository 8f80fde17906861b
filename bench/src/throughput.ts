// Chain and fanout: how fast executions go from their start to the result that a caller sees.
import type { Pool } from '@weft/adapter-postgres';
import { FootprintMeter } from './footprint.js';
import { checkChains, checkForks, one, type HistoryFacts } from './history-check.js';
import { LoadGenerator, type LoadOptions } from './load.js';
import { percentile, rounded } from './percentile.js';
import type { ProcessTarget } from './target.js';

/** A workload that is measured by running many of its executions. */
export interface Workload {
  readonly name: 'chain' | 'fanout';
  /** Jobs of one execution. */
  readonly jobs: number;
  readonly check: (pool: Pool, executionIds: readonly string[]) => Promise<HistoryFacts>;
}

/** Five jobs in a row. */
export const CHAIN: Workload = { name: 'chain', jobs: 5, check: (pool, ids) => checkChains(pool, ids, 5) };
/** Twenty jobs at once and one join. */
export const FANOUT: Workload = { name: 'fanout', jobs: 20, check: (pool, ids) => checkForks(pool, ids, 20, '/do/0/all') };

// Plans, JIT and connections warm up outside the measured part.
const WARM_UP = 200;

export interface ThroughputReport extends HistoryFacts {
  readonly workload: Workload['name'];
  readonly profile: string;
  readonly count: number;
  readonly concurrency: number;
  /** From sending the start to seeing the result. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly perSecond: number;
  readonly jobsPerSecond: number;
  /** CPU of Weft's processes for a job, in microseconds; in standalone that of the load generator too. */
  readonly weftCpuUsPerJob: number;
  readonly postgresCpuUsPerJob: number;
  /** What PostgreSQL wrote to its log for a job. */
  readonly walBytesPerJob: number;
}

export async function runThroughput(workload: Workload, target: ProcessTarget, options: LoadOptions): Promise<ThroughputReport> {
  const definition = await target.deploy(workload.name);
  const load = await LoadGenerator.at(target.door);
  await load.run(definition, { n: 0 }, { count: Math.min(WARM_UP, options.count), concurrency: options.concurrency });
  const meter = await FootprintMeter.of(target.pids, target.pool);
  const [cpuBefore, walBefore] = [meter.cpuUs(), await walBytes(target.pool)];
  const { latenciesMs, seconds, executionIds, failed } = await load.run(definition, { n: 1 }, options);
  const [cpuAfter, walAfter] = [meter.cpuUs(), await walBytes(target.pool)];
  const jobs = executionIds.length * workload.jobs;
  const { violations, ...facts } = await workload.check(target.pool, executionIds);
  const perSecond = executionIds.length / seconds;
  return {
    workload: workload.name,
    profile: target.profile,
    count: options.count,
    concurrency: options.concurrency,
    p50Ms: rounded(percentile(latenciesMs, 0.5)),
    p99Ms: rounded(percentile(latenciesMs, 0.99)),
    perSecond: rounded(perSecond),
    jobsPerSecond: rounded(perSecond * workload.jobs),
    weftCpuUsPerJob: rounded((cpuAfter.weft - cpuBefore.weft) / jobs),
    postgresCpuUsPerJob: rounded((cpuAfter.postgres - cpuBefore.postgres) / jobs),
    walBytesPerJob: rounded((walAfter - walBefore) / jobs),
    ...facts,
    violations: failed > 0 ? [`Expected every execution to complete but ${failed} did not.`, ...violations] : violations,
  };
}

const walBytes = async (pool: Pool): Promise<number> => Number(await one<string>(pool, `select (pg_current_wal_lsn() - '0/0'::pg_lsn)::text`));
