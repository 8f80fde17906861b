// `weft bench`: named workloads, one JSON line each. A workload runs in a process of its own.
import { Command, Option } from 'commander';
import { fork } from 'node:child_process';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { printer, table } from '../output/print.js';
import { inHome, inRoot } from '../paths.js';
import { startMesh } from '../processes/mesh.js';

type Options = { readonly profile: 'standalone' | 'mesh'; readonly json?: boolean } & Readonly<Record<string, string | boolean>>;

/** A workload of the bench, as the command line tells of it. */
interface Workload {
  readonly name: string;
  readonly description: string;
  /** Options that are whole numbers from 1, with their defaults. */
  readonly numbers: Readonly<Record<string, { readonly byDefault: number; readonly description: string }>>;
  /** Further options: lists of whole numbers from 1, ascending. */
  readonly lists?: Readonly<Record<string, { readonly byDefault: string; readonly description: string }>>;
  readonly examples: readonly string[];
}

const count = (byDefault: number, description: string) => ({ count: { byDefault, description } });
const concurrency = (byDefault: number, description = 'executions in flight at once') => ({ concurrency: { byDefault, description } });

const WORKLOADS: readonly Workload[] = [
  {
    name: 'chain',
    description: 'durable workflows of five jobs in a row, each returning 200 bytes',
    numbers: { ...count(2_000, 'executions to run'), ...concurrency(64) },
    examples: ['./weft bench chain --count 20000 --concurrency 256', './weft bench chain --concurrency 1 --count 1000 --json', './weft bench chain --profile mesh'],
  },
  {
    name: 'fanout',
    description: 'durable workflows of twenty jobs at once and one join',
    numbers: { ...count(2_000, 'executions to run'), ...concurrency(16) },
    examples: ['./weft bench fanout --count 5000 --concurrency 16', './weft bench fanout --concurrency 1 --count 500 --json'],
  },
  {
    name: 'parked',
    description: 'executions that wait: their memory, how late their timers are, how fast a signal lets them go on',
    numbers: {
      ...count(100_000, 'executions to park'),
      ...concurrency(256, 'executions resumed at once'),
      'settle-seconds': { byDefault: 30, description: 'seconds between the last one parked and the measurement of memory' },
    },
    examples: ['./weft bench parked', './weft bench parked --count 2000 --settle-seconds 1 --json'],
  },
  {
    name: 'growth',
    description: 'the chain beside ten thousand, a hundred thousand and a million stored executions',
    numbers: { ...count(8_000, 'chains of one measurement, three a size'), ...concurrency(256) },
    lists: { sizes: { byDefault: '10000,100000,1000000', description: 'stored executions to measure at' } },
    examples: ['./weft bench growth', './weft bench growth --sizes 2000,20000 --count 2000 --json'],
  },
  {
    name: 'overload',
    description: 'chains asked for over HTTP, twice as many as can be served: refusals, memory, recovery',
    numbers: { ...concurrency(256, 'requests in flight while what can be served is measured'), seconds: { byDefault: 60, description: 'seconds of overload' } },
    examples: ['./weft bench overload', './weft bench overload --seconds 10 --json'],
  },
  {
    name: 'crash',
    description: 'kill -9 while executions of three jobs of 20 ms run: how long the next process takes to end them all',
    numbers: count(200, 'executions that run when the process is killed'),
    examples: ['./weft bench crash', './weft bench crash --count 1000 --json'],
  },
];

export function registerBench(program: Command): void {
  const bench = program.command('bench').description('measure a workload; checked in SQL after the run');
  for (const { name, description, numbers, lists = {}, examples } of WORKLOADS) {
    const command = bench.command(name).description(description);
    for (const [option, { byDefault, description: what }] of Object.entries(numbers)) command.option(`--${option} <n>`, what, String(byDefault));
    for (const [option, { byDefault, description: what }] of Object.entries(lists)) command.option(`--${option} <list>`, what, byDefault);
    command
      .addOption(new Option('--profile <profile>', 'what to measure').choices(['standalone', 'mesh']).default('standalone'))
      .option('--json', 'print one JSON line')
      .addHelpText('after', `\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}`)
      .action(async (options: Options) => runBench(name, Object.keys(numbers), Object.keys(lists), options));
  }
  bench.addHelpText(
    'after',
    `\nExamples:\n${WORKLOADS.map(({ examples: [first] }) => `  ${first}`).join('\n')}\nEach prints what it measured and, under \`violations\`, what the store says against it; with violations the exit code is 1.`,
  );
}

