// Growth: does the chain stay as fast with a million stored executions as with ten thousand?
import type { DefinitionRef } from '@weft/contracts';
import { fillStore } from './fill-store.js';
import { checkChains, durabilityOf, type Durability } from './history-check.js';
import { LoadGenerator } from './load.js';
import { ascending, percentile, rounded } from './percentile.js';
import type { Target } from './target.js';
import { CHAIN } from './throughput.js';

export interface GrowthOptions {
  /** Stored executions at which throughput is measured, ascending. */
  readonly sizes: readonly number[];
  /** Chains of one measurement. */
  readonly count: number;
  readonly concurrency: number;
  readonly onProgress: (text: string) => void;
}

export interface GrowthReport extends Durability {
  readonly workload: 'growth';
  readonly profile: string;
  readonly count: number;
  readonly concurrency: number;
  /** `perSecond` is the median of the rounds. */
  readonly sizes: readonly { readonly executions: number; readonly perSecond: number; readonly rounds: readonly number[] }[];
  /** How much slower the largest is than the smallest, in percent. */
  readonly slowerPercent: number;
  readonly violations: readonly string[];
}

// An odd number, so that the median is one of them.
const ROUNDS = 3;

/** A store of one size. */
interface Sized {
  readonly size: number;
  readonly target: Target;
  readonly definition: DefinitionRef;
  readonly load: LoadGenerator;
  readonly rounds: number[];
  readonly executionIds: string[];
}

/** @param groups targets that can be measured in turn, each with its size: all of them in standalone, one after the other in the mesh. */
export async function runGrowth(profile: string, groups: readonly (readonly { readonly size: number; readonly target: Target }[])[], options: GrowthOptions): Promise<GrowthReport> {
  const { count, concurrency, onProgress } = options;
  const all: Sized[] = [];
  const violations: string[] = [];
  for (const group of groups) {
    const stores: Sized[] = [];
    for (const { size, target } of group) {
      const definition = await target.deploy(CHAIN.name);
      const load = await LoadGenerator.at(target.door);
      const stored = await fillStore(
        target.pool,
        size,
        (templates) => load.run(definition, { n: 0 }, { count: templates, concurrency: 64 }),
        (done) => onProgress(`${done} of ${size} executions stored`),
      );
      if (stored < size) violations.push(`Expected ${size} stored executions but there are ${stored}.`);
      stores.push({ size, target, definition, load, rounds: [], executionIds: [] });
    }
    // A round that does not count: what a new process learns about its hot paths is not growth.
    for (const store of stores) await store.load.run(store.definition, { n: 0 }, { count, concurrency });
    for (let round = 0; round < ROUNDS; round++) {
      // There and back again: a machine that slows down meets all sizes alike.
      for (const store of round % 2 === 0 ? stores : [...stores].reverse()) await measure(store, count, concurrency, onProgress);
    }
    all.push(...stores);
  }
  for (const { target, executionIds } of all) violations.push(...(await checkChains(target.pool, executionIds, CHAIN.jobs)).violations);
  const sizes = all.map(({ size, rounds }) => ({ executions: size, perSecond: rounded(percentile([...rounds].sort(ascending), 0.5)), rounds: rounds.map(rounded) }));
  return {
    workload: 'growth',
    profile,
    count,
    concurrency,
    sizes,
    slowerPercent: rounded((1 - sizes.at(-1)!.perSecond / sizes[0]!.perSecond) * 100),
    ...(await durabilityOf(all[0]!.target.pool)),
    violations,
  };
}

async function measure({ size, definition, load, rounds, executionIds }: Sized, count: number, concurrency: number, onProgress: (text: string) => void): Promise<void> {
  // What the other stores pushed out of the machine's caches comes back before it counts.
  await load.run(definition, { n: 0 }, { count: Math.ceil(count / 5), concurrency });
  const result = await load.run(definition, { n: 1 }, { count, concurrency });
  if (result.failed > 0) throw new Error(`Expected every execution to complete but ${result.failed} did not.`);
  rounds.push(count / result.seconds);
  executionIds.push(...result.executionIds);
  onProgress(`with ${size} stored: ${Math.round(count / result.seconds)} chains a second`);
}
