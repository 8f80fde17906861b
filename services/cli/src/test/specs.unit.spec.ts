import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../paths.js';
import { outcomeOf } from './specs.js';

const file = (name: string, status: string, tests: readonly { readonly status: string; readonly fullName: string }[]) => ({ name: join(ROOT, name), status, assertionResults: tests });

describe('outcomeOf', () => {
  it('counts passed, failed and skipped tests', () => {
    const outcome = outcomeOf(0, '', {
      numPassedTests: 2,
      numFailedTests: 0,
      testResults: [
        file('libs/a/src/a.unit.spec.ts', 'passed', [
          { status: 'passed', fullName: 'a' },
          { status: 'passed', fullName: 'b' },
        ]),
      ],
    });
    expect(outcome).toEqual({ status: 'passed', tests: { passed: 2, failed: 0, skipped: 0 }, notRun: [] });
  });

  it('names a suite that stood aside once, with its reason and the way to run it', () => {
    const skipped = { status: 'skipped', fullName: 'Bus on Kafka (not run: no kafka: set WEFT_KAFKA=host:port to use one that runs) delivers in order' };
    const { notRun, tests } = outcomeOf(0, '', {
      numPassedTests: 0,
      numFailedTests: 0,
      testResults: [file('libs/a/src/k.contract.spec.ts', 'passed', [skipped, { ...skipped, fullName: skipped.fullName.replace('in order', 'once') }])],
    });
    expect(tests?.skipped).toBe(2);
    expect(notRun).toEqual([{ suite: 'Bus on Kafka (libs/a/src/k.contract.spec.ts)', why: 'no kafka', remedy: 'set WEFT_KAFKA=host:port to use one that runs' }]);
  });

  it('counts a file that cannot be loaded as a failure, although no test of it failed', () => {
    expect(outcomeOf(1, 'SyntaxError', { numPassedTests: 0, numFailedTests: 0, testResults: [file('libs/a/src/a.unit.spec.ts', 'failed', [])] })).toMatchObject({
      status: 'failed',
      tests: { failed: 1 },
      output: 'SyntaxError',
    });
  });

  it('fails with the output of a runner that left no report', () => {
    expect(outcomeOf(-1, 'killed', undefined)).toEqual({ status: 'failed', output: 'killed' });
  });
});
