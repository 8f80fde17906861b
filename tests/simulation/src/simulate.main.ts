#!/usr/bin/env node
// The simulation as a process: many seeds, one seed with its trace, or the bug bank. Prints one line of JSON last; tells its parent how
// far it is. Exit code: 0 nothing is wrong, 1 a violation, a fault kind that never struck or a bug that was not found, 2 usage.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { BUG_BANK, type Found } from '../bugs/bug-bank.js';
import { work, WORKERS_DEFAULT, type Order } from './crew.js';
import { simulate } from './simulation.js';
import { addTally, emptyTally, reportOf, type Tally } from './tally.js';

const SEEDS_A_TURN = 20;
// A run of fewer seeds may miss a rare kind.
const EVERY_KIND_FROM = 1_000;
const KEPT = new URL('../../seeds.txt', import.meta.url);

const { values } = parseArgs({
  options: { seeds: { type: 'string' }, from: { type: 'string' }, seed: { type: 'string' }, trace: { type: 'boolean' }, bugs: { type: 'boolean' }, workers: { type: 'string' } },
});
const workers = Number(values.workers ?? WORKERS_DEFAULT);

// Whoever reads a trace may stop reading, and whoever started this may be gone.
process.stdout.on('error', () => process.exit(0));
const leave = (): void => process.exit(1);
process.once('disconnect', leave);

try {
  if (values.bugs) await runBugs();
  else if (values.seed !== undefined) await runOne(Number(values.seed));
  else await runMany(Number(values.from ?? 1), Number(values.seeds ?? 1_000));
} catch (defect) {
  process.stderr.write(`simulate: ${defect instanceof Error ? (defect.stack ?? defect.message) : String(defect)}\n`);
  process.exitCode = 1;
}
process.off('disconnect', leave);
process.disconnect?.();

async function runMany(from: number, count: number): Promise<void> {
  const startedAt = performance.now();
  const kept = keptSeeds();
  const total = emptyTally();
  await work<Tally>(turns(kept, from, count), workers, (_order, tally) => {
    addTally(total, tally);
    process.send?.({ done: total.seeds, count: kept.length + count, violations: total.violations });
  });
  const report = reportOf(total);
  // Kept seeds come on top of those that were asked for.
  end(
    { ...report, seeds: report.seeds - kept.length, keptSeeds: kept.length, workers, seconds: secondsSince(startedAt) },
    report.violations === 0 && (count < EVERY_KIND_FROM || Object.values(report.faultKinds).every((struck) => struck > 0)),
  );
}

function* turns(kept: readonly number[], from: number, count: number): Generator<Order> {
  if (kept.length > 0) yield { kind: 'seeds', seeds: kept };
  for (let at = from; at < from + count; at += SEEDS_A_TURN) {
    yield { kind: 'seeds', seeds: Array.from({ length: Math.min(SEEDS_A_TURN, from + count - at) }, (_, index) => at + index) };
  }
}

async function runOne(seed: number): Promise<void> {
  const { lines, faults, happened, virtualMs, ...outcome } = await simulate(seed, { isTraced: values.trace === true });
  for (const line of lines) process.stdout.write(`${line}\n`);
  end({ ...outcome, faults: Object.fromEntries(faults), happened, virtualSeconds: virtualMs / 1000 }, outcome.violations.length === 0);
}

async function runBugs(): Promise<void> {
  const startedAt = performance.now();
  const found = new Map<string, Found>();
  await work<Found>(
    BUG_BANK.map(({ name }): Order => ({ kind: 'bug', name })),
    workers,
    (order, answer) => {
      found.set((order as Order & { kind: 'bug' }).name, answer);
      process.send?.({ done: found.size, count: BUG_BANK.length, violations: 0 });
    },
  );
  const bugs = BUG_BANK.map(({ name, mistake }) => ({ name, mistake, found: found.get(name)?.violation !== undefined, ...found.get(name) }));
  end(
    { bugs, found: bugs.filter((bug) => bug.found).length, planted: bugs.length, workers, seconds: secondsSince(startedAt) },
    bugs.every((bug) => bug.found),
  );
}

function keptSeeds(): readonly number[] {
  const lines = readFileSync(KEPT, 'utf8').split('\n');
  return lines.map((line) => line.split('#')[0]!.trim()).flatMap((text) => (text === '' ? [] : [Number(text)]));
}

function end(report: object, isRight: boolean): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
  if (!isRight) process.exitCode = 1;
}

function secondsSince(startedAt: number): number {
  return Math.round((performance.now() - startedAt) / 100) / 10;
}
