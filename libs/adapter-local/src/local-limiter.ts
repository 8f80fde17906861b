import type { Allowance, Limiter } from '@weft/pipeline';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

/** Limits within this process: exact for one process, and gone with it. */
export class LocalLimiter implements Limiter {
  readonly #limiter: RateLimiterMemory;
  readonly #pointsMax: number;

  constructor({ points, windowMs }: Allowance) {
    this.#pointsMax = points;
    this.#limiter = new RateLimiterMemory({ points, duration: windowMs / 1000 });
  }

  async take(key: string, points = 1): Promise<{ readonly allowed: boolean; readonly retryAfterMs: number }> {
    try {
      await this.#limiter.consume(key, Math.min(points, this.#pointsMax));
      return { allowed: true, retryAfterMs: 0 };
    } catch (refused) {
      if (refused instanceof RateLimiterRes) return { allowed: false, retryAfterMs: Math.max(1, refused.msBeforeNext) };
      throw refused;
    }
  }

  async close(): Promise<void> {}
}
