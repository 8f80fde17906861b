import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { waitsOf } from '../execution/effects-between.js';
import { running, type Running } from './running.testing.js';

const TIMEOUT = 'https://serverlessworkflow.io/spec/1.0.0/errors/timeout';
const http = (name: string, more: object = {}): object => ({ [name]: { call: 'http', with: { method: 'post', endpoint: 'https://example.test' }, ...more } });
const timed = (name: string, after: Json, more: object = {}): object => http(name, { timeout: { after }, ...more });
const guard = (tasks: readonly object[], clause: object = { do: [{ saved: { set: { saved: '${ $error.instance }' } } }] }): object => ({ guard: { try: tasks, catch: clause } });
const start = (tasks: readonly object[], more: object = {}, input: Json = {}): Running => running({ do: tasks, ...more }, input).start();
const dueIn = (run: Running): number[] => Object.values(run.state.timers).map(({ due }) => due - 1_000_000);

describe('the timeout of a task', () => {
  it('raises `timeout` at the task when its time is over, and faults what nothing catches', () => {
    const run = start([timed('slow', 'PT5S')]);
    expect(dueIn(run)).toEqual([5_000]);
    run.fireTimer();
    expect(run.state).toMatchObject({ status: 'faulted', error: { type: TIMEOUT, status: 408, title: 'timeout', instance: '/do/0/slow' } });
  });

  it('is caught by a `try` around the task', () => {
    const run = start([guard([timed('slow', { seconds: 5 })])]);
    run.fireTimer();
    expect(run.state).toMatchObject({ status: 'completed', output: { saved: '/do/0/guard/try/0/slow' } });
  });

  it('is not caught by the `try` whose own time is over', () => {
    const run = start([{ guard: { ...(guard([http('slow')]) as { guard: object }).guard, timeout: { after: 'PT5S' } } }]);
    run.fireTimer();
    expect(run.state).toMatchObject({ status: 'faulted', error: { type: TIMEOUT, instance: '/do/0/guard' } });
  });

  it('covers retries, the waits between them, and the catch', () => {
    const clause = { retry: { delay: 'PT4S', limit: { attempt: { count: 1 } } }, do: [http('repair')] };
    const run = start([{ guard: { try: [http('slow')], catch: clause, timeout: { after: 'PT5S' } } }]);
    const [timer] = Object.keys(run.state.timers);
    run.fail('/do/0/guard/try/0/slow', { code: 'unreachable', message: 'x', retryable: true });
    run.fireTimer('retry');
    run.fail('/do/0/guard/try/0/slow', { code: 'unreachable', message: 'x', retryable: true });
    expect(run.jobs()).toEqual(['/do/0/guard/catch/do/0/repair']);
    expect(Object.keys(run.state.timers)).toEqual([timer]);
    run.fireTimer();
    expect(run.state).toMatchObject({ status: 'faulted', error: { type: TIMEOUT, instance: '/do/0/guard' } });
  });

  it('ends with the task: what completes in time leaves no timer', () => {
    const run = start([timed('quick', 'PT5S'), http('next')]);
    run.complete('/do/0/quick', {});
    expect(run.state.timers).toEqual({});
    expect(run.jobs()).toEqual(['/do/1/next']);
  });

  it('ends everything that runs inside: branches, listens, reviews and timers', () => {
    const inside = {
      fork: {
        branches: [
          { a: { wait: 'PT1H' } },
          { b: { listen: { to: { one: { with: { type: 'com.example.paid.v1' } } } } } },
          { c: { call: 'review', with: { title: 'Go on?' } } },
          http('d'),
          { e: { call: 'agent', with: { name: 'e', instructions: 'x', prompt: 'x', limits: { time: 'PT1H' } } } },
        ],
      },
      timeout: { after: 'PT5S' },
    };
    const run = start([guard([{ inside }], { do: [http('repair')] })]);
    expect([run.state.jobs, run.state.listens, run.state.reviews, run.state.timers].map((part) => Object.keys(part).length)).toEqual([2, 1, 1, 3]);
    run.fireTimer();
    expect(run.jobs()).toEqual(['/do/0/guard/catch/do/0/repair']);
    expect([run.state.listens, run.state.reviews, run.state.timers]).toEqual([{}, {}, {}]);
  });

  it('lets competing branches go on when one is out of time', () => {
    const run = start([{ race: { fork: { compete: true, branches: [timed('a', 'PT5S'), http('b')] } } }]);
    run.fireTimer();
    run.complete('/do/0/race/fork/branches/1/b', 'won');
    expect(run.state).toMatchObject({ status: 'completed', output: 'won' });
  });

  it('ignores a result that comes after the end of its activation', () => {
    const run = start([guard([timed('slow', 'PT5S')])]);
    run.fireTimer();
    expect(run.command({ type: 'CompleteJob', job: run.jobId('/do/0/guard/try/0/slow'), generation: 0, output: 'late', taint: [] })).toMatchObject({ kind: 'ignored' });
  });

  it('takes the result of an earlier attempt of the same generation while the activation runs', () => {
    const run = start([guard([timed('slow', 'PT5S')], { retry: { limit: { attempt: { count: 1 } } } })]);
    run.fireTimer();
    expect(run.jobs()).toEqual(['/do/0/guard/try/0/slow']);
    run.complete('/do/0/guard/try/0/slow', 'of the first attempt');
    expect(run.state).toMatchObject({ status: 'completed', output: 'of the first attempt' });
  });

  it('begins anew with each pass, each retry and each back-jump', () => {
    const run = start([guard([timed('slow', 'PT5S')], { retry: { delay: 'PT1S', limit: { attempt: { count: 1 } } } })]);
    run.fireTimer();
    run.fireTimer('retry');
    expect(dueIn(run)).toEqual([11_000]);
  });

  it('may be named in `use.timeouts`', () => {
    const run = start([http('slow', { timeout: 'short' })], { use: { timeouts: { short: { after: 'PT2S' } } } });
    expect(dueIn(run)).toEqual([2_000]);
  });

  it('may be an expression over the input of the task, evaluated when it begins', () => {
    const run = start([timed('slow', '${ .time + "S" }', { input: { from: '{ time: "PT7" }' } })]);
    expect(dueIn(run)).toEqual([7_000]);
  });

  it('raises an `expression` error where an expression gives no duration', () => {
    const run = start([guard([timed('slow', '${ .time }')], { do: [{ saved: { set: '${ $error.detail }' } }] })], {}, { time: 5 });
    expect(run.state.output).toContain('Expected a duration, as ISO 8601 text such as "PT30S"');
  });

  it('does not end what is suspended; it does at resume', () => {
    const run = start([timed('slow', 'PT5S')]);
    const [timer] = Object.values(run.state.timers);
    run.accept({ type: 'OperateExecution', tenant: 'default', operation: 'pause', id: 'p', by: 'me', reason: '' });
    run.passUntil(timer!.due);
    expect(run.command({ type: 'FireTimer', timer: timer!.id })).toMatchObject({ kind: 'ignored', reason: 'stale' });
    run.accept({ type: 'OperateExecution', tenant: 'default', operation: 'resume', id: 'r', by: 'me', reason: '' });
    run.accept({ type: 'FireTimer', timer: timer!.id });
    expect(run.state.status).toBe('faulted');
  });

  it('is not imposed on what handles a cancel', () => {
    const cancelled = 'https://serverlessworkflow.io/spec/1.0.0/errors/cancelled';
    const run = start([{ outer: { timeout: { after: 'PT5S' }, do: [guard([http('slow')], { errors: { with: { type: cancelled } }, do: [http('undo')] })] } }]);
    run.accept({ type: 'OperateExecution', tenant: 'default', operation: 'cancel', id: 'c', by: 'me', reason: '' });
    expect(run.jobs()).toEqual(['/do/0/outer/do/0/guard/catch/do/0/undo']);
    expect(run.state.timers).toEqual({});
  });

  it('gives all its time again to a task that a person retries, and what was left to those around it', () => {
    const run = start([{ outer: { timeout: { after: 'PT60S' }, do: [timed('slow', 'PT5S')] } }]);
    run.passUntil(1_001_000);
    run.fail('/do/0/outer/do/0/slow', { code: 'unreachable', message: 'x', retryable: true });
    run.passUntil(1_101_000);
    run.accept({ type: 'OperateExecution', tenant: 'default', operation: 'retry', id: 'r', by: 'me', reason: '' });
    expect(dueIn(run).toSorted((left, right) => left - right)).toEqual([106_000, 160_000]);
    run.fireTimer();
    expect(run.state).toMatchObject({ status: 'faulted', error: { instance: '/do/0/outer/do/0/slow' } });
  });

  it('has a task that is retried wait for one thing alone', () => {
    const review = { call: 'review', with: { title: 'Go on?' } };
    for (const [what, task] of [
      ['timers', { wait: 'PT10S' }],
      ['reviews', review],
    ] as const) {
      const run = start([{ slow: { ...task, timeout: { after: 'PT5S' } } }]);
      run.fireTimer('timeout');
      run.accept({ type: 'OperateExecution', tenant: 'default', operation: 'retry', id: 'r', by: 'me', reason: '' });
      expect(Object.values(run.state[what]).filter((each) => !('purpose' in each) || each.purpose === 'wait')).toHaveLength(1);
    }
  });

  it('gives a fork as much time as the other execution had left where it began', () => {
    const run = start([{ outer: { timeout: { after: 'PT60S' }, do: [http('first'), http('second')] } }]);
    run.passUntil(1_010_000);
    run.complete('/do/0/outer/do/0/first', {});
    const fork = run.sibling('00000000-0000-7000-8000-000000000002');
    fork.passUntil(9_000_000);
    const from = { execution: run.executionId, version: 1, key: '/do/0/outer/do/1/second', operation: 'f', kind: 'fork', by: 'me' } as const;
    fork.accept({ type: 'BeginFork', executionId: fork.executionId, from, reason: '', events: run.rows.flat() });
    expect(Object.values(fork.state.timers).map(({ due }) => due - 9_000_000)).toEqual([50_000]);
  });

  it('keeps one wait row for any number of timeouts, that of the first to fall due', () => {
    const run = start([{ outer: { timeout: { after: 'PT60S' }, do: [{ inner: { timeout: { after: 'PT5S' }, do: [{ pause: { wait: 'PT1H' } }] } }] } }], { timeout: { after: 'P1D' } });
    const rows = (): (string | number | undefined)[][] => [...waitsOf(run.state).values()].map(({ subject, due }) => [subject, due! - 1_000_000]);
    expect(rows()).toEqual([
      ['timeout', 5_000],
      ['wait', 3_600_000],
    ]);
  });
});

describe('the timeout of a workflow', () => {
  it('faults the execution, whatever would catch it', () => {
    const run = start([guard([http('slow')])], { timeout: { after: 'PT5S' } });
    run.fireTimer();
    expect(run.state).toMatchObject({ status: 'faulted', error: { type: TIMEOUT, instance: '/' }, timers: {}, jobs: {} });
  });

  it('may be an expression over the input of its first task', () => {
    const run = start([http('slow')], { input: { from: '{ time: .seconds }' }, timeout: { after: '${ { seconds: .time } }' } }, { seconds: 3 });
    expect(dueIn(run)).toEqual([3_000]);
  });

  it('faults at once where its expression gives no duration', () => {
    expect(start([http('slow')], { timeout: { after: '${ .time }' } }).state).toMatchObject({ status: 'faulted', error: { title: 'expression-failed', instance: '/timeout/after' } });
  });

  it('ends with the execution', () => {
    const run = start([http('quick')], { timeout: { after: 'PT5S' } });
    run.complete('/do/0/quick', {});
    expect(run.state).toMatchObject({ status: 'completed', timers: {} });
  });
});
