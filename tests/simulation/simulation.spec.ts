import { parseWorkflow, PUBLISHED_EXPRESSIONS } from '@weft/workflow';
import { describe, expect, it } from 'vitest';
import { FAULT_KINDS } from './src/chaos.js';
import { definitionOf, DEFINITIONS } from './src/definition.js';
import { simulate } from './src/simulation.js';
import { addOutcome, emptyTally, reportOf } from './src/tally.js';

// All kinds of faults are asked of the thousand seeds that `./weft test` runs beside the specs.
const SEEDS = 100;

describe('the simulation', () => {
  it('breaks no promise while it does what it claims to do', async () => {
    const tally = emptyTally();
    for (let seed = 1; seed <= SEEDS; seed++) addOutcome(tally, await simulate(seed));
    const report = reportOf(tally);
    expect(report.failing).toEqual([]);
    expect(Object.keys(tally.faults).length).toBeGreaterThan(Object.keys(FAULT_KINDS).length / 2);
    expect(report.longExecutionsPerSeed).toBeGreaterThanOrEqual(3);
    expect(report.faultsPerSeed).toBeGreaterThanOrEqual(10);
  }, 120_000);

  it('does the same for the same seed, traced or not, and something else for another', async () => {
    const [first, again, other] = [await simulate(7), await simulate(7, { isTraced: true }), await simulate(8)];
    expect(again.hash).toBe(first.hash);
    expect(again.lines.length).toBeGreaterThan(100);
    expect(other.hash).not.toBe(first.hash);
  });

  it('draws workflows that could be deployed', () => {
    const problems = Array.from({ length: DEFINITIONS }, (_, number) => parseWorkflow(JSON.stringify(definitionOf(number).document), PUBLISHED_EXPRESSIONS)).flatMap((parsed) =>
      parsed.ok ? [] : parsed.rejections.map(({ message }) => message),
    );
    expect(problems.slice(0, 5)).toEqual([]);
  });
});
