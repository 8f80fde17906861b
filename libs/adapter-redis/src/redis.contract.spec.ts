import { describeAgainst, describeLimiter, serverUnderTest } from '@weft/port-specs';
import type { Redis } from 'ioredis';
import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { connectRedis } from './redis-connection.js';
import { RedisLimiter } from './redis-limiter.js';

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

describeAgainst(server, 'RedisLimiter', () => {
  it('shares its counts with a limiter of the same name', async () => {
    const redis = await connectRedis({ address });
    const options = { redis, name: randomUUID(), points: 1, windowMs: 5_000 };
    await new RedisLimiter(options).take('a');
    expect(await new RedisLimiter(options).take('a')).toMatchObject({ allowed: false });
    redis.disconnect();
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
