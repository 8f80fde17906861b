// Runs one workload in a process of its own and prints one JSON line. `./weft bench` starts it. When that is gone, or at a signal, it stops
// what it started and ends with 130.
import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runCrash } from './crash.js';
import { runInfer } from './infer.js';
import { openModel } from './model-process.js';
import { runGrowth } from './growth.js';
import { openMesh } from './mesh-target.js';
import { runOverload } from './overload.js';
import { runParked } from './parked.js';
import { openProduct } from './product-process.js';
import { openStandalone } from './standalone-target.js';
import type { ProcessTarget } from './target.js';
import { CHAIN, FANOUT, runThroughput } from './throughput.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    profile: { type: 'string', default: 'standalone' },
    count: { type: 'string', default: '2000' },
    concurrency: { type: 'string', default: '64' },
    home: { type: 'string', default: '' },
    'settle-seconds': { type: 'string', default: '30' },
    pids: { type: 'string', default: '' },
    sizes: { type: 'string', default: '10000,100000,1000000' },
    seconds: { type: 'string', default: '60' },
  },
});
const [count, concurrency] = [Number(values.count), Number(values.concurrency)];

/** What the command line tells of a run under way. */
const onProgress = (text: string): void => void process.send?.({ type: 'progress', text });
const onDone = (done: number): void => {
  if (done % Math.max(1, Math.floor(count / 10)) === 0) onProgress(`${done} of ${count}`);
};

let isTold = false;
const { promise: told, reject: tell } = Promise.withResolvers<never>();
told.catch(() => (isTold = true));
const hear = (): void => tell(new Error('Interrupted before it was done.'));
process.once('SIGINT', hear).once('SIGTERM', hear).once('disconnect', hear);

try {
  const report = await run(positionals[0] ?? '');
  process.stdout.write(`${JSON.stringify(report)}\n`);
  if (report.violations.length > 0) process.exitCode = 1;
} catch (fault) {
  process.stdout.write(`${fault instanceof Error ? fault.message : String(fault)}\n`);
  process.exitCode = 1;
} finally {
  process.off('disconnect', hear);
  process.disconnect?.();
}
// What was interrupted may be waiting still, for what has been stopped.
if (isTold) process.exit(130);

function run(workload: string): Promise<{ readonly violations: readonly string[] }> {
  switch (workload) {
    case 'chain':
      return within(openHere, (target) => runThroughput(CHAIN, target, { count, concurrency, onProgress: onDone }));
    case 'fanout':
      return within(openHere, (target) => runThroughput(FANOUT, target, { count, concurrency, onProgress: onDone }));
    case 'infer':
      return infer();
    case 'parked':
      return within(openApart, (target) => runParked(target, { count, concurrency, settleSeconds: Number(values['settle-seconds']), onProgress }));
    case 'growth':
      return growth(values.sizes.split(',').map(Number));
    case 'overload':
      return within(openApart, (target) => runOverload(target, { concurrency, seconds: Number(values.seconds), onProgress }));
    case 'crash':
      return runCrash(values.home, { count, onProgress, told });
    default:
      throw new Error(`Expected a workload but got ${JSON.stringify(workload)}.`);
  }
}

/** Weft has to be allowed to reach the model before it starts. */
async function infer(): Promise<{ readonly violations: readonly string[] }> {
  const model = await openModel();
  try {
    process.env['WEFT_EGRESS_ALLOW'] = model.url;
    return await within(openHere, (target) => runInfer(target, model, { count, concurrency, onProgress }));
  } finally {
    await model.close();
  }
}

/** In standalone a store for each size, measured in turn; in the mesh one store that grows. */
async function growth(sizes: readonly number[]): Promise<{ readonly violations: readonly string[] }> {
  const options = { sizes, count, concurrency, onProgress };
  if (values.profile === 'mesh')
    return within(openMeshOfCommand, (target) =>
      runGrowth(
        'mesh',
        sizes.map((size) => [{ size, target }]),
        options,
      ),
    );
  const opened: { readonly size: number; readonly target: ProcessTarget }[] = [];
  try {
    for (const size of sizes) opened.push({ size, target: await openProduct(`${values.home}-growth/${size}`) });
    return await Promise.race([runGrowth('standalone', [opened], options), told]);
  } finally {
    for (const { target } of opened) await target.close();
    rmSync(`${values.home}-growth`, { recursive: true, force: true });
  }
}

async function within<R>(open: () => Promise<ProcessTarget>, measure: (target: ProcessTarget) => Promise<R>): Promise<R> {
  const target = await open();
  try {
    return await Promise.race([measure(target), told]);
  } finally {
    await target.close();
  }
}

/** Weft in this process: what is measured is not the way between two. */
function openHere(): Promise<ProcessTarget> {
  return values.profile === 'mesh' ? openMeshOfCommand() : openStandalone(values.home);
}

/** Weft in processes of its own: what is measured is memory. */
function openApart(): Promise<ProcessTarget> {
  return values.profile === 'mesh' ? openMeshOfCommand() : openProduct(values.home);
}

/** The mesh that the command line started. */
function openMeshOfCommand(): Promise<ProcessTarget> {
  const given = (name: string): string => process.env[name] ?? '';
  return openMesh({
    brokers: given('WEFT_KAFKA').split(','),
    storeUrl: given('WEFT_STORE_URL'),
    gatewayUrl: given('WEFT_URL'),
    apiKey: given('WEFT_API_KEY'),
    pids: values.pids.split(',').map(Number),
  });
}
