// `weft bench`: named workloads, one JSON line each. A workload runs in a process of its own.
import { InvalidArgumentError, type Command } from 'commander';
import { fork } from 'node:child_process';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { printer, table } from '../output/print.js';
import { inHome, inRoot } from '../paths.js';
import { interrupted, interruptible } from '../processes/interruption.js';
import { startMesh } from '../processes/mesh.js';
import { PROFILES, type Profile } from '../processes/profile.js';
import { oneOf, wholeNumber, withExamples } from './command.js';

type Options = { readonly profile: Profile; readonly json?: boolean } & Readonly<Record<string, string | number | boolean>>;

/** A workload of the bench, as the command line tells of it. */
interface Workload {
  readonly name: string;
  readonly description: string;
  /** Options that are whole numbers from 1, with their defaults. */
  readonly numbers: Readonly<Record<string, { readonly byDefault: number; readonly description: string }>>;
  /** Further options: lists of whole numbers from 1, ascending. */
  readonly lists?: Readonly<Record<string, { readonly byDefault: string; readonly description: string }>>;
  /** Profiles that it can measure; default all. */
  readonly profiles?: readonly Profile[];
  readonly examples: readonly (readonly [string, string])[];
}

const count = (byDefault: number, description: string) => ({ count: { byDefault, description } });
const concurrency = (byDefault: number, description = 'executions in flight at once') => ({ concurrency: { byDefault, description } });

const WORKLOADS: readonly Workload[] = [
  {
    name: 'chain',
    description: 'durable workflows of five jobs in a row, each returning 200 bytes',
    numbers: { ...count(2_000, 'executions to run'), ...concurrency(64) },
    examples: [
      ['./weft bench chain --count 20000 --concurrency 256', 'throughput'],
      ['./weft bench chain --count 1000 --concurrency 1 --json', 'latency, one at a time'],
      ['./weft bench chain --profile mesh', 'through Kafka, with the services as processes'],
    ],
  },
  {
    name: 'fanout',
    description: 'durable workflows of twenty jobs at once and one join',
    numbers: { ...count(2_000, 'executions to run'), ...concurrency(16) },
    examples: [
      ['./weft bench fanout --count 5000 --concurrency 16', 'throughput'],
      ['./weft bench fanout --count 500 --concurrency 1 --json', 'latency, one at a time'],
    ],
  },
  {
    name: 'infer',
    description: 'one model call as a durable workflow, beside the same call made directly; the model is the scripted one',
    numbers: { ...count(4_000, 'model calls'), ...concurrency(64, 'model calls under way at once') },
    // The mesh of the command line is started before the model is.
    profiles: ['standalone'],
    examples: [
      ['./weft bench infer', 'what Weft adds to a call, and calls a second'],
      ['./weft bench infer --count 400 --json', 'whether it runs at all'],
    ],
  },
  {
    name: 'parked',
    description: 'executions that wait: their memory, how late their timers are, how fast a signal lets them go on',
    numbers: {
      ...count(100_000, 'executions to park'),
      ...concurrency(256, 'executions resumed at once'),
      'settle-seconds': { byDefault: 30, description: 'seconds between the last one parked and the measurement of memory' },
    },
    examples: [
      ['./weft bench parked', 'a hundred thousand; about five minutes'],
      ['./weft bench parked --count 2000 --settle-seconds 1 --json', 'whether it runs at all'],
    ],
  },
  {
    name: 'growth',
    description: 'the chain beside ten thousand, a hundred thousand and a million stored executions',
    numbers: { ...count(8_000, 'chains of one measurement, three a size'), ...concurrency(256) },
    lists: { sizes: { byDefault: '10000,100000,1000000', description: 'stored executions to measure at' } },
    examples: [
      ['./weft bench growth', 'up to a million stored: about ten minutes and 12 GB of disk'],
      ['./weft bench growth --sizes 2000,20000 --count 2000 --json', 'whether it runs at all'],
    ],
  },
  {
    name: 'overload',
    description: 'chains asked for over HTTP, twice as many as can be served: refusals, memory, recovery',
    numbers: { ...concurrency(256, 'requests in flight while what can be served is measured'), seconds: { byDefault: 60, description: 'seconds of overload' } },
    examples: [
      ['./weft bench overload', 'a minute of it'],
      ['./weft bench overload --seconds 10 --json', 'ten seconds of it'],
    ],
  },
  {
    name: 'crash',
    description: 'kill -9 while executions of three jobs of 20 ms run: how long the next process takes to end them all',
    numbers: count(200, 'executions that run when the process is killed'),
    // It kills the one process; `./weft prove kills --profile mesh` kills those of the mesh.
    profiles: ['standalone'],
    examples: [
      ['./weft bench crash', 'two hundred under way; about half a minute'],
      ['./weft bench crash --count 1000 --json', 'more of them'],
    ],
  },
];

