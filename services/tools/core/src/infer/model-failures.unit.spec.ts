import { describe, expect, it } from 'vitest';
import { breakerAfter, CLOSED, FAILURES_MAX, OPEN_MS, passBreaker, type BreakerState } from './model-breaker.js';
import { ANSWERS_MIN, LatencyWindow } from './model-latency.js';
import { jitterOf, nextRound } from './model-retry.js';
import type { ModelProblem } from './model-problem.js';

const busy = (retryAfterMs?: number): ModelProblem => ({ kind: 'status', status: 429, message: 'busy', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
const failed = (problem: ModelProblem, index = 0) => ({ index, problem, at: 1_000 });

describe('the round after all candidates have failed', () => {
  it('asks those again whose failure may pass, after a growing wait', () => {
    const problems: ModelProblem[] = [busy(), { kind: 'unreachable', message: 'x' }, { kind: 'status', status: 400, message: 'x' }, { kind: 'schema', message: 'x' }, { kind: 'timeout', afterMs: 5 }];
    const next = (round: number) => nextRound(problems.map(failed), round, 1_000, 0.5);
    expect(next(1)).toEqual({ indexes: [0, 1], waitMs: 200 });
    expect(next(2)).toEqual({ indexes: [0, 1], waitMs: 400 });
    expect(next(3)).toBeUndefined();
  });

  it('honours the wait that a provider asks for, and leaves a long one to the workflow', () => {
    expect(nextRound([failed(busy(1_500))], 1, 1_100, 0)).toEqual({ indexes: [0], waitMs: 1_400 });
    expect(nextRound([failed(busy(9_000))], 1, 1_000, 0)).toBeUndefined();
    expect(nextRound([failed(busy(9_000)), failed(busy(), 1)], 1, 1_000, 0)).toMatchObject({ indexes: [1] });
  });

  it('spreads waits by the job, always in the same way', () => {
    expect(jitterOf('a')).toBe(jitterOf('a'));
    const spread = new Set(Array.from({ length: 100 }, (_, n) => Math.floor(jitterOf(`job ${n}`) * 10)));
    expect(spread.size).toBeGreaterThan(7);
  });
});

describe('the breaker of a candidate', () => {
  const after = (failures: number, now = 0): BreakerState => Array.from({ length: failures }).reduce<BreakerState>((state) => breakerAfter(state, true, now), CLOSED);

  it('opens after failures in a row, and an answer in between starts the count anew', () => {
    expect(passBreaker(after(FAILURES_MAX - 1), 1)).toMatchObject({ passes: true });
    expect(passBreaker(breakerAfter(breakerAfter(after(FAILURES_MAX - 1), false, 0), true, 0), 1)).toMatchObject({ passes: true });
    expect(passBreaker(after(FAILURES_MAX), 1)).toEqual({ passes: false, retryAfterMs: OPEN_MS - 1 });
  });

  it('lets one call through when its time is over: an answer closes it, a failure leaves it open twice as long', () => {
    const probe = passBreaker(after(FAILURES_MAX), OPEN_MS);
    if (!probe.passes) throw new Error('it did not pass');
    expect(passBreaker(probe.state, OPEN_MS + 1)).toMatchObject({ passes: false });
    expect(breakerAfter(probe.state, false, OPEN_MS + 2)).toEqual(CLOSED);
    expect(passBreaker(breakerAfter(probe.state, true, OPEN_MS), OPEN_MS)).toEqual({ passes: false, retryAfterMs: 2 * OPEN_MS });
    expect(passBreaker(probe.state, 2 * OPEN_MS)).toMatchObject({ passes: true });
  });
});

describe('the latest answers of a candidate', () => {
  it('say nothing while they are few, and then where so many per cent lie', () => {
    const window = new LatencyWindow();
    for (let ms = 1; ms < ANSWERS_MIN; ms++) window.add(ms);
    expect(window.percentile(95)).toBeUndefined();
    for (let ms = ANSWERS_MIN; ms <= 100; ms++) window.add(ms);
    expect([window.percentile(50), window.percentile(95)]).toEqual([51, 96]);
    for (let n = 0; n < 128; n++) window.add(7);
    expect(window.percentile(99)).toBe(7);
  });
});
