// Memory as a whole over a scratch store.
import { engineRole, openPool, openScratchStore, tenantRole, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { contextOf, type Command, type Context, type Job, type WorkerPeer } from '@weft/contracts';
import { uuidv7, type Json } from '@weft/kernel';
import { createApp, type RunningApp } from '@weft/nest-platform';
import { commitLeafOf, encodeCommitLeaf } from '@weft/proof';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MEMORY_WORKER } from './consume/worker.controller.js';
import { MemoryModule } from './memory.module.js';
import { memoryMigrations } from './migrations/index.js';

let store: ScratchStore;
let pool: Pool;
let running: RunningApp;
let worker: WorkerPeer;
let now = 1_800_000_000_000;
beforeAll(async () => {
  store = await openScratchStore([memoryMigrations]);
  pool = openPool(store.address, { role: engineRole('memory'), max: 2, applicationName: 'memory spec' });
  running = await createApp({ service: 'memory', http: { port: 0 }, module: MemoryModule.forRoot({ enginePool: pool, privateScopes: ['people/*'], clock: { now: () => now++ } }) });
  worker = running.app.get<WorkerPeer>(MEMORY_WORKER, { strict: false });
});
afterAll(async () => {
  await running.close();
  await pool.end();
  await store.close();
});

let jobs = 0;
function job(kind: string, input: Json, more: Partial<Job> & { readonly tenant?: string; readonly taint?: string[] } = {}): Job {
  const { tenant = 'default', taint = [], ...rest } = more;
  const executionId = uuidv7(Date.now(), randomBytes(10));
  const id = `${executionId}/do/${++jobs}`;
  const context: Context = contextOf({ tenant, actor: 'key:k1', executionId, jobId: id, taint });
  return {
    id,
    executionId,
    context,
    kind,
    generation: 0,
    idempotencyKey: `${tenant}/${id}/0`,
    pointer: `/do/${jobs}`,
    iteration: '',
    inputJson: JSON.stringify(input),
    models: [],
    settlement: undefined,
    workflow: 'examples/triage:1.0.0',
    approvals: [],
    agent: '',
    ...rest,
  };
}

async function carryOut(...batch: Job[]): Promise<ReadonlyMap<string, Command>> {
  const results = new Map<string, Command>();
  for await (const { commands } of worker.carryOut({ jobs: batch }, contextOf({ tenant: '' }))) for (const command of commands) results.set((command.completeJob ?? command.failJob)!.jobId, command);
  return results;
}

async function remember(scope: string, text: string, more: Parameters<typeof job>[2] = {}): Promise<Job> {
  const asked = job('remember', { scope, text }, more);
  expect((await carryOut(asked)).get(asked.id)?.completeJob).toBeDefined();
  return asked;
}

interface Recalled {
  readonly items: readonly { readonly id: string; readonly text: string; readonly trust: string; readonly score: number; readonly at: string; readonly metadata: Json; readonly provenance: Json }[];
}

async function recall(input: Json, tenant = 'default'): Promise<Recalled & { readonly taint: readonly string[] }> {
  const asked = job('recall', input, { tenant });
  const { completeJob } = (await carryOut(asked)).get(asked.id)!;
  return { ...(JSON.parse(completeJob!.outputJson) as Recalled), taint: completeJob!.taint };
}

describe('recalling from a private scope', () => {
  it('says that private data was seen, and other scopes do not', async () => {
    for (const scope of ['people/ann', 'people']) await carryOut(job('remember', { scope, text: 'the zanzibar file' }, { tenant: 'private' }));
    const labelsOf = async (scope: string): Promise<readonly string[]> => {
      const asked = job('recall', { scope, query: 'zanzibar' }, { tenant: 'private' });
      return (await carryOut(asked)).get(asked.id)!.completeJob!.taint;
    };
    expect(await labelsOf('people/ann')).toEqual(['private:memory:people/ann']);
    expect(await labelsOf('people')).toEqual([]);
  });
});

