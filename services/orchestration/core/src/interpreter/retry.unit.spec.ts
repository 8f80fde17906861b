import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { THIS_RELEASE } from '../upgrade/engine-flags.js';
import { decidedBy, running, type Running } from './running.testing.js';

const KEY = '/do/0/guard/try/0/call';
const call = { call: { call: 'http', with: { method: 'post', endpoint: 'https://example.test' } } };
const start = (clause: object, more: object = {}, input: Json = {}): Running => running({ do: [{ guard: { try: [call], catch: clause } }], ...more }, input).start();
const fail = (run: Running): void => void run.fail(KEY, { code: 'unreachable', message: 'x', retryable: true });
const delays = (run: Running, retries: number): number[] =>
  Array.from({ length: retries }, () => {
    fail(run);
    const [timer] = Object.values(run.state.timers);
    const { now } = run;
    run.fireTimer('retry');
    return timer!.due - now;
  });

describe('a retried try', () => {
  it.each([
    ['constant', [2_000, 2_000, 2_000]],
    ['linear', [2_000, 4_000, 6_000]],
    ['exponential', [2_000, 4_000, 8_000]],
  ])('waits with a %s backoff', (backoff, expected) => {
    expect(delays(start({ retry: { delay: 'PT2S', backoff: { [backoff]: {} } } }), 3)).toEqual(expected);
  });

  it('waits as long as an expression says that knows the error', () => {
    expect(delays(start({ retry: { delay: '${ if $error.status == 500 then "PT3S" else "PT1S" end }' } }), 1)).toEqual([3_000]);
  });

  it('fails outside of itself where that expression gives no duration', () => {
    const run = start({ retry: { delay: '${ .none }' }, do: [{ never: { set: 1 } }] });
    fail(run);
    expect(run.state).toMatchObject({ status: 'faulted', error: { title: 'expression-failed', instance: '/do/0/guard' } });
  });

  it('adds jitter from its range, the same whoever decides it', () => {
    const retry = { delay: 'PT1S', jitter: { from: 'PT0.1S', to: '${ "PT0.5S" }' } };
    const [first, again] = [start({ retry }), start({ retry })].map((run) => delays(run, 3));
    expect(first).toEqual(again);
    for (const delay of first!) expect(delay >= 1_100 && delay <= 1_500).toBe(true);
    expect(new Set(first).size).toBeGreaterThan(1);
  });

  it('takes a policy by its name', () => {
    expect(delays(start({ retry: 'slowly' }, { use: { retries: { slowly: { delay: 'PT9S' } } } }), 1)).toEqual([9_000]);
  });

  it('is tried as often as the server allows where the policy has no count', () => {
    const run = running({ do: [{ guard: { try: [call], catch: { retry: {}, do: [{ saved: { set: { saved: true } } }] } } }] }, {}, undefined, { retriesWithoutLimit: 2 }).start();
    for (let tries = 0; tries < 3; tries++) fail(run);
    expect(run.state).toMatchObject({ status: 'completed', output: { saved: true } });
  });
});

describe('a retry of a call that says when to come again', () => {
  const busy = (run: Running, retryAfterMs: number): void => void run.fail(KEY, { code: 'http-status', message: 'x', retryable: true, retryAfterMs });
  const waits = (run: Running): number[] => Object.values(run.state.timers).map(({ due }) => due - run.now);

  it.each([
    [500, 2_000],
    [9_000, 9_000],
    [1e15, 86_400_000],
  ])('waits at least so long, a day at most: asked for %i ms', (retryAfterMs, expected) => {
    const run = start({ retry: { delay: 'PT2S' } });
    busy(run, retryAfterMs);
    expect(waits(run)).toEqual([expected]);
  });

  it('waits where the policy itself does not', () => {
    const run = start({ retry: {} });
    busy(run, 3_000);
    expect(waits(run)).toEqual([3_000]);
  });

  it('does not begin where it would begin after `limit.duration`', () => {
    const run = start({ retry: { limit: { duration: 'PT5S' } }, do: [{ saved: { set: { saved: true } } }] });
    busy(run, 6_000);
    expect(run.state).toMatchObject({ status: 'completed', output: { saved: true } });
  });

  it('counts from the failure, also where that came while the execution was suspended', () => {
    const run = start({ retry: {} });
    run.accept({ type: 'OperateExecution', tenant: 'default', operation: 'pause', id: 'p', by: 'me', reason: '' });
    busy(run, 8_000);
    run.passUntil(run.now + 5_000);
    run.accept({ type: 'OperateExecution', tenant: 'default', operation: 'resume', id: 'r', by: 'me', reason: '' });
    expect(waits(run)).toEqual([3_000]);
  });

  it('waits as long as its policy says in an execution that began before', () => {
    const run = decidedBy({ ...THIS_RELEASE, starts: [] }, () => start({ retry: { delay: 'PT2S' } }));
    busy(run, 9_000);
    expect(waits(run)).toEqual([2_000]);
  });
});

