// One process on one store: a session lock that the server releases when the process dies.
import pg from 'pg';
import type { StoreAddress } from './store-address.js';

export interface SingleWriterLock {
  /** Resolves when the connection that holds the lock is gone: somebody else may write now. */
  readonly lost: Promise<void>;
  release(): Promise<void>;
}

const LOCK_CLASS = 7_303_014;

/**
 * Takes the lock of the store, waiting for a process that holds it.
 * @param onWait called once when somebody else holds it.
 * @param waitMs how long to wait; default for ever.
 * @returns undefined when the time is up.
 */
export async function singleWriterLock(address: StoreAddress, options: { readonly onWait?: () => void; readonly waitMs?: number } = {}): Promise<SingleWriterLock | undefined> {
  const { host, port, database, user, password } = address;
  const client = new pg.Client({ host, port, database, user, ...(password === undefined ? {} : { password }), application_name: 'weft single writer', keepAlive: true });
  const lost = new Promise<void>((resolve) => client.once('end', resolve));
  client.on('error', () => undefined);
  await client.connect();
  const until = options.waitMs === undefined ? Infinity : Date.now() + options.waitMs;
  let told = false;
  for (;;) {
    const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1, 1) as taken', [LOCK_CLASS]);
    if (rows[0]?.taken) return { lost, release: () => client.end() };
    if (!told) options.onWait?.();
    told = true;
    if (Date.now() >= until) {
      await client.end();
      return undefined;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
