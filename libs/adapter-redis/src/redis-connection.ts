import { Redis } from 'ioredis';

export interface RedisConnectionOptions {
  /** `host:port`, or a URL `redis://` or `rediss://` with user, password and database. */
  readonly address: string;
  /** Tries that `connectRedis` waits for; default 6, which is about four seconds. It goes on trying for ever. */
  readonly attemptsMax?: number;
  /** A command that takes longer fails, in milliseconds; default 500. */
  readonly commandTimeoutMs?: number;
  /** Told of each try that fails, and when the connection breaks. Default: nobody; commands fail meanwhile, at once. */
  readonly onFault?: (fault: Error) => void;
}

const PAUSE_MIN_MS = 100;
const PAUSE_MAX_MS = 2_000;

/**
 * A connection that is ready, or one that is still trying when Redis has not answered within the attempts: nothing of Weft
 * waits for its Redis. While it is broken, commands fail at once rather than wait in a queue, and it reconnects with
 * pauses doubling from 100 ms to 2 s.
 */
export async function connectRedis({ address, attemptsMax = 6, commandTimeoutMs = 500, onFault }: RedisConnectionOptions): Promise<Redis> {
  const { promise: isOver, resolve: end } = Promise.withResolvers<void>();
  const redis = new Redis(address.includes('://') ? address : `redis://${address}`, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    commandTimeout: commandTimeoutMs,
    retryStrategy: (attempt) => {
      if (attempt >= attemptsMax) end();
      return Math.min(PAUSE_MIN_MS * 2 ** (attempt - 1), PAUSE_MAX_MS);
    },
  });
  redis.on('error', (thrown: Error) => onFault?.(thrown));
  redis.once('ready', end);
  // It rejects on the first failed try already; the strategy above goes on.
  redis.connect().catch(() => undefined);
  await isOver;
  return redis;
}

/** Says goodbye, or ends a connection that is broken: `quit` alone rejects there. */
export async function closeRedis(redis: Redis): Promise<void> {
  await redis.quit().catch(() => redis.disconnect());
}
