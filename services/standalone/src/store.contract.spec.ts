import { engineRole, openPool, openScratchStore, tablesWithoutForcedPolicy, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import type { OrchestrationPeer } from '@weft/contracts';
import { refuse } from '@weft/kernel';
import { configureLog } from '@weft/nest-platform';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultKey, deployFolder } from './bootstrap.js';
import { ALL_MIGRATIONS, ownStore } from './store.js';

let scratch: ScratchStore;
let admin: Pool;
let home: string;
beforeAll(async () => {
  configureLog({ write: () => undefined });
  home = mkdtempSync(join(tmpdir(), 'weft-store-'));
  scratch = await openScratchStore(ALL_MIGRATIONS);
  admin = openPool(scratch.address, { applicationName: 'spec' });
});
afterAll(async () => {
  await admin.end();
  await scratch.close();
  rmSync(home, { recursive: true, force: true });
});

// The tree over salted hashes, and at which leaves an execution is in it, say nothing about anyone: every tenant checks proofs with them.
const OPEN_TO_ALL = ['head', 'members', 'tiles'].map((table) => `audit.${table}: the policy tenant_rows does not look at weft.tenant`);

describe('the store of all services', () => {
  it('shows no tenant the rows of another: row-level security is forced on every table', async () => {
    const query = async <R extends object>(text: string): Promise<R[]> => (await admin.query<R>(text)).rows;
    expect((await query<{ n: number }>(`select count(*)::int as n from pg_tables where schemaname = any(array['${ALL_MIGRATIONS.map(({ service }) => service).join("','")}'])`))[0]!.n).toBeGreaterThan(
      20,
    );
    expect(await tablesWithoutForcedPolicy(query)).toEqual(OPEN_TO_ALL);
    // A check that cannot fail is none.
    await query('create table orchestration.planted (tenant text)');
    expect(await tablesWithoutForcedPolicy(query)).toEqual(expect.arrayContaining([expect.stringContaining('orchestration.planted')]));
    await query('drop table orchestration.planted');
  });

  it('has a bucket in every table of an execution', async () => {
    const { rows } = await admin.query<{ name: string }>(`
      select t.table_schema || '.' || t.table_name as name from information_schema.columns t
      where t.column_name = 'execution_id' and not exists (select from information_schema.columns b where b.table_schema = t.table_schema and b.table_name = t.table_name and b.column_name = 'bucket')`);
    expect(rows).toEqual([]);
  });

  it('lets no service into the schema of another', async () => {
    for (const { service } of ALL_MIGRATIONS) {
      const pool = openPool(scratch.address, { role: engineRole(service), applicationName: 'spec' });
      try {
        const other = service === 'orchestration' ? 'tools.migrations' : 'orchestration.history';
        await expect(pool.query(`select 1 from ${other}`)).rejects.toThrow('permission denied');
      } finally {
        await pool.end();
      }
    }
  });

  it('belongs to one process at a time', async () => {
    const opened = { address: scratch.address, passwordOf: () => undefined, adopted: true, close: async () => undefined };
    const letGo = await ownStore(opened, 0, () => undefined);
    await expect(ownStore(opened, 50, () => undefined)).rejects.toMatchObject({
      rejection: { code: 'store-in-use', message: expect.stringMatching(/^Expected to be the only process on the store but another one holds it after 50 ms/) },
    });
    const waiting = ownStore(opened, 5_000, () => undefined);
    await letGo();
    await (
      await waiting
    )();
  });
});

describe('the key of the default tenant', () => {
  it('is made once, for its owner alone, and anew for another store', async () => {
    const gateway = openPool(scratch.address, { role: engineRole('gateway'), applicationName: 'spec' });
    try {
      const key = await defaultKey(gateway, home);
      expect(await defaultKey(gateway, home)).toBe(key);
      const file = join(home, 'keys', 'default.key');
      expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o077]).toEqual([`${key}\n`, 0]);
      await gateway.query('update gateway.api_keys set revoked_at = now()');
      expect(await defaultKey(gateway, home)).not.toBe(key);
    } finally {
      await gateway.end();
    }
  });
});

describe('deployFolder', () => {
  it('deploys what lies there, in order of name, and goes on after one that is refused', async () => {
    const folder = join(home, 'definitions');
    mkdirSync(folder);
    for (const name of ['c.json', 'a.yaml', 'b.yml', 'notes.txt']) writeFileSync(join(folder, name), name);
    const seen: string[] = [];
    const deploy: OrchestrationPeer['deploy'] = async ({ text }, { tenant, actor }) => {
      seen.push(`${tenant} ${actor} ${text}`);
      if (text === 'a.yaml') refuse('workflow-invalid', 'Expected a document but there is none.');
      return { ref: undefined, createdAtMs: 0, created: false, title: '', resources: [] };
    };
    await deployFolder({ deploy }, folder);
    expect(seen).toEqual(['a.yaml', 'b.yml', 'c.json'].map((name) => `default service:standalone ${name}`));
    await expect(deployFolder({ deploy: () => Promise.reject(new Error('the store is away')) }, folder)).rejects.toThrow('the store is away');
  });
});
