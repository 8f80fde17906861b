import { CommitUnknown, Fault } from '@weft/pipeline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { shopMigrations } from '../fixtures/shop.migrations.js';
import { openDataSource } from './data-source.js';
import { commitStatement, execute, openPool, type Pool } from './pool.js';
import { engineRole } from './roles.js';
import { openScratchStore, type ScratchStore } from './scratch-store.js';

let store: ScratchStore;
let admin: Pool;
let engine: Pool;

beforeAll(async () => {
  store = await openScratchStore([shopMigrations]);
  admin = openPool(store.address, { applicationName: 'spec admin' });
  engine = openPool(store.address, { role: engineRole('shop'), max: 2, applicationName: 'spec engine' });
});

afterEach(() => admin.query('delete from shop.counters'));

afterAll(async () => {
  await Promise.all([admin.end(), engine.end()]);
  await store.close();
});

/** Ends the engine's session as soon as it runs a statement that contains the text. */
async function terminateDuring(text: string): Promise<void> {
  for (;;) {
    const { rowCount } = await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'spec engine' and state = 'active' and query like '%' || $1 || '%'`, [
      text,
    ]);
    if (rowCount) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('execute', () => {
  it('runs a named statement and gives its rows', async () => {
    for (const n of [1, 2]) expect(await execute(engine, { name: 'spec-double', text: 'select $1::int * 2 as doubled', values: [n] })).toEqual([{ doubled: n * 2 }]);
  });

  it('says that a refused statement is not worth another try', async () => {
    await expect(execute(engine, { name: 'spec-zero', text: 'select 1 / $1::int', values: [0] })).rejects.toMatchObject({ name: 'Fault', retryable: false, message: expect.stringContaining('22012') });
    await expect(execute(engine, { name: 'spec-nul', text: 'select $1::text', values: ['a\0b'] })).rejects.toMatchObject({ name: 'Fault', retryable: false });
  });

  it('says that a store which is not there, or busy, is worth another try', async () => {
    const nowhere = openPool({ ...store.address, host: '127.0.0.1', port: 1 }, { applicationName: 'spec' });
    await expect(execute(nowhere, { name: 'x', text: 'select 1', values: [] })).rejects.toMatchObject({ retryable: true });
    await nowhere.end();
    const hasty = openPool(store.address, { applicationName: 'spec', statementMsMax: 50 });
    await expect(execute(hasty, { name: 'x', text: 'select pg_sleep(5)', values: [] })).rejects.toMatchObject({ retryable: true, message: expect.stringContaining('57014') });
    await hasty.end();
  });

  it('opens another connection after one was cut while idle, and tells of it', async () => {
    const told: string[] = [];
    const pool = openPool(store.address, { max: 1, applicationName: 'spec idle', onFault: (fault) => told.push(fault.message) });
    await pool.query('select 1');
    await admin.query(`select pg_terminate_backend(pid, 1000) from pg_stat_activity where application_name = 'spec idle'`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await execute(pool, { name: 'one', text: 'select 1 as one', values: [] })).toEqual([{ one: 1 }]);
    expect(told).toHaveLength(1);
    await pool.end();
  });
});

describe('commitStatement', () => {
  const insert = (name: string, wait: string) => ({ name: `spec-insert-${name}`, text: `insert into shop.counters values ($1, (select 1 from (select ${wait}) w)) returning name`, values: [name] });

  it('gives the rows of what it committed', async () => {
    expect(await commitStatement(engine, 'c1', insert('a', '1'))).toEqual([{ name: 'a' }]);
  });

  it('does not know the outcome when the session is ended while it runs', async () => {
    const running = commitStatement(engine, 'c2', insert('b', 'pg_sleep(20)'));
    const [outcome] = await Promise.allSettled([running, terminateDuring('pg_sleep(20)')]);
    expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'CommitUnknown', commitId: 'c2', retryable: true } });
    expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(CommitUnknown);
    expect((await admin.query('select from shop.counters')).rowCount).toBe(0);
    expect(await commitStatement(engine, 'c3', insert('c', '1'))).toEqual([{ name: 'c' }]);
  });

  it('knows that a refused statement committed nothing', async () => {
    await commitStatement(engine, 'c4', insert('d', '1'));
    const again = commitStatement(engine, 'c5', insert('d', '1'));
    await expect(again).rejects.toBeInstanceOf(Fault);
    await expect(again).rejects.not.toBeInstanceOf(CommitUnknown);
    await expect(again).rejects.toMatchObject({ retryable: false, message: expect.stringContaining('23505') });
  });

  it('knows that nothing was committed when no connection was had', async () => {
    const nowhere = openPool({ ...store.address, host: '127.0.0.1', port: 1 }, { applicationName: 'spec' });
    await expect(commitStatement(nowhere, 'c6', insert('e', '1'))).rejects.not.toBeInstanceOf(CommitUnknown);
    await nowhere.end();
  });
});

describe('openDataSource', () => {
  it('connects as the role, and faults when there is no store', async () => {
    const source = await openDataSource(store.address, { role: engineRole('shop'), applicationName: 'spec source' });
    expect(await source.query('select current_user as me, current_setting($1) as app', ['application_name'])).toEqual([{ me: engineRole('shop'), app: 'spec source' }]);
    await source.destroy();
    await expect(openDataSource({ ...store.address, host: '127.0.0.1', port: 1 }, { applicationName: 'spec' })).rejects.toMatchObject({ name: 'Fault', retryable: true });
  });
});
