// weft test: all that is checked before a change is taken in.
import type { Command } from 'commander';
import { glob } from 'node:fs/promises';
import { EXIT } from '../exit-codes.js';
import { colors, printer, type Printer } from '../output/print.js';
import { ROOT } from '../paths.js';
import { smokeSteps } from '../test/smoke.js';
import { specsStep } from '../test/specs.js';
import { staticSteps } from '../test/static-checks.js';
import { countAll, runSteps, type NotRun, type Step, type StepReport } from '../test/step.js';
import { testServers } from '../test/test-servers.js';
import { withExamples } from './command.js';

const MINUTE_MS = 60_000;
const quickSpecs = specsStep({ name: 'unit, replay and architecture specs', filters: ['.unit.spec.ts', '.replay.spec.ts', 'tests/architecture/'], timeoutMs: 5 * MINUTE_MS });

export function registerTest(program: Command): void {
  const command = program
    .command('test')
    .description('Check everything: format, lint, types, generated code, specs, and with real servers the suites, the demo and short runs of prove and bench.')
    .option('--quick', 'only what needs no server: about a minute')
    .option('--json', 'print one JSON object at the end')
    .addHelpText(
      'after',
      `
Environment:
  WEFT_KAFKA, WEFT_REDIS  host:port of servers to use; without them they are started, as far as this machine allows
  WEFT_REQUIRE            servers (kafka,redis) without which the run is a failure; otherwise what needs them is named and left out`,
    )
    .action(async ({ quick = false, json = false }: { quick?: boolean; json?: boolean }) => {
      process.exitCode = await runTests(program, quick, printer(json));
    });
  withExamples(command, [
    ['./weft test --quick', 'before a commit'],
    ['./weft test', 'before a change is taken in'],
    ['WEFT_REQUIRE=kafka,redis ./weft test --json', 'where nothing may be left out, for a script'],
  ]);
}

async function runTests(program: Command, quick: boolean, print: Printer): Promise<number> {
  const abort = new AbortController();
  const interrupt = (): void => abort.abort();
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  const startedAt = performance.now();
  const servers = testServers(new Set((process.env['WEFT_REQUIRE'] ?? '').split(',').map((name) => name.trim())), print.progress);
  try {
    const steps = quick ? [...staticSteps(), quickSpecs] : [...staticSteps(), quickSpecs, ...servers.steps, ...(await serverSpecs(servers.environment)), ...smokeSteps(program, servers)];
    const told = { begins: (name: string) => void (process.stderr.isTTY && print.progress(name)), ended: (report: StepReport) => void (print.json || process.stdout.write(`${lineOf(report)}\n`)) };
    const reports = await runSteps(steps, abort.signal, told);
    return conclude(reports, (performance.now() - startedAt) / 1000, abort.signal.aborted, print);
  } finally {
    await servers.stop();
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

async function serverSpecs(environment: Readonly<Record<string, string>>): Promise<readonly Step[]> {
  const steps = [specsStep({ name: 'contract and shell specs', filters: ['.contract.spec.ts', '.shell.spec.ts'], environment, timeoutMs: 14 * MINUTE_MS })];
  for (const [folder, name] of [
    ['simulation', 'simulation'],
    ['e2e', 'end-to-end specs'],
  ] as const) {
    for await (const _ of glob(`tests/${folder}/**/*.spec.ts`, { cwd: ROOT })) {
      steps.push(specsStep({ name, filters: [`tests/${folder}/`], environment, timeoutMs: 5 * MINUTE_MS }));
      break;
    }
  }
  return steps;
}

const MARK = { passed: colors.green('✓'), failed: colors.red('✗'), skipped: colors.yellow('–') } as const;

function lineOf({ status, name, seconds, tests, remark, output }: StepReport): string {
  const counts = tests
    ? [`${tests.passed} passed`, ...(tests.failed > 0 ? [`${tests.failed} failed`] : []), ...(tests.skipped > 0 ? [`${tests.skipped} skipped`] : [])].join(', ')
    : (remark ?? (status === 'skipped' ? 'not run' : ''));
  const line = `${MARK[status]} ${name.padEnd(36)} ${`${seconds.toFixed(1)} s`.padStart(8)}  ${counts}`.trimEnd();
  return status === 'failed' && output ? `${line}\n${indented(output)}` : line;
}

const indented = (text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');

function conclude(reports: readonly StepReport[], seconds: number, isInterrupted: boolean, print: Printer): number {
  const counts = countAll(reports);
  const notRun = reports.flatMap((report) => report.notRun ?? []);
  if (print.json) print.data({ ...counts, seconds: Math.round(seconds), interrupted: isInterrupted, steps: reports, notRun }, () => '');
  else process.stdout.write(`${notRunBlock(notRun)}\n${Math.round(seconds)} s\n${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}\n`);
  if (isInterrupted) return EXIT.interrupted;
  return counts.failed > 0 ? EXIT.failed : EXIT.ok;
}

function notRunBlock(notRun: readonly NotRun[]): string {
  if (notRun.length === 0) return '';
  return `\nNot run:\n${notRun.map(({ suite, why, remedy }) => `  ${suite}\n    why: ${why}\n    to run it: ${remedy}\n`).join('')}`;
}
