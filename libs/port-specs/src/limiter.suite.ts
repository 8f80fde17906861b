// What every Limiter does.
import type { Allowance, Limiter } from '@weft/pipeline';
import { afterAll, expect, it, vi } from 'vitest';
import { describeAgainst, type ServerUnderTest } from './server-under-test.js';

export interface LimiterBinding {
  readonly name: string;
  /** The server the adapter needs; none for one that lives in the process. */
  readonly server?: ServerUnderTest;
  /** A new limiter that has seen no key. The suite closes it. */
  readonly create: (allowance: Allowance) => Promise<Limiter>;
  /** Called once after all tests. */
  readonly destroy?: () => Promise<void>;
}

/** Describes the contract of the Limiter port for one adapter. */
export function describeLimiter({ name, server, create, destroy }: LimiterBinding): void {
  describeAgainst(server, `Limiter: ${name}`, () => {
    afterAll(async () => destroy?.());

    const on = (title: string, allowance: Allowance, test: (limiter: Limiter) => Promise<void>): void =>
      it(title, async () => {
        const limiter = await create(allowance);
        try {
          await test(limiter);
        } finally {
          await limiter.close();
        }
      });

    on('allows what the allowance gives, then says how long to wait', { points: 3, windowMs: 5_000 }, async (limiter) => {
      for (let n = 0; n < 3; n++) expect(await limiter.take('a')).toEqual({ allowed: true, retryAfterMs: 0 });
      const { allowed, retryAfterMs } = await limiter.take('a');
      expect(allowed).toBe(false);
      expect(retryAfterMs).toBeGreaterThan(0);
      expect(retryAfterMs).toBeLessThanOrEqual(5_000);
    });

    on('counts each key by itself', { points: 1, windowMs: 5_000 }, async (limiter) => {
      await limiter.take('a');
      expect(await limiter.take('b')).toMatchObject({ allowed: true });
    });

    on('allows no more than the allowance when asked all at once', { points: 20, windowMs: 5_000 }, async (limiter) => {
      const answers = await Promise.all(Array.from({ length: 100 }, () => limiter.take('a')));
      expect(answers.filter(({ allowed }) => allowed)).toHaveLength(20);
    });

    on('takes several points at once, and more than there are as all of them', { points: 10, windowMs: 5_000 }, async (limiter) => {
      expect(await limiter.take('a', 4)).toMatchObject({ allowed: true });
      expect(await limiter.take('a', 7)).toMatchObject({ allowed: false });
      expect(await limiter.take('b', 50)).toMatchObject({ allowed: true });
      expect(await limiter.take('b')).toMatchObject({ allowed: false });
    });

    on('allows again after the time it named', { points: 1, windowMs: 400 }, async (limiter) => {
      await limiter.take('a');
      expect(await limiter.take('a')).toMatchObject({ allowed: false });
      await vi.waitFor(async () => expect(await limiter.take('a')).toMatchObject({ allowed: true }), { timeout: 3_000, interval: 50 });
    });
  });
}
