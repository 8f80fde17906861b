import { Fault } from '@weft/pipeline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPool, type Pool } from './pool.js';
import { engineRole, OWNER_ROLE, SEQUENCER_ROLE, tenantRole } from './roles.js';
import { openScratchStore, type ScratchStore } from './scratch-store.js';
import { inTenant } from './tenant.js';
import { shopMigrations } from '../fixtures/shop.migrations.js';

let store: ScratchStore;
const pools: Record<'tenant' | 'engine' | 'sequencer' | 'admin', Pool> = {} as never;

beforeAll(async () => {
  store = await openScratchStore([shopMigrations]);
  const open = (role: string | undefined, max: number): Pool => openPool(store.address, { ...(role ? { role } : {}), max, applicationName: 'tenant spec' });
  Object.assign(pools, { tenant: open(tenantRole('shop'), 2), engine: open(engineRole('shop'), 1), sequencer: open(SEQUENCER_ROLE, 1), admin: open(undefined, 1) });
  await pools.engine.query(`insert into shop.orders (tenant, id) values ('ann', 'a1'), ('ann', 'a2'), ('bob', 'b1')`);
  await pools.engine.query(`insert into shop.commits values (gen_random_uuid(), '[]', '', '{ann}', false, null, now())`);
});

afterAll(async () => {
  await Promise.all(Object.values(pools).map((pool) => pool.end()));
  await store.close();
});

const idsOf = (tenant: string): Promise<string[]> =>
  inTenant(pools.tenant, tenant, async (query) => (await query<{ id: string }>('select id from shop.orders order by id')).map((row) => row.id), { readOnly: true });

describe('inTenant', () => {
  it('shows the rows of its tenant and no others', async () => {
    expect(await idsOf('ann')).toEqual(['a1', 'a2']);
    expect(await idsOf('bob')).toEqual(['b1']);
    expect(await idsOf(`ann' or 'a'='a`)).toEqual([]);
    expect(await idsOf(`\\' or true --`)).toEqual([]);
  });

  it('shows nothing without a tenant, before and after the connection served one', async () => {
    const pool = openPool(store.address, { role: tenantRole('shop'), max: 1, applicationName: 'tenant spec' });
    const count = async (): Promise<number> => (await pool.query('select from shop.orders')).rowCount!;
    expect(await count()).toBe(0);
    await inTenant(pool, 'ann', (query) => query('select 1'));
    expect(await count()).toBe(0);
    await pools.engine.query(`insert into shop.orders (tenant, id) values ('', 'nobody')`);
    expect(await count()).toBe(0);
    await pools.engine.query(`delete from shop.orders where tenant = ''`);
    await pool.end();
  });

  it('writes only for its tenant', async () => {
    await expect(inTenant(pools.tenant, 'ann', (query) => query(`insert into shop.orders (tenant, id) values ('bob', 'x')`))).rejects.toThrow(/row-level security.*42501/);
    await expect(inTenant(pools.tenant, 'ann', (query) => query(`update shop.orders set tenant = 'bob' where id = 'a1'`))).rejects.toThrow(/row-level security/);
    expect(await inTenant(pools.tenant, 'ann', (query) => query(`delete from shop.orders where id = 'b1' returning id`))).toEqual([]);
  });

  it('carries no tenant over to the next use of a connection, 1,000 times', async () => {
    const seen = await Promise.all(
      Array.from({ length: 1000 }, async (_, turn) => {
        if (turn % 3 === 0) return (await pools.tenant.query('select from shop.orders')).rowCount === 0;
        const tenant = turn % 3 === 1 ? 'ann' : 'bob';
        if (turn % 7 === 0) await inTenant(pools.tenant, tenant, (query) => query('select 1 / 0')).catch(() => undefined);
        return (await idsOf(tenant)).every((id) => id.startsWith(tenant[0]!));
      }),
    );
    expect(seen.filter((own) => !own)).toHaveLength(0);
  });

  it('rolls back when the work throws, and passes that on', async () => {
    const thrown = new Error('not today');
    await expect(
      inTenant(pools.tenant, 'ann', async (query) => {
        await query(`insert into shop.orders (tenant, id) values ('ann', 'a3')`);
        throw thrown;
      }),
    ).rejects.toBe(thrown);
    expect(await idsOf('ann')).toEqual(['a1', 'a2']);
  });

  it('does not call a failed transaction committed', async () => {
    await expect(
      inTenant(pools.tenant, 'ann', async (query) => {
        await query(`insert into shop.orders (tenant, id) values ('ann', 'a3')`);
        await query('select 1 / 0').catch(() => undefined);
      }),
    ).rejects.toThrow(/Expected the transaction to commit/);
    expect(await idsOf('ann')).toEqual(['a1', 'a2']);
  });

  it('refuses to write when told to read only', async () => {
    await expect(inTenant(pools.tenant, 'ann', (query) => query(`delete from shop.orders`), { readOnly: true })).rejects.toBeInstanceOf(Fault);
  });

  it('refuses statements that come after its end', async () => {
    const late = await inTenant(pools.tenant, 'ann', async (query) => () => query('select id from shop.orders'));
    await expect(late()).rejects.toThrow(/inside its transaction/);
  });

  it('survives its connection being cut between two statements', async () => {
    const cut = inTenant(pools.tenant, 'ann', async (query) => {
      const [row] = await query<{ pid: number }>('select pg_backend_pid() as pid');
      await pools.admin.query('select pg_terminate_backend($1, 1000)', [row!.pid]);
      await new Promise((resolve) => setTimeout(resolve, 50));
      return query('select 1');
    });
    await expect(cut).rejects.toMatchObject({ name: 'Fault', retryable: true });
    expect(await idsOf('bob')).toEqual(['b1']);
  });
});

describe('roles', () => {
  it('the engine sees all tenants, by a policy and not by an attribute', async () => {
    expect((await pools.engine.query('select from shop.orders')).rowCount).toBe(3);
    const { rows } = await pools.admin.query(`select rolname from pg_roles where rolname like 'weft%' and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb)`);
    expect(rows).toEqual([]);
  });

  it('the owner of the tables is subject to row-level security, too', async () => {
    await pools.admin.query(`set role ${OWNER_ROLE}`);
    expect((await pools.admin.query('select from shop.orders')).rowCount).toBe(0);
    await pools.admin.query('reset role');
  });

  it('the tenant role reaches no commit rows, and cannot become another role', async () => {
    await expect(pools.tenant.query('select from shop.commits')).rejects.toThrow(/permission denied/);
    await expect(pools.tenant.query(`set role ${engineRole('shop')}`)).rejects.toThrow(/permission denied/);
    await expect(pools.engine.query(`set role ${OWNER_ROLE}`)).rejects.toThrow(/permission denied/);
    await expect(pools.engine.query('alter table shop.orders disable row level security')).rejects.toThrow(/must be owner/);
    await expect(pools.tenant.query('create table shop.mine (id text)')).rejects.toThrow(/permission denied/);
  });

  it('the sequencer marks commit rows and does nothing else', async () => {
    expect((await pools.sequencer.query('update shop.commits set sequenced = 7 where sequenced is null returning id')).rowCount).toBe(1);
    for (const statement of [
      'update shop.commits set published = true',
      'delete from shop.commits',
      'select from shop.orders',
      'select from shop.migrations',
      `insert into shop.commits select * from shop.commits`,
    ]) {
      await expect(pools.sequencer.query(statement), statement).rejects.toThrow(/permission denied/);
    }
  });
});
