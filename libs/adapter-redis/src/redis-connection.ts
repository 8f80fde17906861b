import { Fault } from '@weft/pipeline';
import { Redis } from 'ioredis';

export interface RedisConnectionOptions {
  /** `host:port`, or a URL `redis://` or `rediss://` with user, password and database. */
  readonly address: string;
  /** Tries before `connectRedis` gives up; default 6, which is about four seconds. Later breaks are mended for ever. */
  readonly attemptsMax?: number;
  /** A command that takes longer fails, in milliseconds; default 500. */
  readonly commandTimeoutMs?: number;
  /** Told when the connection breaks. Default: nobody; commands fail meanwhile, at once. */
  readonly onFault?: (fault: Error) => void;
}

const PAUSE_MIN_MS = 100;
const PAUSE_MAX_MS = 2_000;

/**
 * A connection that is ready. While it is broken, commands fail at once rather than wait in a queue, and it reconnects with
 * pauses doubling from 100 ms to 2 s.
 * @throws Fault (retryable) when Redis does not answer within the attempts.
 */
export async function connectRedis({ address, attemptsMax = 6, commandTimeoutMs = 500, onFault }: RedisConnectionOptions): Promise<Redis> {
  let wasReady = false;
  let fault: Error | undefined;
  const redis = new Redis(address.includes('://') ? address : `redis://${address}`, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    commandTimeout: commandTimeoutMs,
    retryStrategy: (attempt) => (!wasReady && attempt >= attemptsMax ? null : Math.min(PAUSE_MIN_MS * 2 ** (attempt - 1), PAUSE_MAX_MS)),
  });
  redis.on('error', (thrown: Error) => {
    fault = thrown;
    onFault?.(thrown);
  });
  const isReady = new Promise<boolean>((resolve) => {
    redis.once('ready', () => resolve(true));
    redis.once('end', () => resolve(false));
  });
  // It rejects on the first failed try already; the strategy above goes on.
  redis.connect().catch(() => undefined);
  wasReady = await isReady;
  if (wasReady) return redis;
  throw new Fault(`Expected Redis to answer at ${address} but it did not: ${fault?.message || 'no connection'}`, true, { cause: fault });
}