async function runBench(workload: string, numbers: readonly string[], lists: readonly string[], options: Options): Promise<void> {
  const out = printer(options.json === true);
  const args = numbers.flatMap((name) => [`--${name}`, String(positive(String(options[camelCase(name)]), `--${name}`))]);
  for (const name of lists) args.push(`--${name}`, ascendingList(String(options[name]), `--${name}`));
  const mesh = options.profile === 'mesh' ? await meshEnvironment(out.progress) : undefined;
  try {
    const report = await measure(workload, ['--profile', options.profile, ...args, ...(mesh?.args ?? [])], mesh?.variables ?? {}, out.progress);
    out.data(report, () => table(Object.entries(report).map(([name, value]) => [name, textOf(value)])));
    const violations = report['violations'];
    if (Array.isArray(violations) && violations.length > 0) throw new CommandFailed(`The run is not what it claims: ${violations.join(' ')}`);
  } finally {
    await mesh?.stop();
  }
}

const textOf = (value: unknown): string => (!Array.isArray(value) ? String(value) : value.map((one) => (typeof one === 'object' ? JSON.stringify(one) : String(one))).join(' ') || 'none');

const camelCase = (option: string): string => option.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

async function meshEnvironment(onProgress: (text: string) => void): Promise<{ readonly variables: Record<string, string>; readonly args: readonly string[]; stop(): Promise<void> }> {
  const files = inRoot('bench', 'workloads');
  const mesh = await startMesh({
    onProgress,
    home: inHome('bench-mesh'),
    env: {
      WEFT_TOOLS_FILE: `${files}/tools.yaml`,
      WEFT_GRANTS_FILE: `${files}/grants.yaml`,
      WEFT_ROUTES_FILE: `${files}/routes.yaml`,
      WEFT_LOG_LEVEL: 'warn',
      // The load is meant to be more than one key may ask.
      WEFT_REQUESTS_PER_MINUTE: '10000000',
    },
  });
  const pids = Object.values(mesh.services)
    .flat()
    .map(({ pid }) => pid);
  return {
    variables: { WEFT_KAFKA: mesh.brokers, WEFT_STORE_URL: mesh.storeUrl, WEFT_URL: mesh.url, WEFT_API_KEY: mesh.apiKey },
    args: ['--pids', pids.join(',')],
    stop: () => mesh.stop(),
  };
}

function measure(workload: string, args: readonly string[], env: Readonly<Record<string, string>>, onProgress: (text: string) => void): Promise<Record<string, unknown>> {
  const child = fork(inRoot('bench', 'dist', 'main.js'), [workload, ...args, '--home', inHome('bench')], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  let printed = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (printed += text));
  child.on('message', ({ text }: { readonly text: string }) => onProgress(text));
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      const line = printed
        .trimEnd()
        .split('\n')
        .findLast((text) => text.startsWith('{"workload"'));
      if (line) resolve(JSON.parse(line) as Record<string, unknown>);
      else reject(new CommandFailed(`Expected ${workload} to be measured but the bench ended with ${code ?? 'a signal'}: ${printed.slice(-1_000).trim() || 'it said nothing'}`, EXIT.unavailable));
    });
  });
}

function ascendingList(text: string, option: string): string {
  const values = text.split(',').map((each) => positive(each.trim(), option));
  if (values.some((value, index) => index > 0 && value <= values[index - 1]!)) throw new CommandFailed(`Expected ${option} to be ascending but got ${JSON.stringify(text)}.`, EXIT.usage);
  return values.join(',');
}

function positive(text: string, option: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new CommandFailed(`Expected ${option} to be a whole number from 1 but got ${JSON.stringify(text)}.`, EXIT.usage);
  return value;
}
