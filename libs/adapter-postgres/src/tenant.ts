import pg from 'pg';
import { faultOf, type Pool, type Query } from './pool.js';

export interface TenantOptions {
  /** Whether the transaction only reads. Default false. */
  readonly readOnly?: boolean;
}

/**
 * Runs statements as a tenant: one transaction whose `weft.tenant` row-level security reads. The setting ends with the
 * transaction, so a pooled connection never carries it on. Refusals thrown by `run` roll back and pass through.
 * @throws Fault for anything the store did not do.
 */
export async function inTenant<T>(pool: Pool, tenant: string, run: (query: Query) => Promise<T>, options: TenantOptions = {}): Promise<T> {
  let client: pg.PoolClient;
  try {
    client = await pool.connect();
  } catch (fault) {
    throw faultOf(fault);
  }
  let broken: Error | undefined;
  const query: Query = async <R extends object>(text: string, values: readonly unknown[] = []) => {
    try {
      return (await client.query<R>(text, [...values])).rows;
    } catch (fault) {
      throw faultOf(fault);
    }
  };
  try {
    await query(options.readOnly ? 'begin read only' : 'begin');
    await query(`select set_config('weft.tenant', $1, true)`, [tenant]);
    const result = await run(query);
    await query('commit');
    return result;
  } catch (fault) {
    await client.query('rollback').catch((lost: Error) => (broken = lost));
    throw fault;
  } finally {
    client.release(broken);
  }
}
