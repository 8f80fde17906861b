// Executions that start others, whose histories are kept.
import type { Json } from '@weft/kernel';
import { running, type Running } from '../interpreter/running.testing.js';

const low = { namespace: 'test', name: 'low' };
const http = (name: string): object => ({ [name]: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' } } });
const NO: Json = { type: 'https://example.test/no', status: 409, title: 'No', instance: '/do/0/no' };

const endChild = (run: Running, at: number, end: { readonly output?: Json; readonly error?: Json }): void => {
  const child = Object.keys(run.state.children ?? {})[at]!;
  run.accept({ type: 'EndChild', tenant: 'default', child, status: end.error === undefined ? 'completed' : 'faulted', taint: ['web'], ...end });
};

export const CHILD_HISTORIES: Readonly<Record<string, () => Running>> = {
  'workflow-that-runs-others': () => {
    const called = { low: { run: { workflow: { ...low, version: '1.2.0', input: { n: '${ .n }' } } } } };
    const beside = { beside: { run: { await: false, workflow: { ...low, version: 'latest' } } } };
    const careful = { careful: { try: [called], catch: { errors: {}, retry: { limit: { attempt: { count: 1 } } } } } };
    const run = running({ do: [beside, careful, http('after')] }, { n: 'ü' }).start();
    endChild(run, 0, { error: NO });
    endChild(run, 0, { output: { m: 2 } });
    return run;
  },
  'map-that-collects': () => {
    const run = running({ do: [{ each: { call: 'map', with: { in: '${ . }', workflow: low, concurrency: 2, onError: 'collect' } } }, http('after')] }, ['a', 'b', 'c']).start();
    endChild(run, 1, { output: 'B' });
    endChild(run, 0, { error: NO });
    endChild(run, 0, { output: null });
    return run;
  },
  'map-that-fails-while-a-workflow-runs': () => {
    const map = { each: { call: 'map', with: { in: '${ . }', workflow: low, concurrency: 2 } } };
    const called = { low: { run: { workflow: { ...low, version: '1.2.0' } } } };
    const run = running({ do: [{ both: { fork: { branches: [called, map] } } }] }, ['a', 'b', 'c']).start();
    endChild(run, 1, { output: 'A' });
    endChild(run, 1, { error: NO });
    run.accept({ type: 'OperateExecution', tenant: 'default', operation: 'retry', id: 'retry-1', by: 'key:k1', reason: '' });
    return run;
  },
};
