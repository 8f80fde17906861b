import { inTenant, openPool, openScratchStore, tenantRole, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { ExecutionQuery } from '@weft/contracts';
import { Refused } from '@weft/kernel';
import { eventually } from '@weft/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orchestrationMigrations } from '../migrations/index.js';
import { calls, context, newExecutionId, startCommand, startOrchestration, type RunningOrchestration } from '../orchestration.testing.js';
import { firstIdOf } from '../persist/first-id.js';
import { searchConditions } from './execution-search.js';

let scratch: ScratchStore;
let weft: RunningOrchestration;
let tenants: Pool;
const ids: Record<string, string> = {};

const document = (name: string, version: string): string =>
  JSON.stringify({
    document: { dsl: '1.0.3', namespace: 'spec', name, version, metadata: { searchAttributes: { customer: '${ .customer }', tag: '${ .tags }', team: 'billing' } } },
    do: calls('a'),
  });

beforeAll(async () => {
  scratch = await openScratchStore([orchestrationMigrations]);
  weft = await startOrchestration(scratch.address);
  tenants = openPool(scratch.address, { role: tenantRole('orchestration'), applicationName: 'spec' });
  const other = context({ tenant: 'other' });
  const [orders, orders2, refunds] = [await weft.deploy(document('orders', '1.0.0')), await weft.deploy(document('orders', '2.0.0')), await weft.deploy(document('refunds', '1.0.0'))];
  const plain = await weft.deploy(JSON.stringify({ document: { dsl: '1.0.3', namespace: 'spec', name: 'plain', version: '1.0.0' }, do: calls('a') }));
  const theirs = await weft.deploy(document('orders', '1.0.0'), other);
  const start = async (name: string, definition: typeof orders, input: object, tenant = 'default'): Promise<void> => {
    ids[name] = newExecutionId();
    await weft.send(startCommand(ids[name], definition, input as never, { tenant }));
    await eventually(async () => expect((await weft.controller.getExecution({ executionId: ids[name]! }, context({ tenant }))).status).toBe('completed'));
  };
  await start('first', orders, { customer: 'c-42', tags: ['vip', 'eu'] });
  await start('second', orders2, { customer: 'c-42', tags: ['us'] });
  await start('third', refunds, { customer: 7 });
  await start('plain', plain, { customer: 'c-42' });
  await start('theirs', theirs, { customer: 'c-42' }, 'other');
});
afterAll(async () => {
  await tenants?.end();
  await weft?.close();
  await scratch?.close();
});

const nameOf = (id: string): string => Object.entries(ids).find(([, known]) => known === id)?.[0] ?? id;

async function found(query: Partial<ExecutionQuery>, tenant = 'default'): Promise<readonly string[]> {
  const page = await weft.controller.listExecutions({ page: { limit: 0, cursor: '' }, status: '', query: ExecutionQuery.fromPartial(query) }, context({ tenant }));
  return page.executions.map(({ executionId }) => nameOf(executionId));
}

describe('searching executions', () => {
  it('finds them by attributes of their input, all of which must hold', async () => {
    expect(await found({ attributes: [{ name: 'customer', value: 'c-42' }] })).toEqual(['second', 'first']);
    expect(await found({ attributes: [{ name: 'customer', value: 'c-42' }, { name: 'tag', value: 'eu' }] })).toEqual(['first']); // prettier-ignore
    expect(await found({ attributes: [{ name: 'customer', value: '7' }] })).toEqual(['third']);
    expect(await found({ attributes: [{ name: 'customer', value: 'c-4' }] })).toEqual([]);
  });

  it('finds them by workflow, in any version or in one', async () => {
    expect(await found({ workflow: 'spec/orders' })).toEqual(['second', 'first']);
    expect(await found({ workflow: 'spec/orders:1.0.0' })).toEqual(['first']);
    expect(await found({ workflow: 'spec/order' })).toEqual([]);
  });

  it('finds them by status, by request and by the time they started', async () => {
    expect(await found({ status: 'completed' })).toEqual(['plain', 'third', 'second', 'first']);
    expect(await found({ status: 'running' })).toEqual([]);
    expect(await found({ requestId: `r-${ids['third']!}`, requestSource: '/spec', requestType: 'com.example.spec.v1' })).toEqual(['third']);
    const { startedAtMs } = await weft.controller.getExecution({ executionId: ids['second']! }, context());
    expect(await found({ startedFromMs: startedAtMs })).toEqual(['plain', 'third', 'second']);
    expect(await found({ startedBeforeMs: startedAtMs })).toEqual(['first']);
  });

  it('goes on from a cursor within the same query', async () => {
    const query = ExecutionQuery.fromPartial({ attributes: [{ name: 'team', value: 'billing' }] });
    const ask = (cursor: string) => weft.controller.listExecutions({ page: { limit: 2, cursor }, status: '', query }, context());
    const first = await ask('');
    const second = await ask(first.nextCursor);
    expect([first, second].map((page) => page.executions.map(({ executionId }) => nameOf(executionId)))).toEqual([['third', 'second'], ['first']]);
    expect(second.nextCursor).toBe('');
  });

  it('shows what an execution is found by', async () => {
    const { attributes, requestType } = await weft.controller.getExecution({ executionId: ids['first']! }, context());
    expect(attributes.map(({ name, value }) => `${name}=${value}`)).toEqual(['customer=c-42', 'tag=eu', 'tag=vip', 'team=billing']);
    expect(requestType).toBe('com.example.spec.v1');
  });

  it('keeps tenants apart', async () => {
    expect(await found({ attributes: [{ name: 'customer', value: 'c-42' }] }, 'other')).toEqual(['theirs']);
    expect((await tenants.query('select 1 from orchestration.search_attributes')).rows).toEqual([]);
    await expect(inTenant(tenants, 'default', (query) => query(`delete from orchestration.search_attributes`))).rejects.toThrow('permission denied');
  });

  it('uses the index of the attributes although row-level security guards the rows', async () => {
    const { joins, where, values } = searchConditions(ExecutionQuery.fromPartial({ attributes: [{ name: 'customer', value: 'c-42' }] }), 1);
    const plan = await inTenant(tenants, 'default', async (query) => {
      await query('set local enable_seqscan = off');
      return query<{ 'QUERY PLAN': string }>(`explain select e.id from orchestration.executions e ${joins} where ${where}`, values);
    });
    const lines = plan.map((row) => row['QUERY PLAN']).join('\n');
    expect(lines).toMatch(/search_attributes_found|search_attributes_pkey/);
    expect(lines).toMatch(/Index Cond: .*name = 'customer'.*value = 'c-42'/);
  });

  it('refuses what is no query', () => {
    const refused = (query: Partial<ExecutionQuery>) => () => searchConditions(ExecutionQuery.fromPartial(query), 1);
    expect(refused({ workflow: 'orders' })).toThrow(Refused);
    expect(refused({ attributes: [{ name: '', value: 'x' }] })).toThrow('Expected an attribute with a name');
    expect(refused({ attributes: Array.from({ length: 9 }, () => ({ name: 'a', value: 'b' })) })).toThrow('Expected at most 8 attributes');
    expect(refused({ requestId: 'a\0' })).toThrow('without NUL');
    expect(refused({ startedFromMs: -1 })).toThrow('milliseconds since the Unix epoch');
  });
});

describe('firstIdOf', () => {
  it('is the lowest id of an instant', () => {
    expect(firstIdOf(0x0190aabbccdd)).toBe('0190aabb-ccdd-0000-0000-000000000000');
  });
});
