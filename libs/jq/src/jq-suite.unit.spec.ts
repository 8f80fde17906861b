/** jq's own test files, read from where the shared fixtures lie beside the repository or where WEFT_FIXTURES says. */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { runSuite, type SuiteResult } from './suite.js';

const folder = process.env['WEFT_FIXTURES'] ?? fileURLToPath(new URL('../../../../shared/fixtures', import.meta.url));

/** Groups that pass today; the README of the package lists why the others do not. */
const FLOORS = { man: [229, 231], jq: [531, 533], base64: [10, 10], uri: [20, 20] } as const;

/** The deepest groups need a larger stack than a thread of the specs has. */
async function withLargeStack(text: string): Promise<SuiteResult> {
  const run = `import(${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)}).then(({ runSuite }) => require('node:worker_threads').parentPort.postMessage(runSuite(require('node:worker_threads').workerData)))`;
  const worker = new Worker(run, { eval: true, workerData: text, resourceLimits: { stackSizeMb: 256 } });
  const [result] = (await once(worker, 'message')) as [SuiteResult];
  await worker.terminate();
  return result;
}

describe.each(Object.entries(FLOORS))('%s.test of jq', (name, [floor, total]) => {
  const file = `${folder}/jq/${name}.test`;
  it.skipIf(!existsSync(file))(`passes at least ${floor} of ${total} groups`, async () => {
    const result = await withLargeStack(readFileSync(file, 'utf8'));
    expect(result.total).toBe(total);
    expect(result.passed).toBeGreaterThanOrEqual(floor);
  });
});

describe('a test file', () => {
  it('counts what passes, says why something does not, and skips what imports modules', () => {
    const text = '# a comment\n.a\n{"a": 1}\n1\n\n.[]\n[1, 2]\n1\n\nimport "m" as m; 1\nnull\n1\n\n%%FAIL\n(\n\n.[] | if . > 1 then error("x") else . end\n[1, 2]\n1\n\n[nan]\nnull\n[NaN]\n';
    expect(runSuite(text)).toEqual({ passed: 4, total: 5, skipped: 1, misses: [{ program: '.[]', reason: 'Expected 1 but got 1 2.' }] });
  });
});
