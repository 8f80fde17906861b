// Connections of one role, and statements whose faults the pipeline understands.
import { CommitUnknown, Fault } from '@weft/pipeline';
import pg from 'pg';
import type { StoreAddress } from './store-address.js';

export type Pool = pg.Pool;

/** Runs one statement and gives its rows. */
export type Query = <R extends object = Record<string, unknown>>(text: string, values?: readonly unknown[]) => Promise<R[]>;

export interface PoolOptions {
  /** Database role; default the address's own user. */
  readonly role?: string;
  readonly password?: string | undefined;
  /** Connections at most. Default 4. */
  readonly max?: number;
  readonly applicationName: string;
  /** Told of a connection that broke while idle. Default: ignored, the pool opens another. */
  readonly onFault?: (fault: Error) => void;
}

/** A statement that the server plans once per connection, by its name. A changed text needs a changed name. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

export function openPool(address: StoreAddress, options: PoolOptions): Pool {
  const { role = address.user, password = address.password, max = 4, applicationName } = options;
  const pool = new pg.Pool({
    host: address.host,
    port: address.port,
    database: address.database,
    user: role,
    ...(password === undefined ? {} : { password }),
    max,
    application_name: applicationName,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
  });
  pool.on('error', (fault) => options.onFault?.(fault));
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
 * @throws CommitUnknown when the connection broke while it ran: the statement may have committed.
 */
export async function commitStatement<R extends object = Record<string, unknown>>(pool: Pool, commitId: string, statement: Statement): Promise<R[]> {
  let client: pg.PoolClient;
  try {
    client = await pool.connect();
  } catch (fault) {
    throw faultOf(fault);
  }
  let broken: Error | undefined;
  try {
    return (await client.query<R>({ ...statement, values: [...statement.values] })).rows;
  } catch (fault) {
    // An answer of the server with a state outside class 08/57 says that nothing was committed.
    const state = stateOf(fault);
    if (state !== undefined && !CONNECTION_LOST.test(state)) throw faultOf(fault);
    broken = fault instanceof Error ? fault : new Error(String(fault));
    throw new CommitUnknown(commitId, fault);
  } finally {
    client.release(broken);
  }
}

/** SQLSTATE of a fault that the server answered with. */
export function stateOf(fault: unknown): string | undefined {
  const code = (fault as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

// Connection exceptions and operator intervention (shutdown, crash, terminated backend).
const CONNECTION_LOST = /^(08|57P)/;
// Besides those: out of resources, serialization failure, deadlock, lock not available, statement cancelled.
const RETRYABLE = /^(08|57|53|40|55P03)/;

/** The fault as the pipeline knows it. Without a SQLSTATE the server was not reached: retryable. */
export function faultOf(fault: unknown): Fault {
  if (fault instanceof Fault) return fault;
  const state = stateOf(fault);
  const message = fault instanceof Error ? fault.message : String(fault);
  return new Fault(`the store did not do what was asked: ${message}${state ? ` (${state})` : ''}`, state === undefined || RETRYABLE.test(state), { cause: fault });
}
