import { expect, it } from 'vitest';
import { LocalLimiter } from './local-limiter.js';

it('LocalLimiter > tells how long to wait, within the window', async () => {
  const limiter = new LocalLimiter({ points: 1, windowMs: 60_000 });
  await limiter.take('a');
  const { allowed, retryAfterMs } = await limiter.take('a');
  expect(allowed).toBe(false);
  expect(retryAfterMs).toBeGreaterThan(59_000);
  expect(retryAfterMs).toBeLessThanOrEqual(60_000);
});
