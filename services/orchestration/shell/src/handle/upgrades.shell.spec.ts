// Upgrades on a real store: who could not go on, and what becomes of those that are taken over.
import { engineRole, openPool, openScratchStore, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { UpgradeRequest, type Job, type UpgradePage } from '@weft/contracts';
import { configureLog } from '@weft/nest-platform';
import { eventually } from '@weft/testkit';
import { CANCELLED } from '@weft/workflow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orchestrationMigrations } from '../migrations/index.js';
import { context, definitionText, newExecutionId, resultOf, startCommand, startOrchestration, type RunningOrchestration } from '../orchestration.testing.js';

let scratch: ScratchStore;
let pool: Pool;
let running: RunningOrchestration;
const carriedOut: Job[] = [];
const eva = context({ actor: 'user:eva' });

beforeAll(async () => {
  configureLog({ write: () => undefined });
  scratch = await openScratchStore([orchestrationMigrations]);
  pool = openPool(scratch.address, { role: engineRole('orchestration'), applicationName: 'spec' });
  running = await startOrchestration(scratch.address, (jobs: readonly Job[]) => {
    carriedOut.push(...jobs);
    return jobs.filter(({ pointer }) => !pointer.includes('held') || released.has(pointer)).map((job) => resultOf(job, { by: job.pointer }));
  });
});
afterAll(async () => {
  await running?.close();
  await pool?.end();
  await scratch?.close();
});

const released = new Set<string>();
const job = (name: string): object => ({ [name]: { call: 'tool', with: { name: 'look', arguments: {} } } });
const rest = (name: string, seconds: number): object => ({ [name]: { wait: { seconds } } });

async function begin(name: string, tasks: readonly object[], count: number): Promise<readonly string[]> {
  const definition = await running.deploy(definitionText(name, tasks));
  const ids = Array.from({ length: count }, newExecutionId);
  await running.send(...ids.map((id) => startCommand(id, definition, {})));
  await eventually(async () => expect((await rows(ids)).length).toBe(count));
  return ids;
}

const rows = async (ids: readonly string[]) =>
  (
    await pool.query<{ id: string; status: string; definition: string; ended_at: Date | null }>(
      'select id, status, definition, ended_at from orchestration.executions where id = any($1) order by id',
      [ids],
    )
  ).rows;

const upgrade = (more: Partial<UpgradeRequest>): Promise<UpgradePage> => running.controller.upgrade(UpgradeRequest.fromPartial(more), eva);

describe('an upgrade', () => {
  it('tells of a document that is not deployed which executions could not go on, and changes nothing', async () => {
    const [early, late] = [await begin('checked', [rest('pause', 3600), job('b')], 2), await begin('other', [rest('pause', 3600)], 1)];
    const page = await upgrade({ text: definitionText('checked', [job('new'), rest('pause', 3600), job('b')], '2.0.0') });
    expect(page).toMatchObject({ matched: 2, able: 0, migrated: 0, to: { version: '2.0.0' }, proposals: [{ version: '1.0.0', doubts: [] }] });
    expect(page.broken.map(({ executionId }) => executionId).toSorted()).toEqual([...early].toSorted());
    expect(page.broken[0]).toMatchObject({ version: '1.0.0', isHealedByProposal: true, problems: [{ reason: 'task-moved', pointer: '/do/0/pause' }] });
    expect(JSON.parse(page.proposals[0]!.mapJson)).toEqual({ '/do/0/pause': '/do/1/pause', '/do/1/b': '/do/2/b' });
    expect(await upgrade({ text: definitionText('checked', [rest('pause', 1), job('c')], '2.0.0') })).toMatchObject({ matched: 2, able: 2, broken: [] });
    expect((await rows([...early, ...late])).map(({ definition }) => definition)).toEqual(['spec/checked:1.0.0', 'spec/checked:1.0.0', 'spec/other:1.0.0']);
  });

  it('takes executions over with the map, page by page, and they go on there', async () => {
    const ids = await begin('taken', [job('held'), job('last')], 5);
    await running.deploy(definitionText('taken', [job('new'), job('held'), job('after'), job('last')], '2.0.0'));
    const wish = { workflow: 'spec/taken', to: '2.0.0', mapJson: JSON.stringify({ '/do/0/held': '/do/1/held' }), operationId: 'm-1' };
    expect(await upgrade({ ...wish, dryRun: true })).toMatchObject({ matched: 5, able: 5, migrated: 0 });
    const pages: UpgradePage[] = [];
    for (let cursor = ''; pages.length === 0 || cursor !== ''; cursor = pages.at(-1)!.nextCursor) pages.push(await upgrade({ ...wish, cursor, limit: 2 }));
    expect(pages.map(({ migrated }) => migrated)).toEqual([2, 2, 1]);
    expect(await upgrade(wish)).toMatchObject({ matched: 0 });
    expect((await rows(ids)).every(({ definition }) => definition === 'spec/taken:2.0.0')).toBe(true);
    const texts = (await running.controller.getTimeline({ executionId: ids[0]!, afterVersion: -1 }, eva)).entries.map(({ text }) => text);
    expect(texts).toContain('migrated from version 1.0.0 to 2.0.0 by user:eva');
    released.add('/do/1/held');
    // Handed out again after the pause that jobs without an answer have.
    await eventually(async () => expect((await rows(ids)).map(({ status }) => status)).toEqual(ids.map(() => 'completed')), { timeoutMs: 15_000 });
    const held = carriedOut.filter(({ executionId, pointer }) => executionId === ids[0] && pointer.endsWith('/held'));
    expect(new Set(held.map(({ id }) => id)).size).toBe(1);
    expect(new Set(held.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
  });

  it('leaves those that could not go on under their own version, with the reason', async () => {
    const ids = await begin('left', [rest('pause', 3600)], 1);
    await running.deploy(definitionText('left', [rest('renamed', 3600), job('b')], '2.0.0'));
    expect(await upgrade({ workflow: 'spec/left', to: '2.0.0' })).toMatchObject({ matched: 1, able: 0, migrated: 0, broken: [{ executionId: ids[0], problems: [{ reason: 'task-missing' }] }] });
    expect((await rows(ids))[0]!.definition).toBe('spec/left:1.0.0');
  });

  it('takes one alone, also one that faulted: it stays ended until it is retried', async () => {
    const ids = await begin('faulted', [{ bad: { raise: { error: { type: 'https://spec.test/bad', status: 500 } } } }, job('last')], 1);
    await running.deploy(definitionText('faulted', [{ bad: { raise: { error: { type: 'https://spec.test/bad', status: 500 } } } }, job('last'), job('more')], '2.0.0'));
    const [before] = await rows(ids);
    expect(await upgrade({ workflow: 'spec/faulted', to: '2.0.0' })).toMatchObject({ matched: 0 });
    expect(await upgrade({ workflow: 'spec/faulted', to: '2.0.0', executionId: ids[0]! })).toMatchObject({ matched: 1, migrated: 1 });
    expect((await rows(ids))[0]).toEqual({ ...before, definition: 'spec/faulted:2.0.0' });
  });

  it('says of one that is named and over why it stays as it is', async () => {
    const ids = await begin('over', [{ set: { set: { done: true } } }], 1);
    await running.deploy(definitionText('over', [{ set: { set: { done: false } } }], '2.0.0'));
    await eventually(async () => expect((await rows(ids))[0]!.status).toBe('completed'));
    const wish = { workflow: 'spec/over', to: '2.0.0', executionId: ids[0]! };
    for (const dryRun of [true, false])
      expect(await upgrade({ ...wish, dryRun })).toMatchObject({
        matched: 1,
        able: 0,
        migrated: 0,
        broken: [{ problems: [{ reason: 'operation-not-possible', message: expect.stringContaining('completed') }] }],
      });
    expect(await upgrade({ ...wish, executionId: '' })).toMatchObject({ matched: 0, broken: [] });
  });

  it('leaves those alone that are being cancelled', async () => {
    const rescue = { try: [rest('pause', 3600)], catch: { errors: { with: { type: CANCELLED.type } }, do: [rest('undo', 3600)] } };
    const ids = await begin('cancelled', [{ guard: rescue }], 1);
    await running.controller.operate({ executionId: ids[0]!, operation: 'cancel', operationId: '', reason: '', task: '' }, eva);
    expect(await upgrade({ text: definitionText('cancelled', [job('b')], '2.0.0') })).toMatchObject({ matched: 0, broken: [] });
  });

  it('reaches nothing of another tenant, and refuses what names no version', async () => {
    const ids = await begin('foreign', [rest('pause', 3600)], 1);
    const other = context({ tenant: 'other' });
    expect(await running.controller.upgrade(UpgradeRequest.fromPartial({ text: definitionText('foreign', [job('b')], '2.0.0') }), other)).toMatchObject({ matched: 0 });
    await expect(running.controller.upgrade(UpgradeRequest.fromPartial({ workflow: 'spec/foreign', to: '1.0.0', executionId: ids[0]! }), other)).rejects.toThrow(
      'Expected an execution of this tenant',
    );
    await expect(upgrade({ workflow: 'spec/foreign' })).rejects.toThrow('Expected a document, or a workflow');
    await expect(upgrade({ workflow: 'spec/foreign', to: '9.0.0' })).rejects.toThrow('is not deployed');
    await expect(upgrade({ workflow: 'spec/foreign', to: '1.0.0', mapJson: '[]' })).rejects.toThrow('Expected the map to be an object');
  });
});
