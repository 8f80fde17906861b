import { payloadOf } from '@weft/contracts';
import { describePayloadStore } from '@weft/port-specs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPool } from '../pool.js';
import { engineRole, tenantRole } from '../roles.js';
import { tablesWithoutForcedPolicy } from '../row-security.js';
import { openScratchStore, type ScratchStore } from '../scratch-store.js';
import { payloadMigrations } from './migrations.js';
import { PostgresPayloadStore } from './payload-store.js';

let scratch: ScratchStore;
let store: PostgresPayloadStore;
beforeAll(async () => {
  scratch = await openScratchStore([payloadMigrations]);
  store = await PostgresPayloadStore.open(scratch.address, { applicationName: 'spec' });
});
afterAll(async () => {
  await store?.close();
  await scratch?.close();
});

describePayloadStore({ name: 'PostgreSQL', create: async () => store });

describe('payloads in PostgreSQL', () => {
  const of = (text: string, tenant = 'default') => payloadOf(tenant, new Uint8Array(Buffer.from(text)));

  it('are read by their own tenant alone', async () => {
    const payload = of('for acme', 'acme');
    await store.put([payload]);
    expect(Buffer.from((await store.read('acme', payload.digest))!).toString()).toBe('for acme');
    expect(await store.read('default', payload.digest)).toBeUndefined();
    const pool = openPool(scratch.address, { applicationName: 'spec', role: tenantRole('payloads') });
    try {
      expect((await pool.query('select 1 from payloads.payloads')).rows).toEqual([]);
      await expect(pool.query('delete from payloads.payloads')).rejects.toThrow('permission denied');
      expect(await tablesWithoutForcedPolicy(async (text) => (await pool.query(text)).rows)).toEqual([]);
    } finally {
      await pool.end();
    }
  });

  it('that were changed behind our back are not given', async () => {
    const payload = of('as it was');
    await store.put([payload]);
    const pool = openPool(scratch.address, { applicationName: 'spec', role: engineRole('payloads') });
    await pool.query(`update payloads.payloads set bytes = 'otherwise' where digest = $1`, [payload.digest]);
    await pool.end();
    expect((await store.get([payload])).size).toBe(0);
    expect(await store.read('default', payload.digest)).toBeUndefined();
  });

  it('go when nothing has used them for long, and stay when they were sent again', async () => {
    const [old, again] = [of('old'), of('again')];
    await store.put([old, again]);
    const pool = openPool(scratch.address, { applicationName: 'spec', role: engineRole('payloads') });
    await pool.query(`update payloads.payloads set used_at = now() - interval '10 days' where digest = any($1)`, [[old.digest, again.digest]]);
    await pool.end();
    await store.put([again]);
    expect(await store.removeUnused(Date.now() - 86_400_000)).toBe(1);
    expect([...(await store.get([old, again])).keys()]).toEqual([`default/${again.digest}`]);
  });
});
