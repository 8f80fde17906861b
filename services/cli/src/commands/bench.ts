// `weft bench`: named workloads, one JSON line each. The workload runs in a process of its own.
import { Command, Option } from 'commander';
import { fork } from 'node:child_process';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { printer, table } from '../output/print.js';
import { inHome, inRoot } from '../paths.js';
import { startMesh } from '../processes/mesh.js';

interface BenchOptions {
  readonly count: string;
  readonly concurrency: string;
  readonly profile: 'standalone' | 'mesh';
  readonly json?: boolean;
}

export function registerBench(program: Command): void {
  const bench = program.command('bench').description('measure a workload; checked in SQL after the run');
  bench
    .command('chain', { isDefault: true })
    .description('durable workflows of five jobs in a row, each returning 200 bytes')
    .option('--count <n>', 'executions to run', '2000')
    .option('--concurrency <n>', 'executions in flight at once', '64')
    .addOption(new Option('--profile <profile>', 'what to measure').choices(['standalone', 'mesh']).default('standalone'))
    .option('--json', 'print one JSON line')
    .addHelpText('after', '\nExamples:\n  ./weft bench chain --count 2000 --concurrency 64\n  ./weft bench chain --concurrency 1 --count 300 --json\n  ./weft bench chain --profile mesh')
    .action(async (options: BenchOptions) => runBench(options));
}

async function runBench(options: BenchOptions): Promise<void> {
  const out = printer(options.json === true);
  const [count, concurrency] = [positive(options.count, '--count'), positive(options.concurrency, '--concurrency')];
  const env = options.profile === 'mesh' ? await meshEnvironment(out.progress) : undefined;
  try {
    const report = await measure(options.profile, count, concurrency, env?.variables ?? {}, out.progress);
    out.data(report, () => table(Object.entries(report).map(([name, value]) => [name, Array.isArray(value) ? value.join(' ') || 'none' : String(value)])));
    const violations = report['violations'];
    if (Array.isArray(violations) && violations.length > 0) throw new CommandFailed(`The run is not what it claims: ${violations.join(' ')}`);
  } finally {
    await env?.stop();
  }
}

async function meshEnvironment(onProgress: (text: string) => void): Promise<{ readonly variables: Record<string, string>; stop(): Promise<void> }> {
  const files = inRoot('bench', 'chain');
  const mesh = await startMesh({
    onProgress,
    home: inHome('bench-mesh'),
    env: { WEFT_TOOLS_FILE: `${files}/tools.yaml`, WEFT_GRANTS_FILE: `${files}/grants.yaml`, WEFT_ROUTES_FILE: `${files}/routes.yaml`, WEFT_LOG_LEVEL: 'warn' },
  });
  return { variables: { WEFT_KAFKA: mesh.brokers, WEFT_STORE_URL: mesh.storeUrl, WEFT_URL: mesh.url, WEFT_API_KEY: mesh.apiKey }, stop: () => mesh.stop() };
}

function measure(profile: string, count: number, concurrency: number, env: Readonly<Record<string, string>>, onProgress: (text: string) => void): Promise<Record<string, unknown>> {
  const args = ['--profile', profile, '--count', String(count), '--concurrency', String(concurrency), '--home', inHome('bench')];
  const child = fork(inRoot('bench', 'dist', 'main.js'), args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  let printed = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (printed += text));
  child.on('message', (message: { readonly done: number; readonly count: number }) => onProgress(`${message.done} of ${message.count}`));
  return new Promise((resolve, reject) => {
    child.on('exit', (code) => {
      const line = printed
        .trimEnd()
        .split('\n')
        .findLast((text) => text.startsWith('{"workload"'));
      if (line) resolve(JSON.parse(line) as Record<string, unknown>);
      else reject(new CommandFailed(`The bench ended with ${code} and printed no result. What it printed:\n${printed.slice(-1_000)}`, EXIT.unavailable));
    });
  });
}

function positive(text: string, option: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new CommandFailed(`Expected ${option} to be a whole number from 1 but got ${JSON.stringify(text)}.`, EXIT.usage);
  return value;
}