describe('`limit.attempt.duration`', () => {
  const retry = { limit: { attempt: { count: 1, duration: 'PT5S' } } };

  it('raises `timeout` at the try, which the same try may retry', () => {
    const run = start({ errors: { with: { status: 408 } }, retry, do: [{ saved: { set: { saved: '${ $error.instance }' } } }] });
    run.fireTimer('attempt');
    expect(run.jobs()).toEqual([KEY]);
    expect(Object.values(run.state.timers)).toMatchObject([{ purpose: 'attempt', due: 1_010_000 }]);
    run.fireTimer('attempt');
    expect(run.state).toMatchObject({ status: 'completed', output: { saved: '/do/0/guard' } });
  });

  it('gives each attempt of a job a number of its own, so that what fails late fails nothing', () => {
    const run = start({ retry });
    const failed = {
      type: 'FailJob',
      job: run.jobId(KEY),
      generation: 0,
      failure: { code: 'unreachable', message: 'x', retryable: true },
      outcome: 'none',
      needsPerson: false,
      platform: false,
    } as const;
    run.fireTimer('attempt');
    expect(run.state.jobs[run.jobId(KEY)]).toMatchObject({ attempt: 2, generation: 0 });
    expect(run.command({ ...failed, attempt: 1 })).toMatchObject({ kind: 'ignored', reason: 'stale' });
    run.complete(KEY, 'at last');
    expect(run.state).toMatchObject({ status: 'completed', output: 'at last' });
  });

  it('goes past a try whose catch does not take timeouts', () => {
    const run = start({ errors: { with: { status: 500 } }, retry });
    run.fireTimer('attempt');
    expect(run.state).toMatchObject({ status: 'faulted', error: { status: 408, instance: '/do/0/guard' } });
  });

  it('runs neither between attempts nor during the catch', () => {
    const run = start({ retry: { delay: 'PT1H', ...retry }, do: [{ pause: { wait: 'PT1H' } }] });
    fail(run);
    expect(Object.values(run.state.timers).map(({ purpose }) => purpose)).toEqual(['retry']);
    run.fireTimer();
    fail(run);
    expect(Object.values(run.state.timers).map(({ purpose }) => purpose)).toEqual(['wait']);
  });

  it('ends with an attempt that succeeds', () => {
    const run = start({ retry });
    run.complete(KEY, {});
    expect(run.state).toMatchObject({ status: 'completed', timers: {} });
  });
});

describe('`limit.duration`', () => {
  const clause = { retry: { delay: 'PT4S', limit: { duration: 'PT10S' } }, do: [{ saved: { set: { saved: true } } }] };

  it('lets no retry begin later, counted from the beginning of the try', () => {
    const run = start(clause);
    expect(delays(run, 2)).toEqual([4_000, 4_000]);
    fail(run);
    expect(run.state).toMatchObject({ status: 'completed', output: { saved: true } });
  });

  it('does not cut an attempt short that is under way', () => {
    const run = start(clause);
    run.passUntil(2_000_000);
    expect(run.state.timers).toEqual({});
    run.complete(KEY, 'at last');
    expect(run.state.output).toBe('at last');
  });

  it('counts anew when a person retries the try', () => {
    const run = start({ errors: { with: { status: 404 } }, retry: { delay: 'PT4S', limit: { duration: 'PT10S' } } });
    fail(run);
    run.passUntil(9_000_000);
    run.accept({ type: 'OperateExecution', tenant: 'default', operation: 'retry', id: 'r', by: 'me', reason: '' });
    expect(run.state.activations['/do/0/guard']?.retryUntil).toBeGreaterThan(9_000_000);
  });
});
