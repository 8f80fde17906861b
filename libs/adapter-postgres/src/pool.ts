// Connections of one role, and statements whose faults the pipeline understands.
import { CommitUnknown } from '@weft/pipeline';
import pg from 'pg';
import { clientConfig, type StoreAddress } from './store-address.js';
import { faultOf, isRefusedByServer } from './store-fault.js';

export type Pool = pg.Pool;

/** Runs one statement and gives its rows. */
export type Query = <R extends object = Record<string, unknown>>(text: string, values?: readonly unknown[]) => Promise<R[]>;

export interface PoolOptions {
  /** Database role; default the address's own user. */
  readonly role?: string;
  /** Default the address's own. */
  readonly password?: string | undefined;
  /** Connections at most. Default 4. */
  readonly max?: number;
  /** Shown in pg_stat_activity and in the server's log. */
  readonly applicationName: string;
  /** How long one statement may take, in milliseconds; 0 = for ever. Default 30,000. The server cancels it: a retryable fault. */
  readonly statementMsMax?: number;
  /**
   * One plan for a named statement, whatever its arrays hold. Default false: the server may plan each run anew, which costs a
   * wide statement more than it gains (a fifth of the time of orchestration's commit).
   */
  readonly onePlan?: boolean;
  /** Told of a connection that broke while nobody waited for it. Default: ignored, the pool opens another. */
  readonly onFault?: (fault: Error) => void;
}

/** A statement that the server plans once per connection, by its name. A changed text needs a changed name. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

// The plan is made when the tables may still be empty, and kept: it must be the one for tables of any size, which goes by indexes.
const ONE_PLAN = ['plan_cache_mode=force_generic_plan', 'enable_seqscan=off', 'enable_hashjoin=off', 'enable_mergejoin=off'].map((setting) => `-c ${setting}`).join(' ');

const CONNECT_MS_MAX = 10_000;
const IDLE_MS_MAX = 30_000;
// The server cancels first; when it is not heard either, the connection counts as lost.
const SILENCE_MS = 5_000;

export function openPool(address: StoreAddress, options: PoolOptions): Pool {
  const { statementMsMax = 30_000, onFault = () => undefined } = options;
  const pool = new pg.Pool({
    ...clientConfig(address, options),
    max: options.max ?? 4,
    ...(options.onePlan ? { options: ONE_PLAN } : {}),
    application_name: options.applicationName,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    idleTimeoutMillis: IDLE_MS_MAX,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    ...(statementMsMax > 0 ? { statement_timeout: statementMsMax, query_timeout: statementMsMax + SILENCE_MS } : {}),
  });
  // A connection that is being closed may still hear that the server stops: nobody needs to know.
  pool.on('error', (fault) => {
    if (!pool.ending) onFault(fault);
  });
  // A connection that breaks between two statements of a transaction belongs to no pool at that moment: without a listener of its
  // own it would end the process.
  pool.on('connect', (client) => void client.on('error', () => undefined));
  return pool;
}

/** Runs a named statement. @throws Fault, retryable when the store was not reached or was busy. */
export async function execute<R extends object = Record<string, unknown>>(pool: Pool, statement: Statement): Promise<R[]> {
  try {
    return (await pool.query<R>({ ...statement, values: [...statement.values] })).rows;
  } catch (fault) {
    throw faultOf(fault);
  }
}

/**
 * Runs a statement that commits by itself and holds the commit row `commitId`.
 * @throws CommitUnknown when the connection broke while it ran: the statement may have committed. Fault when it certainly did not.
 */
export async function commitStatement<R extends object = Record<string, unknown>>(pool: Pool, commitId: string, statement: Statement): Promise<R[]> {
  let client: pg.PoolClient;
  try {
    client = await pool.connect();
  } catch (fault) {
    throw faultOf(fault);
  }
  let broken: boolean | undefined;
  try {
    return (await client.query<R>({ ...statement, values: [...statement.values] })).rows;
  } catch (fault) {
    if (isRefusedByServer(fault) || fault instanceof TypeError || fault instanceof RangeError) throw faultOf(fault);
    broken = true;
    throw new CommitUnknown(commitId, fault);
  } finally {
    client.release(broken);
  }
}
