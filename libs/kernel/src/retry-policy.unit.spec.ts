import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retryDelayMs, type RetryPolicy } from './retry-policy.js';

const policies = fc.record({
  retriesMax: fc.nat(1000),
  delayMs: fc.nat(3_600_000),
  backoff: fc.constantFrom('constant', 'linear', 'exponential'),
  delayMaxMs: fc.nat(86_400_000),
});
const retries = fc.integer({ min: 1, max: 100_000 });
const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

const policy = (more: Partial<RetryPolicy>): RetryPolicy => ({ retriesMax: 10, delayMs: 100, backoff: 'constant', delayMaxMs: 1_000_000, ...more });

describe('retryDelayMs', () => {
  it.each([
    ['constant', [100, 100, 100, 100]],
    ['linear', [100, 200, 300, 400]],
    ['exponential', [100, 200, 400, 800]],
  ] as const)('grows %s', (backoff, waits) => {
    expect([1, 2, 3, 4].map((n) => retryDelayMs(policy({ backoff }), n, 0))).toEqual(waits);
  });

  it('never waits longer than the limit, however often it is tried', () => {
    fc.assert(
      fc.property(policies, retries, randoms, (given, n, random) => {
        const wait = retryDelayMs(given, n, random);
        expect(Number.isSafeInteger(wait)).toBe(true);
        expect(wait).toBeGreaterThanOrEqual(0);
        expect(wait).toBeLessThanOrEqual(given.delayMaxMs);
      }),
    );
  });

  it('never waits less before a later retry', () => {
    fc.assert(fc.property(policies, retries, (given, n) => void expect(retryDelayMs(given, n + 1, 0)).toBeGreaterThanOrEqual(retryDelayMs(given, n, 0))));
  });

  it('adds jitter from its range on top of the limit', () => {
    fc.assert(
      fc.property(policies, retries, randoms, fc.nat(10_000), fc.nat(10_000), (given, n, random, fromMs, moreMs) => {
        const plain = retryDelayMs(given, n, random);
        const wait = retryDelayMs({ ...given, jitter: { fromMs, toMs: fromMs + moreMs } }, n, random);
        expect(wait - plain).toBeGreaterThanOrEqual(fromMs);
        expect(wait - plain).toBeLessThanOrEqual(fromMs + moreMs);
      }),
    );
  });

  it('waits the same for the same random number: replay draws none', () => {
    const jittered = policy({ backoff: 'exponential', jitter: { fromMs: 0, toMs: 1000 } });
    expect([0, 0.25, 0.9995].map((random) => retryDelayMs(jittered, 2, random))).toEqual([200, 450, 1200]);
  });

  it.each([0, -1, 1.5, Number.NaN])('counts retries from 1: %d is a defect', (n) => {
    expect(() => retryDelayMs(policy({}), n, 0)).toThrow('a retry is counted from 1');
  });
});
