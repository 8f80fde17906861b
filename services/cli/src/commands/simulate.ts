// `weft simulate`: the cores of all services under a seeded scheduler, in processes of the suite's own.
import type { Command } from 'commander';
import { fork } from 'node:child_process';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { colors, printer, table, type Printer } from '../output/print.js';
import { inRoot } from '../paths.js';
import { interrupted, interruptible } from '../processes/interruption.js';
import { wholeNumber, withExamples } from './command.js';

interface SimulateOptions {
  readonly seeds: number;
  readonly from: number;
  readonly seed?: number;
  readonly trace?: boolean;
  readonly bugs?: boolean;
  readonly workers?: number;
  readonly json?: boolean;
}

const SEED_MAX = 2 ** 31;

export function registerSimulate(program: Command): void {
  const simulate = program
    .command('simulate')
    .description('Run the cores of all services in simulated worlds where everything fails; exits with 1 when a promise is broken')
    .option('--seeds <n>', 'worlds to run, after those that failed once', wholeNumber(1, 100_000_000), 1_000)
    .option('--from <seed>', 'the first of them', wholeNumber(0, SEED_MAX), 1)
    .option('--seed <seed>', 'run this one alone', wholeNumber(0, SEED_MAX))
    .option('--trace', 'with --seed: print what happens, step by step')
    .option('--bugs', 'plant each bug of the bug bank and say after how many seeds it is found')
    .option('--workers <n>', 'threads; default one a core', wholeNumber(1, 256))
    .option('--json', 'print one JSON line');
  withExamples(simulate, [
    ['./weft simulate --seeds 20000', 'twenty thousand worlds'],
    ['./weft simulate --seed 4711 --trace', 'one of them, step by step: the same every time'],
    ['./weft simulate --bugs --json', 'whether the simulation finds what is planted'],
  ]).action(runSimulate);
}

async function runSimulate(options: SimulateOptions): Promise<void> {
  if (options.trace && options.seed === undefined) throw new CommandFailed('Expected --seed with --trace: a trace is of one seed.', EXIT.usage);
  const out = printer(options.json === true);
  const { printed, code } = await interruptible(out.progress, (told) => suite(argumentsOf(options), out, options.trace === true, told));
  const report = lastReport(printed);
  if (!report) throw new CommandFailed(`The simulation ended with ${code} and printed no report. What it printed:\n${printed.slice(-1_000)}`, EXIT.unavailable);
  out.data(report, () => (options.bugs ? bugsText(report) : reportText(report)));
  if (code !== 0) throw new CommandFailed(failureText(report, options.bugs === true));
}

function argumentsOf({ seeds, from, seed, trace, bugs, workers }: SimulateOptions): readonly string[] {
  const threads = workers === undefined ? [] : ['--workers', String(workers)];
  if (bugs) return ['--bugs', ...threads];
  if (seed !== undefined) return ['--seed', String(seed), ...(trace ? ['--trace'] : [])];
  return ['--seeds', String(seeds), '--from', String(from), ...threads];
}

interface Progress {
  readonly done: number;
  readonly count: number;
  readonly violations: number;
}

const PROGRESS_MS = 2_000;

/** Runs the suite in a process of its own. @param isShown whether all but the report is printed as it comes. @throws CommandFailed 130 when it is told to stop. */
async function suite(args: readonly string[], out: Printer, isShown: boolean, told: Promise<never>): Promise<{ readonly printed: string; readonly code: number | null }> {
  // A session of its own: Ctrl-C reaches this command alone; the suite ends when it is told, or when this command is gone.
  const child = fork(inRoot('tests', 'simulation', 'dist', 'src', 'simulate.main.js'), args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'], detached: true });
  let printed = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
    if (!isShown) return;
    // The last line may be the report, and is kept back.
    const end = printed.lastIndexOf('\n', printed.length - 2) + 1;
    process.stdout.write(printed.slice(0, end));
    printed = printed.slice(end);
  });
  let toldAt = performance.now();
  child.on('message', ({ done, count, violations }: Progress) => {
    if (performance.now() - toldAt < PROGRESS_MS) return;
    toldAt = performance.now();
    out.progress(`${done} of ${count}${violations > 0 ? `, ${violations} violations` : ''}`);
  });
  let isTold = false;
  told.catch(() => {
    isTold = true;
    child.kill();
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    // Not `exit`: what it printed last is still on its way then.
    child.on('close', resolve);
  });
  if (isTold) throw interrupted();
  return { printed, code };
}

type Report = Readonly<Record<string, unknown>>;

function lastReport(printed: string): Report | undefined {
  const line = printed.trimEnd().split('\n').at(-1) ?? '';
  return line.startsWith('{') ? (JSON.parse(line) as Report) : undefined;
}

function reportText(report: Report): string {
  const { faultKinds, faults, failing, violations, ...figures } = report;
  const kinds = Object.entries((faultKinds ?? faults ?? {}) as Record<string, number>).map(([kind, count]) => `${kind} ${count}`);
  const rows = Object.entries(figures).map(([name, value]) => [name, String(value)]);
  return [table([...rows, ['faults', kinds.join(', ') || 'none']]), ...violationLines(failing, violations)].join('\n');
}

function violationLines(failing: unknown, violations: unknown): readonly string[] {
  if (Array.isArray(violations)) return violations.length === 0 ? [colors.green('no violation')] : violations.map((text) => colors.red(String(text)));
  const seeds = (Array.isArray(failing) ? failing : []) as readonly { readonly seed: number; readonly hash: string; readonly violations: readonly string[] }[];
  if (seeds.length === 0) return [colors.green('no violation')];
  return seeds.flatMap((one) => [colors.red(`seed ${one.seed} (trace ${one.hash}):`), ...one.violations.map((text) => `  ${text}`)]);
}

function bugsText({ bugs }: Report): string {
  const rows = (bugs as readonly { readonly name: string; readonly found: boolean; readonly seeds: number; readonly mistake: string }[]).map(({ name, found, seeds, mistake }) => [
    found ? colors.green('✓') : colors.red('✗'),
    name,
    found ? `found after ${seeds}` : `not found in ${seeds}`,
    mistake,
  ]);
  return table(rows);
}

function failureText({ failing, seed }: Report, isBank: boolean): string {
  if (isBank) return 'A planted bug was not found: the simulation is blind to it.';
  const first = Array.isArray(failing) ? (failing[0] as { readonly seed: number } | undefined)?.seed : seed;
  if (first === undefined) return 'A kind of fault never struck: see the counts above.';
  return `A promise is broken. See it happen: ./weft simulate --seed ${String(first)} --trace. Keep the seed in tests/simulation/seeds.txt.`;
}
