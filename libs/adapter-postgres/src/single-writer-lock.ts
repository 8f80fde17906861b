// One process on one store: a session lock that the server releases when the process dies.
import { createHash } from 'node:crypto';
import pg from 'pg';
import { clientConfig, type StoreAddress } from './store-address.js';
import { faultOf } from './store-fault.js';

export interface SingleWriterLock {
  /** Resolves when the connection that holds the lock is lost: somebody else may write now. Never after `release`. */
  readonly lost: Promise<void>;
  release(): Promise<void>;
}

/** The process that holds the lock, as the server knows it. */
export interface LockHolder {
  /** What it called itself. */
  readonly application: string;
  /** Since when it is connected. */
  readonly since: Date;
}

export interface LockOptions {
  /** How long to wait for a holder, in milliseconds; `Infinity` waits for ever. Default 0: not at all. */
  readonly waitMs?: number;
  /** Called once, when somebody else holds it and there is time to wait. */
  readonly onWait?: (holder: LockHolder | undefined) => void;
  /** What others are told when they wait for us. Default `weft`. */
  readonly applicationName?: string;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
}

const LOCK_CLASS = 7_303_014;
const ASK_EVERY_MS = 100;
const HEARTBEAT_MS = 5_000;

/**
 * Takes the lock of this name in the database, on a connection of its own.
 * @returns undefined when somebody else holds it and the time is up. @throws Fault when the store is not reached.
 */
export async function singleWriterLock(address: StoreAddress, name: string, options: LockOptions = {}): Promise<SingleWriterLock | undefined> {
  const client = new pg.Client({ ...clientConfig(address), application_name: options.applicationName ?? 'weft', keepAlive: true, connectionTimeoutMillis: 10_000, query_timeout: HEARTBEAT_MS });
  const ended = new Promise<void>((resolve) => client.once('end', resolve));
  client.on('error', () => undefined);
  try {
    await client.connect();
    const key = createHash('sha256').update(name).digest().readInt32BE();
    if (await take(client, key, options)) return held(client, ended);
    await client.end();
    return undefined;
  } catch (fault) {
    await client.end().catch(() => undefined);
    throw faultOf(fault);
  }
}

async function take(client: pg.Client, key: number, { waitMs = 0, onWait, signal }: LockOptions): Promise<boolean> {
  const until = Date.now() + waitMs;
  for (let told = false; ; told = true) {
    const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1, $2) as taken', [LOCK_CLASS, key]);
    if (rows[0]?.taken) return true;
    if (Date.now() >= until || signal?.aborted) return false;
    if (!told) onWait?.(await holderOf(client, key));
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
}

async function holderOf(client: pg.Client, key: number): Promise<LockHolder | undefined> {
  const { rows } = await client.query<LockHolder>(
    `select a.application_name as application, a.backend_start as since from pg_locks l join pg_stat_activity a using (pid)
      where l.locktype = 'advisory' and l.granted and l.classid = $1::int8::oid and l.objid = ($2::int8 & 4294967295)::oid and l.database = (select oid from pg_database where datname = current_database())`,
    [LOCK_CLASS, key],
  );
  return rows[0];
}

function held(client: pg.Client, ended: Promise<void>): SingleWriterLock {
  let released = false;
  // A network that swallows packets closes nothing: the lock may be gone while the connection looks open.
  const heartbeat = setInterval(() => {
    client.query('select 1').catch(() => client.end().catch(() => undefined));
  }, HEARTBEAT_MS).unref();
  return {
    lost: new Promise((resolve) => {
      void ended.then(() => {
        clearInterval(heartbeat);
        if (!released) resolve();
      });
    }),
    async release() {
      released = true;
      clearInterval(heartbeat);
      await client.end().catch(() => undefined);
    },
  };
}
