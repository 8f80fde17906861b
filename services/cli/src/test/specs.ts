// Specs by their suffix, carried out by vitest and read back as counts.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { inRoot, ROOT } from '../paths.js';
import { runChild } from './child.js';
import type { NotRun, Step, StepOutcome } from './step.js';

export interface SpecsStep {
  readonly name: string;
  /** Parts of paths; a spec runs when its path contains one of them. */
  readonly filters: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** What is read of vitest's JSON report. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

// Two workers: the machines this is for have two cores, and the suites share them with a store and a broker.
const WORKERS_MAX = 2;

/** A step that runs the specs whose paths match. */
export function specsStep({ name, filters, environment, timeoutMs }: SpecsStep): Step {
  return {
    name,
    run: async (signal) => {
      const folder = await mkdtemp(join(tmpdir(), 'weft-specs-'));
      try {
        const file = join(folder, 'report.json');
        const args = [
          inRoot('node_modules', 'vitest', 'vitest.mjs'),
          'run',
          '--reporter=dot',
          '--reporter=json',
          `--outputFile.json=${file}`,
          `--maxWorkers=${WORKERS_MAX}`,
          '--passWithNoTests',
          '--allowOnly=false',
          ...filters,
        ];
        const result = await runChild(process.execPath, args, { timeoutMs, signal, environment: { NO_COLOR: '1', ...environment } });
        return outcomeOf(result.code, result.output, await readReport(file));
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

async function readReport(file: string): Promise<VitestReport | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as VitestReport;
  } catch {
    return undefined;
  }
}

/** What a finished run of vitest means. Without a report it died before it could write one. */
export function outcomeOf(code: number, output: string, report: VitestReport | undefined): StepOutcome {
  if (!report) return { status: 'failed', output };
  const skipped = report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.filter(({ status }) => status !== 'passed' && status !== 'failed').map(({ fullName }) => ({ file: relative(ROOT, name), fullName })),
  );
  // A file that cannot be loaded holds no test that could fail; it counts as one.
  const unloaded = report.testResults.filter(({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed')).length;
  const tests = { passed: report.numPassedTests, failed: report.numFailedTests + unloaded, skipped: skipped.length };
  const isGood = code === 0 && tests.failed === 0;
  return { status: isGood ? 'passed' : 'failed', tests, notRun: notRunOf(skipped), ...(isGood ? {} : { output }) };
}

// A suite that stands aside says so in its title: `Bus on Kafka (not run: <why>[: <remedy>])`.
const STANDS_ASIDE = /^(.*?) ?\(not run: ([^:)]*)(?:: ([^)]*))?\)/;

function notRunOf(skipped: readonly { readonly file: string; readonly fullName: string }[]): readonly NotRun[] {
  const suites = new Map<string, NotRun>();
  for (const { file, fullName } of skipped) {
    const [, title, why, remedy] = STANDS_ASIDE.exec(fullName) ?? [];
    const suite = title === undefined ? file : `${title} (${file})`;
    if (!suites.has(suite)) suites.set(suite, { suite, why: why ?? `skipped in ${file}`, remedy: remedy ?? 'see the condition in that file' });
  }
  return [...suites.values()];
}
