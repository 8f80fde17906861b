// What many seeds came to, as numbers that add up.
import { FAULT_KINDS, type FaultKind } from './chaos.js';
import type { Outcome } from './simulation.js';

/** A seed that violated something. */
export interface Failing {
  readonly seed: number;
  readonly hash: string;
  readonly violations: readonly string[];
}

export interface Tally {
  seeds: number;
  /** Violations in all seeds. */
  violations: number;
  executions: number;
  /** Executions that entered at least five tasks. */
  longExecutions: number;
  tasks: number;
  commands: number;
  faults: Record<string, number>;
  virtualMs: number;
  failing: Failing[];
}

const FAILING_MAX = 20;

export const emptyTally = (): Tally => ({ seeds: 0, violations: 0, executions: 0, longExecutions: 0, tasks: 0, commands: 0, faults: {}, virtualMs: 0, failing: [] });

export function addOutcome(tally: Tally, { seed, hash, violations, executions, longExecutions, tasks, commands, faults, virtualMs }: Outcome): void {
  const added = {
    seeds: 1,
    violations: violations.length,
    executions,
    longExecutions,
    tasks,
    commands,
    faults: Object.fromEntries(faults),
    virtualMs,
    failing: violations.length > 0 ? [{ seed, hash, violations }] : [],
  };
  addTally(tally, added);
}

export function addTally(tally: Tally, more: Tally): void {
  for (const field of ['seeds', 'violations', 'executions', 'longExecutions', 'tasks', 'commands', 'virtualMs'] as const) tally[field] += more[field];
  for (const [kind, count] of Object.entries(more.faults)) tally.faults[kind] = (tally.faults[kind] ?? 0) + count;
  tally.failing = [...tally.failing, ...more.failing].slice(0, FAILING_MAX);
}

/** What a run prints, as one line of JSON. */
export interface Report {
  readonly seeds: number;
  readonly violations: number;
  readonly executionsPerSeed: number;
  /** Executions of at least five tasks. */
  readonly longExecutionsPerSeed: number;
  readonly tasksPerExecution: number;
  readonly commandsPerSeed: number;
  readonly faultsPerSeed: number;
  readonly faultKinds: Readonly<Record<FaultKind, number>>;
  /** Virtual time that went by in a seed, seconds. */
  readonly virtualSecondsPerSeed: number;
  readonly failing: readonly Failing[];
}

export function reportOf(tally: Tally): Report {
  const perSeed = (sum: number): number => rounded(sum / Math.max(1, tally.seeds));
  const kinds = Object.keys(FAULT_KINDS) as FaultKind[];
  return {
    seeds: tally.seeds,
    violations: tally.violations,
    executionsPerSeed: perSeed(tally.executions),
    longExecutionsPerSeed: perSeed(tally.longExecutions),
    tasksPerExecution: rounded(tally.tasks / Math.max(1, tally.executions)),
    commandsPerSeed: perSeed(tally.commands),
    faultsPerSeed: perSeed(Object.values(tally.faults).reduce((sum, count) => sum + count, 0)),
    faultKinds: Object.fromEntries(kinds.map((kind) => [kind, tally.faults[kind] ?? 0])) as Record<FaultKind, number>,
    virtualSecondsPerSeed: perSeed(tally.virtualMs / 1000),
    failing: tally.failing,
  };
}

const rounded = (value: number): number => Math.round(value * 100) / 100;
