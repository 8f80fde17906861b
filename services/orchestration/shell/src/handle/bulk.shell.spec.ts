import { engineRole, openPool, openScratchStore, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { BulkRequest, ExecutionQuery, type BulkPage, type Job } from '@weft/contracts';
import { configureLog } from '@weft/nest-platform';
import { eventually } from '@weft/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orchestrationMigrations } from '../migrations/index.js';
import { calls, context, newExecutionId, resultOf, startCommand, startOrchestration, type RunningOrchestration } from '../orchestration.testing.js';

let scratch: ScratchStore;
let pool: Pool;
let running: RunningOrchestration;

beforeAll(async () => {
  configureLog({ write: () => undefined });
  scratch = await openScratchStore([orchestrationMigrations]);
  pool = openPool(scratch.address, { role: engineRole('orchestration'), applicationName: 'spec' });
  running = await startOrchestration(scratch.address, (jobs: readonly Job[]) => jobs.filter(({ pointer }) => !pointer.endsWith('held')).map((job) => resultOf(job, {})));
});
afterAll(async () => {
  await running?.close();
  await pool?.end();
  await scratch?.close();
});

/** Starts executions of a batch, which is their search attribute. The task decides whether they stay. */
async function begin(batch: string, task: string, count: number, tenant = 'default'): Promise<readonly string[]> {
  const as = context({ tenant });
  const head = { dsl: '1.0.3', namespace: 'spec', name: `${batch}-${task}`, version: '1.0.0', metadata: { searchAttributes: { batch: '${ .batch }' } } };
  const definition = await running.deploy(JSON.stringify({ document: head, do: calls(task) }), as);
  const ids = Array.from({ length: count }, newExecutionId);
  await running.send(...ids.map((id) => startCommand(id, definition, { batch }, { tenant })));
  await eventually(async () => expect(await statusesOf(ids)).toEqual({ [task === 'held' ? 'running' : 'completed']: count }));
  return ids;
}

async function statusesOf(ids: readonly string[]): Promise<Readonly<Record<string, number>>> {
  const { rows } = await pool.query<{ status: string; n: number }>('select status, count(*)::int as n from orchestration.executions where id = any($1) group by 1', [ids]);
  return Object.fromEntries(rows.map(({ status, n }) => [status, n]));
}

const bulk = (batch: string, operation: string, more: Partial<BulkRequest> = {}): Promise<BulkPage> =>
  running.controller.operateMany(
    { ...BulkRequest.fromPartial({ operation, reason: 'recalled' }), query: { ...ExecutionQuery.fromPartial({}), attributes: [{ name: 'batch', value: batch }] }, ...more },
    context({ actor: 'user:eva' }),
  );

describe('a bulk operation', () => {
  it('goes page by page through what a query means, and tells what became of it', async () => {
    const held = await begin('pages', 'held', 5);
    const done = await begin('pages', 'quick', 2);
    expect(await bulk('pages', 'terminate', { dryRun: true })).toMatchObject({ matched: 7, done: 0, nextCursor: '' });
    expect(await statusesOf(held)).toEqual({ running: 5 });
    const pages: BulkPage[] = [];
    for (let cursor = '', bulkId = 'b-1'; pages.length === 0 || cursor !== ''; cursor = pages.at(-1)!.nextCursor) pages.push(await bulk('pages', 'terminate', { bulkId, cursor, limit: 3 }));
    expect(pages.map(({ matched }) => matched)).toEqual([3, 3, 1]);
    expect(pages.reduce((sum, page) => sum + page.done, 0)).toBe(5);
    const refused = pages.flatMap((page) => page.refused);
    expect(refused.reduce((sum, { count }) => sum + count, 0)).toBe(2);
    expect(refused[0]).toMatchObject({ code: 'operation-not-possible', message: expect.stringContaining('but this one is completed') });
    expect(done).toContain(refused[0]!.executionId);
    expect(await statusesOf(held)).toEqual({ cancelled: 5 });
  });

  it('does nothing twice under one id, wherever it was cut off', async () => {
    const held = await begin('again', 'held', 4);
    const first = await bulk('again', 'pause', { bulkId: 'b-2', limit: 2 });
    expect(first).toMatchObject({ matched: 2, done: 2, already: 0 });
    expect(await bulk('again', 'pause', { bulkId: 'b-2' })).toMatchObject({ matched: 4, done: 2, already: 2, refused: [] });
    expect(await statusesOf(held)).toEqual({ suspended: 4 });
    const { rows } = await pool.query<{ n: number }>(`select count(*)::int as n from orchestration.history where execution_id = any($1) and structure like '%ExecutionSuspended%'`, [held]);
    expect(rows[0]!.n).toBe(4);
    expect(await bulk('again', 'resume', { bulkId: 'b-3' })).toMatchObject({ matched: 4, done: 4 });
  });

  it('reaches nothing of another tenant', async () => {
    const theirs = await begin('shared', 'held', 2, 'other');
    const ours = await begin('shared', 'held', 1);
    expect(await bulk('shared', 'terminate')).toMatchObject({ matched: 1, done: 1 });
    expect([await statusesOf(theirs), await statusesOf(ours)]).toEqual([{ running: 2 }, { cancelled: 1 }]);
  });

  it('counts an execution whose history cannot be read, and goes on with the others', async () => {
    const held = await begin('odd', 'held', 3);
    await pool.query(`update orchestration.history set structure = '[{"type":"OfNextYear"}]' where execution_id = $1`, [held[1]]);
    running.engine.forgetAll();
    const page = await bulk('odd', 'terminate');
    expect(page).toMatchObject({ matched: 3, refused: [{ code: 'internal', count: 1, executionId: held[1] }] });
    expect(page.done + page.already).toBe(2);
    expect(await statusesOf(held)).toEqual({ running: 1, cancelled: 2 });
  });

  it('refuses what would mean everything, or is no operation for many', async () => {
    const empty = ExecutionQuery.fromPartial({});
    await expect(bulk('x', 'cancel', { query: empty })).rejects.toThrow('at least one condition');
    await expect(bulk('x', 'cancel', { query: undefined })).rejects.toThrow('at least one condition');
    await expect(bulk('x', 'fork')).rejects.toThrow('Expected one of cancel, pause, resume, terminate, retry for many executions');
    await expect(bulk('x', 'explode')).rejects.toThrow('Expected one of cancel');
    await expect(bulk('x', 'cancel', { limit: 501 })).rejects.toThrow('at most 500');
    await expect(bulk('x', 'cancel', { bulkId: 'a\0' })).rejects.toThrow('without NUL');
  });
});
