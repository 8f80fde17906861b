// The vocabulary of `weft test`: a run is a list of steps; what could not run is named, never passed over.

/** Something that did not run, and how to make it run. */
export interface NotRun {
  readonly suite: string;
  readonly why: string;
  readonly remedy: string;
}

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface StepOutcome {
  readonly status: 'passed' | 'failed' | 'skipped';
  /** What a reader needs to repair a failure. */
  readonly output?: string;
  /** Tests inside the step. A step without them counts as one. */
  readonly tests?: Counts;
  readonly notRun?: readonly NotRun[];
  /** A remark for the step's line, such as `p50 3 ms`. */
  readonly remark?: string;
}

export interface Step {
  readonly name: string;
  readonly run: (signal: AbortSignal) => Promise<StepOutcome>;
}

export interface StepReport extends StepOutcome {
  readonly name: string;
  readonly seconds: number;
}

/** One step at a time, in order; a failure does not keep the later ones from running. */
export async function runSteps(
  steps: readonly Step[],
  signal: AbortSignal,
  told: { readonly begins: (name: string) => void; readonly ended: (report: StepReport) => void },
): Promise<readonly StepReport[]> {
  const reports: StepReport[] = [];
  for (const step of steps) {
    if (signal.aborted) break;
    told.begins(step.name);
    const startedAt = performance.now();
    const outcome = await step.run(signal).catch((thrown: unknown): StepOutcome => ({ status: 'failed', output: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) }));
    const report = { name: step.name, seconds: Math.round((performance.now() - startedAt) / 100) / 10, ...outcome };
    reports.push(report);
    told.ended(report);
  }
  return reports;
}

/** Tests and steps together: a step that holds tests counts by them, and once more when it failed without a failing test. */
export function countAll(reports: readonly StepReport[]): Counts {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const { status, tests } of reports) {
    if (tests) {
      total.passed += tests.passed;
      total.failed += tests.failed;
      total.skipped += tests.skipped;
    }
    if (!tests || (status === 'failed' && tests.failed === 0)) total[status]++;
  }
  return total;
}
