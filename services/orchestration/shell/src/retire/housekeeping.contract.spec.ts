import { engineRole, openPool, openScratchStore, OWNER_ROLE, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { afterAll, beforeAll, expect, describe, it } from 'vitest';
import { orchestrationMigrations } from '../migrations/index.js';
import { Housekeeping } from './housekeeping.js';

const NOW = Date.UTC(2026, 0, 20);

let scratch: ScratchStore;
let admin: Pool;
let engine: Pool;
beforeAll(async () => {
  scratch = await openScratchStore([orchestrationMigrations]);
  admin = openPool(scratch.address, { applicationName: 'spec' });
  engine = openPool(scratch.address, { applicationName: 'spec', role: engineRole('orchestration') });
});
afterAll(async () => {
  await Promise.all([admin, engine].map((pool) => pool?.end()));
  await scratch?.close();
});

const partitions = async (): Promise<readonly string[]> =>
  (await admin.query<{ name: string }>(`select inhrelid::regclass::text as name from pg_inherits where inhparent = 'orchestration.history'::regclass order by 1`)).rows.map(({ name }) => name);

describe('keeping house', () => {
  it('makes partitions ahead that are missing, as a role that owns no table', async () => {
    const before = await partitions();
    const last = before.findLast((name) => /history_\d/.test(name))!;
    await admin.query(`set role ${OWNER_ROLE}; drop table ${last}; reset role`);
    const housekeeping = new Housekeeping(engine, { now: () => NOW }, { payloadDays: 8, payloads: undefined }, () => undefined);
    await Promise.all([housekeeping.run(), housekeeping.run()]);
    expect(await partitions()).toEqual(before);
    await expect(engine.query('create table orchestration.mine (a int)')).rejects.toThrow('permission denied');
  });

  it('waits for nobody who reads the history for long, and lets nobody wait behind it', async () => {
    const before = await partitions();
    const last = before.findLast((name) => /history_\d/.test(name))!;
    await admin.query(`set role ${OWNER_ROLE}; drop table ${last}; reset role`);
    const housekeeping = new Housekeeping(engine, { now: () => NOW }, { payloadDays: 8, payloads: undefined }, () => undefined);
    const reader = await admin.connect();
    try {
      await reader.query('begin; select count(*) from orchestration.history');
      await expect(housekeeping.run()).rejects.toMatchObject({ name: 'Fault', retryable: true, message: expect.stringContaining('55P03') });
    } finally {
      await reader.query('rollback');
      reader.release();
    }
    await housekeeping.run();
    expect(await partitions()).toEqual(before);
  });

  it('lets go of payloads after their days', async () => {
    const asked: number[] = [];
    const payloads = {
      removeUnused: async (since: number) => {
        asked.push(since);
        return 0;
      },
    };
    await new Housekeeping(engine, { now: () => NOW }, { payloadDays: 8, payloads }, () => undefined).run();
    expect(asked).toEqual([Date.UTC(2026, 0, 12)]);
  });

  it('says what went wrong and goes on', async () => {
    const faults: string[] = [];
    const away = { removeUnused: () => Promise.reject(new Error('the store is away')) };
    const housekeeping = new Housekeeping(engine, { now: () => NOW }, { payloadDays: 8, payloads: away }, (fault, what) => faults.push(`${what}: ${(fault as Error).message}`));
    housekeeping.start();
    await housekeeping.stop();
    expect(faults).toEqual(['keeping house: the store is away']);
  });
});
