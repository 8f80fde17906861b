import type { Allowance, Limiter } from '@weft/pipeline';
import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';

export interface RedisLimiterOptions extends Allowance {
  /** A connection that several limiters may share; whoever made it closes it. */
  readonly redis: Redis;
  /** What is limited: limiters of the same name share their counts. Letters, digits and '-'. */
  readonly name: string;
  /** Part of the allowance that this process counts for itself while Redis does not answer, above 0 up to 1. Default 1. */
  readonly ownShare?: number;
  /** Told of each `take` that Redis did not answer. */
  readonly onFault?: (fault: unknown) => void;
}

// The library's own script counts whole seconds. ARGV: points, (whole seconds), allowance, seconds.
const TAKE = `redis.call('set', KEYS[1], 0, 'PX', math.floor(tonumber(ARGV[4]) * 1000 + 0.5), 'NX')
local taken = redis.call('incrby', KEYS[1], ARGV[1])
return {taken, redis.call('pttl', KEYS[1])}`;

/**
 * Limits shared by all processes on one Redis. While Redis does not answer, each process counts for itself, with its
 * share of the allowance: nothing is refused for Redis' sake, and nothing passes beyond that share.
 */
export class RedisLimiter implements Limiter {
  readonly #shared: RateLimiterRedis;
  readonly #own: RateLimiterMemory;
  readonly #pointsMax: number;
  readonly #ownPointsMax: number;
  readonly #secondsAtLeastOne: number;
  readonly #onFault: ((fault: unknown) => void) | undefined;

  constructor({ redis, name, points, windowMs, ownShare = 1, onFault }: RedisLimiterOptions) {
    this.#pointsMax = points;
    this.#ownPointsMax = Math.max(1, Math.floor(points * ownShare));
    const allowance = { points, duration: windowMs / 1000, keyPrefix: `weft:limit:${name}` };
    this.#shared = new RateLimiterRedis({ ...allowance, storeClient: redis, rejectIfRedisNotReady: true, customIncrTtlLuaScript: TAKE });
    this.#own = new RateLimiterMemory({ ...allowance, points: this.#ownPointsMax });
    // Below one second the library would leave the script, and with it the expiry, out.
    this.#secondsAtLeastOne = Math.max(1, Math.ceil(windowMs / 1000));
    this.#onFault = onFault;
  }

  async take(key: string, points = 1): Promise<{ readonly allowed: boolean; readonly retryAfterMs: number }> {
    try {
      return await answer(this.#shared.consume(key, Math.min(points, this.#pointsMax), { customDuration: this.#secondsAtLeastOne }));
    } catch (fault) {
      this.#onFault?.(fault);
      return answer(this.#own.consume(key, Math.min(points, this.#ownPointsMax)));
    }
  }

  async close(): Promise<void> {}
}

async function answer(taking: Promise<RateLimiterRes>): Promise<{ readonly allowed: boolean; readonly retryAfterMs: number }> {
  try {
    await taking;
    return { allowed: true, retryAfterMs: 0 };
  } catch (refused) {
    if (refused instanceof RateLimiterRes) return { allowed: false, retryAfterMs: Math.max(1, refused.msBeforeNext) };
    throw refused;
  }
}
