import { randomUUID } from 'node:crypto';
import type { Slots } from '@weft/pipeline';
import type { Redis } from 'ioredis';

export interface RedisSlotsOptions {
  /** A connection that may be shared; whoever made it closes it. */
  readonly redis: Redis;
  /** How long a place is held that nobody gives back, as after a crash, in milliseconds. */
  readonly leaseMs: number;
  /** Where places are taken while Redis does not answer. */
  readonly own: Slots;
  /** Part of the places that `own` gives then, above 0 up to 1; at least one place. Default 1. */
  readonly ownShare?: number;
  /** Told of each `take` that Redis did not answer. */
  readonly onFault?: (fault: unknown) => void;
}

const PREFIX = 'weft:slots:';

// KEYS: the places, by when their lease is over, in the time of Redis. ARGV: who takes one, how many there are, lease in milliseconds.
const TAKE = `local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('zremrangebyscore', KEYS[1], '-inf', now)
if redis.call('zcard', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('zadd', KEYS[1], now + tonumber(ARGV[3]), ARGV[1])
redis.call('pexpire', KEYS[1], ARGV[3])
return 1`;

/** Places shared by all processes on one Redis. While it does not answer, each process has its share of them: nothing passes beyond that. */
export class RedisSlots implements Slots {
  constructor(private readonly options: RedisSlotsOptions) {}

  async take(key: string, max: number): Promise<(() => void) | undefined> {
    const { redis, leaseMs, own, ownShare = 1, onFault } = this.options;
    const holder = randomUUID();
    try {
      if ((await redis.eval(TAKE, 1, PREFIX + key, holder, max, leaseMs)) !== 1) return undefined;
      return () => void redis.zrem(PREFIX + key, holder).catch((fault: unknown) => onFault?.(fault));
    } catch (fault) {
      onFault?.(fault);
      return own.take(key, Math.max(1, Math.floor(max * ownShare)));
    }
  }
}
