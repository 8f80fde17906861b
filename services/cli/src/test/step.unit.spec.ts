import { describe, expect, it } from 'vitest';
import { countAll, runSteps, type Step, type StepReport } from './step.js';

const step = (name: string, run: Step['run']): Step => ({ name, run });
const silent = { begins: () => undefined, ended: () => undefined };

describe('runSteps', () => {
  it('runs later steps after a failure, and reports a thrown fault as one', async () => {
    const reports = await runSteps([step('a', () => Promise.reject(new Error('disk full'))), step('b', () => Promise.resolve({ status: 'passed' }))], new AbortController().signal, silent);
    expect(reports.map(({ name, status }) => `${name} ${status}`)).toEqual(['a failed', 'b passed']);
    expect(reports[0]?.output).toContain('disk full');
  });

  it('starts no further step once it is interrupted', async () => {
    const abort = new AbortController();
    const interrupting = step('a', () => {
      abort.abort();
      return Promise.resolve({ status: 'passed' });
    });
    const reports = await runSteps([interrupting, step('b', () => Promise.resolve({ status: 'passed' }))], abort.signal, silent);
    expect(reports.map(({ name }) => name)).toEqual(['a']);
  });
});

describe('countAll', () => {
  const report = (more: Partial<StepReport>): StepReport => ({ name: 'x', seconds: 0, status: 'passed', ...more });

  it('counts a step by its tests, and by itself when it has none', () => {
    expect(countAll([report({ tests: { passed: 7, failed: 0, skipped: 2 } }), report({}), report({ status: 'skipped' })])).toEqual({ passed: 8, failed: 0, skipped: 3 });
  });

  it('never counts a failed step as nothing: a runner that dies before its first test is one failure', () => {
    expect(countAll([report({ status: 'failed', tests: { passed: 0, failed: 0, skipped: 0 } })])).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(countAll([report({ status: 'failed', tests: { passed: 3, failed: 2, skipped: 0 } })])).toEqual({ passed: 3, failed: 2, skipped: 0 });
  });
});