describe('remember', () => {
  it('keeps an item with where it is from, and says how far it is trusted', async () => {
    const asked = job('remember', { scope: 'customer/1', text: 'Prefers to be called in the morning.', metadata: { channel: 'phone' } }, { taint: ['request:/shop'] });
    const result = (await carryOut(asked)).get(asked.id)!;
    expect(result).toMatchObject({ id: `${asked.id}/0/completed`, executionId: asked.executionId, context: asked.context, completeJob: { generation: 0, taint: [] } });
    expect(JSON.parse(result.completeJob!.outputJson)).toEqual({ id: asked.idempotencyKey, trust: 'untrusted' });
    const { items, taint } = await recall({ scope: 'customer/1' });
    expect(items).toMatchObject([
      {
        id: asked.idempotencyKey,
        text: 'Prefers to be called in the morning.',
        metadata: { channel: 'phone' },
        trust: 'untrusted',
        provenance: { executionId: asked.executionId, workflow: 'examples/triage:1.0.0', actor: 'key:k1', taint: ['request:/shop'] },
      },
    ]);
    expect(taint).toEqual(['request:/shop']);
  });

  it('remembers once what is dispatched twice, also within one batch', async () => {
    const asked = job('remember', { scope: 'twice', text: 'once' });
    await carryOut(asked, asked);
    const again = (await carryOut({ ...asked, inputJson: JSON.stringify({ scope: 'twice', text: 'another text' }) })).get(asked.id);
    expect(again?.completeJob).toBeDefined();
    expect((await recall({ scope: 'twice' })).items.map(({ text }) => text)).toEqual(['once']);
    const { rows } = await pool.query<{ n: number }>('select count(*)::int as n from memory.commits where position($1 in members) > 0', [asked.idempotencyKey]);
    expect(rows[0]?.n).toBe(1);
  });

  it('writes one commit row for a batch, which fits into the audit log', async () => {
    const batch = Array.from({ length: 256 }, (_, n) => job('remember', { scope: 'batch', text: `text ${n}` }, { tenant: n % 2 ? 'acme' : 'default' }));
    const { rows: before } = await pool.query<{ id: string }>('select id from memory.commits');
    expect((await carryOut(...batch)).size).toBe(256);
    const { rows } = await pool.query<{ id: string; members: string; digests: Buffer; tenants: string[]; at: Date }>(
      'select id, members, digests, tenants, recorded_at as at from memory.commits where id <> all($1::uuid[])',
      [before.map(({ id }) => id)],
    );
    expect(rows).toHaveLength(1);
    const { id, members, digests, tenants, at } = rows[0]!;
    const named = (JSON.parse(members) as [string, number][]).map(([subject, sequence], index) => ({ subject, sequence, digest: digests.subarray(index * 32, index * 32 + 32) }));
    expect(named).toHaveLength(256);
    expect(encodeCommitLeaf(commitLeafOf({ id, service: 'memory', tenants, members: named, at: at.getTime() })).ok).toBe(true);
    expect(tenants).toEqual(['acme', 'default']);
  });

  it('cuts a batch with very long ids, so that each commit row still fits', async () => {
    const batch = Array.from({ length: 40 }, () => job('remember', { scope: 'long', text: 'x' })).map((one) => ({ ...one, idempotencyKey: `${one.idempotencyKey}${'/do'.repeat(700)}` }));
    expect((await carryOut(...batch)).size).toBe(40);
    const { rows } = await pool.query<{ longest: number }>('select max(octet_length(members)) as longest from memory.commits');
    expect(rows[0]!.longest).toBeLessThan(60_000);
  });
});

