// jq's own test files against libs/jq.
import type { SuiteResult } from '@weft/jq';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** For values of 10,000 levels, which jq's files hold. */
const STACK_MIB = 256;

/** Runs the text of one test file. */
export async function runJqSuite(text: string): Promise<SuiteResult> {
  const worker = new Worker(new URL('./jq-suite.worker.js', import.meta.url), { workerData: text, resourceLimits: { stackSizeMb: STACK_MIB } });
  try {
    const [result] = (await once(worker, 'message')) as [SuiteResult];
    return result;
  } finally {
    await worker.terminate();
  }
}
