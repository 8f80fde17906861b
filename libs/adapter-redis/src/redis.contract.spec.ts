import { describeAgainst, describeLimiter, describeSlots, describeStream, serverUnderTest } from '@weft/port-specs';
import type { Redis } from 'ioredis';
import { randomUUID } from 'node:crypto';
import type { Slots } from '@weft/pipeline';
import { expect, it, vi } from 'vitest';
import { connectRedis } from './redis-connection.js';
import { RedisLimiter } from './redis-limiter.js';
import { RedisSlots } from './redis-slots.js';
import { RedisStream } from './redis-stream.js';

const server = serverUnderTest('redis');
const address = server.address ?? '';
let shared: Promise<Redis> | undefined;
const connected = (): Promise<Redis> => (shared ??= connectRedis({ address }));

describeLimiter({
  name: 'RedisLimiter',
  server,
  create: async (allowance) => new RedisLimiter({ redis: await connected(), name: randomUUID(), ...allowance }),
  destroy: async () => void (await shared)?.disconnect(),
});

const own: Slots = { take: async (_key, max) => (max === 2 ? () => undefined : undefined) };
const sharing: Redis[] = [];
describeSlots({
  name: 'RedisSlots',
  server,
  create: async () => {
    const redis = await connectRedis({ address });
    sharing.push(redis);
    return new RedisSlots({ redis, leaseMs: 5_000, own });
  },
  destroy: async () => sharing.forEach((redis) => redis.disconnect()),
});

const streaming: Redis[] = [];
describeStream({
  name: 'RedisStream',
  server,
  create: async () => {
    const [one, two] = [await connectRedis({ address }), await connectRedis({ address })];
    streaming.push(one, two);
    return { writer: new RedisStream({ redis: one }), reader: new RedisStream({ redis: two }) };
  },
  destroy: async () => streaming.forEach((redis) => redis.disconnect()),
});

describeAgainst(server, 'RedisSlots', () => {
  it('are shared by processes, and free again when a lease is over', async () => {
    const redis = await connectRedis({ address });
    const key = randomUUID();
    const slots = () => new RedisSlots({ redis, leaseMs: 300, own });
    expect(await slots().take(key, 1)).toBeDefined();
    expect(await slots().take(key, 1)).toBeUndefined();
    await vi.waitFor(async () => expect(await slots().take(key, 1)).toBeDefined(), { timeout: 3_000 });
    redis.disconnect();
  });

  it('are those of this process, its share of them, when Redis is gone', async () => {
    const redis = await connectRedis({ address });
    redis.disconnect();
    expect(await new RedisSlots({ redis, leaseMs: 300, own, ownShare: 0.5 }).take('a', 4)).toBeDefined();
  });
});

describeAgainst(server, 'RedisLimiter', () => {
  it('shares its counts with a limiter of the same name', async () => {
    const redis = await connectRedis({ address });
    const options = { redis, name: randomUUID(), points: 1, windowMs: 5_000 };
    await new RedisLimiter(options).take('a');
    expect(await new RedisLimiter(options).take('a')).toMatchObject({ allowed: false });
    redis.disconnect();
  });

  it('counts its share of the allowance alone when Redis is gone', async () => {
    const redis = await connectRedis({ address });
    const limiter = new RedisLimiter({ redis, name: randomUUID(), points: 4, windowMs: 5_000, ownShare: 0.5 });
    redis.disconnect();
    expect(await Promise.all([1, 2, 3].map(async () => (await limiter.take('a')).allowed))).toEqual([true, true, false]);
  });

  it('goes on counting by itself when Redis is gone', async () => {
    const redis = await connectRedis({ address });
    const faults: unknown[] = [];
    const limiter = new RedisLimiter({ redis, name: randomUUID(), points: 1, windowMs: 5_000, onFault: (fault) => faults.push(fault) });
    redis.disconnect();
    expect(await limiter.take('a')).toMatchObject({ allowed: true });
    expect(await limiter.take('a')).toMatchObject({ allowed: false });
    expect(faults).toHaveLength(2);
  });
});
