// Chain: a durable workflow of five jobs in a row, carried out by tools.
import type { Pool } from '@weft/adapter-postgres';
import type { DefinitionRef } from '@weft/contracts';
import type { Bus } from '@weft/pipeline';
import { checkChains, type HistoryFacts } from './history-check.js';
import { LoadGenerator, percentile, type LoadOptions } from './load.js';

const JOBS = 5;
// Plans, JIT and connections warm up outside the measured part.
const WARM_UP = 200;

/** What a chain bench runs against. */
export interface ChainTarget {
  readonly profile: string;
  readonly bus: Bus;
  readonly definition: DefinitionRef;
  /** For the checks afterwards: reads every schema. */
  readonly pool: Pool;
}

export interface ChainReport extends HistoryFacts {
  readonly workload: 'chain';
  readonly profile: string;
  readonly count: number;
  readonly concurrency: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly perSecond: number;
  readonly jobsPerSecond: number;
}

export async function runChain(target: ChainTarget, options: LoadOptions): Promise<ChainReport> {
  const load = await LoadGenerator.on(target.bus);
  await load.run(target.definition, { n: 0 }, { count: Math.min(WARM_UP, options.count), concurrency: options.concurrency });
  const { latenciesMs, seconds, executionIds, failed } = await load.run(target.definition, { n: 1 }, options);
  const { violations, ...facts } = await checkChains(target.pool, executionIds, JOBS);
  const perSecond = executionIds.length / seconds;
  return {
    workload: 'chain',
    profile: target.profile,
    count: options.count,
    concurrency: options.concurrency,
    p50Ms: rounded(percentile(latenciesMs, 0.5)),
    p99Ms: rounded(percentile(latenciesMs, 0.99)),
    perSecond: rounded(perSecond),
    jobsPerSecond: rounded(perSecond * JOBS),
    ...facts,
    violations: failed > 0 ? [`Expected every execution to complete but ${failed} did not.`, ...violations] : violations,
  };
}

const rounded = (value: number): number => Math.round(value * 100) / 100;
