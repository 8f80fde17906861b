import { Refused } from '@weft/kernel';
import { writeFileSync } from 'node:fs';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shopMigrations } from '../fixtures/shop.migrations.js';
import { checkMigrated } from './check-migrated.js';
import { openDataSource } from './data-source.js';
import { migrate, type MigrationClass, type ServiceMigrations } from './migrate.js';
import { openPool, type Pool } from './pool.js';
import { engineRole, tenantRole } from './roles.js';
import { tablesWithoutForcedPolicy } from './row-security.js';
import { openScratchStore, type ScratchStore } from './scratch-store.js';

let store: ScratchStore;
let admin: Pool;

beforeAll(async () => {
  store = await openScratchStore([]);
  admin = openPool(store.address, { applicationName: 'spec admin' });
});

afterAll(async () => {
  await admin.end();
  await store.close();
});

function migration(name: string, sql: string): MigrationClass {
  return class implements MigrationInterface {
    readonly name = name;
    async up(runner: QueryRunner): Promise<void> {
      await runner.query(sql);
    }
    async down(): Promise<void> {}
  };
}

const refusalOf = (work: Promise<unknown>): Promise<{ code: string; message: string } | undefined> =>
  work.then(
    () => undefined,
    (fault: unknown) => (fault instanceof Refused ? fault.rejection : Promise.reject(fault)),
  );

const stock = (...migrations: MigrationClass[]): ServiceMigrations => ({ service: 'stock', migrations });
const first = migration('First1700000000001', 'create table stock.items (id text)');
const second = migration('Second1700000000002', 'create table stock.more (id text)');
const broken = migration('Broken1700000000003', 'create table stock.half (id text); select 1 / 0');

describe('migrate', () => {
  it('runs what is missing, once, also when two processes do it', async () => {
    const reports = await Promise.all([migrate(store.address, [stock(first)]), migrate(store.address, [stock(first)])]);
    expect(reports.flatMap((report) => report.applied['stock'])).toEqual(['First1700000000001']);
    expect((await migrate(store.address, [stock(first, second)])).applied).toEqual({ stock: ['Second1700000000002'] });
    expect((await migrate(store.address, [stock(first, second)])).applied).toEqual({ stock: [] });
  });

  it('leaves nothing of a migration that fails, says whose it was, and gives the lock back', async () => {
    await expect(migrate(store.address, [stock(first, second, broken)])).rejects.toMatchObject({
      name: 'Fault',
      message: expect.stringMatching(/migrations of stock did not run through \(2 of 3 are in place\).*division by zero/),
    });
    expect((await admin.query(`select to_regclass('stock.half') as half`)).rows).toEqual([{ half: null }]);
    await migrate(store.address, [stock(first, second)]);
  });

  it('refuses a store that is newer than the release', async () => {
    expect(await refusalOf(migrate(store.address, [stock(first)]))).toMatchObject({ code: 'store-not-migrated', message: expect.stringContaining('Second1700000000002') });
  });

  it('tops up at every run, as owner', async () => {
    const topped: ServiceMigrations = { ...stock(first, second), topUp: async (query) => void (await query(`create table if not exists stock.ahead (id text)`)) };
    await migrate(store.address, [topped]);
    await migrate(store.address, [topped]);
    expect((await admin.query(`select tableowner from pg_tables where schemaname = 'stock' and tablename = 'ahead'`)).rows).toEqual([{ tableowner: 'weft_owner' }]);
  });

  it('refuses a role that would pass row-level security', async () => {
    await admin.query(`alter role ${engineRole('stock')} bypassrls`);
    expect(await refusalOf(migrate(store.address, [stock(first, second)]))).toMatchObject({ code: 'config-invalid', message: expect.stringContaining(engineRole('stock')) });
    await admin.query(`alter role ${engineRole('stock')} nobypassrls`);
  });

  it('gives roles a password that the server accepts and no statement held', async () => {
    await migrate(store.address, [stock(first, second)], { passwordOf: (role) => (role === engineRole('stock') ? 'grüße, welt' : undefined) });
    const { rows } = await admin.query<{ file: string }>(`select current_setting('hba_file') as file`);
    writeFileSync(rows[0]!.file, `local all ${engineRole('stock')} scram-sha-256\nlocal all all trust\n`);
    await admin.query('select pg_reload_conf(), pg_sleep(0.2)');
    for (const [password, expected] of [
      ['grüße, welt', 1],
      ['wrong', undefined],
    ] as const) {
      const pool = openPool(store.address, { role: engineRole('stock'), password, applicationName: 'spec' });
      expect(
        await pool.query('select 1').then(
          ({ rowCount }) => rowCount,
          () => undefined,
        ),
      ).toBe(expected);
      await pool.end();
    }
    writeFileSync(rows[0]!.file, 'local all all trust\n');
    await admin.query('select pg_reload_conf(), pg_sleep(0.2)');
  });

  it('works for an administrator who is no superuser', async () => {
    await admin.query('create role boss login createrole');
    await admin.query('create database bossed owner boss');
    const address = { ...store.address, user: 'boss', database: 'bossed' };
    await admin.query(`grant weft_owner, weft_audit_sequencer to boss with admin option`);
    await migrate(address, [{ ...shopMigrations }]);
    expect((await migrate(address, [shopMigrations])).applied).toEqual({ shop: [] });
    await admin.query('drop database bossed with (force)');
  });
});