const NUMBER_MAX = 10_000_000;
const PROFILE_SAYS: Readonly<Record<Profile, string>> = { standalone: 'standalone: one process', mesh: 'mesh: one process a service' };

export function registerBench(program: Command): void {
  const bench = program.command('bench').description('Measure a workload; checked in SQL after the run');
  for (const { name, description, numbers, lists = {}, profiles = PROFILES, examples } of WORKLOADS) {
    const command = bench.command(name).description(description);
    for (const [option, { byDefault, description: what }] of Object.entries(numbers)) command.option(`--${option} <n>`, what, wholeNumber(1, NUMBER_MAX), byDefault);
    for (const [option, { byDefault, description: what }] of Object.entries(lists)) command.option(`--${option} <list>`, what, ascendingList, byDefault);
    command
      .option('--profile <profile>', profiles.map((profile) => PROFILE_SAYS[profile]).join('; '), oneOf(profiles), 'standalone')
      .option('--json', 'print one JSON line')
      .action(async (options: Options) => runBench(name, [...Object.keys(numbers), ...Object.keys(lists)], options));
    withExamples(command, examples);
  }
  withExamples(
    bench,
    WORKLOADS.map(({ examples: [first], description }) => [first![0], description]),
  ).addHelpText('after', '\nEach prints what it measured and, under `violations`, what the store says against it; with violations the exit code is 1.');
}

async function runBench(workload: string, names: readonly string[], options: Options): Promise<void> {
  const out = printer(options.json === true);
  const args = names.flatMap((name) => [`--${name}`, String(options[camelCase(name)])]);
  const report = await interruptible(out.progress, async (told) => {
    const mesh = options.profile === 'mesh' ? await meshEnvironment(out.progress) : undefined;
    try {
      return await measure(workload, ['--profile', options.profile, ...args, ...(mesh?.args ?? [])], mesh?.variables ?? {}, out.progress, told);
    } finally {
      await mesh?.stop();
    }
  });
  out.data(report, () => table(Object.entries(report).map(([name, value]) => [name, textOf(value)])));
  const violations = report['violations'];
  if (Array.isArray(violations) && violations.length > 0) throw new CommandFailed(`The run is not what it claims: ${violations.join(' ')}`);
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

interface Ended {
  readonly printed: string;
  readonly code: number | null;
}

async function measure(workload: string, args: readonly string[], env: Readonly<Record<string, string>>, onProgress: (text: string) => void, told: Promise<never>): Promise<Record<string, unknown>> {
  // A session of its own: Ctrl-C reaches this command alone, and the bench stops what it started when it is told, or when this command is gone.
  const child = fork(inRoot('bench', 'dist', 'main.js'), [workload, ...args, '--home', inHome('bench')], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    detached: true,
  });
  told.catch(() => child.kill());
  child.on('message', ({ text }: { readonly text: string }) => onProgress(text));
  const { printed, code } = await new Promise<Ended>((resolve, reject) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (more: string) => (text += more));
    child.on('error', reject);
    // Not `exit`: what it printed last is still on its way then.
    child.on('close', (ended) => resolve({ printed: text, code: ended }));
  });
  if (code === EXIT.interrupted) throw interrupted();
  const line = printed
    .trimEnd()
    .split('\n')
    .findLast((text) => text.startsWith('{"workload"'));
  if (line === undefined)
    throw new CommandFailed(`Expected ${workload} to be measured but the bench ended with ${code ?? 'a signal'}: ${printed.slice(-1_000).trim() || 'it said nothing'}`, EXIT.unavailable);
  return JSON.parse(line) as Record<string, unknown>;
}

function ascendingList(text: string): string {
  const values = text.split(',').map((each) => wholeNumber(1, NUMBER_MAX)(each.trim()));
  if (values.some((value, index) => index > 0 && value <= values[index - 1]!)) throw new InvalidArgumentError('Expected whole numbers in ascending order, such as 2000,20000.');
  return values.join(',');
}
