import { invariant } from '@weft/kernel';
import { Fault } from '@weft/pipeline';
import pg from 'pg';
import type { Pool, Query } from './pool.js';
import { faultOf } from './store-fault.js';

export interface TenantOptions {
  /** Whether the transaction only reads. Default false. */
  readonly readOnly?: boolean;
}

/**
 * Runs statements as a tenant: one transaction whose `weft.tenant` row-level security reads. The setting ends with the
 * transaction, so a pooled connection never carries it on. What `run` throws rolls back and passes through.
 * @throws Fault for anything the store did not do. When the connection breaks at the end it may have committed: what is written
 * here must bear being written twice (by key).
 */
export async function inTenant<T>(pool: Pool, tenant: string, run: (query: Query) => Promise<T>, options: TenantOptions = {}): Promise<T> {
  invariant(tenant !== '' && !tenant.includes('\0'), 'a tenant has a name without NUL');
  let client: pg.PoolClient;
  try {
    client = await pool.connect();
  } catch (fault) {
    throw faultOf(fault);
  }
  let open = true;
  let broken: boolean | undefined;
  const ask = async <R extends object>(text: string, values?: readonly unknown[]): Promise<pg.QueryResult<R>> => {
    try {
      return await (values ? client.query<R>(text, [...values]) : client.query<R>(text));
    } catch (fault) {
      throw faultOf(fault);
    }
  };
  const query: Query = async <R extends object>(text: string, values: readonly unknown[] = []) => {
    // Later the connection serves somebody else, perhaps another tenant.
    invariant(open, 'statements of a tenant run inside its transaction: await them all');
    return (await ask<R>(text, values)).rows;
  };
  try {
    await ask(`${options.readOnly ? 'begin read only' : 'begin'}; select set_config('weft.tenant', ${pg.escapeLiteral(tenant)}, true)`);
    const result = await run(query);
    open = false;
    // PostgreSQL answers COMMIT of a failed transaction with ROLLBACK, and with no error.
    if ((await ask('commit')).command !== 'COMMIT') throw new Fault('Expected the transaction to commit but one of its statements had failed.', false);
    return result;
  } catch (fault) {
    open = false;
    await client.query('rollback').catch(() => (broken = true));
    throw fault;
  } finally {
    client.release(broken);
  }
}