describe('checkMigrated', () => {
  it('is content with a store that stands where the release expects it', async () => {
    const tenant = openPool(store.address, { role: tenantRole('stock'), applicationName: 'spec' });
    await checkMigrated(tenant, stock(first, second));
    await tenant.end();
    const source = await openDataSource(store.address, { role: engineRole('stock'), applicationName: 'spec' });
    await checkMigrated(source, stock(first, second));
    await source.destroy();
  });

  it('names what is missing or too new, and what to run', async () => {
    expect(await refusalOf(checkMigrated(admin, stock(first, second, broken)))).toMatchObject({
      code: 'store-not-migrated',
      message: 'Expected the schema stock to be migrated but Broken1700000000003 is missing. Run `./weft db migrate`.',
    });
    expect(await refusalOf(checkMigrated(admin, stock(first)))).toMatchObject({ message: expect.stringContaining('Second1700000000002') });
  });

  it.each([
    ['the schema', { service: 'never', migrations: [first] }, {}],
    ['the role', { service: 'stock', migrations: [first] }, { role: 'weft_never_engine' }],
    ['the database', { service: 'stock', migrations: [first] }, { database: 'never' }],
  ])('takes a store without %s as not migrated', async (_, migrations, { role, database = store.address.database }: { role?: string; database?: string }) => {
    const pool = openPool({ ...store.address, database }, { ...(role ? { role } : {}), applicationName: 'spec' });
    expect(await refusalOf(checkMigrated(pool, migrations))).toMatchObject({ code: 'store-not-migrated' });
    await pool.end();
  });

  it('does not take a store that is not reached as not migrated', async () => {
    const pool = openPool({ ...store.address, host: '127.0.0.1', port: 1 }, { applicationName: 'spec' });
    await expect(checkMigrated(pool, stock(first))).rejects.toMatchObject({ name: 'Fault', retryable: true });
    await pool.end();
  });
});

describe('tablesWithoutForcedPolicy', () => {
  it('finds nothing where the building blocks made the tables, and each way to go without them', async () => {
    const scratch = await openScratchStore([shopMigrations]);
    const pool = openPool(scratch.address, { applicationName: 'spec' });
    const faults = (): Promise<readonly string[]> => tablesWithoutForcedPolicy(async (text, values = []) => (await pool.query(text, [...values])).rows);
    expect(await faults()).toEqual([]);
    await pool.query(`
      create table shop.bare (tenant text);
      alter table shop.orders no force row level security;
      grant select on shop.events_rest to ${tenantRole('shop')};
      create policy leak on shop.events to ${tenantRole('shop')} using (true);
      grant select on shop.counters to ${tenantRole('shop')};
      create view shop.all_orders as select * from shop.orders;
    `);
    expect(await faults()).toEqual([
      'shop.all_orders: a view without security_invoker reads with the rights of its owner',
      'shop.bare: row-level security is not enabled',
      'shop.bare: row-level security is not forced for the owner',
      'shop.counters: the tenant role may use it but has no policy of its own',
      'shop.events: the policy leak does not look at weft.tenant',
      'shop.events_rest: row-level security is not enabled',
      'shop.events_rest: row-level security is not forced for the owner',
      'shop.events_rest: the tenant role may use it but has no policy of its own',
      'shop.orders: row-level security is not forced for the owner',
    ]);
    await pool.end();
    await scratch.close();
  });
});