describe('recall', () => {
  beforeAll(async () => {
    await remember('words', 'The parcel arrived broken.', { taint: ['request:/shop'] });
    await remember('words', 'The parcel arrived late and the parcel was broken.');
    await remember('words', 'Invoices go to accounting.', { taint: ['mail:in'] });
    await remember('elsewhere', 'The parcel is elsewhere.');
    await remember('words', 'The parcel of acme.', { tenant: 'acme' });
  });

  it('finds items that have any of the words, the best match first', async () => {
    const { items } = await recall({ scope: 'words', query: 'broken parcels & invoices | "late"' });
    expect(items.map(({ text }) => text)[0]).toBe('The parcel arrived late and the parcel was broken.');
    expect(items).toHaveLength(3);
    expect(items.every(({ score }) => score > 0)).toBe(true);
  });

  it('gives the newest without words to look for', async () => {
    for (const query of ['', 'the', '...']) {
      const { items } = await recall({ scope: 'words', query, limit: 2 });
      expect(items.map(({ text }) => text)).toEqual(['Invoices go to accounting.', 'The parcel arrived late and the parcel was broken.']);
    }
  });

  it('carries the taint of what it found, and of nothing else', async () => {
    expect((await recall({ scope: 'words', query: 'parcel' })).taint).toEqual(['request:/shop']);
    expect((await recall({ scope: 'words' })).taint.toSorted()).toEqual(['mail:in', 'request:/shop']);
    expect((await recall({ scope: 'words', trust: 'derived' })).taint).toEqual([]);
  });

  it('leaves out items that are trusted less than asked', async () => {
    expect((await recall({ scope: 'words', trust: 'derived' })).items).toMatchObject([{ trust: 'derived' }]);
    expect((await recall({ scope: 'words', trust: 'stated' })).items).toEqual([]);
  });

  it('never shows an item of another tenant, also when recalls of both are in one batch', async () => {
    const [ours, theirs] = [job('recall', { scope: 'words', query: 'acme parcel' }), job('recall', { scope: 'words', query: 'acme parcel' }, { tenant: 'acme' })];
    const results = await carryOut(ours, theirs);
    const textsOf = (one: Job): string[] => (JSON.parse(results.get(one.id)!.completeJob!.outputJson) as Recalled).items.map(({ text }) => text);
    expect(textsOf(ours)).not.toContain('The parcel of acme.');
    expect(textsOf(theirs)).toEqual(['The parcel of acme.']);
  });

  it('does not find what was erased', async () => {
    const kept = await remember('erased', 'Secret words.');
    await pool.query('update memory.items set payload = null, body = null where id = $1', [kept.idempotencyKey]);
    expect((await recall({ scope: 'erased' })).items).toEqual([]);
    expect((await recall({ scope: 'erased', query: 'secret' })).items).toEqual([]);
  });

  it.each([['a'.repeat(100_000)], [Array.from({ length: 50_000 }, (_, n) => `w${n}`).join(' ')], [`'"\\ | & ! <-> ( :* ${'\ud800'}`], ['example.com/a?b=1&c=2|d']])(
    'bears any query (case %#)',
    async (query) => {
      expect((await recall({ scope: 'words', query })).items).toBeInstanceOf(Array);
    },
  );
});

describe('a batch', () => {
  it('fails jobs that cannot be carried out, and carries out the others', async () => {
    const bad = [
      job('remember', { scope: 's' }),
      job('recall', { scope: '' }),
      job('infer', {}),
      job('recall', { scope: 's' }, { inputJson: '{' }),
      job('recall', { scope: 's' }, { tenant: '' }),
      job('remember', { scope: 's', text: 'x' }, { executionId: 'no-uuid' }),
    ];
    const good = job('remember', { scope: 'good', text: 'good' });
    const results = await carryOut(...bad, good);
    for (const one of bad)
      expect(results.get(one.id)?.failJob).toMatchObject({
        outcome: 'none',
        failure: { code: 'input-invalid', retryable: false, message: expect.stringMatching(/^Expected .+\.$/) as unknown as string },
      });
    expect(results.get(good.id)?.completeJob).toBeDefined();
  });

  it('fails alone what the store refuses for good', async () => {
    const bad = job('remember', { scope: 'refused', text: 'x' });
    const refused = { ...bad, idempotencyKey: `default/\u0000` };
    const good = job('remember', { scope: 'refused', text: 'y' });
    const results = await carryOut(refused, good);
    expect(results.get(bad.id)?.failJob?.failure?.code).toBe('input-invalid');
    expect(results.get(good.id)?.completeJob).toBeDefined();
  });

  it('ends with the fault when the store is away', async () => {
    const gone = openPool({ ...store.address, port: 1 }, { role: engineRole('memory'), max: 1, applicationName: 'memory spec' });
    const away = await createApp({ service: 'memory', http: { port: 0 }, module: MemoryModule.forRoot({ enginePool: gone }) });
    const peer = away.app.get<WorkerPeer>(MEMORY_WORKER, { strict: false });
    const reading = (async () => {
      for await (const _ of peer.carryOut({ jobs: [job('recall', { scope: 's' })] }, contextOf({ tenant: '' }))) void _;
    })();
    await expect(reading).rejects.toMatchObject({ name: 'Fault', retryable: true });
    expect((await fetch(`${away.url}/health/ready`)).status).toBe(503);
    await away.close();
    await gone.end();
  });

  it('keeps the rows from tenants that are not set', async () => {
    const tenant = openPool(store.address, { role: tenantRole('memory'), max: 1, applicationName: 'memory spec' });
    expect((await tenant.query('select 1 from memory.items')).rowCount).toBe(0);
    await tenant.end();
    expect((await fetch(`${running.url}/health/ready`)).status).toBe(200);
  });
});
